"""A run: every trial once and in order, each kept as soon as it is made, and nothing that was started outlives it."""

import asyncio
import multiprocessing
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from pushbench import environment, results, run
from pushbench.checks import Judgement, Verdict
from pushbench.columns import LEDGER, MEASURED, SEARCH as SEARCH_COLUMNS
from pushbench.outcome import Outcome
from pushbench.plans import Trial
from pushbench.results import ResultsError, Store
from pushbench.run import execute, give_up, open_store
from pushbench.scenario import Load, Scenario, ScenarioError, loads
from pushbench.site import Site
from pushbench.target import Target, filled
from pushbench.trial import Watch
from tests.pushbench.tiny import GOOD_SERVER, PYTHON, nothing_left_over, servers_below, shell

TOML = """\
title = "Which of the three?"
description = "As short as can be."
charts = ["overview"]

[grid]
transport = ["polling", "sse", "websocket"]

[load]
subscribers = 2
rate_hz = 40
poll_interval_ms = 20

[phases]
settle_s = 0
warmup_s = 0.1
measure_s = 0.3

[repeat]
trials = 2
"""

WAIT_S = 60


def scenario(*overrides: str) -> Scenario:
    return loads(TOML, "three.toml", overrides)


@dataclass(slots=True)
class Attempts:
    """Stands in for the trial: it takes no time, and does as it is told."""

    made: list[Trial] = field(default_factory=list)
    also: Callable[[int], None] = lambda number: None
    """Called with the number of the trial, from 1, before it is made."""

    async def __call__(self, trial: Trial, watch: Watch, site: Site) -> Outcome:
        self.made.append(trial)
        self.also(len(self.made))
        watch.phase("start", 1.0)
        return Outcome(Judgement(Verdict.OK), {"latency_p50_ms": 1.5, "latency_p99_ms": 2.5, "deliveries_per_s": 80.0})


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> Attempts:
    made = Attempts()
    monkeypatch.setattr(run, "attempt", made)
    return made


def rows_of(store: Store) -> list[tuple[int, int, int]]:
    trials = results.load(store.directory).trials
    return [(row["cell"], row["trial"], row["order"]) for row in trials.to_dict("records")]


async def test_every_trial_is_made_once_in_the_scenarios_order(attempts: Attempts, tmp_path: Path) -> None:
    read = scenario()
    store = open_store(read, tmp_path, None, resume=False)
    await execute(read, store)
    assert rows_of(store) == [(cell, trial, order) for order, (cell, trial) in enumerate(read.schedule, start=1)]
    assert [made.load for made in attempts.made] == [read.cells[cell] for cell, _ in read.schedule]
    assert len({made.seed for made in attempts.made}) == 6
    assert store.manifest["finished_at"]


async def test_a_trial_is_kept_with_its_load_and_its_verdict(attempts: Attempts, tmp_path: Path) -> None:
    read = scenario("transport=sse", "trials=1")
    store = open_store(read, tmp_path, None, resume=False)
    await execute(read, store)
    [row] = results.load(store.directory).trials.to_dict("records")
    assert row.items() >= read.cells[0].model_dump().items()
    assert (row["measure_s"], row["verdict"], row["reason"], row["latency_p50_ms"]) == (0.3, "ok", "", 1.5)


async def test_each_trial_is_on_disk_before_the_next_begins(attempts: Attempts, tmp_path: Path) -> None:
    read = scenario()
    store = open_store(read, tmp_path, None, resume=False)
    kept: list[int] = []
    attempts.also = lambda _: kept.append(len(results.load(store.directory).trials))
    await execute(read, store)
    assert kept == [0, 1, 2, 3, 4, 5]


async def test_the_server_gets_the_options_that_the_cell_asks_for(attempts: Attempts, tmp_path: Path) -> None:
    read = scenario("transport=sse", "trials=1", "server_loop=uvloop", "heartbeat_s=3", "longpoll_timeout_s=7")
    await execute(read, open_store(read, tmp_path, None, resume=False))
    target = attempts.made[0].target
    assert target
    command = {filled(word, target.values) for word in target.command}
    assert {"--loop=uvloop", "--heartbeat-s=3", "--longpoll-timeout-s=7"} <= command


async def test_the_run_takes_its_cores_back_whatever_happens(attempts: Attempts, tmp_path: Path) -> None:
    before = os.sched_getaffinity(0)

    def fall(number: int) -> None:
        raise ZeroDivisionError

    attempts.also = fall
    read = scenario()
    with pytest.raises(ZeroDivisionError):
        await execute(read, open_store(read, tmp_path, None, resume=False))
    assert os.sched_getaffinity(0) == before


# What a new run is


def test_a_new_run_says_what_it_is_and_where_it_is_measured(tmp_path: Path) -> None:
    store = open_store(scenario("trials=5"), tmp_path, None, resume=False)
    assert re.fullmatch(r"three-\d{8}-\d{6}", store.directory.name)
    manifest = results.read_manifest(store.directory)
    assert manifest["title"] == "Which of the three?"
    assert manifest["description"] == "As short as can be."
    assert manifest["charts"] == ["overview"]
    assert manifest["scenario"] == {"name": "three", "source": TOML, "overrides": ["trials=5"]}
    assert manifest["environment"]["kernel"]
    assert manifest["at_start"]["load_average"]
    assert set(manifest["placement"]) == {"server", "swarm", "publisher"}
    assert manifest["command"][0] == "pushbench"
    assert manifest["started_at"]
    assert manifest["finished_at"] is None


def test_a_new_run_goes_where_it_is_told(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b"
    assert open_store(scenario(), tmp_path, directory, resume=False).directory == directory


def test_several_workers_without_what_they_share_are_refused_before_the_run_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pushbench.backplane.PROGRAM", "no-such-redis")
    read = scenario("server_workers=[1,2]")
    with pytest.raises(
        ScenarioError, match=r"server_workers: 2 cannot be: no-such-redis is not installed.*apt-get install"
    ):
        open_store(read, tmp_path, tmp_path / "run", resume=False)
    assert not (tmp_path / "run").exists()


def test_more_subscribers_than_files_are_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "raise_file_limit", lambda: 65)
    with pytest.raises(ScenarioError, match="a process may open 65"):
        open_store(scenario(), tmp_path, tmp_path / "run", resume=False)
    assert list(tmp_path.iterdir()) == []


# A run that is cut off, and goes on


async def test_a_run_that_was_cut_off_goes_on_with_what_is_missing(attempts: Attempts, tmp_path: Path) -> None:
    read = scenario()
    store = open_store(read, tmp_path, None, resume=False)

    def cut_off_in_the_third(number: int) -> None:
        if number == 3:
            raise asyncio.CancelledError

    attempts.also = cut_off_in_the_third
    with pytest.raises(asyncio.CancelledError):
        await execute(read, store)
    assert rows_of(store) == [(*trial, order) for order, trial in enumerate(read.schedule[:2], start=1)]
    assert results.read_manifest(store.directory)["finished_at"] is None

    attempts.also = lambda _: None
    again = open_store(read, tmp_path, None, resume=True)
    assert again.directory == store.directory
    await execute(read, again)
    assert rows_of(again) == [(*trial, order) for order, trial in enumerate(read.schedule, start=1)]
    assert len(attempts.made) == 3 + 4
    # The same trial is made with the same seed, whether in one go or not.
    assert attempts.made[2] == attempts.made[3]
    assert results.read_manifest(again.directory)["finished_at"]


async def test_a_trial_that_is_cut_off_with_the_run_is_not_kept_as_one_that_failed(
    attempts: Attempts, tmp_path: Path
) -> None:
    read = scenario()
    store = open_store(read, tmp_path, None, resume=False)

    def told_to_end(number: int) -> None:
        task = asyncio.current_task()
        assert task
        if number == 3:  # the load processes were told too, and are noticed first
            task.cancel()

    attempts.also = told_to_end
    with pytest.raises(asyncio.CancelledError):
        await execute(read, store)
    assert len(attempts.made) == 3
    assert len(rows_of(store)) == 2


async def test_a_run_that_was_finished_is_left_as_it_is(attempts: Attempts, tmp_path: Path) -> None:
    read = scenario()
    store = open_store(read, tmp_path, tmp_path / "run", resume=False)
    await execute(read, store)
    store.finish("2026-01-01T00:00:00+00:00")
    before = {path: path.read_bytes() for path in store.directory.iterdir()}
    await execute(read, open_store(read, tmp_path, tmp_path / "run", resume=True))
    assert len(attempts.made) == 6
    assert {path: path.read_bytes() for path in store.directory.iterdir()} == before


async def test_the_newest_unfinished_run_of_the_scenario_is_the_one_to_go_on_with(
    attempts: Attempts, tmp_path: Path
) -> None:
    read = scenario("trials=1")
    open_store(read, tmp_path, tmp_path / "older", resume=False)
    newer = open_store(read, tmp_path, tmp_path / "newer", resume=False)
    finished = open_store(read, tmp_path, tmp_path / "finished", resume=False)
    await execute(read, finished)
    open_store(loads(TOML, "other.toml"), tmp_path, tmp_path / "other", resume=False)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "run.json").write_text('{"schema": 999}')
    for seconds, name in enumerate(("older", "newer", "finished", "other", "broken")):
        os.utime(tmp_path / name / "run.json", (seconds, seconds))
    assert open_store(read, tmp_path, None, resume=True).directory == newer.directory


async def test_without_an_unfinished_run_there_is_nothing_to_go_on_with(attempts: Attempts, tmp_path: Path) -> None:
    read = scenario("trials=1")
    await execute(read, open_store(read, tmp_path, None, resume=False))
    with pytest.raises(ResultsError, match=r"no unfinished run of three .* without --resume"):
        open_store(read, tmp_path, None, resume=True)


def test_a_run_of_another_scenario_is_not_gone_on_with(tmp_path: Path) -> None:
    open_store(scenario(), tmp_path, tmp_path / "run", resume=False)
    with pytest.raises(ResultsError, match="its scenario differs in overrides, "):
        open_store(scenario("trials=3"), tmp_path, tmp_path / "run", resume=True)


def test_a_run_of_another_environment_is_not_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(scenario(), tmp_path, tmp_path / "run", resume=False)
    there = environment.describe() | {"kernel": "9.9", "uvicorn": "0.1"}
    monkeypatch.setattr(environment, "describe", lambda: there)
    with pytest.raises(ResultsError, match="its environment differs in kernel, uvicorn, "):
        open_store(scenario(), tmp_path, tmp_path / "run", resume=True)


# With real servers


async def test_a_trial_that_failed_stays_in_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read = scenario("transport=[sse,websocket]", "trials=1", "seed=1")
    failing = read.cells[read.schedule[0][0]].transport

    def targets(load: Load) -> Target:
        return shell("echo no license; exit 1") if load.transport == failing else GOOD_SERVER

    store = open_store(read, tmp_path, None, resume=False)
    with nothing_left_over():
        await execute(read, store, targets)
    frames = results.load(store.directory)
    failed, made = (row for _, row in frames.trials.sort_values("order").iterrows())
    assert (failed["transport"], failed["verdict"]) == (failing, "failed")
    assert failed["reason"].endswith("its last lines: no license")
    assert failed[list(MEASURED)].isna().all()
    assert made["verdict"] != "failed"
    assert made["delivered"] == made["expected"] == 2 * 16
    assert made[list(LEDGER)].notna().all()
    for frame in (frames.latency, frames.timeline):
        assert set(frame["cell"]) == {made["cell"]}
    told = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in told] == [f"[1/2] {failing} #1", f"[2/2] {made['transport']} #1"]
    assert "no license" in told[0]


SHORT = ("smoke", "--set=transport=[stream,websocket]", "--set=subscribers=2", "--set=seed=1", "--out=run")


@contextmanager
def running(cwd: Path, *arguments: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """`pushbench run` as a process."""
    # Without git the commit is unknown, so that a change of the checkout meanwhile is none of the run's environment.
    with subprocess.Popen(
        [PYTHON, "-m", "pushbench", "run", *arguments],
        cwd=cwd,
        env={**os.environ, "PATH": "", "COLUMNS": "200"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def stopped_with_all_its_children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Stop a process, so that it starts no more, and return all that it has started."""
    process.send_signal(signal.SIGSTOP)
    return psutil.Process(process.pid).children(recursive=True)


@pytest.mark.slow
def test_a_run_that_is_told_to_end_shows_what_it_has_and_resume_makes_the_rest(tmp_path: Path) -> None:
    with running(tmp_path, *SHORT) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("[1/2] ")
        started = stopped_with_all_its_children(process)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
        said, told = process.communicate(timeout=WAIT_S)
    assert process.returncode == 128 + signal.SIGTERM
    assert told == (
        "pushbench: interrupted; 1 of 2 trials are finished and kept: the same command with --resume goes on from there; "
        "pushbench report run draws the charts\n"
    )
    assert psutil.wait_procs(started, timeout=WAIT_S)[1] == []
    cut_off = results.load(tmp_path / "run")
    assert cut_off.trials["order"].tolist() == [1]
    assert cut_off.manifest["finished_at"] is None
    for word in ("deliveries/s", cut_off.trials["transport"][0], cut_off.trials["verdict"][0]):
        assert word in said
    assert "run/report.html" in said.splitlines()
    assert "pushbench report run</code> draws its charts" in (tmp_path / "run" / "report.html").read_text()
    assert not (tmp_path / "run" / "charts").exists()

    with running(tmp_path, *SHORT, "--resume") as process:
        said, told = process.communicate(timeout=WAIT_S)
    assert process.returncode in (0, 1), told  # 1: on a busy machine a verdict may be another than ok
    assert told.startswith("[1/1] ")
    whole = results.load(tmp_path / "run")
    assert whole.trials["order"].tolist() == [1, 2]
    assert whole.trials.iloc[0].equals(cut_off.trials.iloc[0])
    assert (whole.trials["delivered"] == whole.trials["expected"]).all()
    assert whole.manifest["finished_at"]
    pictures = [line for line in said.splitlines() if line.startswith("run/")]
    assert pictures == ["run/report.html", "run/charts/overview.png"]
    assert all((tmp_path / line).stat().st_size for line in pictures)


def connected_to_a_server_below(pid: int) -> int:
    """How many connections the server of a run has; 0 while there is none."""
    try:
        connections = [one for server in servers_below(pid) for one in server.net_connections("tcp")]
    except psutil.NoSuchProcess:
        return 0
    return [one.status for one in connections].count(psutil.CONN_ESTABLISHED)


@contextmanager
def measuring(cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """`pushbench run` in the middle of its first trial, which would take ten minutes more."""
    with running(cwd, *SHORT, "--set=measure_s=600") as process:
        while connected_to_a_server_below(process.pid) < 3:  # two subscribers and the publisher
            assert process.poll() is None
            time.sleep(0.01)
        yield process


@pytest.mark.slow
def test_a_run_that_is_told_to_end_before_it_has_made_a_trial_says_so_in_one_line(tmp_path: Path) -> None:
    with measuring(tmp_path) as process:
        started = stopped_with_all_its_children(process)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGCONT)
        _, told = process.communicate(timeout=WAIT_S)
    assert process.returncode == 130
    assert told == (
        "pushbench: interrupted before a trial was finished; the same command with --resume goes on from there\n"
    )
    assert psutil.wait_procs(started, timeout=WAIT_S)[1] == []
    assert len(results.load(tmp_path / "run").trials) == 0
    assert not (tmp_path / "run" / "report.html").exists()


@pytest.mark.slow
def test_a_run_that_is_killed_leaves_no_process_behind_even_if_one_is_stopped(tmp_path: Path) -> None:
    with measuring(tmp_path) as process:
        servers_below(process.pid)[0].suspend()
        started = stopped_with_all_its_children(process)
        process.send_signal(signal.SIGKILL)
        process.wait(WAIT_S)
        left = psutil.wait_procs(started, timeout=WAIT_S)[1]
        for one in left:
            one.kill()
    assert len(started) >= 3  # the server, the swarm and the publisher
    assert left == []


def test_load_processes_can_be_given_up_without_asking_them() -> None:
    process = multiprocessing.get_context("spawn").Process(target=signal.pause)
    process.start()
    give_up()
    process.join(WAIT_S)
    assert process.exitcode == -signal.SIGKILL


# Searches

SEARCH = (
    TOML.replace("subscribers = 2\n", "").replace('charts = ["overview"]\n', "")
    + """
[search]
key = "subscribers"
start = 2
limit = 8
precision = 1
objective = "latency_p50_ms < 2"
"""
)


async def test_a_search_goes_by_what_came_of_its_steps_and_goes_on_where_it_was_cut_off(
    attempts: Attempts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read = loads(SEARCH, "search.toml", ["trials=1", "transport=[sse,websocket]"])
    store = open_store(read, tmp_path, None, resume=False)

    def cut_off_in_the_fourth(number: int) -> None:
        if number == 4:
            raise asyncio.CancelledError

    attempts.also = cut_off_in_the_fourth
    with pytest.raises(asyncio.CancelledError):
        await execute(read, store)
    attempts.also = lambda _: None
    await execute(read, open_store(read, tmp_path, None, resume=True))
    trials = results.load(store.directory).trials
    for _, cell in trials.groupby("cell"):
        assert cell["subscribers"].tolist() == [2, 4, 8]
        assert cell["trial"].tolist() == cell["step"].tolist() == [1, 2, 3]
        assert set(cell["outcome"]) == {"held"}
        assert set(cell["search"]) == {1}
    assert trials["order"].tolist() == [1, 2, 3, 4, 5, 6]
    assert attempts.made[3] == attempts.made[4]
    assert results.read_manifest(store.directory)["finished_at"]
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("[1/~")
    assert "subscribers=2 #1, step 1: ok, held, p50 1.5 ms" in told[0]


async def test_trials_that_are_of_no_search_have_empty_columns_of_it(attempts: Attempts, tmp_path: Path) -> None:
    read = scenario("trials=1")
    store = open_store(read, tmp_path, None, resume=False)
    await execute(read, store)
    assert results.load(store.directory).trials[list(SEARCH_COLUMNS)].isna().all(axis=None)
