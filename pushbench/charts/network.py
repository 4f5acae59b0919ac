"""Latency against the round trip between server and subscribers, with what the models say behind it.

Knows the columns of `trials`. Both axes are linear: a transit is then a slope, the same everywhere.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pushbench import predictions
from pushbench.charts.cells import (
    Point,
    Series,
    believable,
    largest,
    load_of,
    load_said,
    measured,
    notes,
    numbers,
    ranked,
    series_of,
    trials_said,
    why_nothing,
)
from pushbench.charts.marks import draw_naive_points, draw_points, hollow_key, keys, naive_told, naive_values
from pushbench.charts.style import GREY, dress, linear_axis, nothing, sheet, tidy
from pushbench.models import longpoll_knee_ms
from pushbench.stats import median_interval

TITLE = "What does the distance cost?"
RTT = "rtt_ms"
ALONG = (RTT,)
PANELS = (("p50", 0.5, "median (p50) latency (ms)"), ("p99", 0.99, "99th percentile (p99) latency (ms)"))
BAND: dict[str, Any] = {"linewidth": 7.0, "alpha": 0.3, "solid_capstyle": "butt"}
"""A model is a broad pale band behind the points: a thin line would vanish under them where it is right."""
STEPS = 400
"""Places at which a model is computed: enough for its jump at the knee to look like one."""


def shows_by_rtt(trials: pd.DataFrame) -> bool:
    """True if latency was measured at two round trips or more."""
    return RTT in trials and bool(measured(trials, "latency_p50_ms")[RTT].nunique() >= 2)


def latency_by_rtt(trials: pd.DataFrame) -> Figure:
    """Draw p50 beside p99 against the round trip, a line for each series, and its model without the server's own time."""
    if not shows_by_rtt(trials):
        return nothing(TITLE, why_nothing(trials, "Latency was not measured at two round trips or more (rtt_ms)."))
    here = largest(ranked(measured(trials, "latency_p50_ms")), "latency_p50_ms")
    if here.empty:
        return nothing(TITLE, why_nothing(trials, "Only floors were measured."))
    farthest = float(numbers(here[RTT]).max())
    rate_hz = float(here["rate_hz"].iloc[0])
    figure = sheet(12.5, 6.6)
    panels = figure.subplots(1, 2)
    drawn: list[Point] = []
    for axes, (name, q, said) in zip(panels, PANELS, strict=True):
        tidy(axes, "round-trip time between server and subscribers (ms)", said)
        highest = 0.0
        for series in series_of(here, along=ALONG):
            at = _points(series.rows, f"latency_{name}_ms")
            draw_points(axes, series, at)
            draw_naive_points(axes, series, at, _points(series.rows, f"naive_{name}_ms"))
            drawn += at
            highest = max([highest, *(point.y.high for point in at), *_draw_model(axes, series, q, farthest)])
        highest = max([highest, *naive_values(axes)])
        linear_axis(axes, "x", -0.02 * farthest, farthest * 1.04)
        linear_axis(axes, "y", 0, highest * 1.06)
    knee_ms = longpoll_knee_ms(rate_hz) if _has_knee(series_of(here, along=ALONG), farthest) else None
    if knee_ms:
        _draw_knee(panels, knee_ms)
    naive_key, same = naive_told(figure, compared=True)
    legend = [*keys(series_of(here, along=ALONG)), *naive_key]
    legend.append(Line2D([], [], color=GREY, label="model: waiting and the network alone", **BAND))
    if any(not point.believable for point in drawn):
        legend.append(hollow_key())
    load = load_said(float(here["subscribers"].iloc[0]), rate_hz)
    return dress(figure, TITLE, f"{load}. {trials_said(point.y.n for point in drawn)}.{same}", legend, notes(trials))


def _points(rows: pd.DataFrame, column: str) -> list[Point]:
    """Give a point for each round trip, ascending; a round trip of 0 has its place on a linear axis."""
    found = []
    for rtt_ms, group in measured(rows, column).groupby(RTT, sort=True):
        found.append(Point(float(str(rtt_ms)), median_interval(numbers(group[column])), believable(group)))
    return found


def _draw_model(axes: Axes, series: Series, q: float, farthest: float) -> list[float]:
    """Draw a quantile of the model from no distance to the farthest, and give its values; nothing if there is no model."""
    load = load_of(series)
    rtts = np.linspace(0, farthest, STEPS)
    made = [model for rtt_ms in rtts if (model := predictions.latency(load | {RTT: float(rtt_ms)}))]
    if len(made) < STEPS:
        return []
    values = [model.quantile_ms(q) for model in made]
    axes.plot(rtts, values, color=series.look.colour, zorder=1.5, gid=f"model:{series.label}", **BAND)
    return values


def _has_knee(all_series: Iterable[Series], farthest: float) -> bool:
    """True if a model within the picture is unsure of its mean: it is so from the knee on, and only there."""
    made = [predictions.latency(load_of(series) | {RTT: farthest}) for series in all_series]
    return any(model is not None and model.unsure_ms > 0 for model in made)


def _draw_knee(panels: Iterable[Axes], knee_ms: float) -> None:
    for axes in panels:
        axes.axvline(knee_ms, color=GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=1, gid="knee")
        axes.annotate(
            "round trip = time between\ntwo messages: from here on\na long poll asks too late",
            (knee_ms, 0.985), (-6, 0), xycoords=("data", "axes fraction"), textcoords="offset points",
            va="top", ha="right", fontsize=8.5, color=GREY,  # on the side on which lines are low
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.5},
        )  # fmt: skip
