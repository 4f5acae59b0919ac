"""The cast of a trial: the processes that take part. What each has used so far, and that none ends before its time.

It knows their lifetimes and asks the probes; what they do is not known here.
"""

import asyncio
import time
from collections.abc import Collection, Coroutine
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

from pushbench import probes, usage
from pushbench.outage import Mortal
from pushbench.outcome import Machine
from pushbench.publisher import PublisherReport
from pushbench.relay import RelayReport
from pushbench.schedule import NS
from pushbench.swarms import Swarms
from pushbench.target import Running, TargetFailed
from pushbench.usage import Usage
from pushbench.workers import Worker

LOOK_EVERY_S = 0.02
"""How often it is looked whether a process is stopped."""
Came = TypeVar("Came")


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part."""

    server: Running | Mortal | None
    """None if the swarm feeds itself."""
    swarms: Swarms
    publisher: Worker[PublisherReport] | None
    """None without traffic, or if the swarm feeds itself."""
    relay: Worker[RelayReport] | None = None
    """None if the swarm connects to the server itself."""
    looks: "list[_Look]" = field(default_factory=list)
    """Who was stopped, each time that it was looked."""

    @property
    def pids(self) -> dict[str, tuple[int, ...]]:
        """The processes of each role; of a server that is away there is none."""
        parts = {"server": self.server, "swarm": self.swarms, "publisher": self.publisher, "relay": self.relay}
        found = {role: part.pids for role, part in parts.items() if part}
        return {role: pids for role, pids in found.items() if pids}

    def used(self, cores: Collection[int]) -> "Used":
        """What they have used so far. `cores` are those that they run on."""
        usages = {role: tuple(map(usage.read, pids)) for role, pids in self.pids.items()}
        if self.server and self.server.spent and "server" in usages:
            usages["server"] = usage.continued(self.server.spent, usages["server"])
        return Used(time.monotonic_ns(), usages, probes.steal_ns(cores))

    def given(self, before: "Used", after: "Used") -> Machine:
        """What the machine gave to each between two moments."""
        looks = [look.stopped for look in self.looks if before.at_ns <= look.at_ns < after.at_ns]
        shares = {
            role: usage.together(
                [
                    usage.share(then, now, sum(now.pid in stopped for stopped in looks) / len(looks) if looks else 0.0)
                    for then, now in zip(before.usages[role], usages, strict=True)
                ]
            )
            for role, usages in after.usages.items()
            if role in before.usages
        }
        of_ns = after.at_ns - before.at_ns
        stolen = [after.steal_ns[core] - before.steal_ns[core] for core in after.steal_ns]
        return Machine(shares, 100 * max(stolen) / of_ns if stolen else None)

    async def unless_one_ends(self, performance: Coroutine[Any, Any, Came], stopped_s: float) -> Came:
        """Await something, unless one that takes part ends before its time: that is noticed at once.

        Raises WorkerFailed, or TargetFailed, also for a server that is stopped for longer than `stopped_s`.
        """
        awaited = asyncio.ensure_future(performance)
        workers = (*self.swarms.workers, self.publisher, self.relay)
        watching = [asyncio.ensure_future(worker.gone()) for worker in workers if worker]
        watching.append(asyncio.ensure_future(self._look(stopped_s)))
        if self.server:
            watching.append(asyncio.ensure_future(_exit(self.server)))
        try:
            done, _ = await asyncio.wait({awaited, *watching}, return_when=asyncio.FIRST_COMPLETED)
            if awaited not in done:
                await done.pop()
            return await awaited
        finally:
            for one in (awaited, *watching):
                one.cancel()
            await asyncio.gather(awaited, *watching, return_exceptions=True)

    async def _look(self, stopped_s: float) -> NoReturn:
        """Note who is stopped, again and again. Raises TargetFailed for a server that has been for too long."""
        since = time.monotonic_ns()
        while True:
            now = time.monotonic_ns()
            stopped = frozenset(pid for pids in self.pids.values() for pid in pids if probes.is_stopped(pid))
            self.looks.append(_Look(now, stopped))
            stuck = [pid for pid in self.pids.get("server", ()) if pid in stopped]
            if not stuck:
                since = now
            elif now - since >= stopped_s * NS:
                raise TargetFailed(
                    f"the server (process {stuck[0]}) was stopped (SIGSTOP, or a debugger) and did not go on for "
                    f"{stopped_s:g} s; let it go on: kill -CONT {' '.join(map(str, stuck))}"
                )
            await asyncio.sleep(LOOK_EVERY_S)


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at who is stopped."""

    at_ns: int
    stopped: frozenset[int]
    """Their processes."""


async def _exit(server: Running | Mortal) -> NoReturn:
    code = await asyncio.shield(server.exited)
    raise TargetFailed(f"the server ended with exit code {code}")  # its own last words say more, and take precedence


@dataclass(frozen=True, slots=True)
class Used:
    """What a cast had used at one moment."""

    at_ns: int
    usages: dict[str, tuple[Usage, ...]]
    """Of each role's processes."""
    steal_ns: dict[int, int]
    """Of each core."""
