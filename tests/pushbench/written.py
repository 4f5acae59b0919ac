"""Synthetic runs on disk, made of the frames that charts are tested with."""

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pushbench.results import Store

MANIFEST: dict[str, Any] = {
    "title": "Who delivers <first>?",
    "description": "As short as can be.",
    "charts": ["overview", "latency_percentiles"],
    "scenario": {"name": "made_up", "source": 'title = "Who delivers <first>?"', "overrides": ["trials=3"]},
    "environment": {"cpu": "Abacus & Sons", "kernel": "6.1", "commit": None, "pushbench": "0.1.0"},
    "placement": {"server": [0], "swarm": [1], "publisher": [1]},
    "command": ["pushbench", "run", "made_up"],
    "started_at": "2026-01-01T00:00:00+00:00",
    "finished_at": "2026-01-01T00:10:00+00:00",
}


def write_run(directory: Path, frames: Mapping[str, pd.DataFrame], **manifest: Any) -> Path:
    """Write the frames of a run, and what its manifest has beside or instead of the usual, into a directory."""
    store = Store.create(directory, MANIFEST | manifest)
    trials = frames["trials"].sort_values("order")
    for row in trials.to_dict("records"):
        tables = {
            name: _rows(frame[(frame["cell"] == row["cell"]) & (frame["trial"] == row["trial"])])
            for name, frame in frames.items()
            if name != "trials"
        }
        store.add({str(name): None if pd.isna(value) else value for name, value in row.items()}, **tables)
    return directory


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    records: list[dict[Hashable, Any]] = frame.drop(columns=["cell", "trial"]).to_dict("records")
    return [{str(name): value for name, value in record.items()} for record in records]
