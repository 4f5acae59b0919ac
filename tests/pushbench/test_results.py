"""Results: what is added is on disk, whole or not at all, and comes back as it was."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from pushbench import results
from pushbench.columns import COLUMNS, LEDGER, MEASURED, SEARCH
from pushbench.environment import CHECKOUT
from pushbench.results import LOCK, SCHEMA, TABLES, ResultsError, Run, Store
from tests.pushbench import frames
from tests.pushbench.full import room_for
from tests.pushbench.written import write_run

MANIFEST = {"title": "Which?", "finished_at": None}


def trial_row(cell: int = 0, trial: int = 1, **changes: Any) -> dict[str, Any]:
    samples = {"int": 3, "float": 2.5, "str": "text", "bool": True}
    row = {name: samples[column.type] for name, column in COLUMNS.items()}
    return row | {"cell": cell, "trial": trial, "verdict": "ok", "reason": ""} | changes


def failed_row(cell: int, trial: int) -> dict[str, Any]:
    row = {name: value for name, value in trial_row(cell, trial).items() if name not in MEASURED}
    return row | {"verdict": "failed", "reason": "it did not start"}


LATENCY = [{"clock": "due", "value_ms": 1.5, "count": 4}, {"clock": "sent", "value_ms": 1.4, "count": 4}]
MEMORY = [
    {
        "state": "ramp",
        "connections": 5,
        "connect_per_s": 2e3,
        "server_user_bytes": 1e6,
        "server_kernel_bytes": 2e5,
        "client_user_bytes": 3e6,
    }
]
TIMELINE = [
    {
        "at_s": -0.1,
        "phase": "warmup",
        "deliveries": 0,
        "latency_p50_ms": float("nan"),
        "latency_p99_ms": float("nan"),
        "latency_max_ms": float("nan"),
    }
]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(tmp_path / "run", MANIFEST)


def test_a_trial_comes_back_as_it_was_added(store: Store) -> None:
    store.add(trial_row(2, 1), latency=LATENCY, timeline=TIMELINE, memory=MEMORY)
    run = results.load(store.directory)
    assert list(run.trials.columns) == list(COLUMNS)
    assert run.trials.iloc[0].to_dict() == trial_row(2, 1)
    of_trial = {"cell": 2, "trial": 1}
    assert run.latency.to_dict("records") == [of_trial | row for row in LATENCY]
    assert run.memory.to_dict("records") == [of_trial | row for row in MEMORY]
    [slice_] = run.timeline.to_dict("records")
    assert (slice_["cell"], slice_["trial"], slice_["phase"], slice_["deliveries"]) == (2, 1, "warmup", 0)
    assert pd.isna(slice_["latency_p50_ms"])


def test_a_failed_trial_is_kept_with_its_reason_and_without_numbers(store: Store) -> None:
    store.add(trial_row(0, 1))
    store.add(failed_row(1, 1))
    trials = results.load(store.directory).trials
    failed = trials.iloc[1]
    assert (failed["verdict"], failed["reason"]) == ("failed", "it did not start")
    assert failed[list(MEASURED)].isna().all()


def test_counts_stay_whole_where_some_are_missing(store: Store) -> None:
    store.add(trial_row(0, 1, lost=0, delivered=10**12 + 1))
    store.add(failed_row(1, 1))
    trials = results.load(store.directory).trials
    assert {str(trials[name].dtype) for name in LEDGER} == {"Int64"}
    assert trials["delivered"][0] == 10**12 + 1


def test_a_run_from_before_there_were_searches_is_read_with_their_columns_empty_and_gone_on_with(store: Store) -> None:
    store.add(trial_row(0, 1))
    path = store.directory / "trials.parquet"
    pq.write_table(pq.read_table(path).drop_columns(list(SEARCH)), path)
    assert results.load(store.directory).trials[list(SEARCH)].isna().all(axis=None)
    del store
    again = Store.reopen(path.parent)
    again.add(trial_row(0, 2, **dict.fromkeys(SEARCH)))
    assert results.load(path.parent).trials[list(SEARCH)].isna().all(axis=None)


def test_some_columns_of_what_is_kept_are_given_in_the_order_of_the_trials(store: Store) -> None:
    store.add(trial_row(1, 1, **dict.fromkeys(SEARCH)))
    store.add(trial_row(0, 1, search=1, step=3, outcome="held"))
    assert store.rows(["cell", "step", "outcome"]) == [
        {"cell": 1, "step": None, "outcome": None},
        {"cell": 0, "step": 3, "outcome": "held"},
    ]
    assert {str(results.load(store.directory).trials[name].dtype) for name in ("search", "step")} == {"Int64"}


def test_a_run_that_nothing_was_added_to_is_empty_and_has_all_columns(store: Store) -> None:
    run = results.load(store.directory)
    assert {name: list(frame.columns) for name, frame in run.frames.items()} == {
        name: list(columns) for name, columns in TABLES.items()
    }
    assert all(frame.empty for frame in run.frames.values())


def test_the_frames_that_charts_are_tested_with_have_the_columns_of_a_run(store: Store) -> None:
    store.add(trial_row(), latency=LATENCY, timeline=TIMELINE, memory=MEMORY)
    made = frames.run(("sse",), trials=1, plateaus=4)
    for name, frame in results.load(store.directory).frames.items():
        assert set(frame.columns) == set(made[name].columns)


def test_the_manifest_has_its_schema_version_and_whatever_was_given(store: Store) -> None:
    assert results.read_manifest(store.directory) == {"schema": SCHEMA, **MANIFEST}


def test_a_column_that_nobody_knows_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match=r"no columns \['latency_ms'\]"):
        store.add(trial_row() | {"latency_ms": 1.0})
    assert store.done == set()


# A run that is cut off, and goes on


def test_that_a_run_is_finished_is_noted_beside_its_trials(store: Store) -> None:
    store.add(trial_row(0, 1), latency=LATENCY)
    store.finish("2026-01-01T00:00:00+00:00")
    run = results.load(store.directory)
    assert run.manifest == {"schema": SCHEMA, **MANIFEST, "finished_at": "2026-01-01T00:00:00+00:00"}
    assert len(run.trials) == 1


def test_a_reopened_run_goes_on_with_what_it_has(store: Store) -> None:
    store.add(trial_row(0, 1), latency=LATENCY)
    store.add(failed_row(1, 1))
    again = Store.reopen(store.directory)
    assert again.done == {(0, 1), (1, 1)}
    assert again.verdicts == ["ok", "failed"]
    again.add(trial_row(0, 2), latency=LATENCY)
    run = results.load(store.directory)
    assert run.trials[["cell", "trial"]].to_numpy().tolist() == [[0, 1], [1, 1], [0, 2]]
    assert len(run.latency) == 2 * len(LATENCY)
    assert run.manifest == {"schema": SCHEMA, **MANIFEST}


def whole_trials(run: Run) -> set[tuple[int, int]]:
    """The trials of a run; each has all its rows in every table, and no row is of another."""
    whole = set(run.trials[["cell", "trial"]].itertuples(index=False, name=None))
    for frame, rows in ((run.latency, LATENCY), (run.timeline, TIMELINE), (run.memory, MEMORY)):
        assert len(frame) == len(rows) * len(whole)
        assert set(frame[["cell", "trial"]].itertuples(index=False, name=None)) == whole
    return whole


class CutOff(BaseException):
    """Stands in for the end of the process."""


@contextmanager
def cut_off_after(replaced: int) -> Iterator[None]:
    """Inside of this so many files are replaced, and not one more."""
    replace = Path.replace
    done = 0

    def replace_some(self: Path, target: Path) -> Path:
        nonlocal done
        if done == replaced:
            raise CutOff
        done += 1
        return replace(self, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", replace_some)
        yield


@pytest.mark.parametrize("replaced", range(len(TABLES)))
def test_wherever_a_write_is_cut_off_the_trials_before_are_kept_whole_and_nothing_of_the_one_that_was_written(
    store: Store, replaced: int
) -> None:
    store.add(trial_row(0, 1), latency=LATENCY, timeline=TIMELINE, memory=MEMORY)
    with cut_off_after(replaced), pytest.raises(CutOff):
        store.add(trial_row(0, 2), latency=LATENCY, timeline=TIMELINE, memory=MEMORY)
    assert whole_trials(results.load(store.directory)) == {(0, 1)}
    again = Store.reopen(store.directory)
    assert again.done == {(0, 1)}
    again.add(trial_row(0, 2), latency=LATENCY, timeline=TIMELINE, memory=MEMORY)
    assert whole_trials(results.load(store.directory)) == {(0, 1), (0, 2)}


@pytest.mark.parametrize("replaced", range(len(TABLES) + 1))
def test_a_run_that_is_cut_off_before_it_has_begun_is_none_and_can_be_begun_again(tmp_path: Path, replaced: int) -> None:
    with cut_off_after(replaced), pytest.raises(CutOff):
        Store.create(tmp_path / "run", MANIFEST)
    assert results.runs(tmp_path) == []
    Store.create(tmp_path / "run", MANIFEST).add(trial_row(), latency=LATENCY, timeline=TIMELINE, memory=MEMORY)
    assert whole_trials(results.load(tmp_path / "run")) == {(0, 1)}


def test_what_is_read_while_a_trial_is_written_is_whole(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.add(trial_row(0, 1), latency=LATENCY, timeline=TIMELINE, memory=MEMORY)
    read = pq.read_table
    number = iter(range(2, 100))

    def add_and_read(path: Path) -> Any:
        table = read(path)
        store.add(trial_row(0, next(number)), latency=LATENCY, timeline=TIMELINE, memory=MEMORY)
        return table

    monkeypatch.setattr(pq, "read_table", add_and_read)
    assert whole_trials(results.load(store.directory)) == {(0, 1)}


def test_no_half_written_file_is_left_beside_the_others(store: Store) -> None:
    store.add(trial_row(), latency=LATENCY)
    everything = {"run.json", LOCK, *(f"{name}.parquet" for name in TABLES)}
    assert {path.name for path in store.directory.iterdir()} == everything
    for name in everything - {LOCK}:  # as a process leaves them that is killed
        (store.directory / f".{name}.partial").write_bytes(b"half of ")
    assert len(results.load(store.directory).trials) == 1
    Store.reopen(store.directory)
    assert {path.name for path in store.directory.iterdir()} == everything


def test_a_run_that_has_fewer_columns_than_today_can_be_gone_on_with(store: Store) -> None:
    store.add(trial_row(0, 1), latency=LATENCY)
    path = store.directory / "trials.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["age_peak_ms"]), path)
    Store.reopen(store.directory).add(trial_row(0, 2))
    trials = results.load(store.directory).trials
    assert list(trials.columns) == list(COLUMNS)
    assert trials["age_peak_ms"].isna().tolist() == [True, False]


# When there is no room


def test_a_trial_that_cannot_be_written_is_refused_in_one_line_and_all_is_as_it_was(store: Store) -> None:
    store.add(trial_row(0, 1), latency=LATENCY, timeline=TIMELINE, memory=MEMORY)
    before = {path.name for path in store.directory.iterdir()}
    for room in range(len(TABLES)):
        with room_for(room), pytest.raises(ResultsError) as error:
            store.add(trial_row(0, 2), latency=LATENCY, timeline=TIMELINE, memory=MEMORY)
        refusal(error, str(store.directory), "No space left on device", "1 finished trials are kept", "--resume")
        assert store.done == {(0, 1)}
        assert {path.name for path in store.directory.iterdir()} == before
        assert whole_trials(results.load(store.directory)) == {(0, 1)}
    store.add(trial_row(0, 2), latency=LATENCY, timeline=TIMELINE, memory=MEMORY)  # somebody has made room
    assert whole_trials(results.load(store.directory)) == {(0, 1), (0, 2)}


def test_an_error_without_words_of_the_systems_is_told_in_its_own() -> None:
    assert results.reason(OSError(errno.ENOSPC, "No space left on device", "file")) == "No space left on device"
    assert results.reason(OSError("Error writing bytes\nto file")) == "Error writing bytes to file"


# What cannot be read or written is told in one line


def refusal(error: pytest.ExceptionInfo[ResultsError], *parts: str) -> None:
    told = str(error.value)
    assert len(told.splitlines()) == 1
    for part in parts:
        assert part in told


def test_a_directory_that_holds_a_run_is_not_written_over(store: Store) -> None:
    store.add(trial_row())
    with pytest.raises(ResultsError) as error:
        Store.create(store.directory, MANIFEST)
    refusal(error, str(store.directory), "--resume", "--out")
    assert len(results.load(store.directory).trials) == 1


def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError) as error:
        Store.create(tmp_path / "file" / "run", MANIFEST)
    refusal(error, str(tmp_path / "file" / "run"), "Not a directory", "another --out")


def test_a_directory_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultsError) as error:
        results.load(tmp_path)
    refusal(error, str(tmp_path), "no run.json", "pushbench list")


@pytest.mark.parametrize("content", ["", "{", "[]", '"run"', "null"])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(ResultsError) as error:
        results.load(tmp_path)
    refusal(error, "run.json")


def test_a_run_of_another_schema_version_is_refused_with_the_commit_that_wrote_it(store: Store) -> None:
    newer = {"schema": SCHEMA + 1, "environment": {"commit": "abc123"}}
    (store.directory / "run.json").write_text(json.dumps(newer))
    for read in (results.load, Store.reopen):
        with pytest.raises(ResultsError) as error:
            read(store.directory)
        refusal(error, f"schema version {SCHEMA + 1}", f"reads {SCHEMA}", "abc123")


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("content", [None, b"no parquet"])
def test_a_table_that_is_missing_or_broken_is_named(store: Store, name: str, content: bytes | None) -> None:
    path = store.directory / f"{name}.parquet"
    path.unlink()
    if content:
        path.write_bytes(content)
    for read in (results.load, Store.reopen):
        with pytest.raises(ResultsError, match=f"{name}.parquet cannot be read"):
            read(store.directory)


def test_runs_are_found_oldest_first(tmp_path: Path) -> None:
    made = [Store.create(tmp_path / name, MANIFEST).directory for name in ("b", "a", "c")]
    for seconds, directory in enumerate(made):
        os.utime(directory / "run.json", (seconds, seconds))
    (tmp_path / "no run").mkdir()
    assert results.runs(tmp_path) == made


def test_the_run_that_was_added_to_last_is_the_newest(tmp_path: Path) -> None:
    one, other = (Store.create(tmp_path / name, MANIFEST) for name in ("one", "other"))
    for seconds, store in enumerate((one, other)):
        os.utime(store.directory / "run.json", (seconds, seconds))
    one.add(trial_row())
    assert results.runs(tmp_path) == [other.directory, one.directory]


def test_where_there_is_no_directory_there_are_no_runs(tmp_path: Path) -> None:
    assert results.runs(tmp_path / "absent") == []


WRITER = """
import sys
from pathlib import Path
from pushbench.results import ResultsError, Store
try:
    Store.reopen(Path(sys.argv[1]))
except ResultsError as error:
    print(error)
"""


def test_a_run_that_another_process_is_writing_is_not_gone_on_with(store: Store) -> None:
    command = [sys.executable, "-c", WRITER, str(store.directory)]
    said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=CHECKOUT).stdout
    assert said.startswith(f"{store.directory} is being written by another pushbench")
    assert len(said.splitlines()) == 1


def test_a_run_from_before_a_column_was_there_has_it_all_the_same(tmp_path: Path) -> None:
    directory = write_run(tmp_path / "run", frames.run(("sse",), trials=2))
    path = directory / "trials.parquet"
    later = ["headers", "poll_connection", "wire_down_bytes_per_delivery"]
    pq.write_table(pq.read_table(path).drop_columns(later), path)
    trials = results.load(directory).trials
    assert list(trials.columns) == list(COLUMNS)
    assert trials[later[:2]].drop_duplicates().to_numpy().tolist() == [["lean", "kept"]]
    assert trials[later[2]].isna().all()
