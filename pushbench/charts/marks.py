"""The marks that charts share: a line of points with intervals, filled if believable, hollow if not, and their keys.

Knows looks and points. Must not know columns, or what an axis means.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from pushbench.charts.cells import Point, Series, apart
from pushbench.charts.style import DOTTED, GREY, Look

HOLLOW = "o"
"""The marker of a line of reference where it is not to be believed: its own, a dash, cannot be hollow."""
NAIVE = "naive (from sending)"
SAME = "Naive latency (from sending) is the same within 10\u00a0%."


def draw_points(axes: Axes, series: Series, points: Sequence[Point], factor: float = 1.0) -> None:
    """Draw the points of a series, joined by its line; y values are multiplied by `factor`.

    The artists carry the label of the series in their gid: `line:…`, `points:…`, `hollow:…`.
    """
    style = series.look
    xs, mids = [point.x for point in points], [point.y.mid * factor for point in points]
    axes.plot(
        xs, mids, color=style.colour, linestyle=style.dashes, linewidth=1.8 * style.weight, label=series.label,
        gid=f"line:{series.label}", zorder=2.5 if series.floor else 3,
    )  # fmt: skip
    for point in points:
        if point.y.is_interval:
            low, high = point.y.low * factor, point.y.high * factor
            axes.plot(
                [point.x] * 2, [low, high], color=style.colour, marker="_", markersize=7 * style.weight,
                linewidth=1.2 * style.weight, zorder=2,
            )  # fmt: skip
    draw_markers(axes, series.label, style, [(point.x, point.y.mid * factor, point.believable) for point in points])


def draw_naive(axes: Axes, series: Series, xs: ArrayLike, naive: ArrayLike, marker: str = "") -> None:
    """Draw naive latency as a dotted line (gid `naive:…`); what is NaN of it is left out. A floor has none.

    Floors are there for comparison, and the table has both of their latencies.
    """
    if series.floor or not np.isfinite(np.asarray(naive, dtype=np.float64)).any():
        return
    axes.plot(
        xs, naive, color=series.look.ink, linestyle=DOTTED, linewidth=1.6, marker=marker, markersize=3.5,
        gid=f"naive:{series.label}", zorder=3.5,
    )  # fmt: skip


def where_apart(due: ArrayLike, naive: ArrayLike) -> NDArray[np.float64]:
    """Give naive latency where it differs from that from the due time, and NaN elsewhere."""
    return np.where(apart(due, naive), np.asarray(naive, dtype=np.float64), np.nan)


def draw_naive_points(axes: Axes, series: Series, due: Sequence[Point], naive: Sequence[Point]) -> None:
    """Draw the naive line of a series, whole, if one of its points differs from that from the due time."""
    sent = {point.x: point.y.mid for point in naive}
    xs = [point.x for point in due]
    values = [sent.get(x, np.nan) for x in xs]
    if apart([point.y.mid for point in due], values).any():
        draw_naive(axes, series, xs, values, marker=".")


def draw_markers(axes: Axes, label: str, style: Look, places: Iterable[tuple[float, float, bool]], size: float = 7) -> None:
    """Draw a marker at each (x, y, believable): filled if believable, hollow if not."""
    places = list(places)
    filled = (True, "points", style.marker, style.colour)
    hollow = (False, "hollow", HOLLOW if style.reference else style.marker, "white")
    for believable, kind, marker, face in (filled, hollow):
        xs = [x for x, _, believed in places if believed is believable]
        ys = [y for _, y, believed in places if believed is believable]
        if xs:
            axes.plot(
                xs, ys, color=style.colour, linestyle="none", marker=marker, markersize=size * style.weight,
                markerfacecolor=face, markeredgecolor=style.colour, markeredgewidth=1.5 * style.weight,
                gid=f"{kind}:{label}", zorder=4,
            )  # fmt: skip


def key(series: Series) -> Line2D:
    """Give the key of a series: its line with its marker."""
    style = series.look
    return Line2D(
        [], [], color=style.colour, linestyle=style.dashes, linewidth=1.8 * style.weight, marker=style.marker, markersize=7,
        label=series.label,
    )  # fmt: skip


def keys(all_series: Iterable[Series]) -> list[Artist]:
    """Give the key of each series, in their order."""
    return [key(series) for series in all_series]


def hollow_key() -> Line2D:
    """Give the key of what may not be believed."""
    return Line2D(
        [], [], color=GREY, linestyle="none", marker="o", markersize=7, markerfacecolor="white", markeredgewidth=1.5,
        label="hollow: not to be believed",
    )  # fmt: skip


def naive_values(drawn: Figure | Axes, since: float = -np.inf) -> list[float]:
    """Give the naive latencies (y) that are drawn from x = `since` on, for an axis that must have room for them."""
    found: list[float] = []
    for line in drawn.findobj(Line2D):
        if isinstance(line, Line2D) and str(line.get_gid()).startswith("naive:"):
            xs, ys = (np.asarray(side, dtype=np.float64) for side in line.get_data())
            found += ys[(xs >= since) & np.isfinite(ys)].tolist()
    return found


def naive_told(figure: Figure, compared: bool) -> tuple[list[Artist], str]:
    """Give the key of naive latency if it is drawn anywhere on the figure, or else the sentence that says why not.

    Call it when everything is drawn. Where nothing was compared, for there are floors alone, it gives neither.
    """
    if naive_values(figure):
        return [Line2D([], [], color=GREY, linestyle=DOTTED, linewidth=1.6, label=NAIVE)], ""
    return [], f" {SAME}" if compared else ""
