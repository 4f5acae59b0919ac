"""The cliff: what the objective is about against the load, up to the edge and beyond it.

Knows the columns of `trials`, and what searches have found.
"""

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pushbench.capacity import capacities, searched
from pushbench.charts.capacity import subtitle, unit
from pushbench.charts.cells import Point, notes, points, positive, series_of, why_nothing
from pushbench.charts.marks import draw_points, hollow_key, keys
from pushbench.charts.style import DASHES, GREY, INK, dress, linear_axis, log_axis, nothing, sheet, tidy
from pushbench.columns import MEASURED

TITLE = "Where does it break?"
SAID = {
    "latency_p50_ms": "p50 latency (ms)",
    "latency_p99_ms": "p99 latency (ms)",
    "latency_p999_ms": "p99.9 latency (ms)",
    "latency_max_ms": "largest latency (ms)",
}
"""What an objective is usually about, as an axis says it."""


def shows_cliff(trials: pd.DataFrame) -> bool:
    """True if something was searched, and what the objective is about was measured."""
    return searched(trials) and not positive(trials, capacities(trials)[0].objective.clauses[0].column).empty


def cliff(trials: pd.DataFrame) -> Figure:
    """Draw the objective's first figure against what was searched, the objective as a line; beside it the server's CPU."""
    if not shows_cliff(trials):
        return nothing(TITLE, why_nothing(trials, "Nothing was searched."))
    found = capacities(trials)
    key, clause = found[0].key, found[0].objective.clauses[0]
    figure = sheet(12, 6.2)
    left, right = figure.subplots(1, 2)
    tidy(left, unit(found[0]), SAID.get(clause.column, f"{clause.column}: {MEASURED[clause.column].says}"))
    tidy(right, unit(found[0]), "server CPU (% of one core)")
    all_series = series_of(trials, along=(key,))
    drawn: list[Point] = []
    drawn_cpu: list[Point] = []
    for series in all_series:
        for axes, column, into in ((left, clause.column, drawn), (right, "server_cpu_percent", drawn_cpu)):
            at = points(series.rows, [key], key, column)
            draw_points(axes, series, at)
            into += at
    tried = [point.x for point in [*drawn, *drawn_cpu]]
    for axes in (left, right):
        log_axis(axes, "x", tried)
    log_axis(left, "y", [clause.limit, *(value for point in drawn for value in (point.y.low, point.y.high))])
    linear_axis(right, "y", 0, max(108.0, *(point.y.high * 1.08 for point in drawn_cpu), 0.0))
    left.axhline(clause.limit, color=INK, linewidth=1.4, linestyle=DASHES[2], zorder=1.5, gid="objective")
    right.axhline(100, color=GREY, linewidth=1, linestyle=(0, (1, 2)), zorder=1, gid="one core")
    legend: list[Artist] = [*keys(all_series)]
    legend.append(Line2D([], [], color=INK, linewidth=1.4, linestyle=DASHES[2], label=f"objective: {clause}"))
    legend.append(Line2D([], [], color=GREY, linewidth=1, linestyle=(0, (1, 2)), label="one full core"))
    if any(not point.believable for point in [*drawn, *drawn_cpu]):
        legend.append(hollow_key())
    return dress(figure, TITLE, subtitle(found), legend, notes(trials))
