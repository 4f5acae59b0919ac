"""What it costs to say something: how long until it is answered or heard, bytes both ways, and CPU of both sides.

Knows the columns of `trials`. Lines go along the round trip, or else along how many act. What hardly depends on that is
told once, as a bar: bytes always, and CPU along the round trip.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pushbench.charts.cells import (
    Point,
    Series,
    believable,
    measured,
    notes,
    numbers,
    points,
    series_of,
    trials_said,
    why_nothing,
)
from pushbench.charts.marks import draw_points, hollow_key, keys
from pushbench.charts.style import GREY, INK, brief, dress, linear_axis, log_axis, nothing, sheet, tidy
from pushbench.labels import plain
from pushbench.stats import median_interval

TITLE = "What does it cost to say something?"
ALONG = {"rtt_ms": "round-trip time (ms)", "subscribers": "who act (subscribers)", "room_size": "subscribers in a room"}
"""The axes that there may be, the first that varies most."""
HEARD = {"request": "until it is answered", "chat": "until it is heard"}
EACH = {"request": "action", "chat": "delivery"}
SAID = {"request": "action", "chat": "message"}
WHO = {"request": "who act", "chat": "who speak and hear"}
BYTES = ("wire_down_bytes_per_delivery", "wire_up_bytes_per_delivery")
CPU = ("server_cpu_us_per_delivery", "client_cpu_us_per_delivery")
FEW = 6.0
"""Values that span less than this factor are drawn from 0."""


def shows_two_way(trials: pd.DataFrame) -> bool:
    """True if those who act were measured at two round trips, or numbers of them, or more."""
    return bool(_axis(_acting(trials)))


def _acting(trials: pd.DataFrame) -> pd.DataFrame:
    """Give the trials in which subscribers said something, and that have numbers; of one kind, the first."""
    found = measured(trials[trials["kind"].isin(list(HEARD))], "latency_p50_ms")
    of_one_kind: pd.DataFrame = found[found["kind"] == found["kind"].iloc[0]] if len(found) else found
    return of_one_kind


def _axis(here: pd.DataFrame) -> str:
    """The key that varies most; empty if none does."""
    counts = {key: int(here[key].nunique()) for key in ALONG if key in here}
    most = max(counts.values(), default=0)
    return next((key for key, count in counts.items() if count == most), "") if most > 1 else ""


def two_way(trials: pd.DataFrame) -> Figure:
    """Draw p50 latency, bytes both ways, and CPU of server and client, for each way to say something."""
    here = _acting(trials)
    axis = _axis(here)
    if not axis:
        missing = "Nobody acted at two round trips (rtt_ms) or numbers of actors (subscribers), or at more."
        return nothing(TITLE, why_nothing(trials, missing))
    # Of the other axes the value with the most trials, so that a line has one load.
    for key in ALONG:
        if key != axis and key in here:
            here = here[here[key] == here[key].mode().iloc[0]]
    kind = str(here["kind"].iloc[0])
    all_series = series_of(here, along=(*ALONG, "kind"))
    figure = sheet(15.5, 6.6)
    left, middle, right = figure.subplots(1, 3, gridspec_kw={"width_ratios": (1.15, 1, 1.15)})
    drawn = _lines(left, all_series, axis, ("latency_p50_ms", "latency_p99_ms"))
    tidy(
        left, ALONG[axis], "latency from due time (ms)", f"{HEARD[kind].capitalize()}: median, and thin the 99th percentile"
    )
    _bars(middle, all_series, axis, BYTES)
    tidy(middle, f"bytes for each {EACH[kind]}, TCP/IP included", "", "On the wire: down, and (pale) up")
    if axis == "rtt_ms":
        _bars(right, all_series, axis, CPU)
        tidy(right, f"CPU for each {EACH[kind]} (µs)", "", "Of the processors: the server, and (pale) the client")
    else:
        drawn += _lines(right, all_series, axis, CPU)
        tidy(right, ALONG[axis], f"CPU for each {EACH[kind]} (µs)", "Server, and thin the client")
    legend = keys(all_series)
    if not all(point.believable for point in drawn):
        legend.append(hollow_key())
    rates = sorted(here["rate_hz"].unique())
    said = [f"{plain(rates[0])} {SAID[kind]}s/s together"] if len(rates) == 1 else []
    if axis != "subscribers":
        said.insert(0, f"{plain(here['subscribers'].iloc[0])} {WHO[kind]}")
    if kind == "chat" and axis != "room_size":
        said.append(f"rooms of {plain(here['room_size'].iloc[0])}")
    if axis != "rtt_ms" and here["rtt_ms"].iloc[0]:
        said.append(f"{plain(here['rtt_ms'].iloc[0])} ms round trip")
    subtitle = f"{kind.capitalize()}: {', '.join(said)}. {trials_said(point.y.n for point in drawn)}."
    told = "CPU of the client has in it what the load side does anyway, some 50 ms a second: of few actions that is much"
    return dress(figure, TITLE, subtitle, legend, [*notes(here), told])


def _lines(axes: Axes, all_series: Sequence[Series], axis: str, columns: tuple[str, str]) -> list[Point]:
    """Draw the first of the columns as lines with their intervals, and the second thin; give the points."""
    drawn, values = list[Point](), list[float]()
    first, second = columns
    for series in all_series:
        at = _at(series.rows, axis, first)
        draw_points(axes, series, at)
        drawn += at
        values += [value for point in at for value in (point.y.low, point.y.high)]
        if thin := _at(series.rows, axis, second):
            style = series.look
            axes.plot(
                [point.x for point in thin], [point.y.mid for point in thin], color=style.colour, linestyle=style.dashes,
                linewidth=0.8, alpha=0.8, gid=f"thin:{series.label}", zorder=2,
            )  # fmt: skip
            values += [point.y.mid for point in thin]
    found = np.asarray(values)
    found = found[np.isfinite(found) & (found > 0)]
    if axis != "rtt_ms" and found.size and found.max() / found.min() >= FEW:
        log_axis(axes, "y", found)
    else:
        linear_axis(axes, "y", 0, float(found.max() * 1.06) if found.size else None)
    xs = sorted({point.x for point in drawn})
    if axis == "rtt_ms":
        linear_axis(axes, "x", -0.02 * xs[-1], xs[-1] * 1.04)
    else:
        log_axis(axes, "x", xs, at=xs)
    return drawn


def _at(rows: pd.DataFrame, axis: str, column: str) -> list[Point]:
    """Give a point for each value of the axis, ascending; 0 has a place on a linear one."""
    if column not in rows:
        return []
    if axis != "rtt_ms":
        return points(rows, (axis,), axis, column)
    return [
        Point(float(str(x)), median_interval(numbers(group[column])), believable(group))
        for x, group in measured(rows, column).groupby(axis, sort=True)
    ]


def _bars(axes: Axes, all_series: Sequence[Series], axis: str, columns: tuple[str, str]) -> None:
    """Draw a bar of two parts for each way, from the least value of the axis, and write what they come to."""
    heights = np.arange(len(all_series))[::-1].astype(np.float64)
    most = 0.0
    for height, series in zip(heights, all_series, strict=True):
        least = series.rows[series.rows[axis] == series.rows[axis].min()]
        solid = believable(least)
        full, pale = (median_interval(numbers(least[column])).mid for column in columns)
        if not np.isfinite(full + pale):
            continue
        colour = series.look.colour
        for value, left, alpha, column in ((full, 0.0, 1.0, columns[0]), (pale, full, 0.45, columns[1])):
            axes.barh(
                height, value, 0.5, left=left, facecolor=colour if solid else "white", edgecolor=colour, alpha=alpha,
                gid=f"{column}:{series.label}",
            )  # fmt: skip
        axes.annotate(
            f"{brief(full)} + {brief(pale)}", (full + pale, height), (5, 0), textcoords="offset points", va="center",
            fontsize=9.5, color=INK,
        )  # fmt: skip
        axes.annotate(
            series.label, (0, height + 0.25), (0, 2), textcoords="offset points", va="bottom", fontsize=9, color=GREY
        )
        most = max(most, full + pale)
    linear_axis(axes, "x", 0, most * 1.3 or 1.0)
    axes.set_ylim(-0.6, len(all_series) - 0.2)
    axes.set_yticks([])
    axes.grid(False, axis="y")
