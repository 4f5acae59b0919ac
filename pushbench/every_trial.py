"""The table of every trial: what the medians of the other tables are made from, one row a trial with its verdict.

It turns `trials` into a table of texts as `pushbench.summary` does; how that is laid out is not known here.
"""

from typing import TYPE_CHECKING

import numpy as np

from pushbench import capacity, labels
from pushbench.summary import Figure, Table, answered, digits, varied

if TYPE_CHECKING:
    import pandas as pd

MOST = 9
"""Figures of a trial; with so many the table of some hundreds of trials stays below the size of a chart."""

FIGURES = (
    Figure("p50, ms", "latency_p50_ms"),
    Figure("p99, ms", "latency_p99_ms"),
    Figure("max, ms", "latency_max_ms"),
    Figure("deliveries/s", "deliveries_per_s"),
    Figure("lost", "lost"),
    Figure("server CPU, µs/delivery", "server_cpu_us_per_delivery"),
    Figure("client CPU, µs/delivery", "client_cpu_us_per_delivery"),
    Figure("server CPU, %", "server_cpu_percent"),
    Figure("swarm CPU, %", "swarm_cpu_percent"),
    Figure("all caught up, ms", "recovered_all_ms"),
    Figure("all noticed, ms", "noticed_all_ms"),
    Figure("idle CPU, µs/conn. s", "server_cpu_us_per_connection_s"),
    Figure("memory, KiB/conn.", "server_user_bytes_per_connection", 1 / 1024),
    Figure("connect p99, ms", "connect_p99_ms"),
)
"""In the order of their weight: of those that the run has, the first are shown."""

TIME = (11, 19)
"""Where the time of day is in a moment as it is written."""


def table(trials: "pd.DataFrame") -> Table:
    """Every trial, cell by cell in the scenario's order, and in each in the order of its rounds."""
    ordered = trials.sort_values(["cell", "trial"])
    keys = varied(trials)
    steps = ["search", "step", "outcome"] if capacity.searched(trials) else []
    figures = [figure for figure in FIGURES if trials[figure.column].notna().any()][:MOST]
    rows = zip(
        [labels.cell(row, keys) for row in ordered.to_dict("records")],
        *(ordered[name].astype(str) for name in ("trial", "order", *steps)),
        ordered["started_at"].astype(str).str.slice(*TIME),
        *(_said(ordered, figure) for figure in figures),
        ordered["verdict"].astype(str),
        strict=True,
    )
    return answered(
        Table(
            ("cell", "round", "order", *steps, "begun", *(figure.heading for figure in figures), "verdict"),
            tuple(rows),
            (),
            keys=1,
            columns=("cell", "trial", "order", *steps, "started_at", *(figure.column for figure in figures), "verdict"),
        ),
        trials,
    )


def _said(trials: "pd.DataFrame", figure: Figure) -> list[str]:
    values = trials[figure.column].to_numpy(dtype=np.float64, na_value=np.nan) * figure.scale
    return ["–" if np.isnan(value) else digits(value) for value in values]
