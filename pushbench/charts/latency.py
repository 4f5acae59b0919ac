"""Latency against the number of subscribers.

Knows the columns of `trials`.
"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pushbench.charts.cells import (
    Point,
    Series,
    measured,
    notes,
    points,
    ranked,
    rate_said,
    series_of,
    trials_said,
    why_nothing,
)
from pushbench.charts.marks import draw_naive_points, draw_points, hollow_key, keys, naive_told, naive_values
from pushbench.charts.style import counted, dress, log_axis, nothing, sheet, tidy

TITLE = "Does latency grow with the audience?"
MOST_RATES = 3


def shows_by_subscribers(trials: pd.DataFrame) -> bool:
    """True if latency was measured with at least two numbers of subscribers."""
    return measured(trials, "latency_p50_ms")["subscribers"].nunique() >= 2


def latency_by_subscribers(trials: pd.DataFrame) -> Figure:
    """Draw p50 above p99 against subscribers, in a column for each rate (at most three: the largest)."""
    found = measured(trials, "latency_p50_ms")
    if found.empty:
        return nothing(TITLE, why_nothing(trials, "No latency was measured."))
    rates = sorted(found["rate_hz"].unique())
    shown_rates = rates[-MOST_RATES:]
    figure = sheet(max(8.5, 0.6 + 4.3 * len(shown_rates)), 7.6)
    grid = figure.subplots(2, len(shown_rates), squeeze=False, sharex=True, sharey=True)
    counts = sorted(float(count) for count in found["subscribers"].unique())
    drawn: list[Point] = []
    for column, rate_hz in enumerate(shown_rates):
        here = trials[trials["rate_hz"] == rate_hz]
        for row, (name, said) in enumerate((("p50", "median (p50)"), ("p99", "99th percentile (p99)"))):
            axes = grid[row][column]
            tidy(axes, "subscribers" if row else "", "" if column else f"{said} latency (ms)")
            if not row and len(rates) > 1:
                axes.set_title(rate_said(float(rate_hz)), loc="left", fontsize=10.5)
            for _, at in draw_growth(axes, series_of(here, along=("subscribers", "rate_hz")), name):
                drawn += at
            axes.tick_params(labelbottom=bool(row), labelleft=not column)
    for axes in grid.flat:
        log_axis(axes, "x", counts, at=counts)
        log_axis(axes, "y", [*(value for point in drawn for value in (point.y.low, point.y.high)), *naive_values(figure)])
    naive_key, same = naive_told(figure, compared=not ranked(found).empty)
    legend = [*keys(series_of(trials, along=("subscribers", "rate_hz"))), *naive_key]
    if any(not point.believable for point in drawn):
        legend.append(hollow_key())
    rate = f"{rate_said(float(rates[0]))}. " if len(rates) == 1 else ""
    told = notes(trials)
    if len(rates) > MOST_RATES:
        told.append(f"{counted(len(rates) - MOST_RATES, 'smaller rate')} not shown")
    return dress(figure, TITLE, f"{rate}{trials_said(point.y.n for point in drawn)}.{same}", legend, told)


def draw_growth(axes: Axes, all_series: list[Series], name: str) -> list[tuple[Series, list[Point]]]:
    """Draw a latency ("p50") of each series against subscribers, and give the series that had points; naive beside it."""
    found = []
    for series in all_series:
        if at := points(series.rows, ["subscribers"], "subscribers", f"latency_{name}_ms"):
            draw_points(axes, series, at)
            naive = points(series.rows, ["subscribers"], "subscribers", f"naive_{name}_ms")
            draw_naive_points(axes, series, at, naive)
            found.append((series, at))
    return found
