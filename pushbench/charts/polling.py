"""What polling more often buys, and what it costs.

Knows the columns of `trials`. The models are `models.polling`, and `models.polls_per_s` over what a core answers.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pushbench.charts.cells import (
    Point,
    Series,
    believable,
    floors_at,
    largest,
    load_said,
    measured,
    notes,
    numbers,
    points,
    ranked,
    series_of,
    trials_said,
    why_nothing,
)
from pushbench.charts.marks import (
    draw_markers,
    draw_naive,
    draw_naive_points,
    draw_points,
    hollow_key,
    keys,
    naive_told,
    naive_values,
    where_apart,
)
from pushbench.charts.style import dress, log_axis, nothing, sheet, tidy
from pushbench.labels import plain
from pushbench.models import polling, polls_per_core_s, polls_per_s, shortest_interval_ms
from pushbench.stats import Interval, median_interval

TITLE = "What does polling more often buy, and cost?"
BAND = "#C8C8C8"
"""The model is a broad band behind the points: a thin line would vanish under them where it is right."""


def shows_poll_interval(trials: pd.DataFrame) -> bool:
    """True if a transport that polls was measured at two intervals or more."""
    found = measured(trials, "latency_mean_ms")
    return any(series.rows["poll_interval_ms"].nunique() >= 2 for series in _pollers(found))


def poll_interval(trials: pd.DataFrame) -> Figure:
    """Draw mean latency, and server CPU per delivery, against the interval; the others are level lines for comparison."""
    here = largest(ranked(trials), "latency_mean_ms")
    if measured(trials, "latency_mean_ms").empty or not _pollers(here):
        return nothing(TITLE, why_nothing(trials, "No transport that polls was measured at the largest load."))
    here = pd.concat([here, floors_at(trials, here)])
    figure = sheet(12.5, 6.2)
    left, right = figure.subplots(1, 2)
    intervals = sorted({float(value) for series in _pollers(here) for value in series.rows["poll_interval_ms"]})
    expected = [polling(value).mean_ms for value in intervals]
    busiest = _busiest(here)
    subscribers, rate_hz = float(here["subscribers"].iloc[0]), float(here["rate_hz"].iloc[0])
    per_delivery = (
        [busiest * polls_per_s(subscribers, each) / (subscribers * rate_hz) for each in intervals] if busiest else []
    )
    drawn: list[Point] = []
    for axes, column, said in (
        (left, "latency_mean_ms", "mean latency (ms)"),
        (right, "server_cpu_us_per_delivery", "server CPU per delivery (µs)"),
    ):
        tidy(axes, "poll interval (ms)", said)
        naive = "naive_mean_ms" if axes is left else None
        found = _draw(axes, here, column, naive, intervals)
        drawn += found
        values = [value for point in found for value in (point.y.low, point.y.high)]
        model = expected if axes is left else per_delivery
        log_axis(axes, "x", intervals, at=intervals)
        log_axis(axes, "y", values + model + naive_values(axes))
    for axes, model, gid in ((left, expected, "T/2"), (right, per_delivery, "requests")):
        if model:
            axes.plot(intervals, model, color=BAND, linewidth=7, solid_capstyle="butt", zorder=1.5, gid=gid)
    all_series = series_of(here, along=("poll_interval_ms",))
    naive_key, same = naive_told(figure, compared=True)
    legend = [*keys(all_series), *naive_key]
    legend.append(
        Line2D([], [], color=BAND, linewidth=7, label="model: half the interval (T/2); every poll costs the same")
    )
    if any(not point.believable for point in drawn):
        legend.append(hollow_key())
    load = load_said(subscribers, rate_hz)
    subtitle = f"{load}. {trials_said(point.y.n for point in drawn)}. Level lines do not poll.{same}"
    told = [_capacity_said(busiest, subscribers)] if busiest else []
    return dress(figure, TITLE, subtitle, legend, [*notes(here), *told])


def _busiest(here: pd.DataFrame) -> float | None:
    """Give the server's CPU time for one poll, in us, at the shortest interval at which it kept up: half a measurement."""
    rows = measured(measured(_pollers(here)[0].rows, "server_cpu_us_per_delivery"), "requests_per_delivery")
    rows = rows[rows["verdict"] == "ok"]
    if rows.empty:
        return None
    first = rows[rows["poll_interval_ms"] == rows["poll_interval_ms"].min()]
    each = numbers(first["server_cpu_us_per_delivery"]) / numbers(first["requests_per_delivery"])
    return float(np.median(each))


def _capacity_said(request_us: float, subscribers: float) -> str:
    """Say how many polls a core could answer at that, and so how often these pollers could ask."""
    per_s = plain(float(f"{polls_per_core_s(request_us):.2g}"))
    interval_ms = plain(float(f"{shortest_interval_ms(subscribers, request_us):.2g}"))
    return (
        f"model: asked most often, a poll takes {request_us:.3g} µs of a server; a core would answer {per_s} a second, "
        f"and these subscribers could ask every {interval_ms} ms (users ÷ requests per second, Van de Vyvere et al. 2020)"
    )


def _pollers(trials: pd.DataFrame) -> list[Series]:
    return [series for series in series_of(trials, along=("poll_interval_ms",)) if series.polls]


def _draw(axes: Axes, here: pd.DataFrame, column: str, naive: str | None, intervals: Sequence[float]) -> list[Point]:
    """Draw a column of every series, and the naive one beside it if there is such a column."""
    drawn: list[Point] = []
    for series in series_of(here, along=("poll_interval_ms",)):
        if series.polls:
            at, naive_at = (
                points(series.rows, ["poll_interval_ms"], "poll_interval_ms", name) if name else []
                for name in (column, naive)
            )
            if at:
                draw_points(axes, series, at)
                draw_naive_points(axes, series, at, naive_at)
            drawn += at
        elif level := _level(series, column, float(np.max(intervals))):
            _draw_level(axes, series, level)
            if naive and (sent := _level(series, naive, level.x)):
                ends = [float(np.min(intervals)), level.x]
                draw_naive(axes, series, ends, where_apart([level.y.mid] * 2, [sent.y.mid] * 2))
            drawn.append(level)
    return drawn


def _draw_level(axes: Axes, series: Series, level: Point) -> None:
    """Draw a level line with its interval as a band; of a floor the line alone."""
    style = series.look
    axes.axhline(
        level.y.mid, color=style.colour, linestyle=style.dashes, linewidth=1.6 * style.weight,
        label=series.label, gid=f"level:{series.label}", zorder=2,
    )  # fmt: skip
    if level.y.is_interval and not series.floor:
        axes.axhspan(level.y.low, level.y.high, color=style.colour, alpha=0.15, linewidth=0, zorder=1)
    draw_markers(axes, series.label, style, [(level.x, level.y.mid, level.believable)])


def _level(series: Series, column: str, x: float) -> Point | None:
    """Give what does not depend on the interval as one point over all trials of the series; None without a number."""
    rows = measured(series.rows, column)
    y: Interval = median_interval(numbers(rows[column]))
    return Point(x, y, believable(rows)) if y.n else None
