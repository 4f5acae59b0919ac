"""What a delivery costs both sides against the number of open connections: does it stay flat?

Knows the columns of `trials`. Loads are held, and lines made, in `growth`.
"""

import pandas as pd
from matplotlib.figure import Figure

from pushbench.charts.cells import Point, measured, notes, positive, series_of, spanned, trials_said, why_nothing
from pushbench.charts.growth import (
    ALONG,
    CONNECTIONS,
    LINE_HEIGHT,
    NOUNS,
    Grown,
    aside,
    ends,
    factors,
    grown,
    held,
    load_held,
    not_shown,
    span,
    varies,
)
from pushbench.charts.marks import draw_points, hollow_key, keys
from pushbench.charts.overview import balanced
from pushbench.charts.style import INK, dress, label_ends, log_axis, nothing, sheet, tidy

TITLE = "Does a delivery cost more among many?"
SIDES = {"server_cpu_us_per_delivery": "server", "client_cpu_us_per_delivery": "load side"}


def shows_cost_by_connections(trials: pd.DataFrame) -> bool:
    """True if it was measured at two numbers of connections or more what a delivery costs either side."""
    return bool(_panels(trials))


def _panels(trials: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Give the trials of each panel by its column."""
    found = {column: held(trials, CONNECTIONS, column) for column in SIDES}
    return {column: rows for column, rows in found.items() if varies(rows, CONNECTIONS)}


def cost_by_connections(trials: pd.DataFrame) -> Figure:
    """Draw µs of CPU for each delivery against connections, the server's beside the load side's, on equal axes."""
    panels = _panels(trials)
    if not panels:
        return nothing(TITLE, why_nothing(trials, _why(trials)))
    figure = sheet(1.8 + 6.2 * len(panels), 6.8)
    grid = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    found: dict[str, Grown] = {}
    for axes, (column, rows) in zip(grid, panels.items(), strict=True):
        tidy(axes, NOUNS[CONNECTIONS][1], "CPU for each delivery (µs)" if axes is grid[0] else "")
        found[column] = grown(rows, CONNECTIONS, column)
        for series, at in found[column]:
            draw_points(axes, series, at)
        axes.set_title(balanced(_headline(found[column], SIDES[column]), 64), loc="left", fontsize=10.5, color=INK)
    drawn: list[Point] = [point for of in found.values() for _, at in of for point in at]
    shown = pd.concat(panels.values()).drop_duplicates(["cell", "trial"])
    counts = sorted(float(count) for count in shown[CONNECTIONS].unique())
    for axes, of in zip(grid, found.values(), strict=True):
        log_axis(axes, "x", counts, at=counts)
        log_axis(axes, "y", [value for point in drawn for value in (point.y.low, point.y.high)])
        label_ends(axes, ends(of), size=9.5, line_height=LINE_HEIGHT)
    legend = keys(series_of(shown, along=ALONG))
    if not all(point.believable for point in drawn):
        legend.append(hollow_key())
    subtitle = f"{load_held(shown, CONNECTIONS)}. {trials_said(point.y.n for point in drawn)}."
    told = [*notes(trials), *not_shown(positive(trials, next(iter(panels))), shown)]
    return dress(figure, TITLE, subtitle, legend, told)


def _headline(found: Grown, side: str) -> str:
    """Say by what factors the cost changes from the fewest to the most connections, from believable points alone."""
    said = f"{side[0].upper() + side[1:]}: {span(found, CONNECTIONS).lower()}"
    by = factors(found)
    return f"{said}, a delivery's cost changes {spanned(by, times='×')}{aside(found)}" if by else said


def _why(trials: pd.DataFrame) -> str:
    known = [column for column in SIDES if column in trials and len(measured(trials, column))]
    return "The number of connections did not vary." if known else "It was not measured what a delivery costs."
