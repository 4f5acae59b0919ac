"""Delivered against offered: where a transport gives in, and what the server paid.

Knows the columns of `trials`.
"""

from collections.abc import Iterator

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pushbench.charts.cells import (
    Point,
    Series,
    notes,
    numbers,
    points,
    positive,
    ranked,
    series_of,
    transports_of,
    trials_said,
    why_nothing,
)
from pushbench.charts.marks import draw_points, hollow_key, keys
from pushbench.charts.style import GREY, dress, linear_axis, log_axis, nothing, sheet, tidy
from pushbench.labels import plain

TITLE = "How much can one server deliver?"


def shows_throughput(trials: pd.DataFrame) -> bool:
    """True if deliveries were measured."""
    return not positive(positive(trials, "offered_per_s"), "deliveries_per_s").empty


def throughput(trials: pd.DataFrame) -> Figure:
    """Draw delivered against offered deliveries/s, with the diagonal on which all arrive; beside it the server's CPU."""
    if not shows_throughput(trials):
        return nothing(TITLE, why_nothing(trials, "No delivery was measured."))
    figure = sheet(12, 6.2)
    left, right = figure.subplots(1, 2)
    tidy(left, "offered (deliveries/s)", "delivered (deliveries/s)")
    tidy(right, "offered (deliveries/s)", "server CPU (% of one core)")
    drawn = _draw(left, trials, "deliveries_per_s")
    drawn_cpu = _draw(right, trials, "server_cpu_percent")
    both = [value for point in drawn for value in (point.x, point.y.low, point.y.high)]
    offered = [point.x for point in drawn]
    log_axis(left, "x", offered)
    log_axis(left, "y", both)
    low, high = left.get_xlim()
    left.plot([low, high], [low, high], color=GREY, linewidth=1, linestyle=(0, (1, 2)), zorder=1, gid="diagonal")
    log_axis(right, "x", offered)
    highest = max((point.y.high for point in drawn_cpu), default=0.0)
    linear_axis(right, "y", 0, max(108.0, highest * 1.08))
    right.axhline(100, color=GREY, linewidth=1, linestyle=(0, (1, 2)), zorder=1, gid="one core")
    legend = keys(series_of(trials, along=("subscribers", "rate_hz")))
    legend.append(Line2D([], [], color=GREY, linewidth=1, linestyle=(0, (1, 2)), label="all delivered; one full core"))
    if any(not point.believable for point in [*drawn, *drawn_cpu]):
        legend.append(hollow_key())
    told = [*notes(trials), *_silent(ranked(trials))]
    return dress(figure, TITLE, f"{_load(trials)}. {trials_said(point.y.n for point in drawn)}.", legend, told)


def _draw(axes: Axes, trials: pd.DataFrame, column: str) -> list[Point]:
    drawn = []
    for series, rows in _lines(trials):
        if at := points(rows, ["subscribers", "rate_hz"], "offered_per_s", column):
            draw_points(axes, series, at)
            drawn += at
    return drawn


def _lines(trials: pd.DataFrame) -> Iterator[tuple[Series, pd.DataFrame]]:
    """Give what one line joins: a series, and if its rate varies, one number of subscribers of it."""
    for series in series_of(trials, along=("subscribers", "rate_hz")):
        if series.rows["rate_hz"].nunique() > 1:
            for _, rows in series.rows.groupby("subscribers"):
                yield series, rows
        else:
            yield series, series.rows


def _load(trials: pd.DataFrame) -> str:
    said = []
    for key, noun in (("subscribers", "subscribers"), ("rate_hz", "messages/s")):
        values = sorted(trials[key].unique())
        span = plain(values[0]) if len(values) == 1 else f"{plain(values[0])} to {plain(values[-1])}"
        said.append(f"{span} {noun}")
    return " × ".join(said)


def _silent(trials: pd.DataFrame) -> list[str]:
    """Name those that delivered nothing at all: a logarithmic axis has no place for them."""
    offered = positive(trials, "offered_per_s")
    silent = offered[numbers(offered["deliveries_per_s"]) == 0]
    names = [f"{name} {int((silent['transport'] == name).sum())}" for name in transports_of(silent)]
    return [f"delivered nothing, so not on the axis (trials): {', '.join(names)}"] if names else []
