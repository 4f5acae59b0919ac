"""Results: what is added is on disk, whole or not at all, and comes back as it was."""

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pushbench import results
from pushbench.columns import COLUMNS, LEDGER, MEASURED
from pushbench.results import SCHEMA, TABLES, ResultsError, Store
from tests.pushbench import frames

MANIFEST = {"title": "Which?", "finished_at": None}


def trial_row(cell: int = 0, trial: int = 1, **changes: Any) -> dict[str, Any]:
    samples = {"int": 3, "float": 2.5, "str": "text"}
    row = {name: samples[column.type] for name, column in COLUMNS.items()}
    return row | {"cell": cell, "trial": trial, "verdict": "ok", "reason": ""} | changes


def failed_row(cell: int, trial: int) -> dict[str, Any]:
    row = {name: value for name, value in trial_row(cell, trial).items() if name not in MEASURED}
    return row | {"verdict": "failed", "reason": "it did not start"}


LATENCY = [{"clock": "due", "value_ms": 1.5, "count": 4}, {"clock": "sent", "value_ms": 1.4, "count": 4}]
MEMORY = [{"state": "ramp", "connections": 5, "server_user_bytes": 1e6, "server_kernel_bytes": 2e5}]
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


@pytest.mark.parametrize("replaced", range(len(TABLES) + 1))
def test_wherever_a_write_is_cut_off_a_trial_is_kept_whole_or_not_at_all(
    store: Store, replaced: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add(trial_row(0, 1), latency=LATENCY, memory=MEMORY)

    class CutOff(Exception):
        pass

    done = 0
    replace = Path.replace

    def replace_some(self: Path, target: Path) -> Path:
        nonlocal done
        if done == replaced:
            raise CutOff
        done += 1
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", replace_some)
    with pytest.raises(CutOff):
        store.add(trial_row(0, 2), latency=LATENCY, memory=MEMORY)
    monkeypatch.undo()
    again = Store.reopen(store.directory)
    again.write()
    run = results.load(store.directory)
    whole = {(0, 1), (0, 2)} if replaced == len(TABLES) else {(0, 1)}
    assert again.done == whole
    for frame, rows in ((run.latency, LATENCY), (run.memory, MEMORY)):
        assert len(frame) == len(rows) * len(whole)
        assert set(frame[["cell", "trial"]].itertuples(index=False, name=None)) == whole


def test_no_half_written_file_is_left_beside_the_others(store: Store) -> None:
    store.add(trial_row(), latency=LATENCY)
    assert {path.name for path in store.directory.iterdir()} == {"run.json", *(f"{name}.parquet" for name in TABLES)}


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


def test_a_run_of_another_schema_version_is_refused_with_the_version_that_wrote_it(store: Store) -> None:
    newer = {"schema": SCHEMA + 1, "environment": {"pushbench": "9.8.7"}}
    (store.directory / "run.json").write_text(json.dumps(newer))
    for read in (results.load, Store.reopen):
        with pytest.raises(ResultsError) as error:
            read(store.directory)
        refusal(error, f"schema version {SCHEMA + 1}", f"reads {SCHEMA}", "9.8.7")


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


def test_where_there_is_no_directory_there_are_no_runs(tmp_path: Path) -> None:
    assert results.runs(tmp_path / "absent") == []
