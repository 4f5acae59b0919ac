"""Latency percentile curves: how long the unlucky wait.

Knows the columns of `trials` and `latency`. The x axis counts nines, as HdrHistogram's plots do: x = -log10(1 - q), so
that 90 %, 99 % and 99.9 % are equally far apart and a tail is not squeezed into the last pixel.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from pushbench.charts.cells import (
    Series,
    believable,
    load_said,
    measured,
    notes,
    numbers,
    series_of,
    trials_said,
    why_nothing,
)
from pushbench.charts.marks import draw_markers, hollow_key, keys
from pushbench.charts.style import GREY, counted, dress, log_axis, nothing, sheet, tidy

TITLE = "How long do the unlucky wait?"
SPARE = 10
"""A percentile is drawn only if at least so many deliveries were slower: with fewer it is an anecdote."""
NINES = {0.0: "0", 0.5: "50 %", 0.9: "90 %", 0.99: "99 %", 0.999: "99.9 %", 0.9999: "99.99 %", 0.99999: "99.999 %"}
SHOWN_FROM = 0.05
"""From here on (in nines: the slower 89 %) the y axis holds a curve whole; the fall to the fastest would squeeze it."""
MOST_PANELS = 6
APART = 1.1
"""The curve from the moment of sending is drawn where it and the one from the due time differ by this factor."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Latency against percentile: `nines[i]` = -log10(1 - q), `value_ms[i]` = the latency at q."""

    nines: NDArray[np.float64]
    value_ms: NDArray[np.float64]
    deliveries: int

    def at(self, q: float) -> float:
        """Give the latency at q (0..1) or the next drawn percentile above it, NaN where the curve has ended."""
        nines = -np.log10(1 - q)
        if nines > self.nines[-1] + 1e-9:
            return float("nan")
        return float(self.value_ms[np.searchsorted(self.nines, nines - 1e-9)])


def curve(histogram: pd.DataFrame) -> Curve | None:
    """Merge histograms (columns value_ms, count) by addition, and give their percentile curve; None if it has no point.

    The value at q is the upper edge of the first bucket at which at least q of all deliveries are counted.
    """
    merged = histogram.groupby("value_ms")["count"].sum()
    values, counts = merged.index.to_numpy(dtype=np.float64), numbers(merged)
    total = counts.sum()
    if total < 2 * SPARE:
        return None
    end = np.log10(total / SPARE)
    marked = [-np.log10(1 - q) for q in NINES if -np.log10(1 - q) <= end]
    nines = np.unique(np.concatenate([np.arange(0, end, 1 / 60), marked, [end]]))
    found = np.searchsorted(np.cumsum(counts), (1 - 10**-nines) * total - 1e-6)
    return Curve(nines, values[np.minimum(found, values.size - 1)], int(total))


def curves(series: Series, latency: pd.DataFrame) -> tuple[Curve | None, Curve | None]:
    """Give the curves of a series from the due time, and from the moment of sending, over all its trials."""
    mine = latency.merge(series.rows[["cell", "trial"]], on=["cell", "trial"])
    due, sent = (curve(mine[mine["clock"] == clock]) for clock in ("due", "sent"))
    return due, sent


def shows_percentiles(trials: pd.DataFrame, latency: pd.DataFrame) -> bool:
    """True if some cell has enough deliveries for a curve."""
    due = latency[latency["clock"] == "due"]
    return not measured(trials, "latency_p50_ms").empty and bool((due.groupby("cell")["count"].sum() >= 2 * SPARE).any())


def latency_percentiles(trials: pd.DataFrame, latency: pd.DataFrame) -> Figure:
    """Draw a curve for each transport, in a panel for each number of subscribers and rate (at most six: the largest)."""
    if not shows_percentiles(trials, latency):
        return nothing(TITLE, why_nothing(trials, "No cell has the 20 deliveries that a curve needs at least."))
    loads, left_out = _panels(trials)
    columns = len({subscribers for subscribers, _ in loads}) if len({rate for _, rate in loads}) > 1 else len(loads)
    columns = columns if columns > 1 else min(3, len(loads))
    rows = -(-len(loads) // columns)
    figure = sheet(max(8.5, 0.6 + 4.3 * columns), 1.7 + (4.6 if rows == 1 else 3.4 * rows))
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    shown = series_of(trials, along=("subscribers", "rate_hz"))
    few: list[str] = []
    dotted = False
    values: list[NDArray[np.float64]] = []
    nines = 1.0
    for axes, (subscribers, rate_hz) in zip(grid.flat, loads, strict=False):
        tidy(axes, "", "", load_said(subscribers, rate_hz))
        here = trials[(trials["subscribers"] == subscribers) & (trials["rate_hz"] == rate_hz)]
        drawn, apart, missing = draw_curves(axes, series_of(here, along=("subscribers", "rate_hz")), latency)
        if not drawn:
            axes.text(0.5, 0.5, "no deliveries", transform=axes.transAxes, ha="center", color=GREY)
        few += missing
        dotted = dotted or apart
        values += [due.value_ms[due.nines >= SHOWN_FROM] for due in drawn]
        nines = max([nines, *(float(due.nines[-1]) for due in drawn)])
    for axes in list(grid.flat)[len(loads) :]:
        axes.remove()
    for index, axes in enumerate(list(grid.flat)[: len(loads)]):
        nines_axis(axes, nines)
        log_axis(axes, "y", np.concatenate(values))
        axes.set_ylabel("latency from due time (ms)" if index % columns == 0 else "")
        last = index + columns >= len(loads)
        axes.tick_params(labelbottom=last, labelleft=index % columns == 0)
        axes.set_xlabel("percentile of deliveries (%)" if index // columns == rows - 1 else "")
    told = [f"A curve stops where fewer than {SPARE} deliveries were slower.", *notes(trials)]
    if dotted:
        told.append("naive: latency from the moment of sending instead, drawn where it differs by a tenth or more")
    if few:
        told.append("too few deliveries for a curve: " + "; ".join(few))
    if left_out:
        told.append(f"{counted(left_out, 'smaller load')} not shown")
    each = trials.groupby("cell").size()
    legend = [*keys(shown), *([_sent_key()] if dotted else []), *([] if believable(trials) else [hollow_key()])]
    return dress(figure, TITLE, _subtitle(each), legend, told)


def draw_curves(axes: Axes, all_series: Sequence[Series], latency: pd.DataFrame) -> tuple[list[Curve], bool, list[str]]:
    """Draw the curves of all series, and give them, whether a dotted one was needed, and who had too few deliveries."""
    drawn: list[Curve] = []
    apart, few = False, []
    for series in all_series:
        due, sent = curves(series, latency)
        if due is None:
            if not measured(series.rows, "delivered").empty:
                few.append(series.label)
            continue
        style, trusted = series.look, believable(series.rows)
        axes.plot(
            due.nines, due.value_ms, color=style.colour, linestyle=style.dashes, linewidth=1.9 if trusted else 0.9,
            label=series.label, gid=f"line:{series.label}", zorder=3,
        )  # fmt: skip
        places = [(float(-np.log10(1 - q)), due.at(q), trusted) for q in NINES if q and np.isfinite(due.at(q))]
        draw_markers(axes, series.label, style, places, size=6)
        drawn.append(due)
        if sent is not None and np.max(due.value_ms / np.interp(due.nines, sent.nines, sent.value_ms)) > APART:
            apart = True
            axes.plot(sent.nines, sent.value_ms, color=style.colour, linestyle=":", linewidth=1.3, zorder=2)
    return drawn, apart, few


def nines_axis(axes: Axes, end: float) -> None:
    """Give the x axis its percentiles, up to `end` nines."""
    axes.set_xlim(-0.04, end * 1.02)
    ticks = {-np.log10(1 - q): text for q, text in NINES.items() if -np.log10(1 - q) <= end * 1.02}
    axes.set_xticks(list(ticks), list(ticks.values()))


def _panels(trials: pd.DataFrame) -> tuple[list[tuple[float, float]], int]:
    """Choose the loads to show, at most six, and count those left out; the largest of both numbers are kept."""
    measured_loads = measured(trials, "latency_p50_ms")
    subscribers = sorted(measured_loads["subscribers"].unique())
    rates = sorted(measured_loads["rate_hz"].unique())
    keep = max(MOST_PANELS // len(rates), 3 if len(rates) > 1 else MOST_PANELS)
    kept_subscribers = subscribers[-min(len(subscribers), keep) :]
    kept_rates = rates[-max(MOST_PANELS // len(kept_subscribers), 1) :]
    loads = [(count, rate) for rate in kept_rates for count in kept_subscribers]
    return loads, len(subscribers) * len(rates) - len(loads)


def _subtitle(each: "pd.Series[int]") -> str:
    few = trials_said(each).split(":")[0] + (", their histograms added up" if max(each) > 1 else "")
    return f"Latency counts from the moment a message was due. {few}."


def _sent_key() -> Artist:
    return Line2D([], [], color=GREY, linestyle=":", linewidth=1.3, label="naive")
