"""The picture of a reproduction: published beside measured beside model.

Knows what a reproduction is made of, and no experiment; a picture's panels come with it.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pushbench.charts.marks import hollow_key
from pushbench.charts.style import DASHES, GREY, INK, brief, dress, linear_axis, log_axis, look, sheet, tidy
from pushbench.classics.claims import Classic, Curve, Dots, Outcome, Plot, Reproduction, Row

PUBLISHED: dict[str, Any] = {
    "marker": "D",
    "markersize": 7,
    "linestyle": "none",
    "color": INK,
    "markerfacecolor": "white",
    "markeredgewidth": 1.3,
}
MODEL: dict[str, Any] = {
    "marker": "|",
    "markersize": 15,
    "markeredgewidth": 2.4,
    "linestyle": "none",
    "color": GREY,
    "alpha": 0.55,
}
BAND: dict[str, Any] = {"linewidth": 6.0, "alpha": 0.28, "solid_capstyle": "butt"}
DENSE = 40
"""A line of so many points has no markers."""
ROW_IN = 0.3


def picture(classic: Classic, made: Reproduction) -> Figure:
    """Draw the panels of a reproduction side by side, below a headline of what reproduces."""
    shape = [claim for claim in made.claims if claim.shape]
    held = sum(claim.outcome is Outcome.REPRODUCES for claim in shape)
    rows = max((len(panel.rows) for panel in made.panels if isinstance(panel, Dots)), default=0)
    figure = sheet(1.5 + 5.6 * len(made.panels), max(5.6, 2.6 + ROW_IN * rows))
    places = figure.subplots(1, len(made.panels), squeeze=False)[0]
    for axes, panel in zip(places, made.panels, strict=True):
        if isinstance(panel, Dots):
            _dots(axes, panel)
        else:
            _plot(axes, panel)
    source = classic.source
    untold = sum(claim.outcome is Outcome.UNTOLD for claim in shape)
    unsure = f", {untold} cannot be told" if untold else ""
    subtitle = f"{source.authors} ({source.year}). {held} of {len(shape)} claims of the shape reproduce{unsure}."
    return dress(figure, classic.picture, subtitle, _keys(made), _lacking(made))


def _dots(axes: Axes, panel: Dots) -> None:
    tidy(axes, panel.x, "", panel.title)
    values: list[float] = []
    for place, row in enumerate(panel.rows):
        y = len(panel.rows) - 1 - place
        values += _row(axes, row, y)
        if panel.log and row.measured and row.measured.mid == 0:  # it has no place on a logarithmic axis
            axes.annotate("0", (0.015, y), xycoords=("axes fraction", "data"), va="center", fontsize=9,
                          color=look(row.drawn_as).ink, gid=f"nought:{row.what}")  # fmt: skip
    axes.set_yticks(range(len(panel.rows)), [row.what for row in panel.rows][::-1])
    axes.set_ylim(-0.6, len(panel.rows) - 0.4)
    axes.grid(visible=False, axis="y")
    if panel.log:
        log_axis(axes, "x", values, room=1.8)
    else:
        linear_axis(axes, "x", 0, max(values, default=1.0) * 1.15)


def _row(axes: Axes, row: Row, y: float) -> list[float]:
    """Draw one figure's three values, and give them."""
    values: list[float] = []
    if row.model is not None:
        axes.plot([row.model], [y], **MODEL, zorder=2)
        values.append(row.model)
    if row.published:
        ends = [row.published.value, *([row.published.high] if row.published.high is not None else [])]
        axes.plot(ends, [y] * len(ends), **{**PUBLISHED, "linestyle": "solid"}, zorder=3, gid=f"published:{row.what}")
        values += ends
    if row.measured:
        style = look(row.drawn_as)
        if row.measured.is_interval:
            axes.plot([row.measured.low, row.measured.high], [y, y], color=style.colour, linewidth=1.4, zorder=4)
        axes.plot(
            [row.measured.mid], [y], color=style.colour, marker="o", markersize=7, linestyle="none", zorder=5,
            markerfacecolor="white" if row.doubted else style.colour, markeredgewidth=1.5, gid=f"measured:{row.what}",
        )  # fmt: skip
        values += [row.measured.low, row.measured.high]
    if row.measured and row.measured.mid:
        axes.annotate(
            brief(row.measured.mid), (row.measured.mid, y), (0, 6), textcoords="offset points", ha="center", fontsize=8,
            color=style.ink,
        )  # fmt: skip
    return values


def _plot(axes: Axes, panel: Plot) -> None:
    tidy(axes, panel.x, panel.y, panel.title)
    xs: list[float] = []
    ys: list[float] = []
    seen: Counter[str] = Counter()
    for curve in panel.curves:
        made = _curve(axes, curve, seen[curve.transport])
        seen[curve.transport] += 1
        xs += [x for x, _ in made]
        ys += [y for _, y in made]
    _axis(axes, "x", xs, panel.log_x)
    _axis(axes, "y", ys, panel.log_y)
    for mark in panel.marks:
        axes.axvline(mark.x, color=GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=1, gid="mark")
        axes.annotate(mark.text, (mark.x, 0.99), (-4, 0), xycoords=("data", "axes fraction"), textcoords="offset points",
                      ha="right", va="top", fontsize=8.5, color=GREY, rotation=90)  # fmt: skip
    if len(axes.get_legend_handles_labels()[0]) > 1:
        axes.legend(loc="best", frameon=True, framealpha=0.85, edgecolor="none", fontsize=8.5, labelcolor=INK)


def _axis(axes: Axes, which: str, values: Sequence[float], logarithmic: bool) -> None:
    if logarithmic:
        log_axis(axes, which, values)
    else:
        highest = max(values, default=1.0)
        linear_axis(axes, which, min(0.0, *values, 0.0) - 0.02 * highest, highest * 1.06)


def _curve(axes: Axes, curve: Curve, nth: int) -> list[tuple[float, float]]:
    """Draw a line with its intervals over its model, and give its points."""
    style = look(curve.transport)
    dashes = DASHES[nth % len(DASHES)]
    if curve.model:
        xs, ys = np.array(curve.model).T
        axes.plot(xs, ys, color=style.colour, zorder=1.5, gid=f"model:{curve.label}", **BAND)
    points = [(x, one.mid) for x, one in curve.measured]
    if points:
        xs, ys = np.array(points).T
        few = len(points) < DENSE
        axes.plot(
            xs, ys, color=style.colour, linestyle=dashes, linewidth=1.8, marker=style.marker if few else "", markersize=7,
            label=curve.label, zorder=3, gid=f"line:{curve.label}",
        )  # fmt: skip
        hollow = [point for point in points if few and point[0] in curve.doubted_at]
        if hollow:
            axes.plot(
                *np.array(hollow).T, color=style.colour, linestyle="none", marker=style.marker, markersize=7,
                markerfacecolor="white", markeredgewidth=1.5, zorder=4, gid=f"hollow:{curve.label}",
            )  # fmt: skip
        for x, one in curve.measured:
            if one.is_interval and few:
                axes.plot(
                    [x, x], [one.low, one.high], color=style.colour, marker="_", markersize=7, linewidth=1.2, zorder=2
                )
    elif curve.model:
        axes.plot([], [], color=style.colour, label=curve.label, **BAND)
    return [*points, *curve.model]


def _keys(made: Reproduction) -> list[Artist]:
    """Give the keys of what is drawn."""
    rows = [row for panel in made.panels if isinstance(panel, Dots) for row in panel.rows]
    curves = [curve for panel in made.panels if isinstance(panel, Plot) for curve in panel.curves]
    found: list[Artist] = []
    if any(row.published for row in rows):
        found.append(Line2D([], [], **PUBLISHED, label="published"))
    found.append(Line2D([], [], color=GREY, marker="o", markersize=7, label="measured, with its interval"))
    models = [Line2D([], [], **MODEL, label="model")] if any(row.model is not None for row in rows) else []
    models += [Line2D([], [], color=GREY, label="model", **BAND)] if any(curve.model for curve in curves) else []
    for key, what in zip(models, ("of a figure", "of a line"), strict=False):
        key.set_label(f"model {what}" if len(models) > 1 else "model")
    found += models
    if any(row.doubted for row in rows) or any(curve.doubted_at for curve in curves):
        found.append(hollow_key())
    return found


def _lacking(made: Reproduction) -> list[str]:
    """Say what does not reproduce."""
    return [f"{claim.outcome}: {claim.says} ({claim.why})" for claim in made.lacking]
