"""The cast of a trial: the processes that take part. What each has used so far, and that none ends before its time.

It knows their lifetimes and asks the probes; what they do is not known here.
"""

import asyncio
import time
from collections.abc import Collection, Coroutine
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from pushbench import probes
from pushbench.outcome import Machine, Share
from pushbench.publisher import PublisherReport
from pushbench.swarm import SwarmReport
from pushbench.target import Running, TargetFailed
from pushbench.workers import Worker

LOOK_EVERY_S = 0.25

Came = TypeVar("Came")


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part."""

    server: Running | None
    """None if the swarm feeds itself."""
    swarm: Worker[SwarmReport]
    publisher: Worker[PublisherReport] | None
    """None without traffic, or if the swarm feeds itself."""

    @property
    def pids(self) -> dict[str, int]:
        """The process of each role."""
        parts = {"server": self.server, "swarm": self.swarm, "publisher": self.publisher}
        return {role: part.pid for role, part in parts.items() if part}

    def used(self, cores: Collection[int]) -> "Used":
        """What they have used so far. `cores` are those that they run on."""
        shares = {role: (probes.cpu_ns(pid), probes.wait_ns(pid)) for role, pid in self.pids.items()}
        return Used(time.monotonic_ns(), shares, probes.steal_ns(cores), len(cores))

    async def unless_one_ends(self, performance: Coroutine[Any, Any, Came], stopped_s: float) -> Came:
        """Await something, unless one that takes part ends before its time: that is noticed at once.

        Raises WorkerFailed, or TargetFailed, also for a server that is stopped for longer than `stopped_s`.
        """
        awaited = asyncio.ensure_future(performance)
        watching = [asyncio.ensure_future(worker.gone()) for worker in (self.swarm, self.publisher) if worker]
        if self.server:
            watching += [asyncio.ensure_future(_exit(self.server)), asyncio.ensure_future(_stop(self.server, stopped_s))]
        try:
            done, _ = await asyncio.wait({awaited, *watching}, return_when=asyncio.FIRST_COMPLETED)
            if awaited not in done:
                await done.pop()
            return await awaited
        finally:
            for one in (awaited, *watching):
                one.cancel()
            await asyncio.gather(awaited, *watching, return_exceptions=True)


async def _exit(server: Running) -> NoReturn:
    code = await asyncio.shield(server.exited)
    raise TargetFailed(f"the server ended with exit code {code}")  # its own last words say more, and take precedence


async def _stop(server: Running, stopped_s: float) -> NoReturn:
    while True:
        since = time.monotonic()
        while probes.is_stopped(server.pid):
            if time.monotonic() - since >= stopped_s:
                raise TargetFailed(
                    f"the server (process {server.pid}) was stopped (SIGSTOP, or a debugger) and did not go on for "
                    f"{stopped_s:g} s; let it go on: kill -CONT {server.pid}"
                )
            await asyncio.sleep(LOOK_EVERY_S)
        await asyncio.sleep(LOOK_EVERY_S)


@dataclass(frozen=True, slots=True)
class Used:
    """What a cast had used at one moment."""

    at_ns: int
    shares: dict[str, tuple[int, int]]
    """For each role, how long it ran and how long it waited for its core."""
    steal_ns: int
    cores: int

    def since(self, before: "Used") -> Machine:
        """What the machine gave to each between two moments."""
        of_ns = self.at_ns - before.at_ns
        return Machine(
            {
                role: Share(cpu_ns - before.shares[role][0], wait_ns - before.shares[role][1], of_ns)
                for role, (cpu_ns, wait_ns) in self.shares.items()
            },
            100 * (self.steal_ns - before.steal_ns) / of_ns / self.cores,
        )
