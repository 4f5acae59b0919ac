"""The cast of a trial: the processes that take part. What each has used so far, and that none ends before its time.

It knows their lifetimes and asks the probes; what they do is not known here.
"""

import asyncio
import time
from collections.abc import Collection, Coroutine
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

from pushbench import probes
from pushbench.outage import Mortal
from pushbench.outcome import Machine, Share
from pushbench.publisher import PublisherReport
from pushbench.relay import RelayReport
from pushbench.schedule import NS
from pushbench.swarm import SwarmReport
from pushbench.target import Running, TargetFailed
from pushbench.workers import Worker

LOOK_EVERY_S = 0.02
"""How often it is looked whether a process is stopped."""
LEAST_TICKS = 50
"""Of so many ticks of 10 ms the proportion of user and system is known to about 14 points; of fewer nothing is said."""

Came = TypeVar("Came")


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part."""

    server: Running | Mortal | None
    """None if the swarm feeds itself."""
    swarm: Worker[SwarmReport]
    publisher: Worker[PublisherReport] | None
    """None without traffic, or if the swarm feeds itself."""
    relay: Worker[RelayReport] | None = None
    """None if the swarm connects to the server itself."""
    looks: "list[_Look]" = field(default_factory=list)
    """Who was stopped, each time that it was looked."""

    @property
    def pids(self) -> dict[str, int]:
        """The process of each role; of a server that is away there is none."""
        parts = {"server": self.server, "swarm": self.swarm, "publisher": self.publisher, "relay": self.relay}
        return {role: part.pid for role, part in parts.items() if part and part.pid}

    def used(self, cores: Collection[int]) -> "Used":
        """What they have used so far. `cores` are those that they run on."""
        shares = {
            role: (probes.cpu_ns(pid), probes.wait_ns(pid), probes.user_and_system(pid)) for role, pid in self.pids.items()
        }
        if self.server and "server" in shares:
            (cpu_ns, waits, ticks), (past_cpu_ns, past_waits) = shares["server"], self.server.spent
            if past_cpu_ns:  # another process than before, whose ticks go on from none
                ticks = (0, 0)
            shares["server"] = (past_cpu_ns + cpu_ns, past_waits | waits, ticks)
        return Used(time.monotonic_ns(), shares, probes.steal_ns(cores))

    def given(self, before: "Used", after: "Used") -> Machine:
        """What the machine gave to each between two moments."""
        of_ns = after.at_ns - before.at_ns
        looks = [look.stopped for look in self.looks if before.at_ns <= look.at_ns < after.at_ns]
        shares = {
            role: Share(
                cpu_ns - before.shares[role][0],
                # Of threads that are still there: what an ended one had waited is not in the later sum.
                sum(wait_ns - before.shares[role][1].get(one, 0) for one, wait_ns in waits.items()),
                sum(role in stopped for stopped in looks) / len(looks) if looks else 0.0,
                of_ns,
                _part(before.shares[role][2], ticks),
            )
            for role, (cpu_ns, waits, ticks) in after.shares.items()
            if role in before.shares
        }
        stolen = [after.steal_ns[core] - before.steal_ns[core] for core in after.steal_ns]
        return Machine(shares, 100 * max(stolen) / of_ns if stolen else None)

    async def unless_one_ends(self, performance: Coroutine[Any, Any, Came], stopped_s: float) -> Came:
        """Await something, unless one that takes part ends before its time: that is noticed at once.

        Raises WorkerFailed, or TargetFailed, also for a server that is stopped for longer than `stopped_s`.
        """
        awaited = asyncio.ensure_future(performance)
        workers = (self.swarm, self.publisher, self.relay)
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
            stopped = frozenset(role for role, pid in self.pids.items() if probes.is_stopped(pid))
            self.looks.append(_Look(now, stopped))
            if "server" not in stopped:
                since = now
            elif self.server and now - since >= stopped_s * NS:
                raise TargetFailed(
                    f"the server (process {self.server.pid}) was stopped (SIGSTOP, or a debugger) and did not go on for "
                    f"{stopped_s:g} s; let it go on: kill -CONT {self.server.pid}"
                )
            await asyncio.sleep(LOOK_EVERY_S)


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at who is stopped."""

    at_ns: int
    stopped: frozenset[str]


async def _exit(server: Running | Mortal) -> NoReturn:
    code = await asyncio.shield(server.exited)
    raise TargetFailed(f"the server ended with exit code {code}")  # its own last words say more, and take precedence


@dataclass(frozen=True, slots=True)
class Used:
    """What a cast had used at one moment."""

    at_ns: int
    shares: dict[str, tuple[int, dict[int, int], tuple[int, int]]]
    """For each role, how long it ran, how long each of its threads waited for its core, and ticks in user and kernel."""
    steal_ns: dict[int, int]
    """Of each core."""


def _part(before: tuple[int, int], after: tuple[int, int]) -> float | None:
    """The first of two counts, as a part of what both have grown by; None if they began anew, or grew by too little."""
    user, system = (now - then for then, now in zip(before, after, strict=True))
    return user / (user + system) if min(user, system) >= 0 and user + system >= LEAST_TICKS else None
