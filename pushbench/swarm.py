"""The swarm: a process with many subscribers, or with one part of them. It has them connect, lets them record, and reports.

The run tells it by the control channel what to do next: connect so many, get ready to measure, disconnect, report. It
makes no judgement on what it saw.
"""

import asyncio
import gc
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import uvloop
from numpy.typing import NDArray

from pushbench import age, fanout, histogram, ledger, machine, pings, probes, rooms, timeline, usage
from pushbench.acting import Acting
from pushbench.age import Age
from pushbench.audience import NEVER_NS, Audience, Habits
from pushbench.browser import BrowserAudience
from pushbench.clocks import SAME, Clock, Estimate
from pushbench.comeback import Arrival, arrivals, caught_up_ns
from pushbench.control import Channel, Contact, Note, connect
from pushbench.lag import Lag
from pushbench.null import Source
from pushbench.part import ALL, Part
from pushbench.publisher import Feed
from pushbench.recorder import Observations, Recorder
from pushbench.schedule import NS, Schedule
from pushbench.slow import Slow
from pushbench.swarm_report import SwarmReport
from pushbench.usage import Usage
from pushbench.wire import Traffic
from pushbench.witness import AMONG, Witness

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

    control: Contact
    habits: Habits
    schedule: Schedule | None
    """None if nothing will be published."""
    give_up_s: float
    """So long after the window's end a feed of the swarm's own publishes no more."""
    payload_bytes: int
    payload: str
    """What fills a message that a subscriber says: a key of `padding.KINDS`."""
    cores: tuple[int, ...] | None
    """None in a process that is not the run's own: it stays where it is, and measures itself."""
    part: Part = ALL
    """Which of all subscribers are this swarm's."""
    role: str = "swarm"
    """Its name on the control channel."""


def swarm(plan: SwarmPlan) -> SwarmReport:
    """Be a swarm until the run has its report. Runs in a process of its own, or in a thread that it leaves as it was."""
    if plan.cores is not None:
        os.sched_setaffinity(0, plan.cores)
    # uvloop: on the side that receives it costs less than half of asyncio's own loop (docs/method.md).
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_swarm(plan))


async def _swarm(plan: SwarmPlan) -> SwarmReport:
    return await _Swarm(plan).run()


class _Swarm:
    """One swarm, and what it has noted of itself."""

    def __init__(self, plan: SwarmPlan) -> None:
        self.plan = plan
        self.schedule = plan.schedule or Schedule(rate_hz=1, warmup_s=0, measure_s=0)
        self.recorder = Recorder()
        self.source = Source() if plan.habits.transport.feeds_itself else None
        own = {"source": self.source} if self.source else {}
        self.acting = self._acting(plan) if plan.habits.speaking else None
        self.audience: Audience | BrowserAudience = (
            BrowserAudience(plan.habits, self.recorder)
            if plan.habits.browser
            else Audience(plan.habits, self.recorder, plan.part, self.acting, **own)
        )
        self.start_ns = 0  # of the schedule
        self.window_ns = (0, 0)
        self.late_ns: list[int] = []
        self.cpu_ns: list[int] = []
        self.witness: Witness | None = None
        self.metering: asyncio.Task[None] | None = None
        self.measuring: asyncio.Task[None] | None = None
        self.traffic = Traffic()
        self.metered_ns = (0, 0)
        self.witnessed = 0
        self.clock = SAME
        self.unsaid: dict[int, int] = {}  # by the subscribers of all swarms, as the run knows it in the end
        self.usages: list[list[Usage]] = []  # of this process, and of a browser's, at both ends of the window

    def _acting(self, plan: SwarmPlan) -> Acting:
        assert plan.habits.speaking
        return Acting(
            plan.habits.speaking.rooms,
            plan.part,
            self.schedule,
            waits=plan.habits.speaking.waits,
            payload_bytes=plan.payload_bytes,
            payload=plan.payload,
            template=plan.habits.speaking.template,
        )

    async def run(self) -> SwarmReport:
        """Do as the notes say, until one asks for the report."""
        async with await connect(self.plan.control, self.plan.role) as channel:
            channel.send(ready=True, pid=os.getpid(), clock=machine.clock())
            collected = gc.isenabled()
            helpers = [asyncio.create_task(self._watch_lag()), asyncio.create_task(self._tell(channel))]
            audience = self.audience
            try:
                while "report" not in (note := await channel.receive()):
                    said = await self._do(note)
                    ended = dict(audience.ended.most_common(ENDS_TOLD))
                    channel.send(connected=len(audience.connect_ns), ended=ended, **said)
                for task in (self.metering, self.measuring):
                    if task and task.done():
                        task.result()  # what went wrong with it is the reason, and not what comes of its absence
                if not self.source:
                    self._read(note.get("clock"))
                self.unsaid = {int(who): count for who, count in (note.get("unsaid") or {}).items()}
                return self._report(note.get("published"), note.get("returned_ns"))
            finally:
                gc.unfreeze()
                if collected:
                    gc.enable()
                if self.acting:
                    self.acting.stop()
                audience.cancel()
                audience.meter.close()
                for task in (*helpers, self.metering, self.measuring):
                    if task:
                        task.cancel()

    async def _do(self, note: Note) -> Note:
        """Do as a note says; returns what is to be answered beside the usual."""
        if "connect" in note:
            habits = self.plan.habits
            url = f"{habits.reach.scheme}://{note['host']}:{note['port']}{habits.transport.path}"
            await self.audience.connect(note["connect"], url)
        elif "witness" in note:
            await self._call_a_witness(note["host"], note["port"])
        elif "tidy" in note:
            np.percentile([0.0], 99)  # its first call takes ten milliseconds, of which the warm-up shall be free
            gc.collect()
            gc.freeze()
            gc.disable()  # a collection over all that the subscribers hold would be charged to the server
        elif "time" in note:
            return {"there_ns": time.monotonic_ns()}
        elif "clock" in note:
            self._read(note["clock"])
        elif "unsaid" in note:
            return {"unsaid": self.acting.unsaid if self.acting else {}}
        elif "memory" in note:
            return {"user_bytes": probes.user_bytes(os.getpid())}
        elif "measure" in note:
            late_ns = time.monotonic_ns() - self.clock.there(note["measure"])
            self._begin(note["measure"])
            return {"late_ns": max(0, late_ns)}
        elif "disconnect" in note:
            if self.witness:
                await self.witness.leave()
            await self.audience.leave()
        elif "distinct" in note:
            seen = self.recorder.observations()
            return {"distinct": len(ledger.first_deliveries(seen.subscriber, seen.seq, self.schedule.count))}
        else:
            raise ValueError(f"a swarm cannot {note}")
        return {}

    async def _call_a_witness(self, host: str, port: int) -> None:
        """Call the one witness that there is among all subscribers of all swarms: the first has it."""
        transport, subscribers = self.plan.habits.transport, self.plan.habits.subscribers
        # What goes over HTTP/2 or QUIC is not taken apart, nor what is said by many.
        alone = not (transport.feeds_itself or transport.quic or self.plan.habits.streams or self.acting)
        if alone and isinstance(self.audience, Audience) and subscribers >= AMONG and not self.plan.part.number:
            reach = self.plan.habits.reach
            self.witness = Witness(self.audience.one_more, reach, bare=not transport.path)
            await self.witness.begin(host, port, transport.path)

    def _read(self, estimates: Sequence[Sequence[int]] | None) -> None:
        """Take note of how far this host's clock is off the run's."""
        if estimates:
            self.clock = Clock(*(Estimate(*estimate) for estimate in estimates))

    def _begin(self, start_ns: int) -> None:
        self.start_ns = start_ns
        if self.source:  # what feeds itself goes by its own clock alone
            self.start_ns, self.clock = self.clock.there(start_ns), SAME
        begin_ns, end_ns = (self.clock.there(self.start_ns + offset) for offset in self.schedule.window_ns)
        self.window_ns = (begin_ns, end_ns)
        self.audience.open(self.window_ns)
        metered_ns = (self.clock.there(self.start_ns + offset) for offset in self.schedule.metered_ns)
        self.metering = asyncio.create_task(self._meter(*metered_ns))
        if self.plan.cores is None or self.plan.habits.browser:
            self.measuring = asyncio.create_task(self._measure_itself())
        until_ns = end_ns + round(self.plan.give_up_s * NS)
        if self.acting:
            there_ns = self.clock.there(self.start_ns)
            said_by_ns = (end_ns + until_ns) // 2  # so that what is said last can be answered, too
            self.acting.start(there_ns, said_by_ns, there_ns - self.start_ns)
        if self.source:
            self.source.start(Feed(self.schedule, self.start_ns, until_ns, self.plan.payload_bytes))

    async def _meter(self, begin_ns: int, end_ns: int) -> None:
        await _until(begin_ns)
        before = self.witness.deliveries if self.witness else 0
        await self.audience.meter.begin()
        from_ns = time.monotonic_ns()
        await _until(end_ns)
        self.traffic = await self.audience.meter.end()
        self.metered_ns = (from_ns, time.monotonic_ns())
        self.witnessed = self.witness.deliveries - before if self.witness else 0

    async def _measure_itself(self) -> None:
        for moment_ns in self.window_ns:
            await _until(moment_ns)
            pid = os.getpid()
            self.usages.append([usage.read(one) for one in (pid, *(probes.below(pid) if self.plan.habits.browser else ()))])

    async def _watch_lag(self) -> None:
        while True:
            set_ns, cpu_ns = time.monotonic_ns(), time.thread_time_ns()
            await asyncio.sleep(LAG_EVERY_NS / 1e9)
            if self.window_ns[0] <= set_ns < self.window_ns[1]:
                self.late_ns.append(time.monotonic_ns() - set_ns - LAG_EVERY_NS)
                self.cpu_ns.append(time.thread_time_ns() - cpu_ns)

    async def _tell(self, channel: Channel) -> None:
        """Tell the run now and then how it goes, for its display and to know when all has arrived."""
        told, told_at = 0, time.monotonic()
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            self.audience.meter.sweep()
            count, now = len(self.recorder), time.monotonic()
            latest = self.recorder.latest_ms(min(count - told, LIVE_SAMPLE)) - self.clock.first.offset_ns / 1e6
            channel.send(
                progress=True,
                deliveries=count,
                away=self.audience.away,
                per_s=(count - told) / (now - told_at),
                p99_ms=float(np.percentile(latest, 99)) if len(latest) else None,
            )
            told, told_at = count, now

    def _report(self, published: int | None, returned_ns: int | None) -> SwarmReport:
        """Of so many messages; None if the swarm knows best, because it feeds itself or nothing was to be published.

        `returned_ns` is when a server was back that had been killed.
        """
        schedule = self.schedule
        if published is None:
            published = len(self.source.slip_ns) if self.source else schedule.count
        recorder = self.recorder if self.plan.schedule else Recorder()  # what came at the plateaus is in no ledger
        seen = recorder.observations()
        who, seq, received_ns = seen.subscriber, seen.seq, self.clock.here(seen.received_ns)
        due_ns, sent_ns = seen.stamp_ns("due_ns"), seen.stamp_ns("sent_ns")
        start_ns, end_ns = (self.start_ns + offset for offset in schedule.window_ns)
        measured = seq >= schedule.warmup_count
        joined_ns, later = self.audience.joined_ns, (self.audience.joined_ns > 0) & (self.audience.joined_ns < NEVER_NS)
        joined_ns[later] = self.clock.here(joined_ns[later])
        since = ledger.first_expected(joined_ns, self._published_ns(seen)[:published], who, seq)
        caught_up: tuple[int | None, ...] = ()
        if returned_ns is not None:
            due = schedule.due_by(returned_ns - self.start_ns)
            caught_up = caught_up_ns(who, seq, received_ns, since=since, due=due)
        of_all = self._ledger(seen, published, since)
        speaking = self.plan.habits.speaking
        is_told = not (speaking and speaking.answered)  # who is answered knows no more than what it said
        return SwarmReport(
            ledger=of_all,
            age=age.of(who, seq, received_ns, due_ns, messages=published, window_ns=(start_ns, end_ns))
            if is_told
            else Age(),
            fanout=fanout.of(seq, received_ns - due_ns, range(schedule.warmup_count, schedule.count)),
            timeline=timeline.of(received_ns, received_ns - due_ns, start_ns),
            naive_timeline=timeline.of(received_ns, received_ns - sent_ns, start_ns),
            due_histogram=histogram.of((received_ns - due_ns)[measured]).encode(),
            sent_histogram=histogram.of((received_ns - sent_ns)[measured]).encode(),
            deliveries_in_window=_count(received_ns, (start_ns, end_ns)),
            connect_ns=tuple(self.audience.connect_ns),
            connecting_ns=tuple(self.audience.connecting_ns),
            lag=self._lag(),
            unsaid=sum(self.acting.unsaid.values()) if self.acting else 0,
            slip_ns=tuple(own.slip_ns) if (own := self.source or self.acting) else (),
            traffic=self.traffic,
            metered_ns=(self.metered_ns[1] - self.metered_ns[0]) * len(since),
            deliveries_metered=_count(seen.received_ns, self.metered_ns),
            connect_traffic=self.audience.connect_traffic,
            account=self.witness.account(self.metered_ns) if self.witness else None,
            witnessed=self.witnessed,
            ended=dict(self.audience.ended.most_common(ENDS_TOLD)),
            arrivals=arrivals(self._arrivals(), who, received_ns),
            slow=Slow(
                readers=len(self.audience.slow_readings),
                delivered=sum(len(reading.seqs) for reading in self.audience.slow_readings),
                ended=dict(self.audience.slow_ended.most_common(ENDS_TOLD)),
            ),
            caught_up_ns=caught_up,
            pings=pings.Pings(self.audience.pinged, pings.took(self.audience.pongs)),
            shares=tuple(usage.as_one(before, after) for before, after in pairwise(self.usages)),
            clocks=(self.audience.clock.less_its_offset,) if isinstance(self.audience, BrowserAudience) else (),
        )

    def _ledger(self, seen: Observations, published: int, since: NDArray[np.int64]) -> ledger.Ledger:
        """Of what is published to all, or said to those of a room; what came of another room ends the trial as lossy."""
        if not (speaking := self.plan.habits.speaking):
            return ledger.reckon(
                seen.subscriber,
                seen.seq,
                subscribers=len(since),
                messages=published,
                first_expected=since,
                coalesced=seen.coalesced,
            )
        found, strays = rooms.reckon(
            seen.subscriber,
            seen.seq,
            rooms=speaking.rooms,
            part=self.plan.part,
            messages=published,
            unsaid=self.unsaid,
            coalesced=seen.coalesced,
        )
        if strays:
            self.audience.ended["what it heard was not of its room"] += strays
        return found

    def _lag(self) -> Lag:
        """How late what arrived was looked at."""
        if isinstance(self.audience, BrowserAudience):
            return self.audience.lag
        return Lag(LAG_EVERY_NS, tuple(self.late_ns), tuple(self.cpu_ns))

    def _arrivals(self) -> list[Arrival]:
        """Who connected since there is traffic, by the run's clock."""
        there = self.audience.arrivals
        began_ns, connected_ns = (
            self.clock.here(np.array([getattr(one, end) for one in there], dtype=np.int64))
            for end in ("began_ns", "connected_ns")
        )
        return [
            one._replace(began_ns=int(began), connected_ns=int(connected))
            for one, began, connected in zip(there, began_ns, connected_ns, strict=True)
        ]

    def _published_ns(self, seen: Observations) -> NDArray[np.int64]:
        """When each message was sent or, of one that nobody got, when it was due."""
        burst = self.schedule.burst
        first = np.arange(self.schedule.count) // burst * burst
        due_ns = np.rint(first * NS / self.schedule.rate_hz)  # `Schedule.due_ns` of each
        published_ns = self.start_ns + due_ns.astype(np.int64)
        for seq in seen.stamps.keys() & range(self.schedule.count):
            published_ns[seq] = seen.stamps[seq].sent_ns
        in_turn: NDArray[np.int64] = np.maximum.accumulate(published_ns)
        return in_turn


async def _until(moment_ns: int) -> None:
    await asyncio.sleep(max(0.0, (moment_ns - time.monotonic_ns()) / NS))


def _count(moments_ns: NDArray[np.int64], window_ns: tuple[int, int]) -> int:
    """How many of them are in the window."""
    return int(np.count_nonzero((moments_ns >= window_ns[0]) & (moments_ns < window_ns[1])))
