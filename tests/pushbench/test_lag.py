"""Lag: the wait of a random arrival is what a plain reckoning finds, and working is told from being held."""

import math

import pytest
from hypothesis import given, strategies as st

from pushbench.lag import Lag, wait_ns

MS = 1_000_000
LATES = st.lists(st.integers(-5, 500), min_size=1, max_size=30)


def share_that_waits_longer(late: list[int], every: int, than: float) -> float:
    """By the definition."""
    late = [max(0, one) for one in late]
    return sum(max(0.0, one - than) for one in late) / sum(every + one for one in late)


@given(LATES, st.sampled_from([0.5, 0.9, 0.99]))
def test_so_many_wait_longer_than_the_quantile_and_no_more(late: list[int], quantile: float) -> None:
    wait = wait_ns(late, 10, quantile)
    assert wait >= 0
    if wait > 0:
        assert share_that_waits_longer(late, 10, wait) == pytest.approx(1 - quantile)
    else:
        assert share_that_waits_longer(late, 10, 0) <= 1 - quantile + 1e-9


@pytest.mark.parametrize(
    ("late_ms", "p99_ms"),
    [
        ([0] * 100, 0.0),
        # Ten times a second late by 85 ms, as when a process is stopped for nine of ten milliseconds.
        ([85] * 10, 85 - 0.95),
        # One stall of half a second among a thousand timers: a hundredth of the time is spent waiting for it.
        ([500] + [0] * 1000, 500 - 0.01 * 10_510),
    ],
)
def test_a_stall_counts_by_its_length(late_ms: list[int], p99_ms: float) -> None:
    lag = Lag(10 * MS, tuple(late * MS for late in late_ms), (0,) * len(late_ms))
    assert lag.wait_ms(0.99) == pytest.approx(p99_ms)


def test_a_loop_that_was_working_was_not_held() -> None:
    lag = Lag(10 * MS, late_ns=(50 * MS, 50 * MS), cpu_ns=(49 * MS, 5 * MS))
    held = Lag(10 * MS, late_ns=(0, 45 * MS), cpu_ns=(0, 0))
    assert lag.held_ms(0.99) == pytest.approx(held.wait_ms(0.99))


def test_the_grain_of_a_timer_is_no_holding() -> None:
    assert Lag(10 * MS, late_ns=(2 * MS,) * 9, cpu_ns=(0,) * 9).held_ms(0.5) == 0


def test_lags_of_two_swarms_are_added() -> None:
    assert Lag(10, (1,), (2,)) + Lag(10, (3,), (4,)) == Lag(10, (1, 3), (2, 4))


def test_of_nothing_there_is_no_lag() -> None:
    assert math.isnan(Lag(10 * MS).wait_ms(0.99))
    assert math.isnan(Lag(10 * MS).held_ms(0.99))
