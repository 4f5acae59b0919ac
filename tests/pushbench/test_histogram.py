"""Histograms: filled in bulk they are HdrHistogram's own, and adding them is counting all values together."""

import math

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, strategies as st

from pushbench import histogram
from pushbench.histogram import DIGITS, HIGHEST_NS, LOWEST_NS

# As many small values as large ones: every octave is as likely as any other.
VALUES = st.integers(0, 41).flatmap(lambda bits: st.integers(0, min(2**bits, HIGHEST_NS)))
LISTS = st.lists(VALUES, max_size=60)
FINEST_NS = 64
"""The width of the narrowest bucket."""


def recorded(values: list[int]) -> HdrHistogram:
    """The same by the library's own slow way."""
    slow = HdrHistogram(LOWEST_NS, HIGHEST_NS, DIGITS)
    for value in values:
        assert slow.record_value(value)
    return slow


def of(values: list[int]) -> HdrHistogram:
    return histogram.of(np.array(values, dtype=np.int64))


@given(LISTS)
def test_filled_in_bulk_it_is_the_histogram_that_record_value_makes(values: list[int]) -> None:
    fast, slow = of(values), recorded(values)
    assert list(fast.counts) == list(slow.counts)
    assert fast.total_count == slow.total_count
    assert fast.get_max_value() == slow.get_max_value()
    assert fast.get_min_value() == slow.get_min_value()


def test_mean_and_percentiles_are_those_that_record_value_gives() -> None:
    values = [7, 120, 4_096, 4_096, 99_999, 1_234_567, 2_000_000_000, HIGHEST_NS]
    fast, slow = of(values), recorded(values)
    assert fast.get_mean_value() == slow.get_mean_value()
    for percentile in (0, 1, 50, 99, 99.9, 100):
        assert fast.get_value_at_percentile(percentile) == slow.get_value_at_percentile(percentile)


def test_every_edge_of_a_bucket_goes_where_record_value_puts_it() -> None:
    edges = [2**bit + step for bit in range(1, 42) for step in (-1, 0, 1) if 2**bit + step <= HIGHEST_NS]
    assert list(of(edges).counts) == list(recorded(edges).counts)


@given(LISTS, LISTS)
def test_merging_is_counting_all_values_together_in_either_order(one: list[int], other: list[int]) -> None:
    encoded = [of(one).encode(), of(other).encode()]
    together = histogram.buckets(of(one + other))
    assert histogram.buckets(histogram.merged(encoded)) == together
    assert histogram.buckets(histogram.merged(reversed(encoded))) == together


def content(made: HdrHistogram) -> tuple[object, ...]:
    """All that a histogram holds. A value in its narrowest bucket is kept as 0 or as that bucket's edge."""
    return histogram.buckets(made), made.total_count, made.get_min_value(), max(made.get_max_value(), FINEST_NS - 1)


@given(LISTS, LISTS, LISTS)
def test_in_whatever_order_and_groups_histograms_are_merged_they_are_that_of_all_values(
    one: list[int], two: list[int], three: list[int]
) -> None:
    a, b, c = (of(values).encode() for values in (one, two, three))
    together = content(of(one + two + three))
    for grouped in (
        [a, b, c],
        [c, a, b],
        [histogram.merged([a, b]).encode(), c],
        [a, histogram.merged([b, c]).encode()],
        [histogram.merged([histogram.merged([b]).encode(), a]).encode(), histogram.empty().encode(), c],
    ):
        assert content(histogram.merged(grouped)) == together


def test_an_empty_histogram_adds_nothing_and_has_no_minimum() -> None:
    one = of([3_000_000, 4_000_000])
    assert content(histogram.merged([histogram.empty().encode(), one.encode()])) == content(one)


@given(
    st.lists(VALUES, min_size=1, max_size=300),
    st.floats(0.001, 100) | st.sampled_from([*histogram.QUANTILES.values()]),
    st.booleans(),
)
def test_a_quantile_has_three_digits_of_the_value_with_the_nearest_rank(
    values: list[int], percentile: float, through_a_process: bool
) -> None:
    made = histogram.merged([of(values).encode()]) if through_a_process else of(values)
    found = made.get_value_at_percentile(percentile)
    ranked = sorted(values)
    exact = ranked[max(1, int(percentile * len(values) / 100 + 0.5)) - 1]
    assert exact <= found <= max(exact * 1.001, exact + FINEST_NS - 1)
    # numpy's rule rounds the rank up: that value, or the one below it.
    above = int(np.quantile(values, percentile / 100, method="inverted_cdf"))
    below = ranked[max(0, ranked.index(above) - 1)]
    assert below <= found <= max(above * 1.001, above + FINEST_NS - 1)


@pytest.mark.parametrize(("values", "rank"), [(60, 59), (49, 49), (50, 50), (51, 50), (149, 148), (150, 149), (151, 149)])
def test_the_p99_is_of_the_rank_that_the_method_states(values: int, rank: int) -> None:
    in_ms = [ms * 1_000_000 for ms in range(1, values + 1)]
    assert histogram.summary_ms(of(in_ms), "x")["x_p99_ms"] == pytest.approx(rank, rel=1e-3)


def test_the_sum_of_one_is_itself_and_of_none_is_empty() -> None:
    one = of([3_000_000, 4_000_000])
    assert histogram.summary_ms(histogram.merged([one.encode()]), "x") == histogram.summary_ms(one, "x")
    assert histogram.buckets(histogram.merged([])) == []


def test_values_outside_the_range_are_put_at_its_ends_and_counted() -> None:
    outside = of([-5, HIGHEST_NS * 2])
    assert outside.total_count == 2
    assert list(outside.counts) == list(recorded([0, HIGHEST_NS]).counts)


@given(st.lists(VALUES, min_size=1, max_size=60))
def test_a_buckets_upper_edge_is_at_most_a_thousandth_above_what_it_counts(values: list[int]) -> None:
    found = histogram.buckets(of(values))
    edges = [edge for edge, _ in found]
    assert edges == sorted(set(edges))
    assert sum(count for _, count in found) == len(values)
    assert all(count > 0 for _, count in found)
    spread = [edge for edge, count in found for _ in range(count)]
    for value, edge in zip(sorted(values), spread, strict=True):
        assert value <= edge <= max(value * 1.001, value + LOWEST_NS)


def test_a_summary_is_in_milliseconds_and_named_by_its_prefix() -> None:
    values = [ms * 1_000_000 for ms in range(1, 1001)]
    said = histogram.summary_ms(of(values), "latency")
    assert list(said) == [f"latency_{name}_ms" for name in ("mean", "p50", "p90", "p99", "p999", "max")]
    assert list(said.values()) == pytest.approx([500.5, 500, 900, 990, 999, 1000], rel=1e-3)


def test_the_summary_of_nothing_is_not_a_number() -> None:
    assert all(math.isnan(value) for value in histogram.summary_ms(histogram.empty(), "naive").values())
    assert histogram.buckets(histogram.empty()) == []
