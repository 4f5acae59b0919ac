"""How far off each lie is: the wrong number as a multiple of the right one, on a log axis.

Knows what is kept of the gallery of lies, as `frame` makes it a table.
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pushbench.charts.style import GREY, INK, PALETTE, brief, dress, log_axis, nothing, sheet, tidy
from pushbench.lies.record import Pair

TITLE = "How far off is a benchmark that misleads?"
WRONG, RIGHT = PALETTE[0], PALETTE[4]
TICKS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000)
ROOM = 2.5
"""The axis goes so many times beyond the last mark, where its numbers are written."""


def frame(lies: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A row for each lie that has both numbers, from the list `lies` of a file of `pushbench lies`."""
    rows = []
    for lie in lies:
        if not lie["repetitions"]:
            continue
        off = sorted(pair["wrong"] / pair["right"] for pair in lie["repetitions"])
        row = {name: lie[name] for name in ("name", "title", "quantity", "unit", "wrong", "right", "factor", "holds", "n")}
        middle = lie["factor"] if lie["too_high"] else 1 / lie["factor"]
        doubted = any(Pair(**pair).doubted for pair in lie["repetitions"])
        rows.append(row | {"off": middle, "off_low": off[0], "off_high": off[-1], "doubted": doubted})
    return pd.DataFrame(rows)


def lies(shown: pd.DataFrame) -> Figure:
    """Draw a row for each lie, from the right number at 1 to the wrong one, with both in words; furthest off on top."""
    if shown.empty:
        return nothing(TITLE, ["No lie has both of its numbers."])
    ranked = shown.sort_values("factor", ascending=False)
    figure = sheet(12, 2.2 + 0.52 * len(ranked))
    axes = figure.subplots()
    tidy(axes, "the wrong number, as a multiple of the right one", "")
    low, high = (float(end) for end in (min(ranked["off_low"].min(), 1), max(ranked["off_high"].max(), 1)))
    ticks = [tick for tick in TICKS if low / ROOM <= tick <= high * ROOM]
    log_axis(axes, "x", [low / ROOM, high * ROOM], at=ticks)
    axes.axvline(1, color=RIGHT, linewidth=1.2, zorder=1)
    for place, row in enumerate(ranked.to_dict("records")):
        _draw_row(axes, place, row)
    axes.set_yticks(range(len(ranked)), list(ranked["title"]), fontsize=10.5)
    axes.set_ylim(len(ranked) - 0.4, -0.6)
    axes.grid(False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    keys = [
        Line2D([], [], color=RIGHT, linestyle="none", marker="o", markersize=7, label="right"),
        Line2D([], [], color=WRONG, linestyle="none", marker="o", markersize=9, label="wrong"),
        Line2D([], [], color=WRONG, linewidth=5, alpha=0.45, label="range over the repetitions"),
    ]
    most = int(ranked["n"].max())
    often = f"; medians of {most} repetitions" if most > 1 else ", once"
    told = (
        [] if ranked["holds"].all() else ["Wrong and hollow: less than twofold in some repetition, or one gave no number."]
    )
    if ranked["doubted"].any():
        told.append("Right and hollow: a trial of it is not to be believed; its verdict says why.")
    return dress(figure, TITLE, f"Each run wrong and right on the same server{often}.", keys, told)


def _draw_row(axes: Axes, place: int, row: Mapping[Hashable, Any]) -> None:
    """Draw one lie, with its two numbers on the side where there is room, and how far off it is on the other."""
    too_high = row["off"] > 1
    axes.plot([1, row["off"]], [place, place], color=WRONG, linewidth=2, alpha=0.45, zorder=2)
    axes.plot([row["off_low"], row["off_high"]], [place, place], color=WRONG, linewidth=5, alpha=0.45, zorder=2)
    face = WRONG if row["holds"] else "white"
    axes.plot([row["off"]], [place], "o", color=WRONG, markerfacecolor=face, markersize=9, zorder=3)
    believed = "white" if row["doubted"] else RIGHT
    axes.plot([1], [place], "o", color=RIGHT, markerfacecolor=believed, markersize=7, zorder=3)
    unit = row["unit"] if row["unit"].startswith("/") else f" {row['unit']}"
    numbers = f"{row['quantity']}: {brief(row['wrong'])} instead of {brief(row['right'])}{unit}"
    how_far = f"{brief(row['factor'])} × too {'high' if too_high else 'low'}"
    left, right = (numbers, how_far) if too_high else (how_far, numbers)
    ends = (1.0, row["off_high"]) if too_high else (row["off_low"], 1.0)
    for text, end, side, beside in ((left, ends[0], "right", -12), (right, ends[1], "left", 12)):
        colour = GREY if text is numbers else INK
        axes.annotate(
            text, (end, place), (beside, 0), textcoords="offset points", va="center", ha=side, fontsize=9.5, color=colour
        )
