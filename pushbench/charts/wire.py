"""Bytes on the wire for each delivery, by what they are for, and what the model says they are in all.

Knows the columns of `trials`.
"""

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from pushbench import predictions
from pushbench.charts.cells import (
    Series,
    believable,
    largest,
    load_of,
    load_said,
    measured,
    notes,
    numbers,
    on_the_shortest_line,
    ranked,
    series_of,
    transports_of,
    trials_said,
    why_nothing,
)
from pushbench.charts.style import GREY, INK, dress, linear_axis, nothing, sheet, tidy
from pushbench.models import Exchange
from pushbench.stats import Interval, median_interval
from pushbench.transports import TRANSPORTS

TITLE = "How many bytes does a delivery take?"
PARTS: dict[str, tuple[str, str, str]] = {
    "payload": ("payload", "#222222", ""),
    "framing": ("framing of the message", "#0072B2", "////"),
    "http": ("HTTP heads", "#E69F00", ""),
    "tls": ("TLS records", "#009E73", "...."),
    "rest": ("what is not taken apart", "#777777", "xxxx"),
    "tcpip": ("TCP/IP heads, ACKs too", "#C9C9C9", ""),
}
"""What bytes are for: its name, its colour, and a hatching that tells the two dark ones apart in a grey print."""
TLS, REST = "tls", "rest"
SELDOM = (TLS, REST)
"""Parts that only some runs have."""
WAYS = {"down": "To the subscriber", "up": "From the subscriber"}
BAR = 0.62


def column(way: str, part: str) -> str:
    """The column with the bytes of one part, one way."""
    return f"wire_{way}_{part}_bytes_per_delivery"


def parts_of(way: str) -> list[str]:
    """The parts that go one way and have a column: a subscriber sends no payload."""
    return [part for part in PARTS if part != REST and (way == "down" or part != "payload")]


def _values(series: Series, way: str) -> dict[str, NDArray[np.float64]]:
    """Each part of the bytes one way for each delivery, a value a trial; where they are not known, what is left."""
    found = {part: numbers(series.rows[column(way, part)]) for part in parts_of(way)}
    rest = np.full(len(series.rows), np.nan)
    if (whole := f"wire_{way}_bytes_per_delivery") in series.rows:
        apart = np.isfinite(found["framing"])
        rest = np.where(apart, np.nan, numbers(series.rows[whole]) - found["tcpip"])
    return {part: rest if part == REST else found[part] for part in PARTS if part in found or part == REST}


def shows_bytes(trials: pd.DataFrame) -> bool:
    """True if bytes were counted."""
    wanted = [column(way, part) for way in WAYS for part in parts_of(way)]
    return all(name in trials for name in wanted) and not measured(ranked(trials), column("down", "tcpip")).empty


def bytes_on_the_wire(trials: pd.DataFrame) -> Figure:
    """Draw a bar for each series, down and up apart, of the parts on top of each other; a mark is the model's total."""
    if not shows_bytes(trials):
        return nothing(TITLE, why_nothing(trials, "Bytes on the wire were not counted."))
    here = largest(on_the_shortest_line(ranked(measured(trials, column("down", "tcpip")))), column("down", "tcpip"))
    rows = series_of(here)[::-1]
    figure = sheet(12.5, 2.6 + 0.42 * len(rows))
    panels = figure.subplots(1, 2, sharey=True)
    reach = 0.0
    for axes, (way, said) in zip(panels, WAYS.items(), strict=True):
        tidy(axes, "bytes for each delivery", "", said)
        reach = max(reach, _draw(axes, rows, way))
        axes.grid(visible=False, axis="y")
    for axes in panels:
        linear_axis(axes, "x", 0, reach * 1.28)
    panels[0].set_yticks(range(len(rows)), [series.label for series in rows])
    panels[0].set_ylim(-0.6, len(rows) - 0.4)
    panels[1].tick_params(labelleft=False)
    legend: list[Artist] = [
        Patch(facecolor=colour, hatch=hatch, edgecolor="white", linewidth=0, label=said)
        for part, (said, colour, hatch) in PARTS.items()
        if part not in SELDOM or any(np.isfinite(_values(series, "down")[part]).any() for series in rows)
    ]
    if any(_model(series) for series in rows):
        legend.append(Line2D([], [], color=INK, linestyle="none", marker="|", markersize=13, label="model, in all"))
    if not all(believable(series.rows) for series in rows):
        legend.append(Patch(facecolor="white", edgecolor=GREY, alpha=0.5, label="pale: not to be believed"))
    load = load_said(float(here["subscribers"].iloc[0]), float(here["rate_hz"].iloc[0]))
    payload = sorted(float(size) for size in here["payload_bytes"].unique())
    size = f", {payload[0]:,.0f} bytes each" if len(payload) == 1 else ""
    counts = [median_interval(total_of(series, "down")).n for series in rows]
    subtitle = f"{load}{size}. {trials_said(counts)}."
    told = notes(trials)
    if by_udp := [name for name in transports_of(here) if name in TRANSPORTS and TRANSPORTS[name].quic]:
        told.append(
            f"{', '.join(by_udp)}: heads are of UDP/IP; what is in a packet of QUIC, ACKs too, nobody can see from outside"
        )
    return dress(figure, TITLE, subtitle, legend, told)


def total_of(series: Series, way: str) -> NDArray[np.float64]:
    """All bytes one way for each delivery, a value a trial."""
    parts = _values(series, way)
    whole = np.isfinite(parts[REST])
    known = np.array(
        [value if part == "tcpip" else np.where(whole, 0, value) for part, value in parts.items() if part not in SELDOM]
    )
    # Of what goes in the clear nothing is said of TLS.
    total: NDArray[np.float64] = known.sum(axis=0) + sum(np.nan_to_num(parts[part]) for part in SELDOM)
    return total


def _draw(axes: Axes, rows: list[Series], way: str) -> float:
    """Draw the bars of one way, with their totals behind them, and give how far they reach."""
    reach = 1.0
    for place, series in enumerate(rows):
        alpha = 1.0 if believable(series.rows) else 0.4
        total = median_interval(total_of(series, way))
        left = 0.0
        for part, values in _values(series, way).items():
            _, colour, hatch = PARTS[part]
            width = median_interval(values).mid
            if not np.isfinite(width):
                continue
            axes.barh(
                place, width, BAR, left, color=colour, hatch=hatch, edgecolor="white", linewidth=0, alpha=alpha,
                gid=f"bar:{series.label}:{part}",
            )  # fmt: skip
            left += width
        model = _model(series)
        expected = getattr(model, way).total if model else 0.0
        if model:
            axes.plot(
                [expected] * 2,
                [place - 0.42, place + 0.42],
                color=INK,
                linewidth=1.1,
                zorder=4,
                gid=f"model:{series.label}",
            )
        reach = max(reach, left, total.high if total.n else 0.0, expected)
        both = median_interval(total_of(series, "down") + total_of(series, "up")).mid
        axes.annotate(
            _said(total) + (f"; both ways {both:,.0f}" if way == "up" and np.isfinite(both) else ""),
            (max(left, expected), place), (6, 0), textcoords="offset points", va="center", fontsize=9.5, color=INK,
        )  # fmt: skip
    return reach


def _model(series: Series) -> Exchange | None:
    return predictions.wire(load_of(series))


def _said(total: Interval) -> str:
    """A total in full; with an interval only where that is wider than a byte."""
    if not total.n:
        return "not measured"
    if not total.is_interval or total.high - total.low < 1:
        return f"{total.mid:,.0f}"
    return f"{total.mid:,.0f} ({total.low:,.0f}–{total.high:,.0f})"
