"""Intervals, ratios and lines: known answers, and what is refused."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from pushbench.stats import fit_line, median_interval, paired_ratio, student_t_975


def test_the_middle_is_the_median_and_nans_are_dropped() -> None:
    interval = median_interval([3.0, np.nan, 1.0, 2.0])
    assert (interval.mid, interval.n) == (2.0, 3)


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_the_interval_of_up_to_five_values_is_their_whole_range(count: int) -> None:
    interval = median_interval(np.arange(count) + 1.0)
    assert (interval.low, interval.high) == (1.0, count)


def test_the_interval_of_more_values_is_narrower_than_their_range() -> None:
    interval = median_interval(np.arange(21.0))
    assert 0 < interval.low < interval.mid == 10 < interval.high < 20


def test_about_95_of_100_intervals_hold_the_true_median() -> None:
    rng = np.random.default_rng(4)
    intervals = [median_interval(rng.normal(5, 1, 30), resamples=400) for _ in range(300)]
    assert 0.91 <= np.mean([interval.low <= 5 <= interval.high for interval in intervals]) <= 0.99


def test_a_lower_confidence_gives_a_narrower_interval() -> None:
    values = np.random.default_rng(1).normal(size=40)
    wide, narrow = median_interval(values), median_interval(values, confidence=0.5)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_one_value_is_no_interval() -> None:
    interval = median_interval([7.0])
    assert (interval.low, interval.mid, interval.high, interval.n, interval.is_interval) == (7, 7, 7, 1, False)


@pytest.mark.parametrize("values", [[], [np.nan, np.nan]])
def test_no_value_gives_nan_and_says_that_there_were_none(values: list[float]) -> None:
    interval = median_interval(values)
    assert interval.n == 0
    assert math.isnan(interval.low)
    assert math.isnan(interval.mid)
    assert math.isnan(interval.high)


def test_the_same_seed_gives_the_same_interval_and_another_seed_may_not() -> None:
    values = np.random.default_rng(2).normal(size=25)
    assert median_interval(values, seed=5) == median_interval(values, seed=5)
    assert median_interval(values, seed=5, resamples=50) != median_interval(values, seed=6, resamples=50)


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_an_impossible_confidence_is_refused_by_value(confidence: float) -> None:
    with pytest.raises(ValueError, match=f"confidence is {confidence}"):
        median_interval([1.0, 2.0], confidence=confidence)


def test_a_ratio_is_taken_within_each_round() -> None:
    # The machine slows down threefold over the rounds; within each, a takes twice as long as b.
    ratio = paired_ratio([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
    assert (ratio.low, ratio.mid, ratio.high, ratio.n) == (2, 2, 2, 3)


def test_a_round_without_both_values_or_with_a_zero_below_is_dropped() -> None:
    assert paired_ratio([2.0, np.nan, 8.0, 5.0], [1.0, 1.0, np.nan, 0.0]).n == 1


def test_ratios_of_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="3 rounds beside 2"):
        paired_ratio([1, 2, 3], [1, 2])


def test_a_line_through_exact_points_is_found_with_no_doubt() -> None:
    line = fit_line([0, 1, 2, 3], [5, 7, 9, 11])
    assert (line.slope, line.intercept, line.r2, line.n) == pytest.approx((2, 5, 1, 4))
    assert (line.low, line.high) == pytest.approx((2, 2))


def test_slope_interval_and_r2_of_a_textbook_example_worked_by_hand() -> None:
    # x - mean = -2 -1 0 1 2, Sxx = 10, Sxy = 6, SST = 6, SSE = 6 - 0.6 * 6 = 2.4; s = sqrt(0.8), t(3) = 3.182.
    line = fit_line([1, 2, 3, 4, 5], [2, 4, 5, 4, 5])
    half = 3.182 * math.sqrt(0.8 / 10)
    assert (line.slope, line.intercept, line.r2) == pytest.approx((0.6, 2.2, 0.6))
    assert (line.low, line.high) == pytest.approx((0.6 - half, 0.6 + half))


def test_points_with_nan_are_dropped_from_the_fit() -> None:
    assert fit_line([0, 1, 2, np.nan, 4], [0, 1, 2, 3, np.nan]).n == 3


def test_a_flat_line_has_no_r2() -> None:
    line = fit_line([0, 1, 2], [4, 4, 4])
    assert line.slope == 0
    assert math.isnan(line.r2)


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        (lambda: fit_line([1, 2], [1, 2]), "2 points, and a line"),
        (lambda: fit_line([1, 2, np.nan, 4], [1, np.nan, 3, 4]), "2 points"),
        (lambda: fit_line([3, 3, 3], [1, 2, 3]), "at x = 3"),
        (lambda: fit_line([1, 2, 3], [1, 2]), "3 x values beside 2"),
        (lambda: fit_line([1, 2, 3], [1, 2, 3], confidence=0.9), "confidence is 0.9"),
        (lambda: student_t_975(0), "0 degrees"),
    ],
)
def test_what_cannot_be_fitted_is_refused_by_value(refused: Callable[[], object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        refused()


@pytest.mark.parametrize("degrees", [1, 2, 3, 7, 15, 30, 40, 60, 120])
def test_the_t_table_leaves_two_and_a_half_percent_above(degrees: int) -> None:
    scale = math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)) / math.sqrt(degrees * math.pi)
    t = np.linspace(0, student_t_975(degrees), 20_001)
    below = 0.5 + np.trapezoid(scale * (1 + t**2 / degrees) ** (-(degrees + 1) / 2), t)
    assert below == pytest.approx(0.975, abs=5e-5)


def test_between_two_rows_of_the_t_table_the_wider_one_holds() -> None:
    assert [student_t_975(degrees) for degrees in (31, 39, 40, 59, 60, 119, 120, 121)] == [
        2.042, 2.042, 2.021, 2.021, 2.000, 2.000, 1.980, 1.960,
    ]  # fmt: skip
