"""How many times: each transport's figures beside those of one baseline, at the same load, paired by round.

It turns `trials` into a table of texts as `pushbench.summary` does; how that is laid out is not known here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pushbench.columns import LOAD
from pushbench.glossary import TIMES
from pushbench.labels import HEADINGS, entry
from pushbench.stats import NO_LINE_R2, STRAIGHT_R2, paired_ratio
from pushbench.summary import MARK, ROUGH, Table, all_believable, answered, digits, marks_explained, said
from pushbench.transports import FLOORS, TRANSPORTS

if TYPE_CHECKING:
    import pandas as pd

BASELINE = "websocket"
"""What the others are compared with; where a run has it not, the last transport of the table that it has."""

LEFT_OUT = frozenset(FLOORS)
"""Rows of which no ratio is told, and which are no baseline."""

LEAST_ROUNDS = 3
"""From so many rounds on an interval is given; with two it is the whole axis, or luck."""

NOT_SHOWN = "no difference shown"
"""Stands for a ratio whose interval has 1 inside: to quote the number would claim what the rounds do not show."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """One column of the table."""

    heading: str
    column: str
    r2_column: str | None = None
    """For a slope: where its R² is."""

    def said(self, transport: "pd.DataFrame", baseline: "pd.DataFrame") -> str:
        """The ratio of two cells, marked if either is not to be trusted."""
        above, below = (cell.set_index("trial")[self.column] for cell in (transport, baseline))
        value = paired_ratio(above, below.reindex(above.index))
        if value.n == 0:
            return said(value)
        marks = [] if all_believable(transport) and all_believable(baseline) else [MARK]
        if self.r2_column and (r2 := min(cell[self.r2_column].min() for cell in (transport, baseline))) < STRAIGHT_R2:
            marks.append(ROUGH)
            if r2 < NO_LINE_R2:
                return " ".join(marks)
        text = said(value) if value.n >= LEAST_ROUNDS else digits(value.mid)
        if value.n >= LEAST_ROUNDS and value.low <= 1 <= value.high:
            text = f"{NOT_SHOWN} ({text.partition(' (')[2]}"
        return " ".join([*marks, text])


RATIOS = (
    Ratio("p50", "latency_p50_ms"),
    Ratio("p99", "latency_p99_ms"),
    Ratio("server CPU/delivery", "server_cpu_us_per_delivery"),
    Ratio("memory/conn.", "server_user_bytes_per_connection", "server_user_bytes_per_connection_r2"),
)
"""The figures that are compared; one that no trial has is left out."""


def table(trials: "pd.DataFrame") -> Table | None:
    """The ratios of a run, load by load in the scenario's order; None if no two transports met the same load."""
    known = trials[~trials["transport"].isin(LEFT_OUT)].sort_values(["cell", "trial"])
    base = _baseline(known["transport"].unique())
    figures = [figure for figure in RATIOS if known[figure.column].notna().any()]
    keys = [key for key in LOAD if key != "transport" and key in known]
    varying = [key for key in keys if known[key].nunique() > 1]
    rows, compared = [], []
    for _, load in known.groupby(keys, sort=False, dropna=False):
        cells = {str(transport): cell for transport, cell in load.groupby("transport", sort=False)}
        if base not in cells or len(cells) < 2:
            continue
        compared.append(load)
        for transport, cell in cells.items():
            if transport != base:
                at = [entry(transport, key, cell[key].iloc[0]) for key in varying]
                rows.append((transport, *at, *(figure.said(cell, cells[base]) for figure in figures)))
    if not rows or not figures:
        return None
    headings = [HEADINGS.get(key, key) for key in varying] + [f"{figure.heading}, × {base}" for figure in figures]
    rough = any(ROUGH in text for row in rows for text in row)
    marks = [note for load in compared for note in marks_explained(load, rough=rough)]
    rounds = max(load["trial"].nunique() for load in compared)
    made = Table(
        ("transport", *headings),
        tuple(rows),
        (_how(base, rounds), *dict.fromkeys(marks)),
        keys=1 + len(varying),
        columns=("transport", *varying, *(f"{TIMES}{figure.column}" for figure in figures)),
    )
    return answered(made, known)


def _baseline(transports: Iterable[str]) -> str:
    """The transport to compare with; empty if none of these is in the table of transports."""
    here = set(transports)
    if BASELINE in here:
        return BASELINE
    return next((name for name in reversed(TRANSPORTS) if name in here), "")


def _how(base: str, rounds: int) -> str:
    """What the figures are."""
    if rounds < LEAST_ROUNDS:
        enough = f"an interval needs at least {LEAST_ROUNDS}"
        return f"How many times {base} at the same load, in {'one round' if rounds == 1 else f'{rounds} rounds'}: {enough}."
    return (
        f"How many times {base} at the same load: geometric mean of the ratios in {rounds} rounds, in brackets Student's "
        f"95 % interval, each by itself. Where 1 is inside, no difference is shown."
    )
