"""What repeated trials say together: intervals of medians, ratios with their intervals, fitted lines.

Knows arithmetic on plain arrays. Must not know what the numbers stand for, where they are stored or how they are drawn.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

CONFIDENCE = 0.95

STRAIGHT_R2 = 0.99
"""From here on the points of a fitted line are taken to lie on it."""

NO_LINE_R2 = 0.97
"""Below this there is no line that a slope could be given for."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(80)


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and how far it may be off, in the unit of the values."""

    low: float
    mid: float
    high: float
    n: int
    """How many values it is made from. 0: all three are NaN. 1: `low == mid == high`, which is no interval."""

    @property
    def is_interval(self) -> bool:
        """True if there were at least two values, so that `low` and `high` say something."""
        return self.n >= 2


@dataclass(frozen=True, slots=True)
class Line:
    """A fitted line y = intercept + slope * x, and the confidence interval of its slope."""

    slope: float
    intercept: float
    low: float
    """Lower end of the slope's interval."""
    high: float
    """Upper end of the slope's interval."""
    r2: float
    """Share of the variance that the line explains; NaN if y does not vary, for then there is nothing to explain."""
    n: int
    """How many points it is fitted through."""


def median_interval(values: ArrayLike, confidence: float = CONFIDENCE, seed: int = 0, resamples: int = 2000) -> Interval:
    """Give the median of `values` (one per trial; NaNs are dropped) with its bootstrap percentile interval.

    Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13: draw n of the n values with replacement,
    `resamples` times; the interval lies between the (1 - confidence) / 2 and (1 + confidence) / 2 quantiles of the
    medians drawn.

    It can promise no more than the values hold. With five or fewer, a 95 % interval is their whole range, and the range
    of n values has the true median inside with a probability of at most 1 - 2 ** (1 - n): 75 % for three.

    The same values and `seed` give the same interval. ValueError: confidence is not between 0 and 1.
    """
    _check(confidence)
    sample = np.asarray(values, dtype=np.float64).ravel()
    sample = sample[~np.isnan(sample)]
    if sample.size == 0:
        return Interval(np.nan, np.nan, np.nan, 0)
    mid = float(np.median(sample))
    if sample.size == 1:
        return Interval(mid, mid, mid, 1)
    drawn = np.random.default_rng(seed).integers(sample.size, size=(resamples, sample.size))
    medians = np.median(sample[drawn], axis=1)
    tail = (1 - confidence) / 2
    low, high = np.quantile(medians, (tail, 1 - tail))
    return Interval(float(low), mid, float(high), int(sample.size))


def paired_ratio(a: ArrayLike, b: ArrayLike, confidence: float = CONFIDENCE) -> Interval:
    """Give the geometric mean of a[i] / b[i], where i is the round, with its interval.

    Pairing takes out what both trials of a round had in common, such as a machine that was warm or busy. The interval is
    Student's for the mean of the logarithms, with n - 1 degrees of freedom, so that three rounds are enough for one.
    Rounds in which either value is NaN or not above 0 are dropped. ValueError: a and b have different lengths.
    """
    above, below = (np.asarray(side, dtype=np.float64).ravel() for side in (a, b))
    if above.size != below.size:
        raise ValueError(f"{above.size} rounds beside {below.size}: put NaN where a round has no value")
    known = (above > 0) & (below > 0)
    logs = np.log(above[known] / below[known])
    if logs.size < 2:
        return _no_interval(logs)
    spread = _Spread(float(logs.mean()), float(logs.var(ddof=1)) / logs.size, logs.size - 1)
    return spread.interval(confidence, int(logs.size))


def unpaired_ratio(a: ArrayLike, b: ArrayLike, confidence: float = CONFIDENCE) -> Interval:
    """Give the ratio of the geometric means of `a` and `b`, which share no rounds, with its interval.

    The interval is that of a difference of means, taken on logarithms: Student's with a common variance where there are
    as many values on both sides, Welch's where there are not (B. L. Welch, Biometrika 34, 1947). Student's is the
    narrower, and with equal numbers it is hardly harmed by variances that differ; with unequal numbers it is.

    `n` is the smaller number of values; NaNs are dropped. ValueError: a value is not above 0, and has no logarithm.
    """
    above, below = _logs(a), _logs(b)
    least = min(above.size, below.size)
    if least < 2:
        return _no_interval(np.array([above.mean() - below.mean()]) if least else np.array([]))
    return _difference(above, below).interval(confidence, least)


def mean_unpaired_ratio(pairs: Iterable[tuple[ArrayLike, ArrayLike]], confidence: float = CONFIDENCE) -> Interval:
    """Give the geometric mean over several pairs (a, b) of what `unpaired_ratio` gives of each, with its interval.

    Every pair weighs the same, however much its values vary. The degrees of freedom are Satterthwaite's (Biometrics
    Bulletin 2, 1946). Pairs with fewer than two values on a side are left out. `n` is the sum of the others' `n`.
    """
    logs = [(_logs(a), _logs(b)) for a, b in pairs]
    logs = [sides for sides in logs if min(side.size for side in sides) >= 2]
    if not logs:
        return _no_interval(np.array([]))
    spreads = [_difference(above, below) for above, below in logs]
    count = len(spreads)
    variance = sum(one.variance for one in spreads) / count**2
    degrees = _satterthwaite([(one.variance / count**2, one.degrees) for one in spreads])
    mean = _Spread(sum(one.mean for one in spreads) / count, variance, degrees)
    return mean.interval(confidence, sum(min(side.size for side in sides) for sides in logs))


def each_of(count: int, confidence: float = CONFIDENCE) -> float:
    """Give the confidence that each of `count` intervals needs for all of them to hold together with `confidence`.

    Sidak's, (confidence) ** (1 / count): exact for independent intervals, and on the safe side for those that move
    together (Z. Sidak, Journal of the American Statistical Association 62, 1967).
    """
    return float(confidence ** (1 / max(count, 1)))


def fit_line(x: ArrayLike, y: ArrayLike, confidence: float = CONFIDENCE) -> Line:
    """Fit a line by ordinary least squares; points with a NaN are dropped.

    Slope Sxy / Sxx; its interval is slope ± t(n - 2) * sqrt(SSE / (n - 2) / Sxx): Draper and Smith, Applied Regression
    Analysis (3rd ed. 1998), section 1.4. R² is 1 - SSE / SST.

    ValueError: fewer than 3 points, x does not vary, unequal lengths, or a confidence that is not between 0 and 1.
    """
    xs, ys = (np.asarray(side, dtype=np.float64).ravel() for side in (x, y))
    if xs.size != ys.size:
        raise ValueError(f"{xs.size} x values beside {ys.size} y values")
    known = ~(np.isnan(xs) | np.isnan(ys))
    xs, ys = xs[known], ys[known]
    if xs.size < 3:
        raise ValueError(f"{xs.size} points, and a line with an interval needs at least 3")
    dx, dy = xs - xs.mean(), ys - ys.mean()
    sxx = float(dx @ dx)
    if sxx == 0:
        raise ValueError(f"all {xs.size} points are at x = {xs[0]:g}, and a slope needs at least 2 different x")
    slope = float(dx @ dy) / sxx
    sse, sst = _sum_of_squares(dy - slope * dx), _sum_of_squares(dy)
    half = student_t(xs.size - 2, confidence) * float(np.sqrt(sse / (xs.size - 2) / sxx))
    return Line(
        slope=slope,
        intercept=float(ys.mean() - slope * xs.mean()),
        low=slope - half,
        high=slope + half,
        r2=1 - sse / sst if sst > 0 else float("nan"),
        n=int(xs.size),
    )


@lru_cache(maxsize=1024)
def student_t(degrees: float, confidence: float = CONFIDENCE) -> float:
    """Give the t that |T| stays below with a probability of `confidence`: the factor of an interval.

    `degrees` of freedom need not be whole. With theta = arctan(t / sqrt(degrees)) the density of T is proportional to
    cos(theta) ** (degrees - 1), a smooth curve on a finite range (Abramowitz and Stegun, Handbook of Mathematical
    Functions, 26.7.3 and 26.7.4). It is integrated by Gauss and Legendre's rule, and inverted by halving.

    ValueError: fewer than 1 degree of freedom, or a confidence that is not between 0 and 1.
    """
    if degrees < 1:
        raise ValueError(f"{degrees} degrees of freedom, and there must be at least 1")
    _check(confidence)
    scale = 2 / math.sqrt(math.pi) * math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2))
    low, high = 0.0, math.pi / 2
    while high - low > 1e-12 * high:
        theta = (low + high) / 2
        within = scale * theta / 2 * float(_WEIGHTS @ np.cos(theta / 2 * (1 + _NODES)) ** (degrees - 1))
        low, high = (theta, high) if within < confidence else (low, theta)
    return math.sqrt(degrees) * math.tan(low)


@dataclass(frozen=True, slots=True)
class _Spread:
    """The mean of logarithms, and how far it may be off."""

    mean: float
    variance: float
    """Of the mean, not of the values."""
    degrees: float

    def interval(self, confidence: float, n: int) -> Interval:
        half = student_t(self.degrees, confidence) * math.sqrt(self.variance)
        return Interval(math.exp(self.mean - half), math.exp(self.mean), math.exp(self.mean + half), n)


def _difference(above: NDArray[np.float64], below: NDArray[np.float64]) -> _Spread:
    """The difference of two means, each of at least two values."""
    parts = [(float(side.var(ddof=1)) / side.size, side.size - 1) for side in (above, below)]
    common = above.size == below.size
    degrees = float(above.size + below.size - 2) if common else _satterthwaite(parts)
    return _Spread(float(above.mean() - below.mean()), sum(variance for variance, _ in parts), degrees)


def _satterthwaite(parts: Sequence[tuple[float, float]]) -> float:
    """The degrees of freedom of a sum of independent variances, each with its own; all of them if nothing varies."""
    total = sum(variance for variance, _ in parts)
    if total == 0:
        return float(sum(degrees for _, degrees in parts))
    return max(1.0, 1 / sum((variance / total) ** 2 / degrees for variance, degrees in parts))


def _logs(values: ArrayLike) -> NDArray[np.float64]:
    sample = np.asarray(values, dtype=np.float64).ravel()
    sample = sample[~np.isnan(sample)]
    if sample.size and sample.min() <= 0:
        raise ValueError(f"{sample.min():g} has no logarithm: a ratio is of values above 0")
    return np.log(sample)


def _no_interval(logs: NDArray[np.float64]) -> Interval:
    """What is left to say of one logarithm, or of none."""
    mid = math.exp(logs[0]) if logs.size else math.nan
    return Interval(mid, mid, mid, int(logs.size))


def _check(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}, and must be between 0 and 1 (0.95 is usual)")


def _sum_of_squares(values: NDArray[np.float64] | Sequence[float]) -> float:
    return float(np.dot(values, values))
