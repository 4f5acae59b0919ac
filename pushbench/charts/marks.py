"""The marks that charts share: a line of points with intervals, filled if believable, hollow if not, and their keys.

Knows looks and points. Must not know columns, or what an axis means.
"""

from collections.abc import Iterable, Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from pushbench.charts.cells import Point, Series
from pushbench.charts.style import GREY, Look


def draw_points(axes: Axes, series: Series, points: Sequence[Point], factor: float = 1.0) -> None:
    """Draw the points of a series, joined by its line; y values are multiplied by `factor`.

    The artists carry the label of the series in their gid: `line:…`, `points:…`, `hollow:…`.
    """
    style = series.look
    xs, mids = [point.x for point in points], [point.y.mid * factor for point in points]
    axes.plot(
        xs, mids, color=style.colour, linestyle=style.dashes, linewidth=1.8, label=series.label,
        gid=f"line:{series.label}", zorder=3,
    )  # fmt: skip
    for point in points:
        if point.y.is_interval:
            low, high = point.y.low * factor, point.y.high * factor
            axes.plot([point.x] * 2, [low, high], color=style.colour, marker="_", markersize=7, linewidth=1.2, zorder=2)
    draw_markers(axes, series.label, style, [(point.x, point.y.mid * factor, point.believable) for point in points])


def draw_markers(axes: Axes, label: str, style: Look, places: Iterable[tuple[float, float, bool]], size: float = 7) -> None:
    """Draw a marker at each (x, y, believable): filled if believable, hollow if not."""
    places = list(places)
    for believable, kind, face in ((True, "points", style.colour), (False, "hollow", "white")):
        xs = [x for x, _, believed in places if believed is believable]
        ys = [y for _, y, believed in places if believed is believable]
        if xs:
            axes.plot(
                xs, ys, color=style.colour, linestyle="none", marker=style.marker, markersize=size, markerfacecolor=face,
                markeredgecolor=style.colour, markeredgewidth=1.5, gid=f"{kind}:{label}", zorder=4,
            )  # fmt: skip


def key(series: Series) -> Line2D:
    """Give the key of a series: its line with its marker."""
    style = series.look
    return Line2D(
        [], [], color=style.colour, linestyle=style.dashes, linewidth=1.8, marker=style.marker, markersize=7,
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
