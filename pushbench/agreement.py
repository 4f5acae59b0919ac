"""Do measurements and models agree? Sentences on the cells of a run: where not, by how much, and that the others do.

It turns `trials` into sentences; how these are laid out, and the formulas themselves, are not known here.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pushbench import labels, models, predictions
from pushbench.checks import Verdict
from pushbench.columns import LOAD
from pushbench.stats import Interval, median_interval
from pushbench.summary import digits, varied

if TYPE_CHECKING:
    import pandas as pd

TOLERANCE = 0.1
"""A model is taken to hold within this part of what it says."""
MORE_MS = 5.0
"""And a latency may be so much above it: a request, the event loops and the instrument are in no model."""
LESS_MS = 1.0
"""But only so much below."""

ONE_A_POLL = (0.95, 1.05)
"""So many polls a delivery are one for each update."""
CLAIMED = ("polling", "websocket")
"""The two that Lubbers and Greco compared."""

DOWN, UP = (
    tuple(f"wire_{way}_{part}_bytes_per_delivery" for part in parts)
    for way, parts in (("down", ("payload", "framing", "http", "tcpip")), ("up", ("framing", "http", "tcpip")))
)

COUNTED = ("wire_down_bytes_per_delivery", "wire_up_bytes_per_delivery")
"""What all of that comes to, as the kernel counts it."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of one cell beside its model, in the same unit."""

    cell: str
    """In words."""
    what: str
    unit: str
    measured: Interval
    model: float
    lowest: float
    """From here on up to `highest` a measurement is taken to agree."""
    highest: float

    @property
    def agrees(self) -> bool:
        """Whether the measurement's interval reaches into what is tolerated."""
        return self.measured.low <= self.highest and self.measured.high >= self.lowest

    @property
    def sentence(self) -> str:
        """What was measured, what was expected, and how far that is apart."""
        found = _said(self.measured, self.unit)
        side = "above" if self.measured.mid > self.model else "below"
        tolerated = self.highest if side == "above" else self.lowest
        return (
            f"{self.cell}: {self.what} is {found}, {side} the {digits(self.model)} {self.unit} of the model "
            f"by more than its interval and what is tolerated ({digits(tolerated)} {self.unit})."
        )


def told(trials: "pd.DataFrame") -> list[str]:
    """All there is to say: each disagreement, how many figures agree, and what became of a claim. Empty without models."""
    found = compared(trials)
    if not found:
        return []
    lines = [one.sentence for one in found if not one.agrees]
    for what in dict.fromkeys(one.what for one in found):
        agree = [one for one in found if one.what == what and one.agrees]
        many = sum(one.what == what for one in found)
        if agree:
            within = f"{TOLERANCE:.0%}".replace("%", " %") + (f" and {MORE_MS:g} ms" if agree[0].unit == "ms" else "")
            cells = "the one cell that has a model" if many == 1 else f"{len(agree)} of {many} cells that have a model"
            lines.append(f"{what[0].upper()}{what[1:]} agrees with the model within {within} in {cells}.")
    return [*lines, *claim(trials)]


def disagreements(trials: "pd.DataFrame") -> list[str]:
    """A sentence for each figure of a cell that lies beyond its model by more than its interval and the tolerance."""
    return [one.sentence for one in compared(trials) if not one.agrees]


def compared(trials: "pd.DataFrame") -> list[Compared]:
    """Every figure that a model exists for, cell by cell in the scenario's order.

    Trials of a server at its limit, and those that are not to be believed, take no part: no model is of overload.
    """
    keys = varied(trials) if len(trials) else []
    calm = trials[trials["verdict"].astype(str) == Verdict.OK]
    return [
        one
        for _, rows in calm.sort_values(["cell", "trial"]).groupby("cell", sort=False)
        for one in _of_cell(labels.cell(rows.iloc[0].to_dict(), keys), rows)
    ]


def claim(trials: "pd.DataFrame") -> list[str]:
    """Lubbers and Greco's 871 bytes of headers against 2, beside what polling and WebSocket took here; empty without both.

    Theirs was one update a poll, on a connection that is kept, without compression; so are the cells that are taken.
    """
    if not all(column in trials for column in (*DOWN, *UP, *COUNTED, "requests_per_delivery")):
        return []
    calm = trials[trials["verdict"].astype(str) == Verdict.OK]
    polls, frames = (calm[calm["transport"].isin([name])] for name in CLAIMED)
    polls = polls[polls["requests_per_delivery"].between(*ONE_A_POLL) & (polls["poll_connection"] != "new")]
    frames = frames[frames["compression"] == "none"]
    frame, framed = _median(frames["wire_down_framing_bytes_per_delivery"]), _median(_total(frames))
    if not (len(polls) and math.isfinite(frame) and frame > 0):
        return []
    then = models.LUBBERS_GRECO_POLL_BYTES, models.LUBBERS_GRECO_FRAME_BYTES
    here = []
    for kind, rows in polls.groupby("headers", sort=False):
        http = _median(rows["wire_down_http_bytes_per_delivery"] + rows["wire_up_http_bytes_per_delivery"])
        whole = _median(_total(rows))
        here.append(
            f"with {kind} headers {digits(http)} against {digits(frame)}, {digits(http / frame)} to 1 ({digits(whole)} "
            f"against {digits(framed)} on the wire, payload and TCP/IP included, {digits(whole / framed)} to 1)"
        )
    return [
        f"Lubbers and Greco (2010) reckoned {then[0]} bytes of HTTP headers a poll against {then[1]} bytes of a frame's, "
        f"{then[0] // then[1]} to 1. Here it is {'; '.join(here)}."
    ]


def _of_cell(cell: str, rows: "pd.DataFrame") -> Iterator[Compared]:
    load: Mapping[str, Any] = {key: value for key, value in rows.iloc[0].items() if key in LOAD or key in predictions.KEYS}
    write_us = _median(rows["server_cpu_us_per_delivery"])
    expected = predictions.latency(load, write_us if math.isfinite(write_us) else 0.0)
    found = median_interval(rows["latency_mean_ms"].to_numpy(dtype=np.float64, na_value=np.nan))
    if expected and found.n:
        mean, unsure = expected.mean_ms, expected.unsure_ms
        lowest, highest = mean * (1 - TOLERANCE) - unsure - LESS_MS, mean * (1 + TOLERANCE) + unsure + MORE_MS
        yield Compared(cell, "mean latency", "ms", found, mean, lowest, highest)
    wire = predictions.wire(load)
    if wire and all(column in rows for column in COUNTED):
        found = median_interval(_total(rows).to_numpy(dtype=np.float64, na_value=np.nan))
        if found.n:
            total = wire.total
            yield Compared(
                cell, "traffic for each delivery", "bytes", found, total, total * (1 - TOLERANCE), total * (1 + TOLERANCE)
            )


def _total(rows: "pd.DataFrame") -> "pd.Series[float]":
    total: pd.Series[float] = rows[list(COUNTED)].sum(axis=1, skipna=False)
    return total


def _median(values: "pd.Series[float]") -> float:
    return median_interval(values.to_numpy(dtype=np.float64, na_value=np.nan)).mid


def _said(value: Interval, unit: str) -> str:
    """`310 ms (302–318)`, and without an interval `310 ms`."""
    between = f" ({digits(value.low)}–{digits(value.high)})" if value.is_interval else ""
    return f"{digits(value.mid)} {unit}{between}"
