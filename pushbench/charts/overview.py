"""The whole run on one slide: up to four panels, each under a headline that is computed from its data.

Knows which panels there are, and in which order they are wanted.
"""

import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pushbench.charts import slide_cost, slide_latency
from pushbench.charts.cells import (
    believable,
    largest,
    load_said,
    notes,
    positive,
    ranked,
    series_of,
    trials_said,
    why_nothing,
)
from pushbench.charts.marks import hollow_key, keys, naive_told
from pushbench.charts.style import INK, dress, nothing, sheet

TITLE = "How should a server push to its clients?"
WIDTH_IN, HEIGHT_IN = 13.33, 7.5


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel of the slide: whether it has something to show, and how it is drawn; drawing gives its headline."""

    shows: Callable[[pd.DataFrame, pd.DataFrame], bool]
    draw: Callable[[Axes, pd.DataFrame, pd.DataFrame], str]


def shows_overview(trials: pd.DataFrame, latency: pd.DataFrame) -> bool:
    """True if any panel has something to show."""
    return any(panel.shows(trials, latency) for panel in PANELS)


def overview(trials: pd.DataFrame, latency: pd.DataFrame) -> Figure:
    """Draw the first four panels that have something to show, on a slide of 16:9."""
    panels = [panel for panel in PANELS if panel.shows(trials, latency)][:4]
    if not panels:
        return nothing(TITLE, why_nothing(trials, "No trial measured anything."))
    figure = sheet(WIDTH_IN, HEIGHT_IN)
    mosaic = {1: "A", 2: "AB", 3: "AB;AC", 4: "AB;CD"}[len(panels)]
    grid = figure.subplot_mosaic(mosaic)
    widest = 110 if len(panels) == 1 else 52
    for panel, axes in zip(panels, grid.values(), strict=True):
        headline = panel.draw(axes, trials, latency)
        axes.set_title(balanced(headline, widest), loc="left", fontsize=12, fontweight="bold", color=INK, pad=8)
    compared = ranked(trials)
    here = largest(compared, "latency_p50_ms")
    load = load_said(float(here["subscribers"].iloc[0]), float(here["rate_hz"].iloc[0]))
    counts = compared[compared["verdict"] != "failed"].groupby("cell").size()
    latencies = not positive(compared, "latency_p50_ms").empty
    naive_key, same = naive_told(figure, latencies)
    floors = [one for one in series_of(trials, along=("subscribers", "rate_hz")) if one.floor] if latencies else []
    legend = [*naive_key, *keys(floors), *([] if believable(compared) else [hollow_key()])]
    said = f"{load}, unless the axis says otherwise. {trials_said(counts)}.{same}"
    if max(counts) == 1 and slide_cost.shows_memory_cost(trials, latency):
        said += " Memory: 95 % interval of the fitted slope."
    return dress(figure, TITLE, said, legend, notes(trials))


def balanced(text: str, widest: int) -> str:
    """Break a text into as few lines of at most `widest` characters as it needs, of about the same length."""
    lines = -(-len(text) // widest)
    return textwrap.fill(text, min(widest, len(text) // lines + 8) if lines > 1 else widest)


PANELS: tuple[Panel, ...] = (
    Panel(slide_latency.shows_first, slide_latency.draw_first),
    Panel(slide_latency.shows_growth, slide_latency.draw_growth_panel),
    Panel(slide_latency.shows_curves, slide_latency.draw_curves_panel),
    Panel(slide_cost.shows_cpu, slide_cost.draw_cpu),
    Panel(slide_cost.shows_memory_cost, slide_cost.draw_memory_cost),
    Panel(slide_cost.shows_delivered, slide_cost.draw_delivered),
)
"""In the order in which they are wanted."""
