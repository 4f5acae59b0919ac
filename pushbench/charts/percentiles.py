"""Latency percentile curves: how long the unlucky wait.

Knows the columns of `trials` and `latency`. The x axis counts nines, as HdrHistogram's plots do: x = -log10(1 - q), so
that 90 %, 99 % and 99.9 % are equally far apart and a tail is not squeezed into the last pixel.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pushbench.charts.cells import (
    CLOSED,
    Series,
    believable,
    load_said,
    measured,
    notes,
    numbers,
    ranked,
    series_of,
    trials_said,
    why_nothing,
)
from pushbench.charts.marks import draw_markers, draw_naive, hollow_key, keys, naive_told, naive_values, where_apart
from pushbench.charts.style import GREY, counted, dress, log_axis, nothing, sheet, tidy
from pushbench.labels import setting

TITLE = "How long do the unlucky wait?"
MANY = 7
SPARE = 10
"""A percentile is drawn only if at least so many deliveries were slower: with fewer it is an anecdote."""
NINES = {0.0: "0", 0.5: "50 %", 0.9: "90 %", 0.99: "99 %", 0.999: "99.9 %", 0.9999: "99.99 %", 0.99999: "99.999 %"}
SHOWN_FROM = 0.05
"""From here on (in nines: the slower 89 %) the y axis holds a curve whole; the fall to the fastest would squeeze it."""
CROWDED = 3.5
"""On an axis of more nines 0 % and 50 % would touch, and 0 % is left out."""
MOST_PANELS = 6


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
    """Draw a curve for each transport, in a panel for each number of subscribers and rate (at most six: the largest).

    Where some loops were closed, they have panels of their own, beside the open ones.
    """
    if not shows_percentiles(trials, latency):
        return nothing(TITLE, why_nothing(trials, "No cell has the 20 deliveries that a curve needs at least."))
    loads, left_out = _panels(trials)
    columns = _columns(loads)
    rows = -(-len(loads) // columns)
    by_pacing = len({load.pacing for load in loads}) > 1
    along = ("subscribers", "rate_hz", *(["pacing"] if by_pacing else []))
    least = 12.5 if len(series_of(trials, along)) > MANY else 8.5  # so that the keys of many need fewer rows
    figure = sheet(max(least, 0.6 + 4.3 * columns), 1.7 + (4.6 if rows == 1 else 3.4 * rows))
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    few: list[str] = []
    values: list[NDArray[np.float64]] = []
    nines = 1.0
    for axes, load in zip(grid.flat, loads, strict=False):
        tidy(axes, "", "", load.said if by_pacing else load_said(load.subscribers, load.rate_hz))
        drawn, missing = draw_curves(axes, series_of(load.of(trials, by_pacing), along=along), latency)
        if not drawn:
            axes.text(0.5, 0.5, "no deliveries", transform=axes.transAxes, ha="center", color=GREY)
        few += missing
        values += [due.value_ms[due.nines >= SHOWN_FROM] for due in drawn]
        nines = max([nines, *(float(due.nines[-1]) for due in drawn)])
    for axes in list(grid.flat)[len(loads) :]:
        axes.remove()
    for index, axes in enumerate(list(grid.flat)[: len(loads)]):
        nines_axis(axes, nines)
        log_axis(axes, "y", np.concatenate([*values, naive_values(figure, since=SHOWN_FROM)]))
        axes.set_ylabel("latency from due time (ms)" if index % columns == 0 else "")
        last = index + columns >= len(loads)
        axes.tick_params(labelbottom=last, labelleft=index % columns == 0)
        axes.set_xlabel("percentile of deliveries (%)" if index // columns == rows - 1 else "")
    naive_key, same = naive_told(figure, compared=not ranked(trials).empty)
    told = [f"A curve stops where fewer than {SPARE} deliveries were slower.", *notes(trials)]
    if naive_key:
        told.append("naive: latency from the moment of sending instead, drawn where it differs by a tenth or more")
    if few:
        told.append("too few deliveries for a curve: " + "; ".join(few))
    if left_out:
        told.append(f"{counted(left_out, 'smaller load')} not shown")
    each = trials.groupby("cell").size()
    legend = [*keys(series_of(trials, along=along)), *naive_key, *([] if believable(trials) else [hollow_key()])]
    return dress(figure, TITLE, _subtitle(each) + same, legend, told)


def draw_curves(axes: Axes, all_series: Sequence[Series], latency: pd.DataFrame) -> tuple[list[Curve], list[str]]:
    """Draw the curves of all series, naive ones where they differ; give the former, and who had too few deliveries."""
    drawn: list[Curve] = []
    few = []
    for series in all_series:
        due, sent = curves(series, latency)
        if due is None:
            if not measured(series.rows, "delivered").empty:
                few.append(series.label)
            continue
        style, trusted = series.look, believable(series.rows)
        axes.plot(
            due.nines, due.value_ms, color=style.colour, linestyle=style.dashes,
            linewidth=(1.9 if trusted else 0.9) * style.weight, label=series.label, gid=f"line:{series.label}", zorder=3,
        )  # fmt: skip
        places = [(float(-np.log10(1 - q)), due.at(q), trusted) for q in NINES if q and np.isfinite(due.at(q))]
        draw_markers(axes, series.label, style, places, size=6)
        drawn.append(due)
        if sent is not None:
            shown = due.nines >= SHOWN_FROM
            nines, values = due.nines[shown], due.value_ms[shown]
            naive = np.interp(nines, sent.nines, sent.value_ms)
            draw_naive(axes, series, nines, until_they_meet(values, naive))
    return drawn, few


def until_they_meet(due: NDArray[np.float64], naive: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give naive latency where it differs, and one point more on each side, so that a jump to the other is seen."""
    shown = np.isfinite(where_apart(due, naive))
    shown = np.convolve(shown, (1, 1, 1), mode="same") > 0
    return np.where(shown, naive, np.nan)


def nines_axis(axes: Axes, end: float) -> None:
    """Give the x axis its percentiles, up to `end` nines."""
    axes.set_xlim(-0.04, end * 1.02)
    ticks = {-np.log10(1 - q): text for q, text in NINES.items() if -np.log10(1 - q) <= end * 1.02}
    if end > CROWDED:
        del ticks[0]
    axes.set_xticks(list(ticks), list(ticks.values()))


@dataclass(frozen=True, slots=True)
class _Load:
    """What a panel is about."""

    subscribers: float
    rate_hz: float
    pacing: str

    @property
    def said(self) -> str:
        return f"{load_said(self.subscribers, self.rate_hz)}, {setting('pacing', self.pacing)}"

    def of(self, trials: pd.DataFrame, by_pacing: bool) -> pd.DataFrame:
        """The trials under this load."""
        met = (trials["subscribers"] == self.subscribers) & (trials["rate_hz"] == self.rate_hz)
        found: pd.DataFrame = trials.loc[met & ((trials["pacing"] == self.pacing) | (not by_pacing))]
        return found


def _panels(trials: pd.DataFrame) -> tuple[list[_Load], int]:
    """Choose the loads to show, at most six, and count those left out; the largest of both numbers are kept.

    A floor alone makes no panel, unless there is nothing else.
    """
    found = measured(trials, "latency_p50_ms")
    found = found if ranked(found).empty else ranked(found)
    pacings = sorted(found["pacing"].unique(), key=lambda pacing: str(pacing) == CLOSED)
    most = MOST_PANELS // len(pacings)
    subscribers = sorted(found["subscribers"].unique())
    rates = sorted(found["rate_hz"].unique())
    keep = max(most // len(rates), min(3, most) if len(rates) > 1 else most)
    kept_subscribers = subscribers[-min(len(subscribers), keep) :]
    kept_rates = rates[-max(most // len(kept_subscribers), 1) :]
    loads = [
        _Load(float(count), float(rate), str(pacing))
        for rate in kept_rates
        for count in kept_subscribers
        for pacing in pacings
    ]
    return loads, len(subscribers) * len(rates) - len(loads) // len(pacings)


def _columns(loads: Sequence[_Load]) -> int:
    """How many panels stand side by side: open and closed loops, or else numbers of subscribers, or else a few."""
    if len(pacings := {load.pacing for load in loads}) > 1:
        return len(pacings)
    columns = len({load.subscribers for load in loads}) if len({load.rate_hz for load in loads}) > 1 else len(loads)
    return columns if columns > 1 else min(3, len(loads))


def _subtitle(each: "pd.Series[int]") -> str:
    few = trials_said(each).split(":")[0] + (", their histograms added up" if max(each) > 1 else "")
    return f"Latency counts from the moment a message was due. {few}."
