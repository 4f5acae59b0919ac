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

from pushbench.charts.cells import (
    Series,
    believable,
    floors_at,
    load_said,
    notes,
    numbers,
    ranked,
    series_of,
    why_nothing,
)
from pushbench.charts.marks import draw_naive, keys, naive_told, naive_values, where_apart
from pushbench.charts.style import GREY, PALE, counted, dress, linear_axis, log_axis, nothing, sheet, tidy

TITLE = "Was it like that all the time?"
MOST_PANELS = 15
"""Three of each of the five transports."""
COLUMNS = ("latency_p50_ms", "latency_p99_ms", "latency_max_ms")
NAIVE = "naive_p99_ms"
OUTAGE_ALPHA = 0.45


def shows_over_time(trials: pd.DataFrame, timeline: pd.DataFrame) -> bool:
    """True if some slice has deliveries."""
    return not trials.empty and bool((numbers(timeline["deliveries"]) > 0).any())


def latency_over_time(trials: pd.DataFrame, timeline: pd.DataFrame) -> Figure:
    """Draw p50 as a line, and p99 and the maximum as bands, in a panel for each transport; the largest load, all trials.

    Where the naive p99 differs it is dotted, and the p50 of floors is a thin grey line in every panel.
    """
    if not shows_over_time(trials, timeline):
        return nothing(TITLE, why_nothing(trials, "There is no slice with a delivery."))
    cells = trials[trials["cell"].isin(timeline.loc[numbers(timeline["deliveries"]) > 0, "cell"])]
    compared = not ranked(cells).empty
    cells = ranked(cells) if compared else cells
    subscribers = cells["subscribers"].max()
    rate_hz = cells.loc[cells["subscribers"] == subscribers, "rate_hz"].max()
    here = trials[(trials["subscribers"] == subscribers) & (trials["rate_hz"] == rate_hz)]
    floors = series_of(floors_at(trials, here)) if compared else []
    here = ranked(here) if compared else here
    all_series = series_of(here)
    shown = all_series[:MOST_PANELS]
    columns = _columns(shown)
    rows = -(-len(shown) // columns)
    figure = sheet(max(8.5, 0.6 + 4.3 * columns), 1.7 + (4.0 if rows == 1 else 2.6 * rows))
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    slices = timeline[numbers(timeline["deliveries"]) > 0]
    mine = slices.merge(here[["cell", "trial"]], on=["cell", "trial"])
    medians = [(floor, _median_over_trials(floor, slices)) for floor in floors]
    start, end = float(mine["at_s"].min()), float(mine["at_s"].max()) + 0.1
    outage = False
    for index, (axes, series) in enumerate(zip(grid.flat, shown, strict=False)):
        last, first = index + columns >= len(shown), index % columns == 0
        trusted = believable(series.rows)
        bottom = index // columns == rows - 1
        tidy(axes, "time since measuring began (s)" if bottom else "", "latency (ms)" if first else "")
        axes.set_title(series.label + ("" if trusted else " (not to be believed)"), loc="left", fontsize=10.5,
                       color=series.look.ink, fontweight="bold")  # fmt: skip
        if start < 0:
            axes.axvspan(start, 0, color=PALE, alpha=0.6, linewidth=0, zorder=0, gid="warmup")
        outage = _draw_outage(axes, series.rows) or outage
        if not _draw_trials(axes, series, mine, trusted):
            axes.text(0.5, 0.5, "no deliveries", transform=axes.transAxes, ha="center", color=GREY)
        for floor, (at_s, p50) in medians:
            axes.plot(at_s, p50, color=floor.look.colour, linestyle=floor.look.dashes, linewidth=1.8 * floor.look.weight,
                      gid=f"floor:{floor.label}", zorder=1)  # fmt: skip
        axes.tick_params(labelbottom=last, labelleft=first)
        linear_axis(axes, "x", start, end)
    values = [mine[list(COLUMNS)].to_numpy(dtype=np.float64).ravel(), *(p50 for _, (_, p50) in medians)]
    for axes in list(grid.flat)[: len(shown)]:
        log_axis(axes, "y", np.concatenate([*values, naive_values(figure)]))
    for axes in list(grid.flat)[len(shown) :]:
        axes.remove()
    naive_key, same = naive_told(figure, compared)
    told = notes(here)
    if naive_key:
        told.append(
            "naive: the p99 from the moment of sending instead, in every 100 ms in which it differs by a tenth or more"
        )
    if outage:
        told.append("once it is back, some have all again and others not yet: where p50 jumps, it jumps between the two")
    if len(all_series) > len(shown):
        told.append(f"{len(all_series) - len(shown)} more are not shown")
    least, most = (pick(len(series.rows) for series in shown) for pick in (min, max))
    many = counted(most, "trial") if least == most else f"{least} to {most} trials"
    many += ", one over the other" if most > 1 else ""
    subtitle = f"{load_said(float(subscribers), float(rate_hz))}. Every 100 ms of {many}.{same}"
    return dress(figure, TITLE, subtitle, [*_keys(start < 0, outage), *naive_key, *keys(floors)], told)


def _draw_trials(axes: Axes, series: Series, mine: pd.DataFrame, trusted: bool) -> bool:
    """Draw every trial of the series over the other; False if none had a delivery."""
    count = max(len(series.rows), 1)
    drawn = False
    for _, slices in mine.merge(series.rows[["cell", "trial"]], on=["cell", "trial"]).groupby(["cell", "trial"]):
        at_s, p50, p99, most, naive = with_breaks(slices)
        colour = series.look.colour
        axes.fill_between(at_s, p99, most, color=colour, alpha=0.22 / count, linewidth=0)
        axes.fill_between(at_s, p50, p99, color=colour, alpha=0.5 / count, linewidth=0)
        axes.plot(at_s, p50, color=colour, linewidth=1.2 if trusted else 0.6, marker=".", markersize=2.0,
                  label=series.label, gid=f"line:{series.label}")  # fmt: skip
        draw_naive(axes, series, at_s, where_apart(p99, naive), marker=".")
        drawn = True
    return drawn


def _draw_outage(axes: Axes, rows: pd.DataFrame) -> bool:
    """Shade the time without a server, in the middle of the window; False if there was one all the time."""
    away = rows[numbers(rows["server_away_ms"]) > 0]
    if away.empty:
        return False
    begin_s = float((away["measure_s"] / 2 - away["server_down_ms"] / 2000).median())
    end_s = begin_s + float(np.median(numbers(away["server_away_ms"]))) / 1000
    axes.axvspan(begin_s, end_s, color=GREY, alpha=OUTAGE_ALPHA, linewidth=0, zorder=0, gid="outage")
    return True


def _median_over_trials(floor: Series, slices: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give when (s), and the median over all trials of a floor of their p50 (ms) at that time."""
    found = slices.merge(floor.rows[["cell", "trial"]], on=["cell", "trial"]).groupby("at_s")["latency_p50_ms"].median()
    return found.index.to_numpy(dtype=np.float64), numbers(found)


def _columns(shown: list[Series]) -> int:
    """Give how many panels stand side by side: pairs of an open and a closed loop are not parted."""
    paced = {tuple(sorted(series.rows["pacing"].unique())) for series in shown}
    return min(len(shown), 4 if len(paced) > 1 else 3)


def with_breaks(slices: pd.DataFrame) -> NDArray[np.float64]:
    """Give time, p50, p99, max and naive p99 as five rows, with a column of NaN wherever deliveries paused.

    A pause is a gap of more than 0.3 s and three times the usual one, so that a slow feed is still a line and a stall
    is a hole in it.
    """
    slices = slices.sort_values("at_s")
    rows = np.array([numbers(slices[column]) for column in ("at_s", *COLUMNS, NAIVE)])
    gaps = np.diff(rows[0])
    if not gaps.size:
        return rows
    pauses = np.flatnonzero(gaps > max(0.3, 3 * float(np.median(gaps))) + 1e-9) + 1
    return np.insert(rows, pauses, np.nan, axis=1)


def _keys(warmup: bool, outage: bool) -> list[Artist]:
    found: list[Artist] = [
        Line2D([], [], color=GREY, linewidth=1.6, label="p50"),
        Patch(facecolor=GREY, alpha=0.55, label="up to p99"),
        Patch(facecolor=GREY, alpha=0.25, label="up to the slowest"),
    ]
    if warmup:
        found.append(Patch(facecolor=PALE, alpha=0.6, label="warm-up, not measured"))
    return [*found, Patch(facecolor=GREY, alpha=OUTAGE_ALPHA, label="no server")] if outage else found
