"""The same transports on several servers: what is alike on all of them is the transport's, what is not is the server's.

Knows the columns of `trials`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

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
from pushbench.charts.marks import draw_markers, hollow_key, key
from pushbench.charts.style import INK, PALE, dress, log_axis, nothing, sheet, tidy
from pushbench.labels import setting
from pushbench.stats import Interval, median_interval

TITLE = "Is it the transport, or the server that speaks it?"
PANELS = {
    "latency_p99_ms": ("latency from the due time, p99 (ms)", "How late are the slowest in a hundred?"),
    "server_cpu_us_per_delivery": ("server CPU for each delivery (µs)", "What does a delivery cost the server?"),
    "wire_bytes_per_delivery": ("both ways, with TCP/IP (bytes)", "How much goes over the wire for it?"),
}
"""Of each panel: its axis, and what it answers."""
WIRE = ("wire_down_bytes_per_delivery", "wire_up_bytes_per_delivery")
ROW = 0.8
"""How much of a target's row its transports take."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """One transport of one target in one panel."""

    row: float
    value: Interval
    believable: bool


def shows_by_target(trials: pd.DataFrame) -> bool:
    """True if transports were measured on more than one server."""
    return ranked(trials)["target"].nunique() > 1


def by_target(trials: pd.DataFrame) -> Figure:
    """Draw a row for each target, and in it a mark for each transport, in panels of latency, CPU and bytes.

    Targets are in the order in which the scenario names them.
    """
    if not shows_by_target(trials):
        return nothing(TITLE, why_nothing(trials, "There is one server alone, and nothing to hold it against."))
    here = largest(on_the_shortest_line(ranked(trials)), "latency_p99_ms")
    here = here.assign(wire_bytes_per_delivery=numbers(here[WIRE[0]]) + numbers(here[WIRE[1]]))
    targets = list(dict.fromkeys(here.sort_values("cell")["target"]))[::-1]
    series = series_of(here, along=("target",))
    panels = {column: said for column, said in PANELS.items() if len(measured(here, column))}
    if not panels:
        return nothing(TITLE, why_nothing(trials, "Nothing was measured that could be drawn."))
    figure = sheet(4.2 * len(panels) + 1.2, 2.2 + 0.24 * len(targets) * max(3, len(series)))
    for axes, (column, (axis, title)) in zip(
        figure.subplots(1, len(panels), squeeze=False, sharey=True)[0], panels.items(), strict=True
    ):
        tidy(axes, axis, "", title)
        _draw(axes, series, targets, column)
        axes.set_yticks(range(len(targets)), [setting("target", target) for target in targets], fontsize=10.5)
        axes.set_ylim(-0.5, len(targets) - 0.5)
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
        for between in range(1, len(targets)):
            axes.axhline(between - 0.5, color=PALE, linewidth=1.2, zorder=1)
    hollow = [] if all(believable(one.rows) for one in series) else [hollow_key()]
    load = load_said(float(here["subscribers"].iloc[0]), float(here["rate_hz"].iloc[0]))
    counts = here.groupby("cell").size()
    return dress(figure, TITLE, f"{load}. {trials_said(counts)}.", [*map(_key, series), *hollow], notes(trials))


def _key(series: Series) -> Line2D:
    """Give the key of a series: its marker, for there are no lines here."""
    found = key(series)
    found.set_linestyle("none")
    return found


def _draw(axes: Axes, series: Sequence[Series], targets: Sequence[str], column: str) -> None:
    """Draw every series of one panel; a transport has the same place in each row."""
    reached = []
    for nth, one in enumerate(series):
        place = ROW * (0.5 - (nth + 0.5) / len(series))
        marks = [
            _Mark(number + place, value, believable(rows))
            for number, target in enumerate(targets)
            if len(rows := measured(one.rows[one.rows["target"] == target], column))
            and (value := median_interval(numbers(rows[column]))).mid > 0
        ]
        for mark in marks:
            if mark.value.is_interval:
                axes.plot(
                    [mark.value.low, mark.value.high], [mark.row] * 2, color=one.look.colour, linewidth=1.4,
                    marker="|", markersize=6, zorder=3,
                )  # fmt: skip
            reached += [mark.value.low, mark.value.mid, mark.value.high]
        places = [(mark.value.mid, mark.row, mark.believable) for mark in marks]
        draw_markers(axes, one.label, one.look, places)
    log_axis(axes, "x", reached)
    axes.tick_params(labelcolor=INK)
