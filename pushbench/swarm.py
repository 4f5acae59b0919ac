"""The swarm: a process with many subscribers. It connects them, lets them record, and reports.

The run tells it by the control channel what to do next: connect so many, get ready to measure, disconnect, report. It
knows transports only by the table's row that it is given, and makes no judgement on what it saw.
"""

import asyncio
import gc
import os
import random
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import uvloop

from clients.subscription import Subscription
from pushbench import age, histogram, ledger, timeline
from pushbench.control import Address, Channel, Note, connect
from pushbench.recorder import Recorder
from pushbench.schedule import Schedule
from pushbench.transports import Transport

CONNECTING = 32
"""How many subscribers connect at the same time."""
LAG_EVERY_NS = 10_000_000
"""How often the event loop's lag is taken."""
TELL_EVERY_S = 0.1
LIVE_SAMPLE = 500
"""From how many of the latest deliveries a live p99 is taken."""
ENDS_TOLD = 20
"""How many different reasons for an end are reported."""


@dataclass(frozen=True, slots=True)
class SwarmPlan:
    """What a swarm is told when it is made."""

    control: Address
    transport: Transport
    subscribers: int
    poll_interval_s: float
    schedule: Schedule | None
    """None if nothing will be published."""
    seed: int
    cores: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SwarmReport:
    """What it has to say in the end. Every part can be added to that of another swarm."""

    ledger: ledger.Ledger
    age: age.Age
    timeline: timeline.Timeline
    due_histogram: bytes
    """Received − due, of the measured messages; encoded."""
    sent_histogram: bytes
    """Received − sent, of the measured messages; encoded."""
    deliveries_in_window: int
    connect_ns: tuple[int, ...]
    """For each subscriber that connected, how long that took."""
    connecting_ns: int
    """How long the connecting took in all, pauses for plateaus not counted."""
    lag_ns: tuple[int, ...]
    """How late the event loop came to a timer, from the warm-up to the end of the drain."""
    ended: dict[str, int]
    """Why subscribers ended before they were told to, and how many for each reason."""


def swarm(plan: SwarmPlan) -> SwarmReport:
    """Be a swarm until the run has its report. Runs in a process of its own."""
    os.sched_setaffinity(0, plan.cores)
    # uvloop: on the side that receives it costs less than half of asyncio's own loop (docs/method.md).
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_Swarm(plan).run())


class _Swarm:
    """One swarm's subscribers and what it has noted of them."""

    def __init__(self, plan: SwarmPlan) -> None:
        self.plan = plan
        self.recorder = Recorder()
        self.lives: list[asyncio.Task[None]] = []  # a subscriber is a task, from before it connects until it has left
        self.connect_ns: list[int] = []
        self.connecting_ns = 0
        self.lag_ns: list[int] = []
        self.ended: Counter[str] = Counter()
        self.leaving = False  # from then on an end is no surprise
        self.start_ns = 0  # of the schedule
        self.random = random.Random(plan.seed)
        module, _, name = plan.transport.client.partition(":")
        self.client = getattr(import_module(module), name)

    async def run(self) -> SwarmReport:
        """Do as the notes say, until one asks for the report."""
        async with await connect(self.plan.control, "swarm") as channel:
            channel.send(ready=True, pid=os.getpid())
            helpers = [asyncio.create_task(self._watch_lag()), asyncio.create_task(self._tell(channel))]
            try:
                while "report" not in (note := await channel.receive()):
                    await self._do(note)
                    channel.send(connected=len(self.connect_ns), ended=dict(self.ended.most_common(ENDS_TOLD)))
                return self._report()
            finally:
                for task in (*helpers, *self.lives):
                    task.cancel()

    async def _do(self, note: Note) -> None:
        if "connect" in note:
            await self._connect(note["connect"], f"http://{note['host']}:{note['port']}{self.plan.transport.path}")
        elif "tidy" in note:
            gc.collect()
            gc.freeze()
            gc.disable()  # a collection over all that the subscribers hold would be charged to the server
        elif "measure" in note:
            self.start_ns = note["measure"]
            self.lag_ns.clear()
        elif "disconnect" in note:
            self.leaving = True
            for life in self.lives:
                life.cancel()
            await asyncio.gather(*self.lives, return_exceptions=True)
        else:
            raise ValueError(f"a swarm cannot {note}")

    async def _connect(self, total: int, url: str) -> None:
        began = time.monotonic_ns()
        gate = asyncio.Semaphore(CONNECTING)
        settled = []
        for number in range(len(self.lives), total):
            settled.append(asyncio.Event())
            self.lives.append(asyncio.create_task(self._live(number, url, gate, settled[-1])))
        for event in settled:
            await event.wait()
        self.connecting_ns += time.monotonic_ns() - began

    async def _live(self, number: int, url: str, gate: asyncio.Semaphore, settled: asyncio.Event) -> None:
        """One subscriber's life. `settled` is set once it has connected, or has failed to."""
        options: dict[str, Any] = {}
        if self.plan.transport.polls:
            options = {"interval_s": self.plan.poll_interval_s, "phase": self.random.random()}
        try:
            subscription: Subscription = self.client(url, **options)
            async with AsyncExitStack() as stack:
                async with gate:
                    began = time.monotonic_ns()
                    await stack.enter_async_context(subscription)
                    self.connect_ns.append(time.monotonic_ns() - began)
                settled.set()
                await subscription.receive(self.recorder.sink(number))
        except Exception as error:  # whatever ends a subscriber is noted, and makes the trial's verdict
            if not self.leaving:
                self.ended[f"{type(error).__name__}: {error}"] += 1
        finally:
            settled.set()

    async def _watch_lag(self) -> None:
        while True:
            due_ns = time.monotonic_ns() + LAG_EVERY_NS
            await asyncio.sleep(LAG_EVERY_NS / 1e9)
            if self.leaving:  # to disconnect everybody takes a while, and delays no delivery
                return
            self.lag_ns.append(time.monotonic_ns() - due_ns)

    async def _tell(self, channel: Channel) -> None:
        """Tell the run now and then how it goes, for its display and to know when all has arrived."""
        told, told_at = 0, time.monotonic()
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            count, now = len(self.recorder), time.monotonic()
            latest = self.recorder.latest_ms(min(count - told, LIVE_SAMPLE))
            channel.send(
                progress=True,
                deliveries=count,
                per_s=(count - told) / (now - told_at),
                p99_ms=float(np.percentile(latest, 99)) if len(latest) else None,
            )
            told, told_at = count, now

    def _report(self) -> SwarmReport:
        schedule = self.plan.schedule or Schedule(rate_hz=1, warmup_s=0, measure_s=0)
        seen = self.recorder.observations()
        who, seq, received_ns = seen.subscriber, seen.seq, seen.received_ns
        due_ns = seen.stamp_ns("due_ns")
        start_ns, end_ns = (self.start_ns + offset for offset in schedule.window_ns)
        measured = seq >= schedule.warmup_count
        return SwarmReport(
            ledger=ledger.reckon(
                who, seq, subscribers=self.plan.subscribers, messages=schedule.count, coalesced=seen.coalesced
            ),
            age=age.of(who, seq, received_ns, due_ns, messages=schedule.count, window_ns=(start_ns, end_ns)),
            timeline=timeline.of(received_ns, received_ns - due_ns, start_ns),
            due_histogram=histogram.of((received_ns - due_ns)[measured]).encode(),
            sent_histogram=histogram.of((received_ns - seen.stamp_ns("sent_ns"))[measured]).encode(),
            deliveries_in_window=int(np.count_nonzero((received_ns >= start_ns) & (received_ns < end_ns))),
            connect_ns=tuple(self.connect_ns),
            connecting_ns=self.connecting_ns,
            lag_ns=tuple(self.lag_ns),
            ended=dict(self.ended.most_common(ENDS_TOLD)),
        )
