"""Deliveries against what was added: swarm processes, server workers, connections; and the line of all that was offered.

Knows the columns of `trials`. Loads are held, and lines made, in `growth`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pushbench.charts.cells import Point, notes, numbers, points, series_of, spanned, trials_said, why_nothing
from pushbench.charts.growth import (
    ALONG,
    CONNECTIONS,
    LINE_HEIGHT,
    NOUNS,
    SWARMS,
    WORKERS,
    Grown,
    aside,
    ends,
    factors,
    grown,
    held,
    load_held,
    span,
    varies,
)
from pushbench.charts.marks import draw_points, hollow_key, keys
from pushbench.charts.overview import balanced
from pushbench.charts.style import GREY, INK, End, brief, dress, label_ends, log_axis, nothing, sheet, tidy
from pushbench.labels import plain

TITLE = "Does it deliver more when there is more?"
AXES = (SWARMS, WORKERS, CONNECTIONS)
DELIVERED, OFFERED = "deliveries_per_s", "offered_per_s"
BAND: dict[str, Any] = {"color": GREY, "linewidth": 9.0, "alpha": 0.28, "solid_capstyle": "butt"}
"""What was offered is a broad pale band behind the points: a thin line would vanish under them where all arrives."""


def shows_scaling(trials: pd.DataFrame) -> bool:
    """True if deliveries were measured at two numbers of swarm processes, server workers or connections, or more."""
    return bool(_panels(trials))


def _panels(trials: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Give the trials of each panel by its axis."""
    found = {axis: held(trials, axis, OFFERED, DELIVERED) for axis in AXES}
    return {axis: rows for axis, rows in found.items() if varies(rows, axis)}


def scaling(trials: pd.DataFrame) -> Figure:
    """Draw deliveries/s against each of processes, workers and connections that varies, with what was offered above."""
    panels = _panels(trials)
    if not panels:
        why = "Deliveries were not measured at two numbers of connections, server workers or swarm processes."
        return nothing(TITLE, why_nothing(trials, why))
    figure = sheet(max(10.5, 1.8 + 6.2 * len(panels)), 6.8)
    grid = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    drawn: list[Point] = []
    found: dict[str, Grown] = {}
    for axes, (axis, rows) in zip(grid, panels.items(), strict=True):
        tidy(axes, NOUNS[axis][1], "delivered (deliveries/s)" if axes is grid[0] else "")
        found[axis] = grown(rows, axis, DELIVERED)
        for series, at in found[axis]:
            draw_points(axes, series, at)
            drawn += at
        drawn += _draw_offered(axes, rows, axis)
        headline = balanced(_headline(found[axis], axis), 64 if len(panels) > 1 else 100)
        axes.set_title(f"{headline}\nat {load_held(rows, axis)}", loc="left", fontsize=10.5, color=INK)
    for axes, (axis, rows) in zip(grid, panels.items(), strict=True):
        counts = sorted(float(count) for count in rows[axis].unique())
        log_axis(axes, "x", counts, at=counts)
        log_axis(axes, "y", [value for point in drawn for value in (point.y.low, point.y.high)])
        said = _shares(found[axis]) if axis == CONNECTIONS else ends(found[axis])
        label_ends(axes, said, size=9.5, line_height=LINE_HEIGHT)
    legend = keys(series_of(pd.concat(panels.values()).drop_duplicates(["cell", "trial"]), along=ALONG))
    legend.append(Line2D([], [], label="everything that was offered", **BAND))
    if any(not point.believable for of in found.values() for _, at in of for point in at):
        legend.append(hollow_key())
    counts_of = (point.y.n for of in found.values() for _, at in of for point in at)
    return dress(figure, TITLE, f"{trials_said(counts_of)}.", legend, notes(trials))


def _draw_offered(axes: Axes, rows: pd.DataFrame, axis: str) -> list[Point]:
    """Draw what was offered, once where it was the same for all series, and give its points."""
    lines = {}
    for series in series_of(rows, along=ALONG):
        at = points(series.rows, [axis], axis, OFFERED)
        lines[tuple((point.x, round(point.y.mid, 1)) for point in at)] = at
    inner = [line for line in lines if not any(set(line) < set(other) for other in lines)]
    for line in inner:
        x, y = zip(*line, strict=True)
        axes.plot(x, y, zorder=1.5, gid="offered", **BAND)
    return [point for line in inner for point in lines[line]]


def share(series_rows: pd.DataFrame, at: Sequence[Point]) -> float:
    """How much of what was offered at the last point was delivered, in percent."""
    there = series_rows[series_rows[CONNECTIONS] == at[-1].x]
    offered = float(np.median(numbers(there[OFFERED])))
    return 100 * at[-1].y.mid / offered


def _headline(found: Grown, axis: str) -> str:
    """Say what came of it: by what factor deliveries grow with processes, and how much arrives of the most connections."""
    if axis != CONNECTIONS:
        by = factors(found)
        return f"{span(found, axis)}, deliveries grow {spanned(by, times='×')}{aside(found)}" if by else span(found, axis)
    most = max(at[-1].x for _, at in found)
    shares = [
        (series.label, share(series.rows, at))
        for series, at in found
        if at[-1].x == most and at[-1].believable and not series.floor
    ]
    if not shares:
        return span(found, axis)
    return f"At {plain(most)} {NOUNS[axis][1]}, {spanned(shares, '%')} of what is offered arrives{aside(found)}"


def _shares(found: Grown) -> list[End]:
    """Name the end of each line with how much of what was offered there was delivered: `sse  86 %`."""
    named = []
    for series, at in found:
        said = f"{series.label}  {brief(share(series.rows, at))}\u00a0%" if at[-1].believable else series.label
        named.append(End(at[-1].x, at[-1].y.mid, said, series.look.ink))
    return named
