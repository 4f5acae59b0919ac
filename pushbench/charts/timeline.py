"""Latency over time: what a percentile over the whole window hides.

Knows the columns of `trials` and `timeline`.
"""

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from pushbench.charts.cells import Series, believable, load_said, notes, numbers, series_of, why_nothing
from pushbench.charts.style import GREY, PALE, counted, dress, linear_axis, log_axis, nothing, sheet, tidy

TITLE = "Was it like that all the time?"
MOST_PANELS = 12
COLUMNS = ("latency_p50_ms", "latency_p99_ms", "latency_max_ms")


def shows_over_time(trials: pd.DataFrame, timeline: pd.DataFrame) -> bool:
    """True if some slice has deliveries."""
    return not trials.empty and bool((numbers(timeline["deliveries"]) > 0).any())


def latency_over_time(trials: pd.DataFrame, timeline: pd.DataFrame) -> Figure:
    """Draw p50 as a line, and p99 and the maximum as bands, in a panel for each transport; the largest load, all trials."""
    if not shows_over_time(trials, timeline):
        return nothing(TITLE, why_nothing(trials, "There is no slice with a delivery."))
    cells = trials[trials["cell"].isin(timeline.loc[numbers(timeline["deliveries"]) > 0, "cell"])]
    subscribers = cells["subscribers"].max()
    rate_hz = cells.loc[cells["subscribers"] == subscribers, "rate_hz"].max()
    here = trials[(trials["subscribers"] == subscribers) & (trials["rate_hz"] == rate_hz)]
    all_series = series_of(here)
    shown = all_series[:MOST_PANELS]
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    figure = sheet(max(8.5, 0.6 + 4.3 * columns), 1.7 + (4.0 if rows == 1 else 2.6 * rows))
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    mine = timeline.merge(here[["cell", "trial"]], on=["cell", "trial"])
    mine = mine[numbers(mine["deliveries"]) > 0]
    start, end = float(mine["at_s"].min()), float(mine["at_s"].max()) + 0.1
    for index, (axes, series) in enumerate(zip(grid.flat, shown, strict=False)):
        last, first = index + columns >= len(shown), index % columns == 0
        trusted = believable(series.rows)
        bottom = index // columns == rows - 1
        tidy(axes, "time since measuring began (s)" if bottom else "", "latency (ms)" if first else "")
        axes.set_title(series.label + ("" if trusted else " (not to be believed)"), loc="left", fontsize=10.5,
                       color=series.look.ink, fontweight="bold")  # fmt: skip
        if start < 0:
            axes.axvspan(start, 0, color=PALE, alpha=0.6, linewidth=0, zorder=0, gid="warmup")
        if not _draw_trials(axes, series, mine, trusted):
            axes.text(0.5, 0.5, "no deliveries", transform=axes.transAxes, ha="center", color=GREY)
        axes.tick_params(labelbottom=last, labelleft=first)
        linear_axis(axes, "x", start, end)
        log_axis(axes, "y", mine[list(COLUMNS)].to_numpy(dtype=np.float64))
    for axes in list(grid.flat)[len(shown) :]:
        axes.remove()
    told = notes(here)
    if len(all_series) > len(shown):
        told.append(f"{len(all_series) - len(shown)} more are not shown")
    least, most = (pick(len(series.rows) for series in shown) for pick in (min, max))
    many = counted(most, "trial") if least == most else f"{least} to {most} trials"
    many += ", one over the other" if most > 1 else ""
    subtitle = f"{load_said(float(subscribers), float(rate_hz))}. Every 100 ms of {many}."
    return dress(figure, TITLE, subtitle, _keys(start < 0), told)


def _draw_trials(axes: Axes, series: Series, mine: pd.DataFrame, trusted: bool) -> bool:
    """Draw every trial of the series over the other; False if none had a delivery."""
    count = max(len(series.rows), 1)
    drawn = False
    for _, slices in mine.merge(series.rows[["cell", "trial"]], on=["cell", "trial"]).groupby(["cell", "trial"]):
        at_s, p50, p99, most = with_breaks(slices)
        colour = series.look.colour
        axes.fill_between(at_s, p99, most, color=colour, alpha=0.22 / count, linewidth=0)
        axes.fill_between(at_s, p50, p99, color=colour, alpha=0.5 / count, linewidth=0)
        axes.plot(at_s, p50, color=colour, linewidth=1.2 if trusted else 0.6, marker=".", markersize=2.0,
                  label=series.label, gid=f"line:{series.label}")  # fmt: skip
        drawn = True
    return drawn


def with_breaks(slices: pd.DataFrame) -> NDArray[np.float64]:
    """Give time, p50, p99 and max as four rows, with a column of NaN wherever deliveries paused.

    A pause is a gap of more than 0.3 s and three times the usual one, so that a slow feed is still a line and a stall
    is a hole in it.
    """
    slices = slices.sort_values("at_s")
    rows = np.array([numbers(slices[column]) for column in ("at_s", *COLUMNS)])
    gaps = np.diff(rows[0])
    if not gaps.size:
        return rows
    pauses = np.flatnonzero(gaps > max(0.3, 3 * float(np.median(gaps))) + 1e-9) + 1
    return np.insert(rows, pauses, np.nan, axis=1)


def _keys(warmup: bool) -> list[Artist]:
    found: list[Artist] = [
        Line2D([], [], color=GREY, linewidth=1.6, label="p50"),
        Patch(facecolor=GREY, alpha=0.55, label="up to p99"),
        Patch(facecolor=GREY, alpha=0.25, label="up to the slowest"),
    ]
    return [*found, Patch(facecolor=PALE, alpha=0.6, label="warm-up, not measured")] if warmup else found
