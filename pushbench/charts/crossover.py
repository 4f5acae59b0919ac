"""What a subscriber costs against how often there is an update: who is the cheapest, and where that changes.

Knows the columns of `trials` by way of `crossover_costs`. Lines of cost and not a map of winners: a map hides that two may
be nearly the same.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pushbench.charts.cells import APART, ranked, why_nothing
from pushbench.charts.style import DASHES, GREY, INK, Look, dress, linear_axis, log_axis, look, nothing, sheet, tidy
from pushbench.crossover import Cost, interval, ties_by_rate
from pushbench.crossover_costs import CPU, RESOURCES, Costs, Resource, costs
from pushbench.crossover_text import RATES_HZ, STALENESS_S
from pushbench.labels import plain, setting
from pushbench.ratios import BASELINE
from pushbench.transports import TRANSPORTS

TITLE = "Which way to push is the cheapest?"
PER_S = 1 / np.array([1000, 100, 10, 1, 0.1, 0.01])
TICKS = ("1,000", "100", "10", "1", "0.1", "0.01")
"""The rates that are written below the axis, as the time between two updates."""
KIB = 1024


def shows_crossover(trials: pd.DataFrame) -> bool:
    """True if of two transports or more it was measured what deliveries and idle connections cost."""
    found = _costs(trials)
    return found is not None and any(len(of) >= 2 for of in found.of.values())


def _costs(trials: pd.DataFrame) -> Costs | None:
    return costs(ranked(trials)) if len(trials) else None


def crossover(trials: pd.DataFrame) -> Figure:
    """Draw bytes and CPU a second of one subscriber against the rate of updates, and what a connection holds in memory."""
    found = _costs(trials) if shows_crossover(trials) else None
    if found is None:
        why = 'It needs deliveries, and cells with kind = "idle", of two transports or more.'
        return nothing(TITLE, why_nothing(trials, why))
    shown = [resource for resource in RESOURCES if len(found.of[resource.name]) >= 2]
    figure = sheet(4.4 + 5.2 * len(shown), 6.8)
    panels = figure.subplots(1, len(shown) + bool(found.memory), squeeze=False, width_ratios=_widths(shown, found))[0]
    for axes, resource in zip(panels, shown, strict=False):
        _draw_costs(axes, resource, found)
    if found.memory:
        _draw_memory(panels[-1], found)
    drawn = [name for name in TRANSPORTS if any(name in found.of[resource.name] for resource in shown)]
    legend: list[Artist] = []
    for name in drawn:
        for nth, staleness_s in enumerate(_staleness(name)):
            said = f"{name}, every {plain(staleness_s)} s" if TRANSPORTS[name].polls else name
            style = _look(name, nth)
            legend.append(Line2D([], [], color=style.colour, linestyle=style.dashes, linewidth=1.8, label=said))
    legend.append(
        Line2D([], [], color=INK, linestyle="none", marker="o", markersize=6, label=f"as much as {BASELINE}, 95 % interval")
    )
    legend.append(Line2D([], [], color=GREY, linewidth=1, linestyle=(0, (4, 3)), label="where deliveries were measured"))
    at = f"{setting('subscribers', found.subscribers)}, {setting('rate_hz', found.rate_hz)}"
    subtitle = (
        f"Reckoned from what deliveries, idle connections and empty polls took at {at}. "
        f"A poller's interval is the staleness that is acceptable."
    )
    told = [f"assumed: {said}" for said in found.assumed] + [f"not measured: {said}" for said in found.missing]
    return dress(figure, TITLE, subtitle, legend, told)


def _widths(shown: Sequence[Resource], found: Costs) -> list[float]:
    return [3.0] * len(shown) + ([1.6] if found.memory else [])


def _staleness(name: str) -> tuple[float, ...]:
    """The staleness that a transport has a line for: one that does not poll has one line for all."""
    return STALENESS_S if TRANSPORTS[name].polls else STALENESS_S[:1]


def _look(name: str, nth: int) -> Look:
    """The look of a transport, with dashes by its interval."""
    own = look(name)
    return Look(own.colour, own.marker, DASHES[nth % len(DASHES)]) if TRANSPORTS[name].polls else own


def _draw_costs(axes: Axes, resource: Resource, found: Costs) -> None:
    of = found.of[resource.name]
    tidy(axes, "time between two updates (s)", f"{resource.name} for each subscriber ({resource.unit})", _heading(resource))
    values: list[float] = []
    for name, cost in of.items():
        for nth, staleness_s in enumerate(_staleness(name)):
            style = _look(name, nth)
            line = [float(cost.at(rate, staleness_s)[0]) for rate in RATES_HZ]
            label = f"{name}, every {plain(staleness_s)} s" if TRANSPORTS[name].polls else name
            axes.plot(
                RATES_HZ, line, color=style.colour, linestyle=style.dashes, linewidth=1.8, label=label, gid=f"line:{label}"
            )
            values += [value for value in line if np.isfinite(value)]
            if BASELINE in of and name != BASELINE and (TRANSPORTS[name].polls or _clearly(cost, of[BASELINE])):
                _draw_ties(axes, style, label, cost, of[BASELINE], staleness_s, found.n)
    axes.axvline(found.rate_hz, color=GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=1, gid="measured")
    log_axis(axes, "y", values)
    axes.set_xscale("log")
    axes.set_xlim(float(RATES_HZ[0]), float(RATES_HZ[-1]))
    axes.set_xticks(PER_S, TICKS)
    axes.minorticks_off()


def _heading(resource: Resource) -> str:
    return "CPU time of the server" if resource is CPU else "Bytes on the wire, both ways"


def _clearly(cost: Cost, base: Cost) -> bool:
    """True if two lines are anywhere a tenth apart or more: a tie of two that are everywhere alike means nothing."""
    ratios = [float(cost.at(rate, 1.0)[0] / base.at(rate, 1.0)[0]) for rate in RATES_HZ]
    return max(max(ratios), 1 / min(ratios)) >= APART


def _draw_ties(axes: Axes, style: Look, label: str, one: Cost, base: Cost, staleness_s: float, n: int) -> None:
    """Draw a dot where a line crosses the baseline's, with the interval of its place."""
    for tie in ties_by_rate(one, base, staleness_s, RATES_HZ, n):
        height = float(base.at(tie.at.mid, staleness_s)[0])
        ends = np.clip([tie.at.low, tie.at.high], RATES_HZ[0], RATES_HZ[-1])
        if tie.at.is_interval:
            axes.plot(ends, [height] * 2, color=style.ink, linewidth=3, alpha=0.6, solid_capstyle="butt", zorder=4)
        axes.plot(
            [tie.at.mid],
            [height],
            color=style.ink,
            marker="o",
            markersize=6,
            linestyle="none",
            zorder=5,
            gid=f"tie:{label}",
        )


def _draw_memory(axes: Axes, found: Costs) -> None:
    """Draw what a connection holds, whether or not there is an update."""
    names = list(found.memory)[::-1]
    tidy(axes, "memory of a connection (KiB)", "", "Memory, idle")
    reach = 0.0
    for place, name in enumerate(names):
        held = interval(found.memory[name] / KIB, found.n or 1)
        axes.barh(place, held.mid, 0.62, color=look(name).colour, gid=f"bar:{name}")
        if held.is_interval:
            axes.plot([held.low, held.high], [place] * 2, color=INK, linewidth=1.2, marker="|", markersize=6, zorder=4)
        reach = max(reach, held.high)
    axes.set_yticks(range(len(names)), names)
    axes.grid(visible=False, axis="y")
    linear_axis(axes, "x", 0, reach * 1.08)
