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
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
import uvloop
from numpy.typing import NDArray

from clients.subscription import HandOver
from pushbench import age, histogram, ledger, timeline
from pushbench.control import Address, Channel, Note, connect
from pushbench.lag import Lag
from pushbench.null import Source
from pushbench.publisher import Feed
from pushbench.recorder import Observations, Recorder
from pushbench.schedule import Schedule
from pushbench.timeline import Timeline
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
AWAY_S = 0.5
"""How long a subscriber that is to resume stays away."""


class Subscriber(Protocol):
    """What a client is to the swarm; see `clients.subscription.Subscription`."""

    cursor: int | None

    async def __aenter__(self) -> Self:
        """Connect."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""

    async def receive(self, hand_over: HandOver) -> None:
        """Hand over messages until cancelled, or until the server ends it."""


@dataclass(frozen=True, slots=True)
class SwarmPlan:
    """What a swarm is told when it is made."""

    control: Address
    transport: Transport
    subscribers: int
    poll_interval_s: float
    schedule: Schedule | None
    """None if nothing will be published."""
    payload_bytes: int
    join_late: int
    """How many subscribers, the last ones, connect only in the course of the window, one after the other."""
    resume: int
    """How many, the first ones, leave once in the window, one after the other, and resume from their cursors."""
    seed: int
    cores: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SwarmReport:
    """What it has to say in the end. Every part can be added to that of another swarm."""

    ledger: ledger.Ledger
    age: age.Age
    timeline: Timeline
    naive_timeline: Timeline
    """The same with the latency from the moment of sending."""
    due_histogram: bytes
    """Received − due, of the measured messages; encoded."""
    sent_histogram: bytes
    """Received − sent, of the measured messages; encoded."""
    deliveries_in_window: int
    connect_ns: tuple[int, ...]
    """For each subscriber that connected before the traffic, how long that took."""
    connecting_ns: int
    """How long the connecting took in all, pauses for plateaus not counted."""
    lag: Lag
    """Of the event loop, from the warm-up to the end of the drain."""
    slip_ns: tuple[int, ...]
    """The slips of a feed of its own, as `publisher.PublisherReport` has them; empty if a publisher feeds it."""
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
        self.schedule = plan.schedule or Schedule(rate_hz=1, warmup_s=0, measure_s=0)
        self.recorder = Recorder()
        self.lives: list[asyncio.Task[None]] = []  # a subscriber is a task, from before it connects until it has left
        self.joined_ns = np.zeros(
            plan.subscribers, dtype=np.int64
        )  # 0: before the traffic; of one that failed to: when it tried
        self.connect_ns: list[int] = []
        self.connecting_ns = 0
        self.lag_from_ns = 0
        self.late_ns: list[int] = []
        self.cpu_ns: list[int] = []
        self.ended: Counter[str] = Counter()
        self.leaving = False  # from then on an end is no surprise
        self.pausing: set[int] = set()  # who was told to leave and resume
        self.gate = asyncio.Semaphore(CONNECTING)
        self.url = ""
        self.start_ns = 0  # of the schedule
        self.random = random.Random(plan.seed)
        self.source: Source | None = None
        module, _, name = plan.transport.client.partition(":")
        self.client = getattr(import_module(module), name)

    async def run(self) -> SwarmReport:
        """Do as the notes say, until one asks for the report."""
        if self.plan.transport.server is None:
            self.source = Source()
        async with await connect(self.plan.control, "swarm") as channel:
            channel.send(ready=True, pid=os.getpid())
            helpers = [asyncio.create_task(self._watch_lag()), asyncio.create_task(self._tell(channel))]
            try:
                while "report" not in (note := await channel.receive()):
                    said = await self._do(note, helpers)
                    channel.send(connected=len(self.connect_ns), ended=dict(self.ended.most_common(ENDS_TOLD)), **said)
                return self._report(note.get("published"))
            finally:
                for task in (*helpers, *self.lives):
                    task.cancel()

    async def _do(self, note: Note, helpers: list[asyncio.Task[None]]) -> Note:
        """Do as a note says; returns what is to be answered beside the usual."""
        if "connect" in note:
            self.url = f"http://{note['host']}:{note['port']}{self.plan.transport.path}"
            await self._connect(note["connect"])
        elif "tidy" in note:
            np.percentile([0.0], 99)  # its first call takes ten milliseconds, of which the warm-up shall be free
            gc.collect()
            gc.freeze()
            gc.disable()  # a collection over all that the subscribers hold would be charged to the server
        elif "measure" in note:
            self._begin(note["measure"])
            helpers += [asyncio.create_task(self._join_late()), asyncio.create_task(self._pause_and_resume())]
        elif "disconnect" in note:
            self.leaving = True
            for life in self.lives:
                life.cancel()
            await asyncio.gather(*self.lives, return_exceptions=True)
        elif "distinct" in note:
            seen = self.recorder.observations()
            return {"distinct": len(ledger.first_deliveries(seen.subscriber, seen.seq, self.schedule.count))}
        else:
            raise ValueError(f"a swarm cannot {note}")
        return {}

    def _begin(self, start_ns: int) -> None:
        self.start_ns = start_ns
        self.lag_from_ns = time.monotonic_ns()
        if self.source:
            until_ns = start_ns + self.schedule.window_ns[1]
            self.source.start(Feed(self.schedule, start_ns, until_ns, self.plan.payload_bytes))

    async def _connect(self, total: int) -> None:
        began = time.monotonic_ns()
        settled = [self._begin_life() for _ in range(len(self.lives), total)]
        for event in settled:
            await event.wait()
        self.connecting_ns += time.monotonic_ns() - began

    def _begin_life(self) -> asyncio.Event:
        settled = asyncio.Event()
        self.lives.append(asyncio.create_task(self._live(len(self.lives), settled)))
        return settled

    async def _live(self, number: int, settled: asyncio.Event) -> None:
        """One subscriber's life. `settled` is set once it has connected, or has failed to."""
        options: dict[str, Any] = {}
        if self.source:
            options = {"source": self.source}
        elif self.plan.transport.polls:
            options = {"interval_s": self.plan.poll_interval_s, "phase": self.random.random()}
        sink = self.recorder.sink(number)
        try:
            while True:
                subscriber: Subscriber = self.client(self.url, **options)
                try:
                    await self._subscribe(subscriber, number, sink, settled)
                except asyncio.CancelledError:
                    if self.leaving or number not in self.pausing:
                        raise
                self.pausing.discard(number)
                await asyncio.sleep(AWAY_S)
                options["after"] = subscriber.cursor
        except Exception as error:  # whatever ends a subscriber is noted, and makes the trial's verdict
            if not self.leaving:
                self.ended[f"{type(error).__name__}: {error}"] += 1
        finally:
            settled.set()

    async def _subscribe(self, subscriber: Subscriber, number: int, sink: HandOver, settled: asyncio.Event) -> None:
        async with AsyncExitStack() as stack:
            async with self.gate:
                began = time.monotonic_ns()
                await stack.enter_async_context(subscriber)
                now = time.monotonic_ns()
            if not settled.is_set():  # to resume is not to join
                settled.set()
                if self.start_ns:
                    self.joined_ns[number] = now
                else:
                    self.connect_ns.append(now - began)
            await subscriber.receive(sink)

    async def _join_late(self) -> None:
        """Have the last subscribers connect in the course of the window."""
        count = self.plan.join_late
        moments_ns = [self._moment_ns((nth + 0.5) / count) for nth in range(count)]
        if count:
            self.joined_ns[-count:] = moments_ns
        for at_ns in moments_ns:
            await _until(at_ns)
            self._begin_life()

    async def _pause_and_resume(self) -> None:
        """Have the first subscribers leave in the course of the window; each life resumes by itself."""
        count = self.plan.resume
        for number in range(count):
            await _until(self._moment_ns((number + 0.5) / count))
            if not self.lives[number].done():
                self.pausing.add(number)
                self.lives[number].cancel()

    def _moment_ns(self, part: float) -> int:
        """The moment at which so much of the window has passed."""
        begin_ns, end_ns = self.schedule.window_ns
        return self.start_ns + begin_ns + round(part * (end_ns - begin_ns))

    async def _watch_lag(self) -> None:
        while not self.leaving:  # to disconnect everybody takes a while, and delays no delivery
            set_ns, cpu_ns = time.monotonic_ns(), time.thread_time_ns()
            await asyncio.sleep(LAG_EVERY_NS / 1e9)
            if 0 < self.lag_from_ns <= set_ns and not self.leaving:
                self.late_ns.append(time.monotonic_ns() - set_ns - LAG_EVERY_NS)
                self.cpu_ns.append(time.thread_time_ns() - cpu_ns)

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

    def _report(self, published: int | None) -> SwarmReport:
        """Of so many messages; None if the swarm knows best, because it feeds itself or nothing was to be published."""
        schedule = self.schedule
        if published is None:
            published = len(self.source.slip_ns) if self.source else schedule.count
        seen = self.recorder.observations()
        who, seq, received_ns = seen.subscriber, seen.seq, seen.received_ns
        due_ns, sent_ns = seen.stamp_ns("due_ns"), seen.stamp_ns("sent_ns")
        start_ns, end_ns = (self.start_ns + offset for offset in schedule.window_ns)
        measured = seq >= schedule.warmup_count
        return SwarmReport(
            ledger=ledger.reckon(
                who,
                seq,
                subscribers=self.plan.subscribers,
                messages=published,
                first_expected=ledger.first_expected(self.joined_ns, self._published_ns(seen)[:published], who, seq),
                coalesced=seen.coalesced,
            ),
            age=age.of(who, seq, received_ns, due_ns, messages=published, window_ns=(start_ns, end_ns)),
            timeline=timeline.of(received_ns, received_ns - due_ns, start_ns),
            naive_timeline=timeline.of(received_ns, received_ns - sent_ns, start_ns),
            due_histogram=histogram.of((received_ns - due_ns)[measured]).encode(),
            sent_histogram=histogram.of((received_ns - sent_ns)[measured]).encode(),
            deliveries_in_window=int(np.count_nonzero((received_ns >= start_ns) & (received_ns < end_ns))),
            connect_ns=tuple(self.connect_ns),
            connecting_ns=self.connecting_ns,
            lag=Lag(LAG_EVERY_NS, tuple(self.late_ns), tuple(self.cpu_ns)),
            slip_ns=tuple(self.source.slip_ns) if self.source else (),
            ended=dict(self.ended.most_common(ENDS_TOLD)),
        )

    def _published_ns(self, seen: Observations) -> NDArray[np.int64]:
        """When each message was sent or, of one that nobody got, when it was due."""
        published_ns = [self.start_ns + self.schedule.due_ns(seq) for seq in range(self.schedule.count)]
        for seq in seen.stamps.keys() & range(self.schedule.count):
            published_ns[seq] = seen.stamps[seq].sent_ns
        return np.maximum.accumulate(np.array(published_ns, dtype=np.int64))


async def _until(moment_ns: int) -> None:
    await asyncio.sleep(max(0.0, (moment_ns - time.monotonic_ns()) / 1e9))
