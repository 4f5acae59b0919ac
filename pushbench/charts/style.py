"""How every chart looks: the colour, marker and dashes of a transport, plain numbers, axes, and the sheet around them.

Knows matplotlib's figures and axes. Must not know the columns of a run, and draws no data.

Colours are those of Okabe and Ito, "Color Universal Design" (2008), which people with any common colour blindness can
tell apart; its yellow is left out, being too pale on white. Markers and dashes say the same again for a grey print.
"""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil, floor, log10
from typing import Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import ArrayLike, NDArray

from pushbench.labels import plain
from pushbench.transports import ACTIONS, FLOORS, ROWS, TRANSPORTS

Dashes = Literal["solid"] | tuple[float, tuple[float, ...]]

PALETTE = ("#D55E00", "#CC79A7", "#E69F00", "#009E73", "#0072B2", "#56B4E9", "#000000")
MARKERS = ("s", "D", "^", "v", "o", "P", "X")
VARIANT_MARKERS = ("<", ">", "p", "h")
DASHES: tuple[Dashes, ...] = (
    "solid",
    (0, (6, 2)),
    (0, (2, 1.2)),
    (0, (7, 1.5, 1, 1.5)),
    (0, (13, 3)),
    (0, (6, 1.5, 1, 1.5, 1, 1.5)),
)
INK, GREY, PALE = "#222222", "#666666", "#DDDDDD"
FLOOR_GREYS = ("#777777", "#A0A0A0")
FLOOR_DASHES: tuple[Dashes, ...] = ("solid", (0, (8, 2.5)))
DOTTED: Dashes = (0, (1, 1.3))
"""Among latencies only the naive ones are drawn so."""


@dataclass(frozen=True, slots=True)
class Look:
    """How one transport is drawn, in every chart alike."""

    colour: str
    marker: str
    dashes: Dashes
    reference: bool = False
    """True for what is there for comparison alone: thin, and without filled markers."""

    @property
    def weight(self) -> float:
        """How wide its lines and large its markers are, times the usual."""
        return 0.6 if self.reference else 1.0

    @property
    def ink(self) -> str:
        """The colour, darkened until it can be read as text on white."""
        channels = [int(self.colour[at : at + 2], 16) for at in (1, 3, 5)]
        return "#" + "".join(f"{int(channel * 0.72):02x}" for channel in channels)


@cache
def look(transport: str, nth: int = 0) -> Look:
    """Give the look of a transport; `nth` counts settings of it that share a chart, and changes the dashes alone.

    A variant has the colour of its family, with a marker and dashes of its own. A floor is a thin grey line. A name that
    the table does not know (a run of another version) is grey.
    """
    if transport in FLOORS:
        place = list(FLOORS).index(transport) % len(FLOOR_GREYS)
        dashes = FLOOR_DASHES[place] if nth == 0 else DASHES[nth % len(DASHES)]
        return Look(FLOOR_GREYS[place], "_", dashes, reference=True)
    if transport not in TRANSPORTS | ACTIONS:
        return Look(GREY, "*", DASHES[nth % len(DASHES)])
    family = ROWS[transport].family
    families = [row.name for row in TRANSPORTS.values() if row.variant_of is None]
    place = [*families, *ACTIONS].index(family) % len(PALETTE)
    variants = [row.name for row in TRANSPORTS.values() if row.variant_of == family]
    rank = variants.index(transport) + 1 if transport in variants else 0
    marker = VARIANT_MARKERS[(rank - 1) % len(VARIANT_MARKERS)] if rank else MARKERS[place]
    return Look(PALETTE[place], marker, DASHES[(rank + nth) % len(DASHES)])


def brief(value: float) -> str:
    """Write a measured number with two digits (three from 100 on): 0.043, 4.0, 27, 503, 12,300."""
    if not np.isfinite(value) or value == 0:
        return "0" if value == 0 else "–"
    decimals = (2 if abs(value) >= 100 else 1) - floor(log10(abs(value)))
    return f"{round(value, decimals):,.{max(decimals, 0)}f}"


def counted(count: int, noun: str) -> str:
    """Write a count with its noun: 1 trial, 1,000 subscribers."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def tidy(axes: Axes, x: str, y: str, title: str = "") -> None:
    """Give the axes their labels (with units), a left-aligned title, light grid lines and no box."""
    axes.set_xlabel(x, fontsize=10, color=INK)
    axes.set_ylabel(y, fontsize=10, color=INK)
    if title:
        axes.set_title(title, loc="left", fontsize=10.5, color=INK)
    axes.grid(True, color=PALE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(labelsize=9, color=GREY, labelcolor=INK)


def log_axis(axes: Axes, which: str, values: ArrayLike, at: Sequence[float] | None = None, room: float = 1.35) -> None:
    """Make x or y logarithmic around `values`, with ticks at 1-2-5 steps (or at `at`) written in full.

    Values that are not positive have no place on it and are ignored; with none left, the axis spans 1 to 10.
    """
    found = np.asarray(values, dtype=np.float64).ravel()
    found = found[np.isfinite(found) & (found > 0)]
    low, high = (float(found.min()), float(found.max())) if found.size else (1.0, 10.0)
    low, high = low / room, high * room
    if high / low < 6:  # at least two ticks of 1-2-5 are then inside
        middle = (low * high) ** 0.5
        low, high = middle / 6**0.5, middle * 6**0.5
    ticks = thinned(at, low, high) if at else _steps(low, high)
    axis = axes.xaxis if which == "x" else axes.yaxis
    if which == "x":
        axes.set_xscale("log")
        axes.set_xlim(low, high)
    else:
        axes.set_yscale("log")
        axes.set_ylim(low, high)
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))


def linear_axis(axes: Axes, which: str, low: float | None = None, high: float | None = None) -> None:
    """Write the ticks of a linear x or y axis in full, and set the limits that are given."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))
    if which == "x":
        axes.set_xlim(low, high)
    else:
        axes.set_ylim(low, high)


def thinned(values: Sequence[float], low: float, high: float, gap: float = 0.09) -> list[float]:
    """Keep of the positive values, from the largest down, those at least `gap` of a log axis low..high apart."""
    kept: list[float] = []
    for value in sorted({value for value in values if value > 0}, reverse=True):
        if not kept or log10(kept[-1] / value) >= gap * log10(high / low):
            kept.append(value)
    return kept[::-1]


def _steps(low: float, high: float) -> list[float]:
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        ticks = [step * 10.0**decade for decade in decades for step in steps if low <= step * 10.0**decade <= high]
        if len(ticks) <= 8:
            return ticks
    return ticks[:: ceil(len(ticks) / 8)]


@dataclass(frozen=True, slots=True)
class End:
    """What is to be written beside the last point of a line, in data coordinates."""

    x: float
    y: float
    text: str
    colour: str


def label_ends(axes: Axes, ends: Sequence[End], size: float = 10, line_height: float = 1.25) -> None:
    """Write each text right of the axes at the height of its line's end, moved just enough that none overlap.

    Call it when the limits of the axes are final. A `line_height` of more than usual is for axes that are to become lower,
    when titles and keys take their room.
    """
    figure = axes.get_figure(root=True)
    if figure is None or not ends:
        return
    ends = sorted(ends, key=lambda end: end.y)
    heights = axes.transAxes.inverted().transform(axes.transData.transform([(end.x, end.y) for end in ends]))[:, 1]
    panel_inches = float(axes.get_position().height) * float(figure.get_figheight())
    for end, height in zip(ends, spread(heights, line_height * size / 72 / panel_inches), strict=True):
        axes.annotate(
            end.text,
            (end.x, end.y),
            (1.025, height),
            textcoords="axes fraction",
            va="center",
            color=end.colour,
            fontsize=size,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": end.colour, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 3},
        )


def spread(heights: ArrayLike, gap: float) -> NDArray[np.float64]:
    """Move ascending heights least (in squares) so that neighbours are at least `gap` apart; then none above 1.

    Pooling of adjacent violators: Barlow et al., Statistical Inference under Order Restrictions (1972), section 1.2.
    """
    wanted = np.asarray(heights, dtype=np.float64)
    steps = np.arange(wanted.size) * gap
    pools: list[list[float]] = []
    for value in wanted - steps:
        pools.append([float(value)])
        while len(pools) > 1 and np.mean(pools[-2]) > np.mean(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    moved: NDArray[np.float64] = np.array([np.mean(pool) for pool in pools for _ in pool]) + steps
    below: NDArray[np.float64] = np.minimum(moved, 1 - steps[::-1])
    return below


KEY_ROW_IN = 0.22
KEY_ROWS = 3
"""So many rows of a key there is room for on every sheet."""


def sheet(width_in: float, height_in: float) -> Figure:
    """Give an empty white figure that arranges its panels by itself."""
    return Figure(figsize=(width_in, height_in), layout="constrained", facecolor="white")


def dress(figure: Figure, title: str, subtitle: str, keys: Sequence[Artist] = (), notes: Iterable[str] = ()) -> Figure:
    """Write title, subtitle and key above the panels and the notes below them, and keep the panels clear of both.

    A key of many rows makes the figure higher, and not the panels smaller.
    """
    width, height = (float(side) for side in figure.get_size_inches())
    left, used = 0.15, 0.12
    longest = max((len(str(key.get_label())) for key in keys), default=0)
    columns = max(1, min(len(keys), int((width - 2 * left) / (0.9 + 0.068 * longest))))
    key_rows = ceil(len(keys) / columns)
    height += KEY_ROW_IN * max(0, key_rows - KEY_ROWS)
    figure.set_size_inches(width, height)
    figure.text(left / width, 1 - used / height, title, fontsize=15, fontweight="bold", color=INK, va="top")
    used += 0.34
    for line in textwrap.wrap(subtitle, int(width * 13.5)):
        figure.text(left / width, 1 - used / height, line, fontsize=10, color=GREY, va="top")
        used += 0.21
    used += 0.06
    if keys:
        legend = figure.legend(
            handles=_by_rows(keys, columns), loc="upper left", bbox_to_anchor=(left / width, 1 - used / height),
            ncols=columns, frameon=False, fontsize=10, labelcolor=INK,
            borderaxespad=0, borderpad=0, handlelength=3.6, columnspacing=1.5,
        )  # fmt: skip
        legend.set_in_layout(False)
        used += KEY_ROW_IN * key_rows + 0.08
    lines = [line for note in notes for line in textwrap.wrap(note, int(width * 15.5), subsequent_indent="   ")]
    below = 0.1 + 0.165 * len(lines)
    for index, line in enumerate(lines):
        y = (below - 0.03 - 0.165 * index) / height
        figure.text(left / width, y, line, fontsize=8.5, color=GREY, va="top")
    engine = figure.get_layout_engine()
    if engine is not None:
        bottom, top = below / height, 1 - used / height
        engine.set(rect=(0.05 / width, bottom, 1 - 0.1 / width, top - bottom), w_pad=0.08, h_pad=0.06)  # type: ignore[call-arg]
    return figure


def _by_rows(keys: Sequence[Artist], columns: int) -> list[Artist]:
    """Order the keys so that a legend, which fills column by column, reads row by row.

    matplotlib gives the first `len % columns` columns one row more than the others.
    """
    return [key for column in range(columns) for key in keys[column::columns]]


def nothing(title: str, why: Sequence[str]) -> Figure:
    """Give a figure that says in words why there is nothing to draw."""
    figure = sheet(9, 1.3 + 0.25 * len(why))
    axes = figure.subplots()
    axes.set_axis_off()
    text = "\n".join(line for reason in why for line in textwrap.wrap(reason, 100))
    axes.text(0.01, 0.95, text, va="top", fontsize=11, color=INK, transform=axes.transAxes, linespacing=1.5)
    return dress(figure, title, "nothing to draw")
