"""Where two ways to push cost the same: of how many updates a second, or of how much staleness that is acceptable. Pure.

It knows costs as numbers: of bytes, of CPU time, of whatever adds up. Where they come from, and what they are of, is not
known here.

Every cost is an array of draws: first what was estimated, then as many resamples of the trials (bootstrap), so that what
is computed from it has an interval. Staleness is how old something may be when a subscriber hears of it; who polls asks
as often.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pushbench.models import messages_per_answer, polls_per_s, share_answered
from pushbench.stats import CONFIDENCE, Interval

Draws = NDArray[np.float64]
"""An estimate, and its resamples."""

DRAWS = 500


class Cost(Protocol):
    """What one subscriber takes in a second, at a rate of updates and a staleness that is acceptable."""

    def at(self, rate_hz: float, staleness_s: float) -> Draws:
        """The draws of the cost at that place."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """A connection that is held: so much for each message, and so much while there is none."""

    per_delivery: Draws
    per_s: Draws

    def at(self, rate_hz: float, staleness_s: float) -> Draws:
        """It is told at once, whatever would be acceptable."""
        return self.per_s + rate_hz * self.per_delivery


@dataclass(frozen=True, slots=True)
class Polled:
    """Requests at an interval, which is the staleness that is acceptable: so much for each, with or without messages."""

    per_empty: Draws
    """A request that finds nothing."""
    per_answer: Draws
    """A request that finds something."""
    per_message: Draws
    """And each message in an answer."""
    most_messages: float = math.inf
    """So many in an answer it is known of; beyond, the cost is NaN."""

    def at(self, rate_hz: float, staleness_s: float) -> Draws:
        """A steady feed: at most one message an answer, until there is one in each."""
        if messages_per_answer(rate_hz, 1000 * staleness_s) > self.most_messages:
            return np.full_like(self.per_answer, np.nan)
        polls = polls_per_s(1, 1000 * staleness_s)
        answered = share_answered(rate_hz, 1000 * staleness_s)
        return polls * ((1 - answered) * self.per_empty + answered * self.per_answer) + rate_hz * self.per_message


def pushed(per_delivery: Draws, per_s: Draws, rate_hz: float) -> Pushed:
    """Take apart what a delivery took at a rate: what the connection would have taken anyway is not for the message."""
    return Pushed(np.maximum(per_delivery - per_s / rate_hz, 0.0), per_s)


def polled(per_delivery: Draws, per_empty: Draws, per_message: Draws, rate_hz: float, interval_ms: float) -> Polled:
    """Take apart what a delivery took at a rate and an interval: polls that found nothing, answers, and what is in them."""
    answered = share_answered(rate_hz, interval_ms)
    empty_polls = (1 - answered) * polls_per_s(1, interval_ms) / rate_hz
    each = messages_per_answer(rate_hz, interval_ms)
    answer = (per_delivery - empty_polls * per_empty) * each - each * per_message
    return Polled(per_empty, np.maximum(answer, 0.0), per_message)


def drawn_medians(values: ArrayLike, seed: int = 0, draws: int = DRAWS) -> Draws:
    """Give the median of one value a trial, and of so many resamples of them. NaNs are dropped; with none left all is NaN.

    Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13, as in `stats.median_interval`.
    """
    sample = np.asarray(values, dtype=np.float64).ravel()
    sample = sample[~np.isnan(sample)]
    if not sample.size:
        return np.full(1 + draws, np.nan)
    chosen = np.random.default_rng(seed).integers(sample.size, size=(draws, sample.size))
    return np.concatenate([[np.median(sample)], np.median(sample[chosen], axis=1)])


def interval(draws: Draws, n: int, confidence: float = CONFIDENCE) -> Interval:
    """What the draws say of an estimate from `n` trials: itself, between two of its resamples; infinity may be an end."""
    if n < 2:
        return Interval(float(draws[0]), float(draws[0]), float(draws[0]), n)
    tail = (1 - confidence) / 2
    low, high = np.quantile(draws[1:], (tail, 1 - tail), method="inverted_cdf")  # others would reckon with infinity
    return Interval(float(low), float(draws[0]), float(high), n)


@dataclass(frozen=True, slots=True)
class Tie:
    """A place at which two cost the same."""

    at: Interval
    """0 as its low end, or infinity as its high one: that end lies beyond the range that was asked."""
    first_below: bool
    """True if the first of the two is the cheaper one below it, and the other above."""


def ties_by_rate(one: Cost, other: Cost, staleness_s: float, rates_hz: ArrayLike, n: int) -> list[Tie]:
    """Give where two cost the same along rates (ascending, in Hz), at a staleness; none: one is cheaper at all of them."""
    rates = np.asarray(rates_hz, dtype=np.float64)
    first, second = (np.array([cost.at(rate, staleness_s) for rate in rates]).T for cost in (one, other))
    return _ties(first, second, rates, n)


def ties_by_staleness(one: Cost, other: Cost, rate_hz: float, staleness_s: ArrayLike, n: int) -> list[Tie]:
    """Give where two cost the same along the staleness that is acceptable (ascending, in s), at a rate."""
    found = np.asarray(staleness_s, dtype=np.float64)
    first, second = (np.array([cost.at(rate_hz, value) for value in found]).T for cost in (one, other))
    return _ties(first, second, found, n)


def first_is_cheaper(one: Cost, other: Cost, rate_hz: float, staleness_s: float) -> bool:
    """Tell which is the cheaper one at a place, by what was estimated."""
    return bool(one.at(rate_hz, staleness_s)[0] < other.at(rate_hz, staleness_s)[0])


def served(cost: Cost, rate_hz: float, staleness_s: float, there_is: float, n: int) -> Interval:
    """How many subscribers so much of a resource a second is enough for: of CPU time, 1e6 us are one core."""
    return interval(there_is / cost.at(rate_hz, staleness_s), n)


def _ties(one: Draws, other: Draws, xs: NDArray[np.float64], n: int) -> list[Tie]:
    """Find where each row of `one` crosses its row of `other`, on logarithmic axes; the first rows are the estimates."""
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.log(one) - np.log(other)
    logs = np.log(xs)
    places = [_crossings(row, logs) for row in apart]
    found = []
    for at, first_below in places[0]:
        moved = [_same(places[row], at, apart[row], logs, first_below=first_below) for row in range(1, len(places))]
        found.append(Tie(interval(np.exp([at, *moved]), n), first_below))
    return found


def _crossings(row: Draws, logs: NDArray[np.float64]) -> list[tuple[float, bool]]:
    """Where a row changes its sign, between two places, and whether it is negative before."""
    signs = np.sign(row)
    known = np.flatnonzero(np.isfinite(row) & (signs != 0))
    found = []
    for turn in np.flatnonzero(signs[known[1:]] != signs[known[:-1]]):
        left, right = known[turn], known[turn + 1]
        part = row[left] / (row[left] - row[right])
        found.append((float(logs[left] + part * (logs[right] - logs[left])), bool(signs[left] < 0)))
    return found


def _same(
    places: list[tuple[float, bool]], at: float, row: Draws, logs: NDArray[np.float64], *, first_below: bool
) -> float:
    """The crossing of a resample that is the estimate's: the nearest in the same direction, or else beyond an end.

    Where a resample does not cross, whoever is cheaper at the estimate's place has won the side of the other.
    """
    alike = [place for place, below in places if below == first_below]
    if alike:
        return min(alike, key=lambda place: abs(place - at))
    first_here = bool(np.interp(at, logs, row) < 0)
    return math.inf if first_here == first_below else -math.inf
