"""Ties of costs: hand-computed places, intervals that hold what they promise, and what has no tie."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pushbench import crossover
from pushbench.crossover import Draws, Polled, Pushed

RATES = np.geomspace(1e-4, 100, 200)


def exactly(value: float, draws: int = 500) -> Draws:
    return np.full(1 + draws, float(value))


def varied(value: float, spread: float, seed: int) -> Draws:
    drawn = value * (1 + spread * np.random.default_rng(seed).standard_normal(500))
    return np.concatenate([[value], drawn])


POLLED = Polled(exactly(375), exactly(500), exactly(129))
PUSHED = Pushed(exactly(236), exactly(7))


def test_costs_are_those_computed_by_hand() -> None:
    assert PUSHED.at(0.1, 10)[0] == pytest.approx(7 + 23.6)
    assert POLLED.at(0.01, 30)[0] == pytest.approx((0.7 * 375 + 0.3 * 500) / 30 + 1.29)
    assert POLLED.at(10, 30)[0] == pytest.approx(500 / 30 + 1290)  # every poll is answered


def test_a_seldom_update_is_where_polling_takes_less_than_a_connection_that_is_kept_alive() -> None:
    """375 / T < 7 from T = 53.6 s on: polling every 100 s costs less while nothing happens."""
    [tie] = crossover.ties_by_rate(Polled(exactly(375), exactly(375), exactly(300)), PUSHED, 100, RATES, 3)
    assert tie.first_below
    assert tie.at.mid == pytest.approx((7 - 3.75) / (300 - 236), rel=1e-3)


def test_a_fast_feed_is_another_place_where_polling_takes_less_for_it_coalesces() -> None:
    [tie] = crossover.ties_by_rate(Polled(exactly(375), exactly(375), exactly(129)), PUSHED, 10, RATES, 3)
    assert not tie.first_below
    assert tie.at.mid == pytest.approx((37.5 - 7) / (236 - 129), rel=1e-3)


def test_where_one_is_cheaper_at_all_rates_there_is_no_tie() -> None:
    dear = Pushed(exactly(300), exactly(10))
    assert crossover.ties_by_rate(dear, PUSHED, 10, RATES, 3) == []
    assert not crossover.first_is_cheaper(dear, PUSHED, 1, 10)


def test_what_costs_the_same_everywhere_has_no_tie() -> None:
    assert crossover.ties_by_rate(PUSHED, PUSHED, 10, RATES, 3) == []


def test_what_was_not_measured_has_no_tie() -> None:
    assert crossover.ties_by_rate(Pushed(exactly(math.nan), exactly(1)), PUSHED, 10, RATES, 3) == []


def test_van_de_vyveres_tie_is_users_over_requests_a_second() -> None:
    """Polling at 200 us a request serves as many as a push that takes 20 us a second from 10 s on."""
    polled = Polled(exactly(200), exactly(200), exactly(0))
    pushed = Pushed(exactly(0), exactly(20))
    [tie] = crossover.ties_by_staleness(polled, pushed, 0.01, np.geomspace(0.1, 100, 400), 3)
    assert tie.at.mid == pytest.approx(10, rel=1e-3)
    assert not tie.first_below
    users = crossover.served(pushed, 0.01, 10, 1e6, 3).mid
    assert users == 50_000
    assert crossover.served(polled, 0.01, 10, 1e6, 3).mid == pytest.approx(users)


def test_a_tie_of_costs_that_vary_has_an_interval_around_it() -> None:
    polled = Polled(varied(100, 0.05, 1), varied(100, 0.05, 1), exactly(300))
    [tie] = crossover.ties_by_rate(polled, Pushed(exactly(236), varied(7, 0.05, 2)), 50, RATES, 5)
    assert tie.at.mid == pytest.approx(5 / 64, rel=1e-2)
    assert tie.at.low < tie.at.mid < tie.at.high
    assert tie.at.is_interval


def test_an_end_that_some_resamples_do_not_have_lies_beyond_the_range() -> None:
    polled = Polled(varied(300, 0.3, 1), varied(300, 0.3, 1), exactly(300))
    [tie] = crossover.ties_by_rate(polled, Pushed(exactly(236), exactly(7)), 50, RATES, 5)
    assert tie.first_below
    assert (tie.at.low, math.isfinite(tie.at.high)) == (0, True)


def test_one_trial_gives_a_place_without_an_interval() -> None:
    [tie] = crossover.ties_by_rate(Polled(exactly(100), exactly(100), exactly(300)), PUSHED, 50, RATES, 1)
    assert not tie.at.is_interval
    assert tie.at.low == tie.at.mid == tie.at.high


def test_a_push_is_taken_apart_into_what_idles_and_what_is_sent() -> None:
    made = crossover.pushed(exactly(250), exactly(5), rate_hz=0.5)
    assert made.per_delivery[0] == 240
    assert made.at(0.5, 1)[0] == pytest.approx(0.5 * 250)
    assert crossover.pushed(exactly(1), exactly(5), rate_hz=0.5).per_delivery[0] == 0


@given(
    rate=st.floats(0.01, 50), interval=st.floats(10, 10_000), empty=st.floats(1, 500), more=st.floats(0, 500),
    message=st.floats(0, 200),
)  # fmt: skip
def test_a_poller_that_is_taken_apart_and_put_together_costs_what_it_did(
    rate: float, interval: float, empty: float, more: float, message: float
) -> None:
    true = Polled(exactly(empty), exactly(empty + more), exactly(message))
    per_delivery = true.at(rate, interval / 1000) / rate
    made = crossover.polled(per_delivery, exactly(empty), exactly(message), rate, interval)
    assert made.per_answer[0] == pytest.approx(empty + more, rel=1e-6, abs=1e-6)
    assert made.at(rate, interval / 1000)[0] == pytest.approx(true.at(rate, interval / 1000)[0], rel=1e-6)


@given(st.floats(0.001, 50), st.floats(0.1, 50))
def test_at_a_tie_both_cost_the_same(per_s: float, staleness_s: float) -> None:
    other = Pushed(exactly(236), exactly(per_s))
    near = np.geomspace(RATES[0], RATES[-1], 4 * len(RATES))  # straight between them: an error by the square of the step
    for tie in crossover.ties_by_rate(POLLED, other, staleness_s, near, 3):
        one, two = (cost.at(tie.at.mid, staleness_s)[0] for cost in (POLLED, other))
        assert one == pytest.approx(two, rel=1e-3)


def test_medians_are_drawn_from_the_trials_and_the_same_each_time() -> None:
    drawn = crossover.drawn_medians([1.0, 2.0, np.nan, 4.0])
    assert drawn[0] == 2
    assert set(drawn) <= {1.0, 1.5, 2.0, 3.0, 4.0}
    assert crossover.drawn_medians([1.0, 2.0, np.nan, 4.0]).tolist() == drawn.tolist()
    assert np.isnan(crossover.drawn_medians([np.nan])).all()


def test_about_95_of_100_intervals_hold_the_true_tie() -> None:
    """The truth: 100 bytes every 50 s against 7 a second and 236 a message, and 300 in a poll: 5 / 64 a second."""
    held = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        per_poll, per_s = rng.normal(100, 5, 9), rng.normal(7, 0.35, 9)
        empty = crossover.drawn_medians(per_poll, seed, 200)
        polled = Polled(empty, empty, np.full(201, 300.0))
        pushed = Pushed(np.full(201, 236.0), crossover.drawn_medians(per_s, seed + 1000, 200))
        [tie] = crossover.ties_by_rate(polled, pushed, 50, RATES[::4], 9)
        held += tie.at.low <= 5 / 64 <= tie.at.high
    assert held >= 51
