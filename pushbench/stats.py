"""What repeated trials say together: intervals of medians, paired ratios, fitted lines.

Knows arithmetic on plain arrays. Must not know what the numbers stand for, where they are stored or how they are drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

CONFIDENCE = 0.95

STRAIGHT_R2 = 0.99
"""From here on the points of a fitted line are taken to lie on it."""

NO_LINE_R2 = 0.97
"""Below this there is no line that a slope could be given for."""

T_975: tuple[float, ...] = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
"""Student's t, 0.975 quantile, for 1 to 30 degrees of freedom. Source: NIST/SEMATECH e-Handbook of Statistical Methods,
section 1.3.6.7.2, "Critical values of the Student's t distribution"."""

T_975_BEYOND: tuple[tuple[int, float], ...] = ((120, 1.980), (60, 2.000), (40, 2.021), (31, 2.042))
"""The same table further on: (from how many degrees of freedom, quantile). Between two rows the wider one holds."""

NORMAL_975 = 1.960
"""The limit of the table for many degrees of freedom, used above 120."""


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
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}, and must be between 0 and 1 (0.95 is usual)")
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


def paired_ratio(
    a: ArrayLike, b: ArrayLike, confidence: float = CONFIDENCE, seed: int = 0, resamples: int = 2000
) -> Interval:
    """Give the median of a[i] / b[i], where i is the round, with its bootstrap interval (see `median_interval`).

    Pairing takes out what both trials of a round had in common, such as a machine that was warm or busy.
    Rounds in which either value is NaN, or b is 0, are dropped. ValueError: a and b have different lengths.
    """
    above, below = (np.asarray(side, dtype=np.float64).ravel() for side in (a, b))
    if above.size != below.size:
        raise ValueError(f"{above.size} rounds beside {below.size}: put NaN where a round has no value")
    ratios = np.full(above.size, np.nan)
    np.divide(above, below, out=ratios, where=below != 0)
    return median_interval(ratios, confidence, seed, resamples)


def fit_line(x: ArrayLike, y: ArrayLike, confidence: float = CONFIDENCE) -> Line:
    """Fit a line by ordinary least squares; points with a NaN are dropped.

    Slope Sxy / Sxx; its interval is slope ± t(n - 2) * sqrt(SSE / (n - 2) / Sxx): Draper and Smith, Applied Regression
    Analysis (3rd ed. 1998), section 1.4. R² is 1 - SSE / SST.

    ValueError: fewer than 3 points, x does not vary, unequal lengths, or a confidence other than 0.95 (the one tabled).
    """
    if confidence != CONFIDENCE:
        raise ValueError(f"confidence is {confidence}, and only {CONFIDENCE} is tabled")
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
    half = student_t_975(xs.size - 2) * float(np.sqrt(sse / (xs.size - 2) / sxx))
    return Line(
        slope=slope,
        intercept=float(ys.mean() - slope * xs.mean()),
        low=slope - half,
        high=slope + half,
        r2=1 - sse / sst if sst > 0 else float("nan"),
        n=int(xs.size),
    )


def student_t_975(degrees: int) -> float:
    """Give the 0.975 quantile of Student's t for `degrees` of freedom (at least 1): the factor of a 95 % interval."""
    if degrees < 1:
        raise ValueError(f"{degrees} degrees of freedom, and there must be at least 1")
    if degrees <= len(T_975):
        return T_975[degrees - 1]
    if degrees > T_975_BEYOND[0][0]:
        return NORMAL_975
    return next(quantile for least, quantile in T_975_BEYOND if degrees >= least)


def _sum_of_squares(values: NDArray[np.float64] | Sequence[float]) -> float:
    return float(np.dot(values, values))
