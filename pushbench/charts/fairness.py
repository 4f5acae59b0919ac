"""How long the last subscriber waits for a message that the first one has: from first to last, against connections.

Knows the columns of `trials`. Loads are held, and lines made, in `growth`.
"""

from collections.abc import Sequence
from math import sqrt

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pushbench.charts.cells import Point, Series, notes, points, ranked, series_of, trials_said, why_nothing
from pushbench.charts.growth import ALONG, CONNECTIONS, NOUNS, held, load_held, not_shown, varies
from pushbench.charts.marks import draw_markers, draw_points, hollow_key
from pushbench.charts.style import GREY, INK, brief, dress, log_axis, nothing, sheet, tidy
from pushbench.labels import plain

TITLE = "Is the last one served as well as the first?"
FIRST, LAST = "fanout_first_ms", "fanout_last_ms"
MOST_PANELS = 9
MOST_TICKS = 5
BAND_ALPHA = 0.22
SMALL = 4.5
"""The marker of the first, in a panel."""
Pair = tuple[Point, Point]
"""The latency of the first subscriber and of the last, at one number of connections."""


def shows_fairness(trials: pd.DataFrame) -> bool:
    """True if the latency of the first and of the last subscriber was measured, of a transport with two of them or more."""
    return not _rows(trials).empty


def _rows(trials: pd.DataFrame) -> pd.DataFrame:
    audience = ranked(trials)
    return held(audience[audience[CONNECTIONS] > 1], CONNECTIONS, FIRST, LAST)


def fairness(trials: pd.DataFrame) -> Figure:
    """Draw a band from the first subscriber's latency to the last's, in a panel for each transport.

    Where the number of connections does not vary, a row for each transport, from a mark for the first to one for the last.
    """
    rows = _rows(trials)
    if rows.empty:
        return nothing(TITLE, why_nothing(trials, "The first and the last subscriber's latency was not measured."))
    found = [(series, pairs(series.rows)) for series in series_of(rows, along=ALONG)]
    figure = _panels(found[:MOST_PANELS]) if varies(rows, CONNECTIONS) else _dumbbells(found)
    legend: list[Artist] = [
        Line2D([], [], color=GREY, linestyle="none", marker="o", markersize=SMALL, label="the first to get a message"),
        Line2D([], [], color=GREY, linestyle="none", marker="o", markersize=7, label="the last"),
    ]
    drawn = [point for _, of in found for pair in of for point in pair]
    if not all(point.believable for point in drawn):
        legend.append(hollow_key())
    counts = sorted(rows[CONNECTIONS].unique())
    at = "" if len(counts) > 1 else f"{plain(counts[0])} {NOUNS[CONNECTIONS][1]}, "
    told = [*notes(trials), *not_shown(ranked(trials), rows)]
    if any(series.polls for series, _ in found):
        told.append("who polls asks at a time of its own: first and last are a poll interval apart, however few there are")
    if varies(rows, CONNECTIONS) and len(found) > MOST_PANELS:
        told.append(f"{len(found) - MOST_PANELS} more are not shown")
    subtitle = (
        f"{at}{load_held(rows, CONNECTIONS)}. {trials_said(point.y.n for point in drawn)}. "
        f"× is how many times as long the last waits."
    )
    return dress(figure, TITLE, subtitle, legend, told)


def pairs(rows: pd.DataFrame) -> list[Pair]:
    """Give first and last for each number of connections, ascending: medians across trials, in milliseconds."""
    first, last = (points(rows, [CONNECTIONS], CONNECTIONS, column) for column in (FIRST, LAST))
    return list(zip(first, last, strict=True))


def ratio(pair: Pair) -> float:
    """How many times longer the last waits than the first: last ÷ first of the medians."""
    return pair[1].y.mid / pair[0].y.mid


def _values(found: Sequence[tuple[Series, list[Pair]]]) -> list[float]:
    return [value for _, of in found for pair in of for point in pair for value in (point.y.low, point.y.high)]


def _panels(found: Sequence[tuple[Series, list[Pair]]]) -> Figure:
    columns = min(len(found), 3)
    lines = -(-len(found) // columns)
    figure = sheet(0.8 + 4.5 * columns, 1.9 + (4.2 if lines == 1 else 3.1 * lines))
    grid = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True)
    counts = sorted({first.x for _, of in found for first, _ in of})
    values = _values(found)
    for index, (axes, (series, of)) in enumerate(zip(grid.flat, found, strict=False)):
        lowest = index + columns >= len(found)
        tidy(axes, NOUNS[CONNECTIONS][1] if lowest else "", "" if index % columns else "latency (ms)")
        axes.set_title(f"{series.label}{_said(of)}", loc="left", fontsize=10.5, color=series.look.ink, fontweight="bold")
        _draw_band(axes, series, of)
        axes.tick_params(labelbottom=lowest, labelleft=not index % columns)
        log_axis(axes, "x", counts, at=counts if len(counts) <= MOST_TICKS else counts[::-1][::2])
        log_axis(axes, "y", [min(values), 1.5 * max(values)])  # room for what is written above
    for axes in list(grid.flat)[len(found) :]:
        axes.remove()
    return figure


def _said(of: Sequence[Pair]) -> str:
    """Say the ratio at the fewest and at the most connections of which both are believable."""
    trusted = [pair for pair in of if all(point.believable for point in pair)]
    said = [f"×{brief(ratio(pair))} at {plain(pair[0].x)}" for pair in dict.fromkeys((*trusted[:1], *trusted[-1:]))]
    return f": {', '.join(said)}" if said else ""


def _draw_band(axes: Axes, series: Series, of: Sequence[Pair]) -> None:
    colour = series.look.colour
    xs = [first.x for first, _ in of]
    axes.fill_between(
        xs, [first.y.mid for first, _ in of], [last.y.mid for _, last in of], color=colour, alpha=BAND_ALPHA, linewidth=0,
        gid=f"band:{series.label}",
    )  # fmt: skip
    axes.plot(xs, [first.y.mid for first, _ in of], color=colour, linewidth=1.0, gid=f"first:{series.label}", zorder=3)
    draw_points(axes, series, [last for _, last in of])
    for first, last in of:
        ends = [first.y.mid, last.y.mid]
        axes.plot([first.x] * 2, ends, color=colour, linewidth=1.0, gid=f"join:{series.label}", zorder=2)
        if first.y.is_interval:
            axes.plot([first.x] * 2, [first.y.low, first.y.high], color=colour, marker="_", markersize=5, linewidth=1.2)
    draw_markers(axes, series.label, series.look, [(first.x, first.y.mid, first.believable) for first, _ in of], size=SMALL)
    for pair in _spaced(of):
        _write_ratio(axes, pair, (pair[1].x, pair[1].y.high), (0, 6), "center", "bottom")


def _spaced(of: Sequence[Pair], most: int = 7) -> list[Pair]:
    """Keep so many pairs that what is written over each fits beside its neighbour; the last one is among them."""
    step = -(-len(of) // most)
    return list(of[::-1][::step])


def _write_ratio(axes: Axes, pair: Pair, at: tuple[float, float], by: tuple[float, float], ha: str, va: str) -> None:
    colour = INK if all(point.believable for point in pair) else GREY
    axes.annotate(f"×{brief(ratio(pair))}", at, by, textcoords="offset points", ha=ha, va=va, fontsize=8.5, color=colour)


def _dumbbells(found: Sequence[tuple[Series, list[Pair]]]) -> Figure:
    figure = sheet(10, 2.0 + 0.5 * len(found))
    axes = figure.subplots()
    tidy(axes, "latency (ms)", "")
    values = _values(found)
    for place, (series, of) in enumerate(found):
        for first, last in of:
            axes.plot(
                [first.y.mid, last.y.mid], [place] * 2, color=series.look.colour, linewidth=2.5, gid=f"join:{series.label}",
                zorder=2,
            )  # fmt: skip
            for point, size in ((first, 6.0), (last, 9.5)):
                if point.y.is_interval:
                    axes.plot([point.y.low, point.y.high], [place] * 2, color=INK, linewidth=1.2, zorder=5)
                draw_markers(axes, series.label, series.look, [(point.y.mid, place, point.believable)], size=size)
            _write_ratio(axes, (first, last), (last.y.high, place), (9, 0), "left", "center")
    log_axis(axes, "x", values, room=max(1.35, sqrt(sqrt(max(values) / min(values)))))
    axes.set_yticks(range(len(found)), [series.label for series, _ in found], fontsize=10.5, color=INK)
    axes.set_ylim(len(found) - 0.45, -0.55)
    axes.grid(visible=False, axis="y")
    return figure
