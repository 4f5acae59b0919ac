"""The time line: deliveries and latencies per 100 ms of a trial, by time of receipt. Pure.

Slices are kept as sparse histograms, (slice, latency bucket, count), so that those of several swarms can be put together
and percentiles still be taken.
"""

import math
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

SLICE_NS = 100_000_000
STEPS_PER_OCTAVE = 32  # a bucket is 2.2 % wide


class Row(TypedDict):
    """One slice."""

    at_s: float
    """Where the slice begins; 0 is the start of the measured window."""
    phase: str
    """`warmup`, `measure` or `drain`."""
    deliveries: int
    latency_p50_ms: float
    latency_p99_ms: float
    latency_max_ms: float
    naive_p50_ms: float
    naive_p99_ms: float
    naive_max_ms: float
    """NaN, as the five above, for a slice without deliveries."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Three parallel arrays of int64; a (slice, bucket) may occur several times."""

    slice_no: NDArray[np.int64]
    """Slice 0 begins with the measured window; the warm-up's are negative."""
    bucket: NDArray[np.int64]
    """Of the latency, logarithmic."""
    count: NDArray[np.int64]

    def __add__(self, other: "Timeline") -> "Timeline":
        return Timeline(
            np.concatenate((self.slice_no, other.slice_no)),
            np.concatenate((self.bucket, other.bucket)),
            np.concatenate((self.count, other.count)),
        )


def of(received_ns: NDArray[np.int64], latency_ns: NDArray[np.int64], start_ns: int) -> Timeline:
    """The time line of deliveries; `start_ns` is the start of the measured window."""
    slice_no = (received_ns - start_ns) // SLICE_NS
    bucket = np.round(np.log2(np.maximum(latency_ns, 1)) * STEPS_PER_OCTAVE).astype(np.int64)
    pairs, count = np.unique(np.stack((slice_no, bucket)), axis=1, return_counts=True)
    return Timeline(pairs[0], pairs[1], count.astype(np.int64))


def rows(due: Timeline, sent: Timeline, *, warmup_s: float, measure_s: float) -> list[Row]:
    """One row for each slice from the start of the warm-up to the last delivery, or to the end of the window.

    `due` and `sent` are of the same deliveries: with the latency from the due time, and from the moment of sending.
    """
    first, drain = -_slices(warmup_s), _slices(measure_s)
    last = max(drain - 1, int(due.slice_no.max(initial=first)))
    made: list[Row] = []
    for number in range(first, last + 1):
        deliveries, (p50, p99, most) = _slice(due, number)
        _, (naive_p50, naive_p99, naive_most) = _slice(sent, number)
        made.append(
            Row(
                at_s=round(number * SLICE_NS / 1e9, 3),
                phase="warmup" if number < 0 else "measure" if number < drain else "drain",
                deliveries=deliveries,
                latency_p50_ms=p50,
                latency_p99_ms=p99,
                latency_max_ms=most,
                naive_p50_ms=naive_p50,
                naive_p99_ms=naive_p99,
                naive_max_ms=naive_most,
            )
        )
    return made


def _slice(timeline: Timeline, number: int) -> tuple[int, tuple[float, ...]]:
    """How many deliveries a slice has, and their p50, p99 and largest in ms."""
    here = np.flatnonzero(timeline.slice_no == number)
    here = here[np.argsort(timeline.bucket[here])]
    bucket, cumulative = timeline.bucket[here], np.cumsum(timeline.count[here])
    deliveries = int(cumulative[-1]) if len(here) else 0
    return deliveries, tuple(_quantile_ms(bucket, cumulative, quantile) for quantile in (0.5, 0.99, 1.0))


def _slices(length_s: float) -> int:
    """How many slices so long a time touches. 0.3 s are three, although 0.3 / 0.1 may come out just above."""
    return math.ceil(round(length_s * 1e9 / SLICE_NS, 6))


def _quantile_ms(bucket: NDArray[np.int64], cumulative: NDArray[np.int64], quantile: float) -> float:
    if not len(bucket):
        return float("nan")
    rank = np.searchsorted(cumulative, quantile * cumulative[-1])
    return float(2.0 ** (bucket[rank] / STEPS_PER_OCTAVE) / 1e6)
