"""Latency percentiles by how many packets the line loses, a panel for each share, and what the transports cost meanwhile.

Knows the columns of `trials` and `latency`. What never comes has no latency: how much that is is said beside the curves.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pushbench.charts.cells import (
    Series,
    believable,
    largest,
    load_said,
    measured,
    notes,
    numbers,
    ranked,
    series_of,
    transports_of,
    trials_said,
    why_nothing,
)
from pushbench.charts.marks import hollow_key, keys, naive_told, naive_values
from pushbench.charts.percentiles import SHOWN_FROM, SPARE, draw_curves, nines_axis
from pushbench.charts.style import brief, counted, dress, log_axis, nothing, sheet, tidy
from pushbench.labels import drawn, plain

TITLE = "What does a lossy line cost?"
LOSS = "loss_percent"
MOST_PANELS = 4
CPU = "server_cpu_us_per_delivery"


def shows_by_loss(trials: pd.DataFrame, latency: pd.DataFrame) -> bool:
    """True if latency was measured at two shares of loss or more."""
    return LOSS in trials and not latency.empty and bool(measured(trials, "latency_p50_ms")[LOSS].nunique() >= 2)


def latency_by_loss(trials: pd.DataFrame, latency: pd.DataFrame) -> Figure:
    """Draw a percentile curve for each transport, in a panel for each share of loss: the least ones, at most four."""
    if not shows_by_loss(trials, latency):
        return nothing(TITLE, why_nothing(trials, "Latency was not measured at two shares of lost packets (loss_percent)."))
    here = largest(ranked(measured(trials, "latency_p50_ms")), "latency_p50_ms")
    if here.empty:
        return nothing(TITLE, why_nothing(trials, "Only floors were measured."))
    shares = sorted(here[LOSS].unique())
    shown = shares[:MOST_PANELS]
    figure = sheet(max(8.5, 0.6 + 4.4 * len(shown)), 6.6)
    grid = figure.subplots(1, len(shown), squeeze=False, sharex=True, sharey=True)[0]
    values, nines, few = list[NDArray[np.float64]](), 1.0, list[str]()
    for axes, share in zip(grid, shown, strict=True):
        at = here[here[LOSS] == share]
        first = axes is grid[0]
        tidy(
            axes,
            "percentile of deliveries",
            "latency from due time (ms)" if first else "",
            f"{plain(share)} % of packets lost",
        )
        curves, missing = draw_curves(axes, series_of(at, along=(LOSS,)), latency)
        values += [one.value_ms[one.nines >= SHOWN_FROM] for one in curves]
        nines = max([nines, *(float(one.nines[-1]) for one in curves)])
        few += missing
    for axes in grid:
        nines_axis(axes, nines)
        log_axis(axes, "y", np.concatenate([*values, naive_values(figure, since=SHOWN_FROM)]))
        axes.tick_params(labelleft=axes is grid[0])
    told = [f"A curve stops where fewer than {SPARE} deliveries were slower.", *notes(trials)]
    told += [*_never_came(here), *_cost(here)]
    naive_key, same = naive_told(figure, compared=True)
    if naive_key:
        told.append("naive: latency from the moment of sending instead, drawn where it differs by a tenth or more")
    if few:
        told.append("too few deliveries for a curve: " + "; ".join(dict.fromkeys(few)))
    if len(shares) > len(shown):
        told.append(f"{counted(len(shares) - len(shown), 'larger share')} not shown")
    all_series = series_of(here, along=(LOSS,))
    legend = [*keys(all_series), *naive_key, *([] if believable(here) else [hollow_key()])]
    load = load_said(float(here["subscribers"].iloc[0]), float(here["rate_hz"].iloc[0]))
    line = f", {plain(here['rtt_ms'].iloc[0])} ms round trip" if here["rtt_ms"].nunique() == 1 else ""
    each = trials_said(here.groupby("cell").size()).split(":")[0]
    added = ", their histograms added up" if here.groupby("cell").size().max() > 1 else ""
    return dress(figure, TITLE, f"{load}{line}. {each}{added}.{same}", legend, told)


def _never_came(here: pd.DataFrame) -> Iterator[str]:
    """Of those where it is so by design: which part of the deliveries never came."""
    parts = []
    for series in _lossy(here):
        said = []
        for share, rows in series.rows.groupby(LOSS, sort=True):
            lost = float(rows["lost"].sum() / rows["expected"].sum() * 100)
            said.append(f"{brief(lost)} % at {plain(share)} % loss")
        parts.append(f"{series.label}: {', '.join(said)}")
    if parts:
        yield "never came, and have no latency: " + "; ".join(parts)


def _lossy(here: pd.DataFrame) -> Iterator[Series]:
    for series in series_of(here, along=(LOSS,)):
        if (series.rows["lost"] > 0).any():
            yield series


def _cost(here: pd.DataFrame) -> Iterator[str]:
    """What the server paid for a delivery: where it is much more, that is a price of the curve beside it."""
    least = here[here[LOSS] == here[LOSS].min()]
    parts = []
    for name in transports_of(least):
        found = numbers(measured(least[least["transport"] == name], CPU)[CPU])
        if found.size:
            parts.append(f"{drawn(name)} {brief(float(np.median(found)))}")
    if parts:
        yield f"server CPU a delivery at {plain(here[LOSS].min())} % loss, µs: {', '.join(parts)}"
