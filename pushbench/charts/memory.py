"""Memory against connections: what an open connection costs the server, in its process and in the kernel.

Knows the columns of `trials` and `memory`.
"""

from collections.abc import Sequence
from math import floor

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pushbench.charts.cells import (
    BELIEVABLE,
    Series,
    believable,
    measured,
    notes,
    numbers,
    series_of,
    slope,
    trials_said,
    why_nothing,
)
from pushbench.charts.marks import draw_markers, hollow_key
from pushbench.charts.style import GREY, dress, linear_axis, nothing, sheet, tidy
from pushbench.stats import median_interval

TITLE = "What does an open connection cost in memory?"
KIB, MIB = 1024, 1024 * 1024
PARTS = (("user", "the server's process (USS)"), ("kernel", "the kernel, for its sockets"))


def shows_memory(trials: pd.DataFrame, memory: pd.DataFrame) -> bool:
    """True if memory was read at two plateaus of a ramp or more."""
    ramp = memory[memory["state"] == "ramp"]
    return not trials.empty and ramp["connections"].nunique() >= 2


def memory(trials: pd.DataFrame, memory: pd.DataFrame) -> Figure:
    """Draw memory against connections with the fitted slope, in user space and in the kernel; beside each what is kept."""
    if not shows_memory(trials, memory):
        return nothing(TITLE, why_nothing(trials, "No ramp with plateaus was measured (plateaus = 0?)."))
    ramps = trials[trials["cell"].isin(memory.loc[memory["state"] == "ramp", "cell"])]
    all_series = [largest_ramp(series) for series in series_of(ramps, along=("subscribers", "rate_hz"))]
    longest = max(len(_key_said(series, part)) for series in all_series for part, _ in PARTS)
    figure = sheet(max(13, (0.8 + 0.08 * longest) * 13 / 5), 6.6 + 0.23 * len(all_series))  # a panel is as wide as its key
    grid = figure.subplots(1, 4, width_ratios=[5, 1.5, 5, 1.5], squeeze=False)[0]
    hollow = False
    for (part, said), axes, strip in zip(PARTS, grid[::2], grid[1::2], strict=True):
        tidy(axes, "open connections", "memory (MiB)", said[0].upper() + said[1:])
        tidy(strip, "", "", "Before / after")
        column = f"server_{part}_bytes"
        legend = [_draw_ramp(axes, series, memory, part) for series in all_series]
        for place, series in enumerate(all_series):
            _draw_kept(strip, place, series, memory, column)
        hollow = hollow or any(not believable(series.rows) for series in all_series)
        shown = memory[memory["cell"].isin(pd.concat([series.rows["cell"] for series in all_series]))]
        values = numbers(shown[column]) / MIB
        if not np.isfinite(values).any():
            axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", color=GREY)
            values = np.array([0.0, 1.0])
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        room = 0.06 * (high - low or 1)
        for panel in (axes, strip):
            linear_axis(panel, "y", max(low - room, 0.0), high + room)
        linear_axis(axes, "x", 0, float(shown["connections"].max()) * 1.04)
        strip.tick_params(labelleft=False)
        strip.set_xticks(range(len(all_series)), [series.label for series in all_series], rotation=90, fontsize=9)
        strip.set_xlim(-0.6, len(all_series) - 0.4)
        axes.legend(
            handles=legend, loc="upper left", bbox_to_anchor=(-0.02, -0.13), frameon=False, fontsize=9.5,
            title=f"KiB per connection in {said}", title_fontsize=9.5, alignment="left", handlelength=3.6,
        )  # fmt: skip
    keys = [
        Line2D([], [], color=GREY, linestyle="none", marker="_", markersize=10, label="before the first connection"),
        Line2D([], [], color=GREY, linestyle="none", marker="x", markersize=7, label="after all have left"),
    ]
    if hollow:
        keys.append(hollow_key())
    counts = [max(slope(series.rows, "user").n, slope(series.rows, "kernel").n) for series in all_series]
    said = trials_said(counts) if max(counts) > 1 else "1 trial each: ± is the 95 % interval of the fitted slope"
    return dress(
        figure,
        TITLE,
        f"Slope over the plateaus. {said}.",
        keys,
        notes(trials[trials["cell"].isin(ramps["cell"]) | (trials["verdict"] == "failed")]),
    )


def largest_ramp(series: Series) -> Series:
    """Give the series with only its cell of most subscribers (then highest rate): the longest ramp."""
    rows = series.rows
    rows = rows[rows["subscribers"] == rows["subscribers"].max()]
    rows = rows[rows["rate_hz"] == rows["rate_hz"].max()]
    return Series(series.transport, series.setting, series.look, rows)


def slope_said(series: Series, part: str) -> str:
    """Say a slope with its interval and the worst R² of its trials: `26.8 ± 0.2, R² ≥ 0.999`."""
    found = slope(series.rows, part)
    if not found.n:
        return "no slope"
    half = max(found.high - found.mid, found.mid - found.low) / KIB
    digits = 2 if half < 0.095 else 1
    r2 = numbers(series.rows[f"server_{part}_bytes_per_connection_r2"])
    said = f"{found.mid / KIB:.{digits}f} ± {half:.{digits}f}"
    if not np.isfinite(r2).any():
        return said
    sign = "≥" if found.n > 1 else "="
    return f"{said}, R² {sign} {floor(float(np.nanmin(r2)) * 1e4) / 1e4:.4f}"


def _draw_ramp(axes: Axes, series: Series, memory: pd.DataFrame, part: str) -> Line2D:
    """Draw the points of all trials and the line of the median slope through their centre; give the key."""
    style = series.look
    mine = memory[memory["state"] == "ramp"].merge(series.rows[["cell", "trial", "verdict"]], on=["cell", "trial"])
    mine = measured(mine, f"server_{part}_bytes")
    x, y = numbers(mine["connections"]), numbers(mine[f"server_{part}_bytes"]) / MIB
    draw_markers(axes, series.label, style, list(zip(x, y, mine["verdict"].isin(BELIEVABLE), strict=True)), size=5)
    found = slope(series.rows, part)
    if found.n and x.size:
        ends = np.array([0.0, float(x.max())])
        axes.plot(
            ends, y.mean() + found.mid / MIB * (ends - x.mean()), color=style.colour, linestyle=style.dashes,
            linewidth=1.4, label=series.label, gid=f"line:{series.label}", zorder=3,
        )  # fmt: skip
    return Line2D(
        [], [], color=style.colour, marker=style.marker, markersize=6, linestyle=style.dashes, linewidth=1.4,
        label=_key_said(series, part),
    )  # fmt: skip


def _key_said(series: Series, part: str) -> str:
    column = f"server_{part}_traffic_bytes_per_connection"
    found = median_interval(numbers(series.rows[column])) if column in series.rows else None
    traffic = f"; after traffic {found.mid / KIB:.1f}" if found and found.n else ""
    return f"{series.label}: {slope_said(series, part)}{traffic}"


def _draw_kept(axes: Axes, place: int, series: Series, memory: pd.DataFrame, column: str) -> None:
    """Draw the memory before the first connection and after the last, of every trial, side by side."""
    mine = memory.merge(series.rows[["cell", "trial"]], on=["cell", "trial"])
    colour = series.look.colour
    for state, marker, size in (("baseline", "_", 12), ("residual", "x", 6)):
        values: Sequence[float] = list(numbers(mine.loc[mine["state"] == state, column]) / MIB)
        axes.plot(
            [place] * len(values), values, color=colour, linestyle="none", marker=marker, markersize=size,
            markeredgewidth=1.6, gid=f"{state}:{series.label}",
        )  # fmt: skip
