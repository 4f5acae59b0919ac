"""What changed from one run to another: each figure of each cell, with its interval.

Takes a table of changes, one row a cell and figure, and not the frames of a run: so it is no row of `CHARTS`.
"""

import math

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pushbench.charts.style import GREY, INK, dress, linear_axis, nothing, sheet, tidy

TITLE = "What changed, and by how much?"
HOW_TO_READ = (
    "Each row is a cell. A bar is the interval of the change; where it reaches over the line in the middle, or over what "
    "the load itself changed by, nothing is called. Better may be left or right: the colour and the mark say it."
)
LOOKS = {"better": ("#0072B2", "o", "better"), "worse": ("#D55E00", "X", "worse")}
UNCLEAR = (GREY, "o", "hollow: not distinguishable")
PANELS = 3
ROW_IN = 0.24
LABEL_IN = 0.075
"""So wide is a letter of a cell's name."""


def changes(table: pd.DataFrame) -> Figure:
    """Draw the changes. Columns: `cell`, `heading`, `low`, `mid`, `high` (in per cent), `call`.

    Without an interval `low` and `high` are NaN. Cells and figures are drawn in the order in which they come.
    """
    if table.empty:
        return nothing(TITLE, ["The runs have no figure in common."])
    cells = list(dict.fromkeys(table["cell"]))
    headings = list(dict.fromkeys(table["heading"]))
    columns = min(PANELS, len(headings))
    rows = math.ceil(len(headings) / columns)
    names_in = LABEL_IN * max(map(len, cells))
    figure = sheet(names_in + 2.9 * columns + 0.4, 1.1 + rows * (0.75 + ROW_IN * len(cells)))
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for axes, heading in zip(grid, headings, strict=False):
        tidy(axes, "change from A to B, %", "", heading)
        axes.axvline(0, color=INK, linewidth=0.8)
        for change in table[table["heading"] == heading].to_dict("records"):
            colour, marker, _ = LOOKS.get(str(change["call"]), UNCLEAR)
            place = cells.index(change["cell"])
            axes.plot([change["low"], change["high"]], [place, place], color=colour, linewidth=1.6, solid_capstyle="butt")
            face = colour if change["call"] in LOOKS else "white"
            axes.plot(
                change["mid"], place, marker=marker, color=colour, markerfacecolor=face, markersize=6, linestyle="none"
            )
        axes.set_yticks(range(len(cells)), cells)
        axes.set_ylim(len(cells) - 0.5, -0.5)
        linear_axis(axes, "x")
    for axes in grid[len(headings) :]:
        axes.set_axis_off()
    keys = [
        Line2D([], [], color=colour, marker=marker, markerfacecolor=face, label=said)
        for (colour, marker, said), face in [*((look, look[0]) for look in LOOKS.values()), (UNCLEAR, "white")]
    ]
    return dress(
        figure,
        TITLE,
        "Ratio of geometric means over trials, B ÷ A − 1, with 95 % intervals that hold together in a cell.",
        keys,
    )
