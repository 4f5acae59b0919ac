"""The overview's panels about latency: who delivers first, does it grow with the audience, how long do the unlucky wait.

Knows the columns of `trials` and `latency`. Each panel is a pair: whether it has something to show, and how it is drawn;
drawing gives the headline, which says only what holds for every number that it covers.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from pushbench.charts.cells import (
    Point,
    Series,
    apart,
    believable,
    floors_at,
    largest,
    positive,
    ranked,
    series_of,
    spanned,
)
from pushbench.charts.latency import draw_growth
from pushbench.charts.marks import draw_markers, naive_values
from pushbench.charts.percentiles import SHOWN_FROM, draw_curves, nines_axis, shows_percentiles
from pushbench.charts.slide_rows import ASIDE, aside, interval, name_rows, rows_of, say_missing
from pushbench.charts.style import DOTTED, INK, End, brief, label_ends, log_axis, tidy
from pushbench.labels import plain

NAIVE_BELOW = 0.3
"""How far below a row its naive latencies are, of the distance to the next."""
SLOWER = 2
"""Polling gets a sentence of its own if its every median is so many times above all others."""


def shows_first(trials: pd.DataFrame, latency: pd.DataFrame) -> bool:
    """True if latency was measured."""
    return not positive(ranked(trials), "latency_p50_ms").empty


def draw_first(axes: Axes, trials: pd.DataFrame, latency: pd.DataFrame) -> str:
    """Draw a dumbbell for each transport at the largest load: from the median to the 99th percentile.

    Where the naive ones differ they are dotted below it; the median of a floor is a grey line through all rows.
    """
    here = largest(ranked(trials), "latency_p50_ms")
    rows = rows_of(here)
    tidy(axes, "latency (ms): median, and line to the 99th percentile", "")
    values: list[float] = []
    medians: list[tuple[Series, float]] = []
    for place, series in enumerate(rows):
        p50, p99 = (interval(series, f"latency_{name}_ms") for name in ("p50", "p99"))
        if not p50.n:
            say_missing(axes, place, series)
            continue
        style, trusted = series.look, believable(series.rows)
        values += [p50.mid, p99.mid]
        if trusted:
            medians.append((series, p50.mid))
        axes.plot(
            [p50.mid, p99.mid], [place] * 2, color=style.colour, linestyle=style.dashes, linewidth=2.5,
            label=series.label, gid=f"line:{series.label}", zorder=2,
        )  # fmt: skip
        axes.plot([p99.mid], [place], color=style.colour, marker="|", markersize=12, markeredgewidth=2.5)
        draw_markers(axes, series.label, style, [(p50.mid, place, trusted)], size=10)
        for x, side, text in ((p50.mid, "right", brief(p50.mid)), (p99.mid, "left", f"{brief(p99.mid)} ms")):
            axes.annotate(
                text, (x, place), (-11 if side == "right" else 8, 0), textcoords="offset points", ha=side, va="center",
                fontsize=10.5, color=INK,
            )  # fmt: skip
        values += _draw_naive_row(axes, place, series, [p50.mid, p99.mid])
    for floor in series_of(floors_at(trials, here)):
        if (median := interval(floor, "latency_p50_ms")).n:
            values.append(median.mid)
            axes.axvline(
                median.mid, color=floor.look.colour, linestyle=floor.look.dashes, linewidth=1.8 * floor.look.weight,
                gid=f"floor:{floor.label}", zorder=1,
            )  # fmt: skip
    log_axis(axes, "x", values, room=max(2.2, (max(values) / min(values)) ** 0.18))  # room for what is written beside
    name_rows(axes, rows)
    return first_headline(medians) + (aside(rows) if medians else "")


def _draw_naive_row(axes: Axes, place: int, series: Series, due: list[float]) -> list[float]:
    """Draw naive median and 99th percentile below the dumbbell if either differs, and give them."""
    naive = [interval(series, f"naive_{name}_ms").mid for name in ("p50", "p99")]
    if not apart(due, naive).any():
        return []
    axes.plot(
        naive, [place + NAIVE_BELOW] * 2, color=series.look.ink, linestyle=DOTTED, linewidth=1.6, marker="|", markersize=6,
        gid=f"naive:{series.label}", zorder=2,
    )  # fmt: skip
    return naive


def first_headline(medians: list[tuple[Series, float]]) -> str:
    """Say who delivers first, from the believable median latencies (ms) at one load."""
    if not medians:
        return "No latency at this load is to be believed"
    polled = [(series.label, value) for series, value in medians if series.polls]
    pushed = [(series.label, value) for series, value in medians if not series.polls]
    if polled and pushed and min(value for _, value in polled) >= SLOWER * max(value for _, value in pushed):
        names = polled[0][0] if len(polled) == 1 else "polling"
        others = "the others" if len(pushed) > 1 else pushed[0][0]
        return f"Median latency: {names} {_span(polled)}\u00a0ms, {others} {_span(pushed)}\u00a0ms"
    named = polled + pushed
    if len(named) == 1:
        return f"{named[0][0]}: half of all messages within {brief(named[0][1])}\u00a0ms"
    return f"Half of all messages arrive within {spanned(named, 'ms')}"


def _span(named: list[tuple[str, float]]) -> str:
    low, high = brief(min(value for _, value in named)), brief(max(value for _, value in named))
    return low if low == high else f"{low} to {high}"


def shows_growth(trials: pd.DataFrame, latency: pd.DataFrame) -> bool:
    """True if, at the highest rate, latency was measured with at least two numbers of subscribers."""
    return positive(ranked(_fastest(trials)), "latency_p50_ms")["subscribers"].nunique() >= 2


def _fastest(trials: pd.DataFrame) -> pd.DataFrame:
    """Give the trials of the highest rate at which latency was measured."""
    rate_hz = positive(ranked(trials), "latency_p50_ms")["rate_hz"].max()
    found: pd.DataFrame = trials.loc[trials["rate_hz"] == rate_hz]
    return found


def draw_growth_panel(axes: Axes, trials: pd.DataFrame, latency: pd.DataFrame) -> str:
    """Draw median latency against subscribers at the highest rate."""
    here = _fastest(trials)
    rate = plain(float(here["rate_hz"].iloc[0]))
    tidy(axes, f"subscribers, at {rate} messages/s", "median latency (ms)")
    floors = [series for series in series_of(here, along=("subscribers",)) if series.floor]
    found = draw_growth(axes, [*rows_of(here, along=("subscribers",)), *floors], "p50")
    counts = sorted({point.x for _, at in found for point in at})
    log_axis(axes, "x", counts, at=counts, room=1.15)
    values = [value for _, at in found for point in at for value in (point.y.low, point.y.high)]
    log_axis(axes, "y", values + naive_values(axes))
    label_ends(axes, [End(at[-1].x, at[-1].y.mid, series.label, series.look.ink) for series, at in found], size=10.5)
    return growth_headline([(series, at) for series, at in found if not series.floor])


def growth_headline(found: list[tuple[Series, list[Point]]]) -> str:
    """Say by what factor the believable medians change between the fewest and the most subscribers."""
    least = min(at[0].x for _, at in found)
    most = max(at[-1].x for _, at in found)
    factors = [
        (series.label, at[-1].y.mid / at[0].y.mid)
        for series, at in found
        if at[0].x == least and at[-1].x == most and at[0].believable and at[-1].believable
    ]
    if not factors:
        return f"Latency from {plain(least)} to {plain(most)} subscribers"
    said = f"From {plain(least)} to {plain(most)} subscribers, the median changes {spanned(factors, times='×')}"
    return said if all(point.believable for _, at in found for point in at) else said + ASIDE


def shows_curves(trials: pd.DataFrame, latency: pd.DataFrame) -> bool:
    """True if there is a percentile curve to show, and no growth over subscribers."""
    return not shows_growth(trials, latency) and shows_percentiles(ranked(trials), latency)


def draw_curves_panel(axes: Axes, trials: pd.DataFrame, latency: pd.DataFrame) -> str:
    """Draw the percentile curves at the largest load."""
    here = largest(ranked(trials), "latency_p50_ms")
    rows = rows_of(here)
    floors = series_of(floors_at(trials, here))
    tidy(axes, "percentile of deliveries (%)", "latency (ms)")
    drawn, _ = draw_curves(axes, [*rows, *floors], latency)
    nines_axis(axes, max((float(due.nines[-1]) for due in drawn), default=2.0))
    values = [due.value_ms[due.nines >= SHOWN_FROM] for due in drawn]
    log_axis(axes, "y", np.concatenate([*values, naive_values(axes, since=SHOWN_FROM)]))
    lines = {str(line.get_gid()): line for line in axes.lines}
    ends = []
    for series in [*rows, *floors]:
        if (line := lines.get(f"line:{series.label}")) is not None:
            x, y = (np.asarray(side, dtype=float) for side in line.get_data())
            ends.append(End(float(x[-1]), float(y[-1]), series.label, series.look.ink))
    label_ends(axes, ends, size=10.5)
    slowest = [(series.label, interval(series, "latency_p99_ms").mid) for series in rows if believable(series.rows)]
    slowest = [(name, value) for name, value in slowest if np.isfinite(value)]
    if not slowest:
        return "No latency at this load is to be believed"
    return f"99 of 100 messages arrive within {spanned(slowest, 'ms')}" + aside(rows)
