"""A cluster: the workers of a Dask scheduler, each of which can be one swarm process of a trial.

It knows Dask, which is imported when a cluster is asked for and not before. What the workers do is not known here: a swarm
is spoken to in the same way, whether it is in a process of the run's own or in a thread of a worker.
"""

import asyncio
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from importlib import metadata
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pushbench import environment, machine
from pushbench.placement import Placement
from pushbench.scenario import Load, Scenario
from pushbench.shards import FILES_KEPT, files_each
from pushbench.site import SiteError
from pushbench.transports import ROWS
from pushbench.workers import WorkerFailed

if TYPE_CHECKING:
    from distributed import Client

CONNECT_S = 10.0
"""How long a scheduler may take to answer."""
ANSWER_S = 20.0
"""How long a worker may take to say what it is."""
THERE_S = 20.0
"""How long is waited for workers to be there again that were there when the run began."""
LOOK_EVERY_S = 0.2
CLOSE_S = 2.0


class Cluster:
    """A place for swarms: see `pushbench.site.Site`. Made by `connected`."""

    afar = True

    def __init__(self, client: "Client", address: str) -> None:
        self._client = client
        self._address = address
        self._known: dict[str, dict[str, Any]] = {}
        self._workers: Sequence[str] = ()
        self._count = 0  # of workers, when the run began: so that a trial has as many as another, whoever joins
        self._lacks = ""  # why no more trials can be made
        self.host = _reached_from(address)

    @property
    def described(self) -> dict[str, Any]:
        """What another run must share: how many workers, how many of them on other hosts, and Dask's version."""
        elsewhere = sum(said["clock"] != machine.clock() for said in self._known.values())
        return {"workers": self._count, "on_other_hosts": elsewhere, "distributed": metadata.version("distributed")}

    def meet(self, scenario: Scenario) -> None:
        """Get to know the workers that are there. Raises SiteError, and ScenarioError if they are too few for a cell."""
        self._workers = self._there()
        self._count = len(self._workers)
        if not self._workers:
            raise SiteError(f"the Dask scheduler at {self._address} has no worker: {self._more}")
        try:
            self._introduce(self._workers)
        except WorkerFailed as error:
            raise SiteError(str(error)) from error
        files = min(said["files"] for said in self._known.values())
        for cell in scenario.heaviest:
            count = self._wanted(cell)
            if count > len(self._workers):
                says = (
                    f"{count} swarm processes need a worker each, and {self._address} has {len(self._workers)}; lower it, "
                    f"or {self._more}"
                )
                raise scenario.refusal(cell, "swarms", says)
            each = -(-cell.subscribers // count)
            if (need := each * files_each(cell) + FILES_KEPT) > files:
                says = (
                    f"{cell.subscribers} on {count} workers need {need} open files on each, and one may open {files}; "
                    f"raise that with `ulimit -n {need}` there, or {self._more}"
                )
                raise scenario.refusal(cell, "subscribers", says)

    async def processes(self, load: Load, placement: Placement) -> int:
        """See `pushbench.site.Site.processes`. A worker that was lost may come back, and is waited for."""
        count, began = self._wanted(load), time.monotonic()
        while len(there := await asyncio.to_thread(self._there)) < count:
            if self._is_lost or time.monotonic() - began > THERE_S:
                self._lacks = (
                    f"{count} swarm processes need a worker each, and {self._address} has {len(there)}: {self._more}"
                )
                raise WorkerFailed(self._lacks)
            await asyncio.sleep(LOOK_EVERY_S)
        await asyncio.to_thread(self._introduce, [worker for worker in there if worker not in self._known])
        self._workers = there
        return count

    def executor(self, number: int) -> AbstractAsyncContextManager[Executor]:
        """See `pushbench.site.Site.executor`: one worker, which no other swarm of the trial has."""
        return self._executor(self._workers[number])

    def ensure(self) -> None:
        """See `pushbench.site.Site.ensure`."""
        if self._is_lost:
            raise SiteError(f"the Dask scheduler at {self._address} has gone: start it again, and its workers")
        if self._lacks:
            raise SiteError(self._lacks)

    @asynccontextmanager
    async def _executor(self, worker: str) -> AsyncIterator[Executor]:
        # Impure: two equal calls are two swarms, and not one with one result. Nor may another worker take over.
        executor = self._client.get_executor(workers=[worker], pure=False)
        try:
            yield executor
        finally:
            with suppress(Exception):  # what is left of it if the worker has gone, or the scheduler: nothing
                await asyncio.wait_for(asyncio.to_thread(executor.shutdown, wait=False), CLOSE_S)

    @property
    def _more(self) -> str:
        return f"start more with `dask worker {self._address} --nthreads 1`"

    @property
    def _is_lost(self) -> bool:
        return self._client.status != "running"

    def _wanted(self, load: Load) -> int:
        """How many processes a load has: as many as there are workers, unless it says fewer."""
        if ROWS[load.transport].feeds_itself:
            return 1
        return load.swarms or min(load.subscribers, self._count)

    def _there(self) -> list[str]:
        """The workers that the scheduler has now, in an order of their own."""
        with suppress(Exception):  # of a scheduler that has gone
            return sorted(self._client.scheduler_info(n_workers=-1)["workers"])
        return []

    def _introduce(self, workers: Sequence[str]) -> None:
        """Have workers say what they are. Raises WorkerFailed if one cannot, or has other code than this host."""
        own = introduction()
        asked = {one: self._client.submit(introduction, workers=[one], pure=False) for one in workers}
        for worker, future in asked.items():
            try:
                said = future.result(timeout=ANSWER_S)
            except Exception as error:
                why = " ".join(f"{type(error).__name__}: {error}".split())
                raise WorkerFailed(
                    f"the Dask worker at {worker} cannot say what it is ({why}): is it busy, and has it this pushbench?"
                ) from error
            for what in ("pushbench", "python"):
                if said[what] != own[what]:
                    raise WorkerFailed(
                        f"the Dask worker at {worker} has {what} {said[what]}, and this host {own[what]}: "
                        f"install the same there, and start it anew"
                    )
            self._known[worker] = said


def introduction() -> dict[str, Any]:
    """What a process is: its clock, its code, and how many files it may open."""
    return {
        "clock": machine.clock(),
        "pushbench": environment.code(),
        "python": environment.python(),
        "files": environment.raise_file_limit(),
    }


@contextmanager
def connected(address: str, scenario: Scenario) -> Iterator[Cluster]:
    """A scheduler's cluster, for a scenario. Raises SiteError, and ScenarioError if it is too small."""
    try:
        parts = urlsplit(address)
        known = bool(parts.hostname and parts.port)
    except ValueError:  # of the port, or of brackets
        known = False
    if not known:
        raise SiteError(f"{address} is no address of a Dask scheduler: write it as tcp://HOST:8786")
    try:
        from distributed import Client
    except ImportError as error:
        raise SiteError(f"--cluster needs Dask ({error}): pip install 'pushbench[cluster]'") from None
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("distributed", "tornado"):  # what is to be said of a lost one is said in one line
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, environment.placed().publisher)  # its threads must not disturb the server
    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False, name="pushbench")
    except (OSError, ValueError) as error:  # a timeout is one
        why = " ".join(str(error).split()) or type(error).__name__
        raise SiteError(f"no Dask scheduler answers at {address} ({why}): start one with `dask scheduler`") from None
    finally:
        os.sched_setaffinity(0, before)
    try:
        cluster = Cluster(client, address)
        cluster.meet(scenario)
        yield cluster
    finally:
        with suppress(Exception):
            client.close(timeout=CLOSE_S)


def _reached_from(address: str) -> str:
    """The address of this host by which it reaches the scheduler, and so, it is taken, its workers reach this host."""
    parts = urlsplit(address)
    family, kind, protocol, _, there = socket.getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as towards:
        towards.connect(there)  # of UDP, which sends nothing: the kernel chooses a way
        host: str = towards.getsockname()[0]
        return host
