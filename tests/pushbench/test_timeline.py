"""The time line: who belongs to which slice, and percentiles as exact as its buckets are narrow."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from pushbench import timeline
from pushbench.timeline import SLICE_NS, STEPS_PER_OCTAVE, Row, Timeline

START_NS = 10**15
MS = 1_000_000
BUCKET = 2 ** (1 / STEPS_PER_OCTAVE) - 1
"""The width of a bucket, as a share of its value."""


def rows_of(at_ms: list[float], latency_ms: list[float], warmup_s: float = 0.3, measure_s: float = 0.5) -> list[Row]:
    due, sent = (timeline.of(ns(at_ms) + START_NS, ns(latency_ms) // part, START_NS) for part in (1, 2))
    return timeline.rows(due, sent, warmup_s=warmup_s, measure_s=measure_s)


def ns(values_ms: list[float]) -> NDArray[np.int64]:
    return np.array([round(value * MS) for value in values_ms], dtype=np.int64)


def test_a_delivery_belongs_to_the_slice_in_which_it_was_received() -> None:
    rows = rows_of([-300, -0.001, 0, 99.999, 100, 499.9, 500, 730], [1.0] * 8)
    assert [(row["at_s"], row["phase"], row["deliveries"]) for row in rows] == [
        (-0.3, "warmup", 1),
        (-0.2, "warmup", 0),
        (-0.1, "warmup", 1),
        (0.0, "measure", 2),
        (0.1, "measure", 1),
        (0.2, "measure", 0),
        (0.3, "measure", 0),
        (0.4, "measure", 1),
        (0.5, "drain", 1),
        (0.6, "drain", 0),
        (0.7, "drain", 1),
    ]


def test_without_deliveries_there_is_a_row_for_each_slice_of_warm_up_and_window() -> None:
    rows = rows_of([], [])
    assert len(rows) == 8
    assert all(row["deliveries"] == 0 for row in rows)
    for row in rows:
        assert all(math.isnan(value) for name, value in row.items() if name.endswith("_ms") and isinstance(value, float))


LENGTHS_S = st.integers(0, 3000).map(lambda ms: ms / 1000)


@given(LENGTHS_S, LENGTHS_S.filter(bool), st.data())
def test_whatever_the_lengths_no_delivery_since_the_start_is_left_out(
    warmup_s: float, measure_s: float, data: st.DataObject
) -> None:
    at_ms = data.draw(st.lists(st.integers(-round(warmup_s * 1000), 4000).map(float), max_size=30))
    rows = rows_of(at_ms, [1.0] * len(at_ms), warmup_s, measure_s)
    assert sum(row["deliveries"] for row in rows) == len(at_ms)
    for row in rows:  # a slice belongs to the phase in which it begins; the warm-up's first may begin before it
        began = "warmup" if row["at_s"] < 0 else "measure" if row["at_s"] < measure_s else "drain"
        assert row["phase"] == began


@given(
    st.lists(st.tuples(st.floats(-300, 900), st.floats(0.001, 10_000)), min_size=1, max_size=300),
)
def test_percentiles_are_those_of_all_values_within_a_buckets_width(deliveries: list[tuple[float, float]]) -> None:
    at_ms, latency_ms = (list(column) for column in zip(*deliveries, strict=True))
    rows = {round(row["at_s"] * 1e9 / SLICE_NS): row for row in rows_of(at_ms, latency_ms)}
    slices = ns(at_ms) // SLICE_NS
    for number in set(slices.tolist()):
        values = ns(latency_ms)[slices == number] / MS
        assert rows[number]["deliveries"] == len(values)
        for name, quantile in (("latency_p50_ms", 0.5), ("latency_p99_ms", 0.99), ("latency_max_ms", 1.0)):
            exact = np.quantile(values, quantile, method="inverted_cdf")
            assert rows[number][name] == pytest.approx(exact, rel=BUCKET)  # type: ignore[literal-required]
            naive = rows[number][name.replace("latency", "naive")]  # type: ignore[literal-required]
            assert naive == pytest.approx(exact / 2, rel=BUCKET, abs=1e-6)


@given(st.lists(st.tuples(st.floats(-300, 900), st.floats(0.001, 10_000)), max_size=60), st.integers(0, 60))
def test_the_time_line_of_two_swarms_is_that_of_both_together(deliveries: list[tuple[float, float]], split: int) -> None:
    def of(part: list[tuple[float, float]]) -> Timeline:
        return timeline.of(ns([at for at, _ in part]) + START_NS, ns([value for _, value in part]), START_NS)

    summed = of(deliveries[:split]) + of(deliveries[split:])
    lengths = {"warmup_s": 0.3, "measure_s": 0.5}
    whole = of(deliveries)
    np.testing.assert_equal(timeline.rows(summed, summed, **lengths), timeline.rows(whole, whole, **lengths))


def test_a_latency_of_nothing_or_less_is_kept_as_the_smallest() -> None:
    [row] = rows_of([0, 1], [0, -4], warmup_s=0, measure_s=0.1)
    assert row["deliveries"] == 2
    assert row["latency_max_ms"] == pytest.approx(1e-6)
