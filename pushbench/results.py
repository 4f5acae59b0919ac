"""Results: a run is a directory of one `run.json` and four tables. This is where they are written and read.

It knows files and their schema, and nothing of how a trial is made or a chart is drawn.

    run.json          schema version, scenario verbatim, environment, how the machine was doing at the start, placement,
                      command line
    trials.parquet    one row a trial (`pushbench.columns`)
    latency.parquet   histogram buckets: clock (`due` or `sent`), value_ms (upper edge), count
    timeline.parquet  per 100 ms, by time of receipt: at_s, phase, deliveries, {latency,naive}_{p50,p99,max}_ms
    memory.parquet    state (`baseline`, `ramp`, `residual`), connections, server_user_bytes, server_kernel_bytes

The last three name their trial by cell and trial.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pushbench.columns import COLUMNS, LEDGER

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = 2
"""Version of the layout described above. 1: the first. 2: evidence and hint beside a verdict's reason, gaps, what the
machine gave, pacing and disturbances of the load, naive latencies in the time line."""

_TYPES = {"int": pa.int64(), "float": pa.float64(), "str": pa.string()}

TABLES: dict[str, dict[str, str]] = {
    "latency": {"cell": "int", "trial": "int", "clock": "str", "value_ms": "float", "count": "int"},
    "timeline": {
        "cell": "int",
        "trial": "int",
        "at_s": "float",
        "phase": "str",
        "deliveries": "int",
        "latency_p50_ms": "float",
        "latency_p99_ms": "float",
        "latency_max_ms": "float",
        "naive_p50_ms": "float",
        "naive_p99_ms": "float",
        "naive_max_ms": "float",
    },
    "memory": {
        "cell": "int",
        "trial": "int",
        "state": "str",
        "connections": "int",
        "server_user_bytes": "float",
        "server_kernel_bytes": "float",
    },
    "trials": {name: column.type for name, column in COLUMNS.items()},
}
"""The columns of each table. `trials` is written last: a trial is kept once its row is there."""


class ResultsError(Exception):
    """A run cannot be read or written; one line with the way out."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it was read: tidy DataFrames, one row a trial, a bucket, a slice or a plateau."""

    path: Path
    manifest: dict[str, Any]
    """The content of run.json."""
    trials: "pd.DataFrame"
    latency: "pd.DataFrame"
    timeline: "pd.DataFrame"
    memory: "pd.DataFrame"

    @property
    def frames(self) -> dict[str, "pd.DataFrame"]:
        """The four tables by name, as charts take them."""
        return {name: getattr(self, name) for name in ("trials", "latency", "timeline", "memory")}


def load(path: str | os.PathLike[str]) -> Run:
    """Read a run's directory. Raises `ResultsError` if it is none, or is of another schema version."""
    directory = Path(path)
    manifest = read_manifest(directory)
    frames = {}
    for name in TABLES:
        try:
            frames[name] = pq.read_table(directory / f"{name}.parquet").to_pandas()
        except (OSError, pa.ArrowInvalid) as error:
            raise ResultsError(
                f"{directory / name}.parquet cannot be read ({error}); run the scenario again, or go on with --resume"
            ) from None
    frames["trials"] = frames["trials"].astype(dict.fromkeys(LEDGER, "Int64"))  # counts stay whole where some are missing
    return Run(directory, manifest, **frames)


def read_manifest(directory: Path) -> dict[str, Any]:
    """The content of a run's run.json; raises `ResultsError` as `load` does."""
    try:
        manifest = json.loads((directory / "run.json").read_text())
    except (FileNotFoundError, NotADirectoryError):
        raise ResultsError(
            f"{directory} holds no run: there is no run.json in it; `pushbench list` shows the runs"
        ) from None
    except (OSError, ValueError) as error:
        raise ResultsError(f"{directory / 'run.json'} cannot be read: {error}") from None
    if not isinstance(manifest, dict):
        raise ResultsError(f"{directory / 'run.json'} is not a run's: it must hold an object; start a new run")
    if manifest.get("schema") != SCHEMA:
        raise ResultsError(
            f"{directory} has schema version {manifest.get('schema')}, but this pushbench reads {SCHEMA}: "
            f"read it with the version that wrote it ({manifest.get('environment', {}).get('pushbench', 'unknown')})"
        )
    return manifest


class Store:
    """A run's directory while it is being written. Each `add` is on disk, whole or not at all, when it returns."""

    def __init__(self, directory: Path, manifest: Mapping[str, Any]) -> None:
        self.directory = directory
        self.manifest: dict[str, Any] = {"schema": SCHEMA, **manifest}
        self._rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}

    @classmethod
    def create(cls, directory: Path, manifest: Mapping[str, Any]) -> "Store":
        """Begin a new run. Raises `ResultsError` if the directory holds a run already, or cannot be written."""
        if (directory / "run.json").exists():
            raise ResultsError(f"{directory} holds a run already: continue it with --resume, or choose another --out")
        store = cls(directory, manifest)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            store.write()
        except OSError as error:
            raise ResultsError(f"{directory} cannot be written: {error.strerror}; choose another --out") from None
        return store

    @classmethod
    def reopen(cls, directory: Path) -> "Store":
        """Go on with a run that was cut off. Rows of a trial that was not finished are dropped."""
        manifest = read_manifest(directory)
        store = cls(directory, manifest)
        for name in TABLES:
            try:
                store._rows[name] = pq.read_table(directory / f"{name}.parquet").to_pylist()
            except (OSError, pa.ArrowInvalid) as error:
                raise ResultsError(f"{directory / name}.parquet cannot be read ({error}): start a new run") from None
        done = store.done
        for name, rows in store._rows.items():
            store._rows[name] = [row for row in rows if (row["cell"], row["trial"]) in done]
        return store

    @property
    def done(self) -> set[tuple[int, int]]:
        """The (cell, trial) of every trial that is kept, failed ones included."""
        return {(row["cell"], row["trial"]) for row in self._rows["trials"]}

    @property
    def verdicts(self) -> list[str]:
        """The verdict of every trial that is kept."""
        return [row["verdict"] for row in self._rows["trials"]]

    def add(self, trial: Mapping[str, Any], **tables: Iterable[Mapping[str, Any]]) -> None:
        """Keep a trial: its row of `trials`, and the rows of the other tables, without their cell and trial."""
        if unknown := set(trial) - set(COLUMNS):
            raise ValueError(f"trials has no columns {sorted(unknown)}")
        identity = {"cell": trial["cell"], "trial": trial["trial"]}
        for name, rows in tables.items():
            self._rows[name] += [identity | dict(row) for row in rows]
        self._rows["trials"].append(dict(trial))
        try:
            self.write()
        except OSError as error:
            raise ResultsError(
                f"{self.directory} cannot be written: {error.strerror}; finished trials are kept: make room, and --resume"
            ) from None

    def write(self) -> None:
        """Write everything; each file is replaced in one step."""
        for name, columns in TABLES.items():
            schema = pa.schema([(column, _TYPES[kind]) for column, kind in columns.items()])
            table = pa.Table.from_pylist(self._rows[name], schema=schema)
            partial = self.directory / f".{name}.parquet.partial"
            pq.write_table(table, partial, compression="zstd")
            partial.replace(self.directory / f"{name}.parquet")
        partial = self.directory / ".run.json.partial"
        partial.write_text(json.dumps(self.manifest, indent=2, ensure_ascii=False) + "\n")
        partial.replace(self.directory / "run.json")


def runs(parent: Path) -> list[Path]:
    """The runs below a directory, oldest first."""
    found = [path.parent for path in parent.glob("*/run.json")]
    return sorted(found, key=lambda path: (path / "run.json").stat().st_mtime)
