"""Intervals, ratios and lines: known answers, and what is refused."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pushbench.stats import (
    Interval,
    each_of,
    fit_line,
    mean_unpaired_ratio,
    median_interval,
    paired_ratio,
    student_t,
    unpaired_ratio,
)


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


def test_a_round_without_both_values_or_with_one_that_is_not_above_zero_is_dropped() -> None:
    assert paired_ratio([2.0, np.nan, 8.0, 5.0, 0.0, -1.0], [1.0, 1.0, np.nan, 0.0, 1.0, 1.0]).n == 1


def test_the_ratio_of_one_round_is_no_interval_and_of_none_is_nan() -> None:
    ratio = paired_ratio([4.0], [2.0])
    assert (ratio, ratio.is_interval) == (Interval(2, 2, 2, 1), False)
    assert math.isnan(paired_ratio([], []).mid)


def test_a_paired_ratio_worked_by_hand() -> None:
    # The logarithms to base 2 of the ratios are 0, 1, 2: mean 1, standard deviation 1; t(2) = 4.303.
    ratio = paired_ratio([1, 4, 12], [1, 2, 3])
    half = 2 ** (4.302653 / math.sqrt(3))
    assert (ratio.low, ratio.mid, ratio.high, ratio.n) == pytest.approx((2 / half, 2, 2 * half, 3))


def test_an_unpaired_ratio_worked_by_hand() -> None:
    # Logarithms to base 2: 0, 2, 4 and 0, 1, 2, with variances 4 and 1; of the difference 4/3 + 1/3; t(4) = 2.776.
    ratio = unpaired_ratio([1, 4, 16], [4, 1, 2])
    half = 2 ** (2.776445 * math.sqrt(5 / 3))
    assert (ratio.low, ratio.mid, ratio.high, ratio.n) == pytest.approx((2 / half, 2, 2 * half, 3))


def test_of_unequal_numbers_of_values_the_degrees_of_freedom_are_welchs() -> None:
    # Variances of the means 1/3 with 2 degrees of freedom and 8/2 with 1: Welch's formula gives 169/9 / (1/18 + 16).
    ratio = unpaired_ratio([2, 4, 8], [1, 16])
    degrees = (13 / 3) ** 2 / ((1 / 3) ** 2 / 2 + 4**2)
    assert math.log2(ratio.high / ratio.mid) == pytest.approx(student_t(degrees) * math.sqrt(13 / 3))
    assert ratio.n == 2


def test_an_unpaired_ratio_does_not_depend_on_the_order_of_the_trials() -> None:
    one, other = unpaired_ratio([3, 1, 2], [5, 7, 6]), unpaired_ratio([1, 2, 3], [7, 6, 5])
    assert (one.low, one.high) == pytest.approx((other.low, other.high))


@pytest.mark.parametrize(("a", "b", "n"), [([4.0], [2.0, 2.0], 1), ([], [2.0], 0), ([np.nan], [2.0, 2.0], 0)])
def test_a_side_with_fewer_than_two_values_has_no_interval(a: list[float], b: list[float], n: int) -> None:
    ratio = unpaired_ratio(a, b)
    assert (ratio.n, ratio.is_interval) == (n, False)
    assert ratio.mid == 2 if n else math.isnan(ratio.mid)


@pytest.mark.parametrize("value", [0.0, -3.0])
def test_a_ratio_of_what_is_not_above_zero_is_refused_by_value(value: float) -> None:
    with pytest.raises(ValueError, match=f"{value:g} has no logarithm"):
        unpaired_ratio([1.0, value], [1.0, 2.0])


def test_values_that_do_not_vary_give_an_interval_without_width() -> None:
    ratio = unpaired_ratio([3, 3, 3], [2, 2])
    assert (ratio.low, ratio.mid, ratio.high) == pytest.approx((1.5, 1.5, 1.5))


positive = st.lists(st.floats(0.01, 1000), min_size=2, max_size=8)


@given(positive, positive)
def test_the_ratio_turned_round_is_one_over_it_and_so_is_its_interval(a: list[float], b: list[float]) -> None:
    ratio, turned = unpaired_ratio(a, b), unpaired_ratio(b, a)
    assert (1 / turned.high, 1 / turned.mid, 1 / turned.low) == pytest.approx((ratio.low, ratio.mid, ratio.high))


@given(positive, positive, st.floats(0.1, 10))
def test_another_unit_changes_no_ratio(a: list[float], b: list[float], unit: float) -> None:
    ratio, other = unpaired_ratio(a, b), unpaired_ratio([unit * value for value in a], [unit * value for value in b])
    assert (other.low, other.mid, other.high) == pytest.approx((ratio.low, ratio.mid, ratio.high), rel=1e-6)


def test_the_mean_over_one_pair_is_that_pairs_ratio() -> None:
    pair = ([2.0, 4.0, 8.0], [4.0, 1.0, 2.0])
    assert mean_unpaired_ratio([pair]) == unpaired_ratio(*pair)


def test_over_several_pairs_the_mean_is_geometric_and_its_interval_narrower() -> None:
    double, half = ([2.0, 4.0, 8.0], [4.0, 1.0, 2.0]), ([4.0, 1.0, 2.0], [2.0, 4.0, 8.0])
    mean = mean_unpaired_ratio([double, half, double, half])
    # Four times the variance 2/3, over 4 * 4; the degrees of freedom are all 4 * 4, for the variances are equal.
    assert (mean.mid, mean.n) == pytest.approx((1, 12))
    assert math.log2(mean.high) == pytest.approx(student_t(16) * math.sqrt(2 / 3 / 4))


def test_pairs_with_a_single_value_do_not_count() -> None:
    pair = ([2.0, 4.0, 8.0], [4.0, 1.0, 2.0])
    assert mean_unpaired_ratio([pair, ([1.0], [2.0, 3.0])]) == unpaired_ratio(*pair)
    assert mean_unpaired_ratio([([1.0], [2.0, 3.0])]).n == 0


def test_intervals_that_hold_together_are_wider_each() -> None:
    assert each_of(1) == 0.95
    assert each_of(6) ** 6 == pytest.approx(0.95)
    assert each_of(0) == 0.95  # of none, all hold


def test_ratios_of_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="3 rounds beside 2"):
        paired_ratio([1, 2, 3], [1, 2])


def test_a_line_through_exact_points_is_found_with_no_doubt() -> None:
    line = fit_line([0, 1, 2, 3], [5, 7, 9, 11])
    assert (line.slope, line.intercept, line.r2, line.n) == pytest.approx((2, 5, 1, 4))
    assert (line.low, line.high) == pytest.approx((2, 2))


def test_slope_interval_and_r2_of_a_textbook_example_worked_by_hand() -> None:
    # x - mean = -2 -1 0 1 2, Sxx = 10, Sxy = 6, SST = 6, SSE = 6 - 0.6 * 6 = 2.4; s = sqrt(0.8), t(3) = 3.1824.
    line = fit_line([1, 2, 3, 4, 5], [2, 4, 5, 4, 5])
    half = 3.182446 * math.sqrt(0.8 / 10)
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
        (lambda: fit_line([1, 2, 3], [1, 2, 3], confidence=95), "confidence is 95"),
        (lambda: student_t(0), "0 degrees"),
        (lambda: student_t(3, 1), "confidence is 1"),
    ],
)
def test_what_cannot_be_fitted_is_refused_by_value(refused: Callable[[], object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        refused()


T_975 = {
    1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 10: 2.228,
    15: 2.131, 20: 2.086, 25: 2.060, 30: 2.042, 40: 2.021, 60: 2.000, 100: 1.984, 1e6: 1.960,
}  # fmt: skip
"""The 0.975 quantiles of the NIST/SEMATECH e-Handbook of Statistical Methods, section 1.3.6.7.2."""


@pytest.mark.parametrize("degrees", T_975)
def test_students_t_is_that_of_the_printed_table(degrees: float) -> None:
    assert student_t(degrees) == pytest.approx(T_975[degrees], abs=6e-4)


@pytest.mark.parametrize(("degrees", "confidence", "t"), [(4, 0.99, 4.604), (10, 0.9, 1.812), (2, 0.998, 22.327)])
def test_students_t_is_that_of_the_printed_table_also_at_other_levels(degrees: int, confidence: float, t: float) -> None:
    assert student_t(degrees, confidence) == pytest.approx(t, abs=6e-4)


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_with_one_and_two_degrees_of_freedom_students_t_has_a_closed_form(confidence: float) -> None:
    assert student_t(1, confidence) == pytest.approx(math.tan(math.pi / 2 * confidence))
    assert student_t(2, confidence) == pytest.approx(confidence * math.sqrt(2 / (1 - confidence**2)))


@given(st.floats(1, 200), st.floats(1, 200))
def test_between_whole_degrees_of_freedom_students_t_falls_as_they_grow(one: float, other: float) -> None:
    fewer, more = sorted((one, other))
    assert student_t(fewer) >= student_t(more) * (1 - 1e-9)


SPREADS = {"lognormal": 0.0, "heavy tails": 3.0}
"""Degrees of freedom of the noise's logarithm; 0: it is normal."""


def noise(kind: str, *shape: int) -> np.ndarray:
    rng = np.random.default_rng(5)
    return rng.standard_t(SPREADS[kind], shape) if SPREADS[kind] else rng.normal(size=shape)


@pytest.mark.parametrize("kind", SPREADS)
@pytest.mark.parametrize("count", [3, 6])
def test_at_least_about_95_of_100_intervals_of_a_ratio_hold_the_true_one(kind: str, count: int) -> None:
    """Also of three trials, where the bootstrap of the median holds it in 75 (paired) to 90 (unpaired)."""
    draws = np.exp(0.1 * noise(kind, 600, 2, count))
    for ratio_of in (paired_ratio, unpaired_ratio):
        ratios = [ratio_of(a, b) for a, b in draws]
        assert np.mean([ratio.low <= 1 <= ratio.high for ratio in ratios]) >= 0.93
