"""What each transport can bear: the capacity that its searches have found, and what is a lower bound only.

Knows what searches have found.
"""

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from pushbench.capacity import Capacity, capacities, searched
from pushbench.charts.cells import Series, series_of, why_nothing
from pushbench.charts.style import GREY, INK, brief, dress, linear_axis, nothing, sheet, tidy
from pushbench.labels import plain

TITLE = "How much can each transport bear?"
UNITS = {"subscribers": "subscribers", "rate_hz": "messages/s", "payload_bytes": "bytes", "server_stall_ms": "ms stopped"}
"""What is searched, in words, where its own name is not plain enough."""
ROOM = 1.75
"""The axis is so many times as long as the longest bar: what is said of it stands behind."""


def shows_capacity(trials: pd.DataFrame) -> bool:
    """True if something was searched."""
    return searched(trials)


def capacity(trials: pd.DataFrame) -> Figure:
    """Draw a bar for each cell up to its capacity, with its interval; lower bounds are hollow and end in an arrow."""
    found = capacities(trials)
    if not found:
        return nothing(TITLE, why_nothing(trials, "Nothing was searched."))
    figure = sheet(10.5, 2.2 + 0.62 * len(found))
    axes = figure.subplots()
    tidy(axes, f"capacity ({unit(found[0])})", "")
    longest = max(max(one.value.high, 1.0) for one in found)
    linear_axis(axes, "x", 0, longest * ROOM)
    placed = in_order(trials, found)
    for place, (one, series) in enumerate(placed):
        _draw(axes, place, one, series, longest)
    axes.set_yticks(range(len(found)), [series.label for _, series in placed], fontsize=10.5, color=INK)
    axes.set_ylim(len(found) - 0.45, -0.55)
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
    return dress(figure, TITLE, subtitle(found), _keys(found), notes(found))


def unit(one: Capacity) -> str:
    """What is searched, in words."""
    return UNITS.get(one.key, one.key)


def subtitle(found: list[Capacity]) -> str:
    """Say what was to hold, and what a value is made from."""
    searches = max(len(one.brackets) for one in found)
    how = "1 search each: no interval" if searches == 1 else f"{searches} searches each: median and 95 % interval"
    few = " (of so few: their range)" if 1 < searches <= 5 else ""
    return f"Most {unit(found[0])} with {found[0].objective} and nothing lost. {how}{few}."


def notes(found: list[Capacity]) -> list[str]:
    """Say what a lower bound is, if there is one."""
    if not any(one.lower_bound for one in found):
        return []
    return ["at least = a lower bound, and not the server's capacity: the server was not seen to give in first"]


def in_order(trials: pd.DataFrame, found: list[Capacity]) -> list[tuple[Capacity, Series]]:
    """Give what was found with the series that it is of, in the order of all charts."""
    cells = {int(one.rows["cell"].iloc[0]): one for one in found}
    all_series = series_of(trials, along=(found[0].key,))
    return [(cells[cell], series) for series in all_series for cell in sorted(set(series.rows["cell"]))]


def _draw(axes: Axes, place: int, one: Capacity, series: Series, longest: float) -> None:
    style = series.look
    bound = one.lower_bound
    axes.barh(
        place, one.value.mid, height=0.58, color="white" if bound else style.colour, edgecolor=style.colour,
        linewidth=1.8, gid=f"{'bound' if bound else 'bar'}:{series.label}", zorder=3,
    )  # fmt: skip
    end = one.value.mid
    if one.value.is_interval:
        axes.plot(
            [one.value.low, one.value.high], [place] * 2, color=INK, marker="|", markersize=9, linewidth=1.4,
            gid=f"interval:{series.label}", zorder=4,
        )  # fmt: skip
        end = max(end, one.value.high)
    if bound:
        axes.annotate(
            "", (end + longest * 0.055, place), (end, place), zorder=5,
            arrowprops={"arrowstyle": "-|>", "color": style.colour, "linewidth": 1.8, "shrinkA": 1, "shrinkB": 0},
        )  # fmt: skip
        end += longest * 0.05
    head = f"at least {plain(one.value.mid)}" if bound else plain(one.value.mid)
    if not one.value.mid:
        known = one.between[1] is not None and not one.lower_bound
        head = f"below {plain(one.between[1])}" if known else "nothing known"
    axes.text(end + longest * 0.018, place - 0.03, head, va="bottom", fontsize=11, fontweight="bold", color=style.ink)
    axes.text(end + longest * 0.018, place + 0.03, _why(one), va="top", fontsize=8.5, color=GREY)


def _why(one: Capacity) -> str:
    """Who gave in, and what the server's core had to do at the capacity."""
    cpu = one.steps_at(held=True)["server_cpu_percent"].dropna()
    return f"gave in: {one.gave_in}" + (f"; server CPU {brief(float(cpu.median()))} %" if len(cpu) else "")


def _keys(found: list[Capacity]) -> list[Artist]:
    keys: list[Artist] = []
    if any(not one.lower_bound for one in found):
        keys.append(Patch(facecolor=GREY, edgecolor=GREY, label="the server's capacity"))
    if any(one.lower_bound for one in found):
        keys.append(Patch(facecolor="white", edgecolor=GREY, linewidth=1.8, label="hollow, with an arrow: a lower bound"))
    return keys
