"""Results: a run is a directory of one `run.json` and four tables. This is where they are written and read.

It knows files and their schema, and nothing of how a trial is made or a chart is drawn.

    run.json          schema version, scenario verbatim, environment, how the machine was doing at the start, placement,
                      command line
    trials.parquet    one row a trial (`pushbench.columns`)
    latency.parquet   histogram buckets: clock (`due` or `sent`), value_ms (upper edge), count
    timeline.parquet  per 100 ms, by time of receipt: at_s, phase, deliveries, {latency,naive}_{p50,p99,max}_ms
    memory.parquet    state (`baseline`, `ramp`, `residual`), connections, connect_per_s, server_{user,kernel}_bytes,
                      client_user_bytes

The last three name their trial by cell and trial. A trial is kept once its row of `trials` is there, which is written
last: rows of the others that are of no such trial were left by a process that was killed, and nobody is shown them.
"""

import fcntl
import json
import os
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pushbench.columns import COLUMNS, LOAD, MEASURED, SEARCH
from pushbench.files import partial_of, write_whole
from pushbench.scenario_keys import Load

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = 2
"""Version of the layout described above. 1: the first. 2: evidence and hint beside a verdict's reason, gaps, what the
machine gave, pacing and disturbances of the load, naive latencies in the time line."""

LOCK = ".lock"
"""The file in a run's directory that whoever writes the run holds a lock on."""

_TYPES = {"int": pa.int64(), "float": pa.float64(), "str": pa.string(), "bool": pa.bool_()}

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
        "connect_per_s": "float",
        "server_user_bytes": "float",
        "server_kernel_bytes": "float",
        "client_user_bytes": "float",
    },
    "trials": {name: column.type for name, column in COLUMNS.items()},
}
"""The columns of each table, in the order in which they are written."""

_SCHEMAS = {
    name: pa.schema([(column, _TYPES[kind]) for column, kind in columns.items()]) for name, columns in TABLES.items()
}


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
    frames = {name: table.to_pandas() for name, table in _read_tables(directory).items()}
    # Counts stay whole where some are missing; the copy has its columns together again, which else are warned of.
    counts = [name for name, column in (MEASURED | SEARCH).items() if column.type == "int"]
    frames["trials"] = _with_later_columns(frames["trials"]).astype(dict.fromkeys(counts, "Int64")).copy()
    later = [name for name in TABLES["memory"] if name not in frames["memory"]]  # in a run from before they were read
    frames["memory"] = frames["memory"].assign(**dict.fromkeys(later, float("nan")))[list(TABLES["memory"])]
    return Run(directory, manifest, **frames)


def _with_later_columns(trials: "pd.DataFrame") -> "pd.DataFrame":
    """The columns of today for a run from before some of them: a key that there was not had its default."""
    defaults = {key: field.default for key, field in Load.model_fields.items()}
    later = {name: defaults.get(name) for name in COLUMNS if name not in trials}
    kinds = {name: "float64" for name in later if name not in LOAD and COLUMNS[name].type != "str"}
    return trials.assign(**later).astype(kinds)[list(COLUMNS)]


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
        commit = manifest.get("environment", {}).get("commit") or "unknown"
        raise ResultsError(
            f"{directory} has schema version {manifest.get('schema')}, but this pushbench reads {SCHEMA}: "
            f"measure anew, or read it with the commit that wrote it ({commit})"
        )
    return manifest


def _read_tables(directory: Path) -> dict[str, pa.Table]:
    """The four tables, without the rows that are of no trial that is kept. Raises `ResultsError`."""
    tables: dict[str, pa.Table] = {}
    for name in reversed(TABLES):  # trials first: what a run at work adds meanwhile is then of a trial that is not kept
        path = directory / f"{name}.parquet"
        try:
            tables[name] = pq.read_table(path)
        except (OSError, pa.ArrowInvalid) as error:
            said = " ".join(str(error).split())
            raise ResultsError(
                f"{path} cannot be read ({said}): take it from a copy of the run if there is one, or start a new run"
            ) from None
    kept = _trial_keys(tables["trials"])
    return {name: tables[name].filter(pc.is_in(_trial_keys(tables[name]), value_set=kept)) for name in TABLES}


def _trial_keys(table: pa.Table) -> pa.Array:
    """For each row one number that stands for its cell and trial."""
    return pc.add(pc.multiply(table["cell"], 1 << 32), table["trial"]).combine_chunks()


class Store:
    """A run's directory while it is being written. Each `add` is on disk, whole or not at all, when it returns.

    What is kept stays in memory as Arrow tables. They are written anew for each trial, and while they were made from rows
    each time the 90th trial of an `overview` took 230 ms; adding to them, it takes 60 (median of five each).
    """

    def __init__(self, directory: Path, manifest: Mapping[str, Any]) -> None:
        self.directory = directory
        self.manifest: dict[str, Any] = {"schema": SCHEMA, **manifest}
        self._tables: dict[str, pa.Table] = {name: schema.empty_table() for name, schema in _SCHEMAS.items()}

    @classmethod
    def create(cls, directory: Path, manifest: Mapping[str, Any]) -> "Store":
        """Begin a new run. Raises `ResultsError` if the directory holds a run already, or cannot be written."""
        if (directory / "run.json").exists():
            raise ResultsError(f"{directory} holds a run already: continue it with --resume, or choose another --out")
        store = cls(directory, manifest)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            store._take()
            store._write_tables(store._tables)
            store._write_manifest()  # the last: the directory holds a run once it is there
        except OSError as error:
            raise ResultsError(f"{directory} cannot be written: {reason(error)}; choose another --out") from None
        return store

    @classmethod
    def reopen(cls, directory: Path) -> "Store":
        """Go on with a run that was cut off. Rows of a trial that was not finished are dropped."""
        store = cls(directory, read_manifest(directory))
        with store._or_refuse():
            store._take()
        read = _read_tables(directory)
        store._tables = {
            name: pa.concat_tables([empty, read[name]], promote_options="default").select(empty.column_names)
            for name, empty in store._tables.items()
        }
        for path in store._paths.values():
            partial_of(path).unlink(missing_ok=True)
        return store

    def _take(self) -> None:
        """Hold the directory as long as this store is there. Raises `ResultsError` if another process does.

        Each writes whole tables, and so undoes what the other has added. The file of the lock stays, and means nothing.
        """
        held = os.open(self.directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        weakref.finalize(self, os.close, held)
        try:
            fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ResultsError(
                f"{self.directory} is being written by another pushbench: wait until it has ended, or choose another --out"
            ) from None

    @property
    def done(self) -> set[tuple[int, int]]:
        """The (cell, trial) of every trial that is kept, failed ones included."""
        trials = self._tables["trials"]
        return set(zip(trials["cell"].to_pylist(), trials["trial"].to_pylist(), strict=True))

    def rows(self, columns: Iterable[str]) -> list[dict[str, Any]]:
        """These columns of every trial that is kept, in the order in which the trials were made."""
        rows: list[dict[str, Any]] = self._tables["trials"].select(list(columns)).to_pylist()
        return rows

    @property
    def verdicts(self) -> list[str]:
        """The verdict of every trial that is kept."""
        verdicts: list[str] = self._tables["trials"]["verdict"].to_pylist()
        return verdicts

    def add(self, trial: Mapping[str, Any], **tables: Iterable[Mapping[str, Any]]) -> None:
        """Keep a trial: its row of `trials`, and the rows of the other tables, without their cell and trial.

        Raises `ResultsError` if they cannot be written; then all is as it was before.
        """
        if unknown := set(trial) - set(COLUMNS):
            raise ValueError(f"trials has no columns {sorted(unknown)}")
        identity = {"cell": trial["cell"], "trial": trial["trial"]}
        added = {name: [identity | dict(row) for row in rows] for name, rows in tables.items()} | {"trials": [dict(trial)]}
        grown = {
            name: pa.concat_tables([table, pa.Table.from_pylist(added.get(name, []), schema=table.schema)])
            for name, table in self._tables.items()
        }
        with self._or_refuse():
            os.utime(self._paths["run"])  # of all runs this one is the newest
            self._write_tables(grown)
        self._tables = grown

    def finish(self, finished_at: str) -> None:
        """Note that all trials are made. Raises `ResultsError` if that cannot be written."""
        self.manifest["finished_at"] = finished_at
        with self._or_refuse():
            self._write_manifest()

    def note(self) -> None:
        """Keep what was added to the manifest. Raises `ResultsError` if that cannot be written."""
        with self._or_refuse():
            self._write_manifest()

    @contextmanager
    def _or_refuse(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ResultsError(
                f"{self.directory} cannot be written: {reason(error)}; "
                f"{len(self.done)} finished trials are kept: make room, and go on with --resume"
            ) from None

    def _write_tables(self, tables: Mapping[str, pa.Table]) -> None:
        """Write all of them, each in one step, `trials` last. Raises OSError."""
        for name in TABLES:
            content = pa.BufferOutputStream()
            pq.write_table(tables[name].combine_chunks(), content, compression="zstd")
            write_whole(self._paths[name], content.getvalue().to_pybytes())

    def _write_manifest(self) -> None:
        text = json.dumps(self.manifest, indent=2, ensure_ascii=False) + "\n"
        write_whole(self._paths["run"], text.encode())

    @property
    def _paths(self) -> dict[str, Path]:
        """The files of the run, by what is in them."""
        return {"run": self.directory / "run.json"} | {name: self.directory / f"{name}.parquet" for name in TABLES}


def reason(error: OSError) -> str:
    """What the system says of it, in one line."""
    return error.strerror or " ".join(str(error).split())


def runs(parent: Path) -> list[Path]:
    """The runs below a directory, oldest first."""
    found = [path.parent for path in parent.glob("*/run.json")]
    return sorted(found, key=lambda path: (path / "run.json").stat().st_mtime)
