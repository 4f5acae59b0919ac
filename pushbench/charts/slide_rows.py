"""What the panels of the overview share: a row for each transport, and words for what is missing.

Knows series and axes. Must not know which number a row shows.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from pushbench.charts.cells import Series, believable, measured, numbers, ranked, series_of
from pushbench.charts.style import GREY
from pushbench.stats import Interval, median_interval

MOST_ROWS = 10
ASIDE = " (hollow ones aside)"


def aside(rows: list[Series]) -> str:
    """Say in a headline that it leaves out what may not be believed."""
    return "" if all(believable(series.rows) for series in rows) else ASIDE


def rows_of(trials: pd.DataFrame, along: Collection[str] = ()) -> list[Series]:
    """Give the series that have a row: one for each transport and setting, at most ten; a floor has none."""
    return series_of(ranked(trials), along)[:MOST_ROWS]


def name_rows(axes: Axes, rows: list[Series]) -> None:
    """Write a transport beside each row, in the table's order from top to bottom."""
    axes.set_yticks(range(len(rows)), [series.label for series in rows], fontsize=11)
    for tick, series in zip(axes.get_yticklabels(), rows, strict=True):
        tick.set_color(series.look.ink)
    room = max(0.6, 2.2 - len(rows) / 2)  # a row or two are not blown up to fill the panel
    axes.set_ylim(len(rows) - 1 + room, -room)
    axes.grid(False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def say_missing(axes: Axes, row: int, series: Series) -> None:
    """Write in a row that its transport failed, delivered nothing, or was not measured."""
    delivered = numbers(series.rows["delivered"])
    if (series.rows["verdict"] == "failed").all():
        text = "failed"
    else:
        text = "nothing delivered" if np.nansum(delivered) == 0 and np.isfinite(delivered).any() else "not measured"
    axes.annotate(text, (0.02, row), xycoords=("axes fraction", "data"), va="center", fontsize=10, color=GREY)


def interval(series: Series, column: str) -> Interval:
    """Give the median of a column over the trials of a series that have a number."""
    return median_interval(numbers(measured(series.rows, column)[column]))
