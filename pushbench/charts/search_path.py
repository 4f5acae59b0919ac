"""How each search came to its answer: the value that was tried at every step, and what came of it.

Knows the columns of `trials`, and what searches have found.
"""

from math import ceil

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from pushbench.capacity import Capacity, capacities, searched
from pushbench.charts.capacity import in_order, subtitle, unit
from pushbench.charts.cells import Series, numbers, why_nothing
from pushbench.charts.style import GREY, dress, log_axis, nothing, sheet, tidy
from pushbench.search import Side

TITLE = "How was the edge found?"
COLUMNS = 3
"""Panels beside each other."""


def shows_search_path(trials: pd.DataFrame) -> bool:
    """True if something was searched."""
    return searched(trials)


def search_path(trials: pd.DataFrame) -> Figure:
    """Draw the values that each cell's searches have tried, step by step, in a panel for each cell."""
    found = capacities(trials)
    if not found:
        return nothing(TITLE, why_nothing(trials, "Nothing was searched."))
    across = min(COLUMNS, len(found))
    down = ceil(len(found) / across)
    figure = sheet(max(7.5, 0.8 + 4.0 * across), 1.9 + 2.9 * down)
    panels = list(figure.subplots(down, across, squeeze=False, sharex=True, sharey=True).flat)
    for place, (axes, (one, series)) in enumerate(zip(panels, in_order(trials, found), strict=False)):
        below = place + across >= len(found)
        tidy(axes, "step of the search" if below else "", f"{unit(one)} tried" if place % across == 0 else "")
        axes.set_title(series.label, loc="left", fontsize=11, fontweight="bold", color=series.look.ink)
        _draw(axes, one, series)
        axes.tick_params(labelbottom=below, labelleft=place % across == 0)
        axes.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    for axes in panels[len(found) :]:
        axes.set_axis_off()
    tried = np.concatenate([numbers(one.rows[one.key]) for one in found])
    for axes in panels[: len(found)]:
        log_axis(axes, "y", tried)
    return dress(figure, TITLE, subtitle(found), _keys(found), _notes(found))


def _draw(axes: Axes, one: Capacity, series: Series) -> None:
    style = series.look
    for number, rows in one.rows.sort_values("step").groupby("search", sort=True):
        steps, values = numbers(rows["step"]), numbers(rows[one.key])
        axes.plot(
            steps, values, color=style.colour, linewidth=1.2, alpha=0.6, gid=f"path:{series.label} {number}", zorder=2
        )
        for side, marker, face in ((Side.HELD, style.marker, style.colour), (Side.SERVER, style.marker, "white"),
                                   (Side.LOAD, "x", style.colour)):  # fmt: skip
            hit = (rows["outcome"] == side).to_numpy()
            axes.plot(
                steps[hit], values[hit], color=style.colour, linestyle="none", marker=marker, markersize=6.5,
                markerfacecolor=face, markeredgecolor=style.colour, markeredgewidth=1.5,
                gid=f"{side}:{series.label} {number}", zorder=3,
            )  # fmt: skip
    low, high = one.between
    if low and high is not None:
        axes.axhspan(low, high, color=GREY, alpha=0.16, linewidth=0, zorder=1, gid=f"edge:{series.label}")


def _keys(found: list[Capacity]) -> list[Artist]:
    there = {side for one in found for side in one.rows["outcome"]}
    said = (
        (Side.HELD, "o", GREY, "filled: held"),
        (Side.SERVER, "o", "white", "hollow: failed by the server"),
        (Side.LOAD, "x", GREY, "cross: the load side gave in"),
    )
    keys: list[Artist] = [
        Line2D([], [], color=GREY, linestyle="none", marker=marker, markersize=7, markerfacecolor=face,
               markeredgecolor=GREY, markeredgewidth=1.5, label=label)
        for side, marker, face, label in said
        if side in there
    ]  # fmt: skip
    keys.append(Line2D([], [], color=GREY, alpha=0.3, linewidth=8, label="where the edge is"))
    return keys


def _notes(found: list[Capacity]) -> list[str]:
    return [
        "a value that failed is tried once more, and a third time if it then holds: two of three decide",
        *([f"the limit of the search is {found[0].limit:,g}"] if any(one.between[1] is None for one in found) else []),
    ]
