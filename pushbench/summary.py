"""The table of a run: one row a cell, each figure the median across its trials with its interval.

It turns `trials` into words and numbers for a terminal, a README or a page; how they are laid out is not known here.
"""

import math
from dataclasses import dataclass

import pandas as pd

from pushbench.checks import Verdict
from pushbench.columns import LOAD
from pushbench.stats import NO_LINE_R2, STRAIGHT_R2, Interval, median_interval

ROUGH = "~"
"""Stands before a slope to which the points do not keep."""
RANGE_ONLY = 5
"""Of so few values, or fewer, the bootstrap interval of the median is their range."""
MARK = "○"
"""Stands before the figures of a cell that are not to be believed; the charts draw the same circle."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One column of the table."""

    heading: str
    column: str
    scale: float = 1.0
    """What the column's values are multiplied by."""
    r2_column: str | None = None
    """For a slope: where its R² is."""

    def said(self, cell: pd.DataFrame) -> str:
        """The figure of one cell's trials, marked if it is not to be trusted."""
        value = median_interval(cell[self.column] * self.scale)
        if value.n == 0:
            return said(value)
        marks = [MARK] if not all_believable(cell) else []
        if self.r2_column and (r2 := cell[self.r2_column].min()) < STRAIGHT_R2:
            marks.append(ROUGH)
            if r2 < NO_LINE_R2:
                return " ".join(marks)
        return " ".join([*marks, said(value)])


FIGURES = (
    Figure("mean latency, ms", "latency_mean_ms"),
    Figure("p50, ms", "latency_p50_ms"),
    Figure("p99, ms", "latency_p99_ms"),
    Figure("deliveries/s", "deliveries_per_s"),
    Figure("server CPU, µs/delivery", "server_cpu_us_per_delivery"),
    *(
        Figure(
            f"{heading}, KiB/conn.",
            f"server_{part}_bytes_per_connection",
            1 / 1024,
            f"server_{part}_bytes_per_connection_r2",
        )
        for heading, part in (("memory", "user"), ("kernel", "kernel"))
    ),
)
"""The figures of the table; one that no trial has is left out."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of texts, and what is to be said below it. A figure's interval follows it in brackets."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def table(trials: pd.DataFrame) -> Table:
    """The table of a run's `trials`, in the scenario's order of cells."""
    keys = varied(trials)
    figures = [figure for figure in FIGURES if trials[figure.column].notna().any()]
    rows = []
    for _, cell in trials.sort_values(["cell", "trial"]).groupby("cell"):
        verdicts = cell["verdict"].astype(str).value_counts().to_dict()
        rows.append(
            (
                *(plain(cell[key].iloc[0]) for key in keys),
                *(figure.said(cell) for figure in figures),
                _ledger(cell),
                ", ".join(f"{count} {name}" if len(verdicts) > 1 else str(name) for name, count in verdicts.items()),
            )
        )
    headings = (*(HEADINGS.get(key, key) for key in keys), *(figure.heading for figure in figures), "lost", "verdict")
    return Table(headings, tuple(rows), tuple(_notes(trials, rough=any(ROUGH in cell for row in rows for cell in row))))


HEADINGS = {"rate_hz": "messages/s", "payload_bytes": "bytes", "poll_interval_ms": "poll interval, ms"}
"""What a load key is called above its column, where its own name is not plain enough."""


def varied(trials: pd.DataFrame) -> list[str]:
    """The load keys that tell the cells apart; always the transport."""
    return [key for key in LOAD if key == "transport" or trials[key].nunique() > 1]


def said(value: Interval) -> str:
    """A figure with three significant digits and, if there is one, its interval: `4.10 (3.95-4.31)`."""
    if value.n == 0:
        return "–"
    if not value.is_interval:
        return digits(value.mid)
    return f"{digits(value.mid)} ({digits(value.low)}–{digits(value.high)})"


def digits(value: float) -> str:
    """Three significant digits, with separators: `12,300`, `4.10`, `0.0123`."""
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(float(f"{value:.2e}"))))
    return f"{round(value, 2 - magnitude):,.{max(0, 2 - magnitude)}f}"


def plain(value: object) -> str:
    """The value of a load key: a text as it is, a number with separators and without a needless fraction."""
    return value if isinstance(value, str) else f"{value:,g}"


def _ledger(cell: pd.DataFrame) -> str:
    known = cell["lost"].dropna()
    if known.empty:
        return "–"
    wrong = {name: int(cell[name].sum()) for name in ("lost", "duplicated", "reordered")}
    said = [f"{wrong['lost']:,}"] + [f"{wrong[name]:,} {name}" for name in ("duplicated", "reordered") if wrong[name]]
    return ", ".join(said)


def _notes(trials: pd.DataFrame, *, rough: bool) -> list[str]:
    counts = sorted(set(trials.groupby("cell").size()))
    if counts[-1] > 1:
        many = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        few = " (of so few, their range)" if counts[-1] <= RANGE_ONLY else ""
        notes = [
            f"Median of {many} trials, each with a fresh server process; in brackets the 95 % bootstrap interval{few}."
        ]
    else:
        notes = ["One trial of each cell: there is nothing to say how far another would differ."]
    return [*notes, *marks_explained(trials, rough=rough)]


def marks_explained(trials: pd.DataFrame, *, rough: bool) -> list[str]:
    """What the marks of a table of these trials mean; `rough` if a slope in it is marked."""
    notes = []
    if not all_believable(trials):
        notes.append(f"{MARK} not to be believed as a figure of the server; the verdicts' reasons say why.")
    if rough:
        notes.append(
            f"{ROUGH} a rough slope, R² below {STRAIGHT_R2} (below {NO_LINE_R2} it is not given): "
            f"so few connections drown in what else the kernel does."
        )
    return notes


def all_believable(trials: pd.DataFrame) -> bool:
    """Whether no trial's numbers are in doubt."""
    return all(Verdict(verdict).believable for verdict in trials["verdict"].astype(str))
