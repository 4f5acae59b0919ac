"""The swarms of a trial, from the run's side: one process or several, asked and told as one.

It knows that what several answer can be added up, and by how much their clocks are off this host's. What they are asked,
and where they run, is not known here.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self, TypeVar

from pushbench import machine, probes
from pushbench.clocks import SAME, Clock, Estimate, Round, estimate
from pushbench.control import Note
from pushbench.swarm_report import SwarmReport, merged
from pushbench.workers import Worker

ADDED = ("connected", "distinct", "deliveries", "away", "per_s", "user_bytes")
"""What of several answers is added up."""
WORST = ("late_ns", "p99_ms")
"""Of what the largest counts."""

ROUNDS = 50
"""How often a process on another host is asked for the time."""

Came = TypeVar("Came")


class Swarms:
    """All swarm processes of a trial. Their lifetime is that of the `async with`."""

    def __init__(self, workers: Sequence[Worker[SwarmReport]], afar: bool) -> None:
        """`afar`: they are not processes of this run's, and may be on other hosts."""
        self.workers = tuple(workers)
        self.clocks: list[Clock] = [SAME] * len(self.workers)
        """What each reads."""
        self.late_ns = 0
        """How long after the moment at which the traffic was to begin the last of them was told of it; 0: all before."""
        self._afar = afar
        self._stack = AsyncExitStack()
        self._heard: list[Note] = [{}] * len(self.workers)

    async def __aenter__(self) -> Self:
        try:
            for worker in self.workers:
                await self._stack.enter_async_context(worker)
        except BaseException as error:
            await self._stack.__aexit__(type(error), error, error.__traceback__)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    @property
    def pids(self) -> tuple[int, ...]:
        """Their processes, as far as they can be looked at from here."""
        return () if self._afar else tuple(worker.pid for worker in self.workers)

    @property
    def here(self) -> float:
        """Which part of them, 0 to 1, is on this host."""
        return sum(map(_is_here, self.workers)) / len(self.workers)

    @property
    def latest(self) -> Note:
        """How it goes, by the last that each has told; empty before all have told anything."""
        return together([worker.latest for worker in self.workers])

    def news(self) -> Note:
        """Likewise, if each has told something since the last time that there was any; else empty.

        Who is held up tells nothing, and that proves nothing.
        """
        latest = [worker.latest for worker in self.workers]
        if any(now is before for now, before in zip(latest, self._heard, strict=True)):
            return {}
        self._heard = latest
        return together(latest)

    async def ask(self, within_s: float, **note: Any) -> Note:
        """Send all a note and wait for their answers, which are added up."""
        return together(await _all([worker.ask(within_s, **note) for worker in self.workers]))

    async def user_bytes(self, within_s: float) -> int:
        """The USS of all of them together."""
        if self._afar:
            told: int = (await self.ask(within_s, memory=True))["user_bytes"]
            return told
        return sum(map(probes.user_bytes, self.pids))

    async def synchronise(self, within_s: float) -> None:
        """Find out by how much their clocks are off, and tell them; those on this host read this host's."""
        for number, worker in enumerate(self.workers):
            if not _is_here(worker):
                found = await _off(worker, within_s)
                self.clocks[number] = Clock(found, found)
                await worker.ask(within_s, clock=(found, found))

    async def begin(self, within_s: float, start_ns: int) -> None:
        """Have the traffic begin at that moment; returns when each knows, and has said whether it was in time."""
        self.late_ns = (await self.ask(within_s, measure=start_ns))["late_ns"]

    async def report(self, within_s: float, **note: Any) -> SwarmReport:
        """What they have seen, together, by this host's clock. Raises `WorkerFailed` if one does not say."""
        for number, (worker, clock) in enumerate(zip(self.workers, self.clocks, strict=True)):
            if clock is not SAME:
                self.clocks[number] = Clock(clock.first, await _off(worker, within_s))
        for worker, clock in zip(self.workers, self.clocks, strict=True):
            worker.tell(report=True, clock=(clock.first, clock.last), **note)
        return merged(await _all([worker.report(within_s) for worker in self.workers]))


def _is_here(worker: Worker[SwarmReport]) -> bool:
    return bool(worker.hello["clock"] == machine.clock())


async def _off(worker: Worker[SwarmReport], within_s: float) -> Estimate:
    """By how much a worker's clock is off."""
    rounds = []
    for _ in range(ROUNDS):
        asked_ns = time.monotonic_ns()
        there_ns = (await worker.ask(within_s, time=True))["there_ns"]
        rounds.append(Round(asked_ns, there_ns, time.monotonic_ns()))
    return estimate(rounds)


def together(notes: Sequence[Note]) -> Note:
    """Several notes as one; empty if one of them is."""
    if not all(notes):
        return {}
    said: Note = {name: sum(note[name] for note in notes) for name in ADDED if name in notes[0]}
    for name in WORST:
        if known := [note[name] for note in notes if note.get(name) is not None]:
            said[name] = max(known)
        elif name in notes[0]:
            said[name] = None
    if "unsaid" in notes[0]:
        said["unsaid"] = {who: count for note in notes for who, count in note["unsaid"].items()}
    if "ended" in notes[0]:
        said["ended"] = dict(sum((Counter(note["ended"]) for note in notes), Counter()).most_common())
    return said


async def _all(awaited: Sequence[Coroutine[Any, Any, Came]]) -> list[Came]:
    """What they come to; if one fails nobody waits for the others."""
    tasks = [asyncio.ensure_future(one) for one in awaited]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
