"""Clocks: of many rounds the shortest is believed, as far as it can be, and no latency is told better than that."""

import random

import numpy as np
import pytest

from pushbench.clocks import EXACT, SAME, Clock, Estimate, Round, below, estimate

HOUR_NS = 3_600_000_000_000


@pytest.mark.parametrize(
    ("rounds", "expected"),
    [
        ([Round(100, 1_050, 100)], Estimate(100, 950, 0)),
        ([Round(0, 1_050, 100)], Estimate(50, 1_000, 50)),
        ([Round(0, 1_050, 101)], Estimate(50, 1_000, 51)),
        ([Round(0, 9_000, 1_000), Round(2_000, 3_010, 2_020), Round(3_000, 9, 3_900)], Estimate(2_010, 1_000, 10)),
        ([Round(500, -1_000, 700)], Estimate(600, -1_600, 100)),
    ],
)
def test_the_shortest_round_tells_the_offset_and_half_of_it_how_wrong_it_may_be(
    rounds: list[Round], expected: Estimate
) -> None:
    assert estimate(rounds) == expected


def test_without_a_round_nothing_is_known() -> None:
    with pytest.raises(ValueError, match="empty"):
        estimate([])


@pytest.mark.parametrize("offset_ns", [0, 7 * HOUR_NS, -3 * HOUR_NS])
@pytest.mark.parametrize("seed", range(5))
def test_however_the_ways_differ_the_true_offset_is_within_the_uncertainty(offset_ns: int, seed: int) -> None:
    draws, now_ns, rounds = random.Random(seed), 10**12, []
    for _ in range(50):
        there, back = (round(draws.expovariate(1 / mean)) for mean in (100_000, 700_000))
        rounds.append(Round(now_ns, now_ns + there + offset_ns, now_ns + there + back))
        now_ns += there + back + 1000
    found = estimate(rounds)
    assert abs(found.offset_ns - offset_ns) <= found.uncertainty_ns
    assert found.uncertainty_ns == (min(one.answered_ns - one.asked_ns for one in rounds) + 1) // 2


def test_this_hosts_clock_is_taken_as_it_is() -> None:
    moments_ns = np.array([0, 5, 10**18], dtype=np.int64)
    assert (SAME.here(moments_ns) == moments_ns).all()
    assert SAME.there(10**18) == 10**18
    assert (SAME.offset_ns, SAME.uncertainty_ns) == (0, 0)


@pytest.mark.parametrize("drift", [0.0, 1e-4, -1e-4])
@pytest.mark.parametrize("offset_ns", [0, 10**15, -(10**15)])
def test_between_the_estimates_a_clock_has_run_evenly_and_both_ways_lead_back(drift: float, offset_ns: int) -> None:
    begin_ns, end_ns = 10**13, 10**13 + 600 * 10**9
    last_ns = offset_ns + round(drift * (end_ns - begin_ns))
    clock = Clock(Estimate(begin_ns, offset_ns, 30), Estimate(end_ns, last_ns, 20))
    for here_ns in (begin_ns - 10**9, begin_ns, begin_ns + 10**11, end_ns, end_ns + 10**9):
        there_ns = here_ns + offset_ns + round(drift * (here_ns - begin_ns))
        assert clock.there(here_ns) == there_ns
        assert abs(int(clock.here(np.array([there_ns], dtype=np.int64))[0]) - here_ns) <= 1
    assert clock.uncertainty_ns == 30
    assert clock.offset_ns == pytest.approx(offset_ns + drift * 300 * 10**9, abs=2)


def test_before_it_is_asked_again_it_is_taken_to_run_as_this_one_does() -> None:
    found = Estimate(50, 1_000, 3)
    assert Clock(found, found).there(10**15) == 10**15 + 1_000
    assert Clock(EXACT, EXACT) == SAME


@pytest.mark.parametrize(
    ("uncertainty_ms", "value_ms", "told"),
    [
        (0.0, 0.0, "as it is"),
        (0.35, 0.36, "as it is"),
        (0.35, 0.35, "as it is"),
        (0.35, 0.34, "< 0.35"),
        (0.3512, 0.01, "< 0.35"),
        (12.3, 5.0, "< 12"),
        (0.35, -0.1, "< 0.35"),
        (0.0, float("nan"), "as it is"),
        (float("nan"), 0.1, "as it is"),
    ],
)
def test_a_latency_below_the_uncertainty_is_told_as_less_than_that(
    uncertainty_ms: float, value_ms: float, told: str
) -> None:
    assert below(uncertainty_ms, value_ms, "as it is") == told


def test_a_clock_that_was_put_right_is_as_uncertain_as_before() -> None:
    clock = Clock(Estimate(0, 5_000, 7), Estimate(100, 5_001, 9))
    assert (clock.less_its_offset.offset_ns, clock.less_its_offset.uncertainty_ns) == (0, 9)
