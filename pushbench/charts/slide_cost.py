"""The overview's panels about cost: server CPU, memory per connection, and how much of the offer was delivered.

Knows the columns of `trials`. Each panel is a pair, as in the latency ones: whether it has something to show, and how it
is drawn, which gives the headline.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from pushbench.charts.cells import (
    Series,
    believable,
    largest,
    measured,
    numbers,
    positive,
    ranked,
    series_of,
    slope,
    spanned,
)
from pushbench.charts.memory import KIB, largest_ramp
from pushbench.charts.slide_rows import MOST_ROWS, aside, interval, name_rows, rows_of, say_missing
from pushbench.charts.style import INK, brief, linear_axis, tidy
from pushbench.charts.throughput import shows_throughput
from pushbench.labels import plain
from pushbench.stats import NO_LINE_R2, STRAIGHT_R2, Interval, median_interval

ALL = 97.0
"""Percent of the offer that is all of it if the ledger says that nothing was lost: what a poller has not yet fetched when
the window ends was not refused."""


def shows_cpu(trials: pd.DataFrame, latency: pd.DataFrame) -> bool:
    """True if the server's CPU per delivery was measured."""
    return not measured(ranked(trials), "server_cpu_us_per_delivery").empty


def draw_cpu(axes: Axes, trials: pd.DataFrame, latency: pd.DataFrame) -> str:
    """Draw a bar for each transport: server CPU per delivery at the largest load.

    How many deliveries would fill a core does not follow from it: under more load messages share wake-ups, and each costs
    less.
    """
    here = largest(ranked(trials), "server_cpu_us_per_delivery")
    rows = rows_of(here)
    tidy(axes, "server CPU per delivery at this load (µs)", "")
    costs, highest = [], 0.0
    for place, series in enumerate(rows):
        cost = interval(series, "server_cpu_us_per_delivery")
        if not cost.n:
            say_missing(axes, place, series)
            continue
        trusted = believable(series.rows)
        if trusted:
            costs.append((series.label, cost.mid))
        highest = max(highest, cost.high)
        _bar(axes, place, 0.0, cost.mid, series, trusted)
        _whisker(axes, place, cost)
        _say_end(axes, place, cost.high, f"{brief(cost.mid)} µs")
    linear_axis(axes, "x", 0, highest * 1.55)
    name_rows(axes, rows)
    if not costs:
        return "No CPU cost here is to be believed"
    return f"The server's CPU per delivery: {spanned(costs, 'µs')}" + aside(rows)


def shows_memory_cost(trials: pd.DataFrame, latency: pd.DataFrame) -> bool:
    """True if a slope of memory over connections was fitted."""
    return not measured(ranked(trials), "server_user_bytes_per_connection").empty


def draw_memory_cost(axes: Axes, trials: pd.DataFrame, latency: pd.DataFrame) -> str:
    """Draw a bar for each transport: bytes per connection in the process, and behind it in the kernel."""
    found = set(measured(trials, "server_user_bytes_per_connection")["cell"])
    with_slope = trials["cell"].isin(found) | (trials["verdict"] == "failed")
    rows = [largest_ramp(series) for series in series_of(ranked(trials[with_slope]), along=("subscribers", "rate_hz"))]
    rows = rows[:MOST_ROWS]
    tidy(axes, "server memory per open connection (KiB): process, and kernel (pale)", "")
    totals, highest = [], 0.0
    for place, series in enumerate(rows):
        user, kernel, total = connection_cost(series)
        if not user.n:
            say_missing(axes, place, series)
            continue
        trusted = believable(series.rows)
        if trusted:
            totals.append((series.label, total.mid / KIB))
        highest = max(highest, total.high / KIB)
        _bar(axes, place, 0.0, user.mid / KIB, series, trusted)
        if kernel.n:
            _bar(axes, place, user.mid / KIB, (total.mid - user.mid) / KIB, series, trusted, alpha=0.4)
        _whisker(axes, place, Interval(total.low / KIB, total.mid / KIB, total.high / KIB, total.n))
        straight = series.rows["server_kernel_bytes_per_connection_r2"].min() >= STRAIGHT_R2
        about = "" if straight else "about "
        said = f"{brief(user.mid / KIB)} + {about}{brief(kernel.mid / KIB)}" if kernel.n else brief(user.mid / KIB)
        _say_end(axes, place, total.high / KIB, f"{said} KiB")
    linear_axis(axes, "x", 0, max(highest, 0.1) * 1.3)
    name_rows(axes, rows)
    if not totals:
        return "No memory cost here is to be believed"
    return f"An open connection costs {spanned(totals, 'KiB')}" + aside(rows)


NOTHING = Interval(float("nan"), float("nan"), float("nan"), 0)


def connection_cost(series: Series) -> tuple[Interval, Interval, Interval]:
    """Give user, kernel and total bytes per connection of the series; the total is summed within each trial."""
    user, kernel = slope(series.rows, "user"), slope(series.rows, "kernel")
    if not (user.n and kernel.n):
        return user, kernel, user
    if series.rows["server_kernel_bytes_per_connection_r2"].min() < NO_LINE_R2:  # there is no line that it could be of
        return user, NOTHING, user
    both = [numbers(series.rows[f"server_{part}_bytes_per_connection"]) for part in ("user", "kernel")]
    total = median_interval(both[0] + both[1])
    if total.n == 1:  # the ends of two intervals added are wider than the interval of the sum: the careful side
        total = Interval(user.low + kernel.low, total.mid, user.high + kernel.high, 1)
    return user, kernel, total


def _bar(axes: Axes, place: int, start: float, length: float, series: Series, trusted: bool, alpha: float = 1.0) -> None:
    style = series.look
    axes.barh(
        [place], [length], left=start, height=0.62, facecolor=style.colour if trusted else "white", alpha=alpha,
        edgecolor=style.colour, linewidth=1.6, gid=f"{'bar' if trusted else 'hollow'}:{series.label}", zorder=2,
    )  # fmt: skip


def _whisker(axes: Axes, place: int, at: Interval) -> None:
    if at.high > at.low:
        axes.plot([at.low, at.high], [place] * 2, color=INK, linewidth=1.2, marker="|", markersize=6, zorder=3)


def _say_end(axes: Axes, place: int, x: float, text: str) -> None:
    axes.annotate(text, (x, place), (7, 0), textcoords="offset points", ha="left", va="center", fontsize=10.5, color=INK)


def shows_delivered(trials: pd.DataFrame, latency: pd.DataFrame) -> bool:
    """True if deliveries were measured."""
    return shows_throughput(ranked(trials))


def draw_delivered(axes: Axes, trials: pd.DataFrame, latency: pd.DataFrame) -> str:
    """Draw a bar for each transport: delivered of offered at the largest load."""
    here = largest(ranked(trials), "offered_per_s")
    rows = rows_of(here)
    tidy(axes, "delivered/s of offered/s (%)", "")
    shares = []
    for place, series in enumerate(rows):
        found = measured(positive(series.rows, "offered_per_s"), "deliveries_per_s")
        share = median_interval(100 * numbers(found["deliveries_per_s"]) / numbers(found["offered_per_s"]))
        if not share.n:
            say_missing(axes, place, series)
            continue
        trusted = believable(series.rows)
        if trusted:
            shares.append((series.label, share.mid))
        _bar(axes, place, 0.0, share.mid, series, trusted)
        _whisker(axes, place, share)
        per_s = median_interval(numbers(found["deliveries_per_s"])).mid
        _say_end(axes, place, share.high, f"{plain(round(share.mid, 1))} %, {brief(per_s)}/s")
    linear_axis(axes, "x", 0, 145)
    axes.set_xticks([0, 25, 50, 75, 100])
    name_rows(axes, rows)
    offered = plain(round(float(np.nanmedian(numbers(here["offered_per_s"]))), 1))
    if not shares:
        return "No delivery rate here is to be believed"
    lost = sum(float(np.nansum(numbers(series.rows["lost"]))) for series in rows if believable(series.rows))
    if not lost and min(share for _, share in shares) >= ALL:
        return f"Of {offered} deliveries/s offered, none was lost" + aside(rows)
    return f"Of {offered} deliveries/s offered, {spanned(shares, '%')} were delivered" + aside(rows)
