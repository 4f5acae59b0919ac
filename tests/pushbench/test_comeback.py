"""Coming back: waits, what connecting again took, the peak, and who has caught up when; by tables and by hand."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pushbench.comeback import (
    LEAST_WAIT_S,
    LONGEST_WAIT_S,
    Arrival,
    Arrivals,
    Backoff,
    arrivals,
    caught_up_ns,
    peak_per_s,
    recovered_ms,
)

MS = 1_000_000


def ints(*values: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.array(values, dtype=np.int64)


@pytest.mark.parametrize(
    ("first_s", "waits"),
    [
        (1.0, [1, 2, 4, 8, 16, 30, 30]),
        (0.25, [0.25, 0.5, 1, 2, 4, 8, 16]),
        (40.0, [30, 30]),
        (0.0, [0, LEAST_WAIT_S, LEAST_WAIT_S]),
    ],
)
def test_a_wait_doubles_with_each_failure_up_to_the_longest(first_s: float, waits: list[float]) -> None:
    assert [Backoff(first_s, jitter=False).wait_s(failures, 0.7) for failures in range(len(waits))] == waits


@given(st.floats(0.001, 60), st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_full_jitter_draws_from_zero_to_the_whole_wait(first_s: float, failures: int, draw: float) -> None:
    whole = Backoff(first_s, jitter=False).wait_s(failures, draw)
    assert Backoff(first_s, jitter=True).wait_s(failures, draw) == whole * draw
    assert 0 < whole <= LONGEST_WAIT_S


def test_the_first_message_counts_from_the_beginning_of_connecting_and_belongs_to_that_connection() -> None:
    connected = [
        Arrival(0, 10, 20, again=True),  # cut off before it got anything: its message comes on the next connection
        Arrival(0, 40, 50, again=True),
        Arrival(1, 15, 30, again=False),
        Arrival(2, 15, 30, again=False),  # never got any
    ]
    who, when = ints(0, 1, 0, 1, 0), ints(5, 29, 60, 70, 80)
    told = arrivals(connected, who, when)
    assert told.again == 2
    assert told.reconnect_ns == (20,)
    assert told.first_message_ns == (55,)  # not the one from before it was connected
    assert sorted(told.connected_ns) == [20, 30, 30, 50]


def test_without_arrivals_there_is_nothing_to_tell_but_that_nobody_came_again() -> None:
    told = arrivals([], ints(0, 0), ints(1, 2))
    assert told == Arrivals()
    assert told.columns == {
        "reconnects": 0,
        "first_message_p50_ms": None,
        "first_message_p99_ms": None,
        "reconnect_p50_ms": None,
        "reconnect_p99_ms": None,
        "connect_peak_per_s": None,
    }


def test_the_columns_are_quantiles_in_milliseconds() -> None:
    told = Arrivals(again=3, first_message_ns=(2 * MS, 4 * MS), reconnect_ns=(8 * MS,), connected_ns=(1, 2, 3, 2 * 10**9))
    assert told.columns["first_message_p50_ms"] == 3
    assert told.columns["reconnect_p99_ms"] == 8
    assert told.columns["connect_peak_per_s"] == 30


@given(st.lists(st.integers(0, 10**9), min_size=1))
def test_the_peak_is_that_of_the_fullest_stretch(moments: list[int]) -> None:
    fullest = max(sum(begin <= other < begin + 100 * MS for other in moments) for begin in moments)
    assert peak_per_s(moments) == fullest * 10


def test_who_has_caught_up_had_every_message_that_was_due_and_was_to_be_his() -> None:
    who = ints(0, 1, 0, 1, 0, 2, 2, 0)
    seq = ints(0, 0, 1, 2, 1, 2, 1, 5)
    when = ints(10, 11, 20, 30, 40, 50, 60, 70)
    since = ints(0, 0, 1, 3)
    # 0 had 0, 1 (first at 20) of two; of three it lacks 2. 1 lacks 1. 2 was to get 1 and 2. 3 joined later than all that.
    assert caught_up_ns(who, seq, when, since=since, due=2) == (20, None, 60)
    assert caught_up_ns(who, seq, when, since=since, due=3) == (None, None, 60)
    assert caught_up_ns(who, seq, when, since=since, due=0) == ()


@given(st.lists(st.one_of(st.none(), st.integers(0, 100)), max_size=20), st.sampled_from([50.0, 90.0, 100.0]))
def test_recovery_is_when_so_many_had_caught_up(caught_up: list[int | None], percent: float) -> None:
    taken = recovered_ms(caught_up, 10, percent)
    if taken is None:
        assert sum(moment is not None for moment in caught_up) < max(1, percent / 100 * len(caught_up))
    else:
        by_then = [moment for moment in caught_up if moment is not None and moment <= 10 + taken * 1e6 + 0.5]
        assert len(by_then) >= percent / 100 * len(caught_up)
