"""What the server's CPU time goes into: a delivery, by user and system, and what it costs to have nothing to say.

Knows the columns of `trials`.
"""

from collections.abc import Sequence

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from pushbench.charts.cells import (
    Series,
    believable,
    largest,
    load_said,
    measured,
    notes,
    numbers,
    on_the_shortest_line,
    ranked,
    series_of,
    trials_said,
    why_nothing,
)
from pushbench.charts.style import GREY, INK, brief, dress, linear_axis, nothing, sheet, tidy
from pushbench.stats import Interval, median_interval

TITLE = "What does the server's CPU time go into?"
PARTS = {
    "user": ("its own code and libraries (user)", "#0072B2", ""),
    "system": ("the kernel for it (system)", "#E69F00", "////"),
}
DELIVERY = "server_cpu_us_per_delivery"
IDLE = {
    "server_cpu_us_per_connection_s": "For an idle connection, each second",
    "server_cpu_us_per_empty_poll": "For a poll that finds nothing",
}
BAR = 0.62
UNKNOWN = "#9A9A9A"


def part_column(part: str) -> str:
    """The column with the CPU time per delivery of one part."""
    return f"server_{part}_us_per_delivery"


def shows_cpu(trials: pd.DataFrame) -> bool:
    """True if user and system time were told apart anywhere, or it was measured what waiting costs."""
    known = all(part_column(part) in trials for part in PARTS) and not measured(ranked(trials), part_column("user")).empty
    return known or bool(_waiting(trials))


def cpu(trials: pd.DataFrame) -> Figure:
    """Draw a bar for each series: user and system time per delivery, or their sum where there was too little to tell.

    Beside it is what waiting costs. What was not measured has no panel.
    """
    if not shows_cpu(trials):
        return nothing(TITLE, why_nothing(trials, "CPU time was not told apart into user and system."))
    here = largest(on_the_shortest_line(ranked(measured(trials, DELIVERY))), DELIVERY)
    busy, waiting = series_of(here)[::-1], _waiting(trials)
    each = [*([busy] if busy else []), *waiting.values()]
    drawn = [series for rows in each for series in rows]
    most, labels_in = max(map(len, each)), 0.075 * max(len(series.label) for series in drawn)
    widths = [*([1.6] if busy else []), *[1.0] * len(waiting)]
    figure = sheet(max(7.5, (5.5 if busy else 1.9) + labels_in + 3.6 * len(waiting)), 2.6 + 0.42 * most)
    panels = list(figure.subplots(1, len(widths), squeeze=False, width_ratios=widths)[0])
    if busy:
        tidy(panels[0], "server CPU for each delivery (µs)", "", "For a delivery")
        linear_axis(panels[0], "x", 0, _draw_parts(panels[0], busy) * 1.3)
    for axes, (name, rows) in zip(panels[bool(busy) :], waiting.items(), strict=True):
        tidy(axes, "server CPU (µs)", "", IDLE[name])
        linear_axis(axes, "x", 0, _draw_idle(axes, rows, name) * 1.35)
    for axes, rows in zip(panels, each, strict=True):
        axes.set_yticks(range(len(rows)), [series.label for series in rows])
        axes.set_ylim(len(rows) - most - 0.6, len(rows) - 0.4)  # bars as thick as those of the other panels
        axes.grid(visible=False, axis="y")
    legend: list[Artist] = [
        Patch(facecolor=colour, hatch=hatch, edgecolor="white", linewidth=0, label=said)
        for said, colour, hatch in PARTS.values()
        if busy
    ]
    if any(measured(series.rows, part_column("user")).empty for series in busy):
        legend.append(Patch(facecolor=UNKNOWN, label="too little to tell them apart"))
    if not all(believable(series.rows) for series in drawn):
        legend.append(Patch(facecolor="white", edgecolor=GREY, alpha=0.5, label="pale: not to be believed"))
    counts = [series.rows.groupby("cell").size().min() for series in drawn]
    load = (
        f"Deliveries at {load_said(float(here['subscribers'].iloc[0]), float(here['rate_hz'].iloc[0]))}. " if busy else ""
    )
    return dress(figure, TITLE, f"{load}{trials_said(counts)}.", legend, notes(trials))


def _waiting(trials: pd.DataFrame) -> dict[str, list[Series]]:
    """Give the series of each cost of waiting that was measured, from the bottom up."""
    resting = on_the_shortest_line(ranked(trials[trials["kind"] == "idle"]))
    found = {name: measured(resting, name) for name in IDLE if name in trials}
    return {name: series_of(rows)[::-1] for name, rows in found.items() if len(rows)}


def _draw_parts(axes: Axes, rows: Sequence[Series]) -> float:
    reach = 0.0
    for place, series in enumerate(rows):
        left = 0.0
        whole = median_interval(numbers(series.rows[DELIVERY]))
        told = measured(series.rows, part_column("user"))
        if told.empty:
            axes.barh(place, whole.mid, BAR, color=UNKNOWN, alpha=_alpha(series), gid=f"bar:{series.label}:whole")
            left = whole.mid
        for part, (_, colour, hatch) in PARTS.items() if len(told) else ():
            width = median_interval(numbers(told[part_column(part)])).mid
            axes.barh(
                place, width, BAR, left, color=colour, hatch=hatch, edgecolor="white", linewidth=0,
                alpha=_alpha(series), gid=f"bar:{series.label}:{part}",
            )  # fmt: skip
            left += width
        reach = max(reach, _end(axes, place, left, whole))
    return reach or 1.0


def _draw_idle(axes: Axes, rows: Sequence[Series], name: str) -> float:
    reach = 0.0
    for place, series in enumerate(rows):
        cost = median_interval(numbers(series.rows[name]))
        axes.barh(place, cost.mid, BAR, color=series.look.colour, alpha=_alpha(series), gid=f"bar:{series.label}")
        reach = max(reach, _end(axes, place, cost.mid, cost))
    return reach or 1.0


def _alpha(series: Series) -> float:
    return 1.0 if believable(series.rows) else 0.4


def _end(axes: Axes, place: float, left: float, cost: Interval) -> float:
    """Draw the interval of a bar and write its value behind it; give how far that reaches."""
    reach = max(left, cost.high if cost.n else 0.0)
    if cost.is_interval:
        axes.plot([cost.low, cost.high], [place] * 2, color=INK, linewidth=1.2, marker="|", markersize=6, zorder=4)
    axes.annotate(
        brief(cost.mid) if cost.n else "not measured", (reach, place), (6, 0), textcoords="offset points", va="center",
        fontsize=9.5, color=INK,
    )  # fmt: skip
    return reach
