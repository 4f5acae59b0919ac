"""A cluster: the same trial on workers of Dask, and one line for whatever is wrong with them."""

import gc
import os
import re
import sys
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pushbench import cluster as clusters
from pushbench.checks import Verdict
from pushbench.cli import invoke
from pushbench.cluster import Cluster, connected, introduction
from pushbench.run import target_of
from pushbench.scenario import Scenario, ScenarioError, loads
from pushbench.site import SiteError
from pushbench.trial import attempt
from tests.pushbench.dask_cluster import dask, free_port
from tests.pushbench.tiny import PHASES, Phased, load, trial

pytest.importorskip("distributed", reason="Dask is not installed: pip install 'pushbench[cluster]'")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # of Dask's own

SCENARIO = """
title = "Anywhere?"
[load]
transport = "sse"
subscribers = 10
rate_hz = 40
{more}
[phases]
settle_s = 0
warmup_s = 0.1
measure_s = 0.3
"""


def scenario(more: str = "") -> Scenario:
    return loads(SCENARIO.format(more=more), "anywhere.toml")


def state_of_the_process() -> tuple[bool, int, set[int]]:
    """What a trial may have changed in whose thread it ran."""
    return gc.isenabled(), gc.get_freeze_count(), os.sched_getaffinity(0)


async def test_a_trial_on_workers_of_dask_delivers_all_and_leaves_them_as_they_were() -> None:
    with dask(2) as there, connected(there.address, scenario()) as site:
        client = site._client
        before = {
            worker: client.submit(state_of_the_process, workers=[worker], pure=False).result() for worker in site._workers
        }
        for swarms in (0, 1):
            cell = load("websocket", subscribers=11, join_late_percent=18.0, swarms=swarms)
            outcome = await attempt(trial(cell, target_of(cell)), Phased(), site)
            columns = outcome.columns
            assert outcome.judgement.verdict not in (Verdict.FAILED, Verdict.LOSSY), outcome.judgement.said
            assert columns["swarm_processes"] == (swarms or 2)
            assert 9 * 16 + 4 < columns["expected"] == columns["delivered"] < 9 * 16 + 24
            assert columns["clock_uncertainty_ms"] == 0  # they are on this host
            assert columns["wire_down_payload_bytes_per_delivery"] == 128
            assert columns["client_cpu_us_per_delivery"] > 0
            site.ensure()
        for worker, state in before.items():
            assert client.submit(state_of_the_process, workers=[worker], pure=False).result() == state
        with pytest.raises(
            ScenarioError, match=r"anywhere\.toml:7: load\.swarms: 3 swarm processes need a worker each, and tcp"
        ):
            site.meet(scenario("swarms = 3"))


class Killer(Phased):
    """A watch that kills somebody when the trial begins to measure."""

    victims: list[Any]

    def phase(self, name: str, planned_s: float) -> None:
        Phased.phase(self, name, planned_s)
        if name == "measure":
            self.victims.pop().kill()


async def test_a_lost_worker_fails_the_trial_and_a_lost_scheduler_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pushbench.workers.GONE_S", 0.2)
    monkeypatch.setattr(clusters, "THERE_S", 0.2)
    endless = PHASES.model_copy(update={"measure_s": 600.0})
    with dask(3) as there, connected(there.address, scenario("swarms = 2")) as site:
        watch = Killer()
        watch.victims = [there.scheduler, next(one for one in there.workers if one.pid == _pid_of(site, site._workers[1]))]
        lost = await attempt(trial(load("sse", swarms=2), phases=endless), watch, site)
        assert lost.judgement.reason.startswith("the swarm process 2 of 2 (process ")
        assert lost.judgement.reason.endswith("what the others saw is dropped with it, and all earlier trials are kept")
        site.ensure()  # there is another
        gone = await attempt(trial(load("sse", swarms=2), phases=endless), watch, site)
        assert re.match(r"the swarm process [12] of 2 (was given up|\(process \d+\) has gone)", gone.judgement.reason)
        with pytest.raises(
            SiteError, match=f"the Dask scheduler at {there.address} has gone: start it again, and its workers"
        ):
            site.ensure()


def _pid_of(site: Cluster, worker: str) -> int:
    pid: int = site._client.submit(os.getpid, workers=[worker], pure=False).result()
    return pid


# Without a cluster


@pytest.mark.parametrize(
    "address", ["", "scheduler:8786", "tcp://somewhere", "8786", "tcp://a:b", "tcp://a:99999", "tcp://[::1"]
)
def test_an_address_that_is_none_is_told(address: str) -> None:
    with (
        pytest.raises(SiteError, match=r"is no address of a Dask scheduler: write it as tcp://HOST:8786"),
        connected(address, scenario()),
    ):
        pass


def test_a_scheduler_that_does_not_answer_is_told_on_the_command_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(clusters, "CONNECT_S", 0.1)
    nobody = f"tcp://127.0.0.1:{free_port()}"
    assert invoke(["run", "smoke", "--cluster", nobody, "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert re.fullmatch(
        rf"pushbench: no Dask scheduler answers at {nobody} \(.*\): start one with `dask scheduler`\n", said
    )
    assert not (tmp_path / "run").exists()


def test_without_dask_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(SiteError, match=r"^--cluster needs Dask .*: pip install 'pushbench\[cluster\]'$"),
        connected("tcp://127.0.0.1:8786", scenario()),
    ):
        pass


@dataclass
class Client:
    """As much of Dask's as is asked of it."""

    workers: list[str]
    said: Callable[[], dict[str, Any]] = introduction
    status: str = "running"
    asked: list[str] = field(default_factory=list)

    def scheduler_info(self, n_workers: int) -> dict[str, Any]:
        return {"workers": dict.fromkeys(self.workers)}

    def submit(self, work: object, *, workers: list[str], pure: bool) -> Future[dict[str, Any]]:
        assert not pure
        self.asked += workers
        done: Future[dict[str, Any]] = Future()
        try:
            done.set_result(self.said())
        except Exception as error:
            done.set_exception(error)
        return done


def cluster_of(client: Client) -> Cluster:
    return Cluster(client, "tcp://127.0.0.1:8786")  # type: ignore[arg-type]


def test_a_scheduler_without_workers_is_told() -> None:
    with pytest.raises(
        SiteError, match=r"8786 has no worker: start more with `dask worker tcp://127\.0\.0\.1:8786 --nthreads 1`"
    ):
        cluster_of(Client([])).meet(scenario())


def test_a_worker_with_other_code_or_none_is_told() -> None:
    with pytest.raises(SiteError, match=r"^the Dask worker at a has pushbench 0\.0\.1, and this host .*: install the same"):
        cluster_of(Client(["a"], lambda: introduction() | {"pushbench": "0.0.1"})).meet(scenario())

    def fails() -> dict[str, Any]:
        raise ModuleNotFoundError("No module named 'pushbench'")

    with pytest.raises(
        SiteError, match=r"^the Dask worker at a cannot say what it is \(ModuleNotFoundError: No module named"
    ):
        cluster_of(Client(["a"], fails)).meet(scenario())


def test_a_worker_that_may_open_too_few_files_is_told() -> None:
    few = Client(["a", "b"], lambda: introduction() | {"files": 259})
    with pytest.raises(
        ScenarioError, match=r"subscribers: 10 on 2 workers need 261 open files on each, and one may open 259"
    ):
        cluster_of(few).meet(scenario())


@pytest.mark.parametrize(
    ("changes", "count"), [({}, 3), ({"swarms": 2}, 2), ({"subscribers": 2}, 2), ({"transport": "null"}, 1)]
)
async def test_a_trial_has_a_process_on_each_worker_unless_it_says_fewer(changes: dict[str, Any], count: int) -> None:
    client = Client(["c", "a", "b"])
    site = cluster_of(client)
    site.meet(scenario())
    assert site.described["workers"] == 3
    assert site.described["on_other_hosts"] == 0
    client.workers.append("d")  # who joins later changes nothing
    made = trial(load(**changes))
    assert await site.processes(made.load, made.placement) == count


async def test_a_worker_in_the_place_of_one_that_was_lost_is_made_known_and_taken() -> None:
    client = Client(["a", "b"])
    site = cluster_of(client)
    site.meet(scenario())
    client.workers[:] = ["b", "c"]
    made = trial(load())
    assert await site.processes(made.load, made.placement) == 2
    assert client.asked == ["a", "b", "c"]


async def test_without_workers_enough_the_run_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "THERE_S", 0.0)
    client = Client(["a", "b"])
    site = cluster_of(client)
    site.meet(scenario())
    site.ensure()
    client.workers.pop()
    outcome = await attempt(trial(load()), Phased(), site)
    assert outcome.judgement.reason.startswith(
        "2 swarm processes need a worker each, and tcp://127.0.0.1:8786 has 1: start"
    )
    with pytest.raises(SiteError, match="2 swarm processes need a worker each"):
        site.ensure()
