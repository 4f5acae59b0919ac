"""Age of information: how old is what a subscriber knows? Pure.

At any time a subscriber's age is the time since the newest message that it has was due. It grows with the clock, and
falls when a newer message arrives, so it is a saw-tooth; its mean and the mean of its peaks are what is reported.
Sources: S. Kaul, R. Yates, M. Gruteser, "Real-time status: How often should one update?", INFOCOM 2012 (mean age);
M. Costa, M. Codreanu, A. Ephremides, "Age of information with packet management", ISIT 2014 (peak age).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pushbench.ledger import first_deliveries, in_order


@dataclass(frozen=True, slots=True)
class Age:
    """Sums, so that ages of several swarms can be added."""

    area: float = 0.0
    """The integral of the age over time, over all subscribers, in s²."""
    time_s: float = 0.0
    """The time it covers, summed over all subscribers."""
    peaks_s: float = 0.0
    """The sum of the ages just before each fall."""
    peaks: int = 0
    """How many falls there were."""

    def __add__(self, other: "Age") -> "Age":
        return Age(
            self.area + other.area, self.time_s + other.time_s, self.peaks_s + other.peaks_s, self.peaks + other.peaks
        )

    @property
    def mean_ms(self) -> float:
        """The mean age; NaN if nobody knew anything."""
        return self.area / self.time_s * 1e3 if self.time_s else float("nan")

    @property
    def peak_ms(self) -> float:
        """The mean of the peaks; NaN if nothing arrived."""
        return self.peaks_s / self.peaks * 1e3 if self.peaks else float("nan")


def of(
    subscriber: NDArray[np.int64],
    seq: NDArray[np.int64],
    received_ns: NDArray[np.int64],
    due_ns: NDArray[np.int64],
    *,
    messages: int,
    window_ns: tuple[int, int],
) -> Age:
    """The age over `window_ns` (from, to; on the clock of the others) of all subscribers that got anything before its end.

    Parallel arrays, in the order of arrival. A subscriber counts from its first message or the window's start, whichever
    is later.
    """
    start, end = window_ns
    first = first_deliveries(subscriber, seq, messages)
    newer = first[in_order(subscriber[first], seq[first], messages)]
    newer = newer[received_ns[newer] < end]
    if not len(newer):
        return Age()
    who, since, due = subscriber[newer], received_ns[newer], due_ns[newer]
    same = who[1:] == who[:-1]
    until = np.append(np.where(same, since[1:], end), end)
    low, high = np.maximum(since, start), until
    inside = high > low
    # Under the line age(t) = t - due, from low to high. Relative to the window's start, so that float64 is exact enough.
    a, b, d = (low - start) / 1e9, (high - start) / 1e9, (due - start) / 1e9
    area = (b - a) * ((a + b) / 2 - d)
    falls = inside & np.append(same, False)
    return Age(
        area=float(area[inside].sum()),
        time_s=float((b - a)[inside].sum()),
        peaks_s=float((b - d)[falls].sum()),
        peaks=int(np.count_nonzero(falls)),
    )
