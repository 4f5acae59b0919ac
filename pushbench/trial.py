"""A trial: one repetition of a cell, from a fresh server process to its verdict.

    start → baseline memory → ramp (plateaus, and messages at the last) → warm up → measure → drain → disconnect
    → residual memory → stop

It knows the phases and who does what in each. How a subscriber receives, how a message is published, what is made of the
recordings and where results are kept is not known here.
"""

import asyncio
import math
import os
import signal
import tempfile
import time
import traceback
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from pushbench import handshakes, message, noticing, padding, probes
from pushbench.audience import CONNECTING
from pushbench.backplane import backplane
from pushbench.cast import Cast
from pushbench.checks import Judgement, Verdict
from pushbench.clocks import SAME
from pushbench.control import Address, Switchboard
from pushbench.memory import Memory
from pushbench.outage import Mortal
from pushbench.outcome import PEAKS, Crew, Machine, Outage, Outcome, concluded
from pushbench.plans import Trial, publisher_plan, relay_plan, swarm_plans
from pushbench.publisher import WAYS, PublisherReport, publish
from pushbench.relay import packet_relay, relay
from pushbench.scenario import Load
from pushbench.schedule import NS, Schedule
from pushbench.site import Here, Site
from pushbench.swarm import TELL_EVERY_S, swarm
from pushbench.swarms import Swarms
from pushbench.target import Running, Target, TargetFailed, running
from pushbench.transports import ROWS
from pushbench.workers import Worker, WorkerFailed, kill, let_be, pool

LEAD_S = 0.1
"""From the order to start to the first message: time for it to reach everyone."""
ANSWER_S = 30.0
"""How long a load process may take to answer, beyond what it is asked to do."""
CONNECTS_PER_S = 100
"""A ramp that is slower than this is given up."""
LIVE_EVERY_S = 0.25
MEMORY_EVERY_S = 1.0
"""How often the memory is looked at under traffic: that takes a millisecond or two of the load's core."""
STOPPED_S = 5.0
"""A server that is stopped for so much longer than the scenario asks for will not go on by itself."""
DRAIN_EVERY_S = 0.05
LOSES = "what the others saw is dropped with it, and all earlier trials are kept"
"""What the end of one of several swarm processes means."""
QUIET_S = 1.0
"""A drain in which nothing has arrived for so long (and twice as long as a message may rightly take) is over."""


class Watch(Protocol):
    """Someone who looks on."""

    def phase(self, name: str, planned_s: float) -> None:
        """A phase has begun that should take about so long."""

    def live(self, deliveries_per_s: float, p99_ms: float | None) -> None:
        """How it goes: the rate since the last call, and the p99 of the latest latencies."""


class TrialFailed(Exception):
    """The trial has no numbers; the text says why."""


HERE = Here()


async def attempt(trial: Trial, watch: Watch, site: Site = HERE) -> Outcome:
    """Make the trial, with its swarms there. Whatever goes wrong in it is the outcome `failed` with its reason."""
    try:
        return await _attempt(trial, watch, site)
    except (TrialFailed, TargetFailed, WorkerFailed, probes.ProbeError, handshakes.HandshakeFailed) as error:
        return Outcome(Judgement(Verdict.FAILED, str(error)), by_target=isinstance(error, TargetFailed))
    except Exception as error:  # an error of the instrument's own; the other trials can still be made
        traceback.print_exc()
        return Outcome(Judgement(Verdict.FAILED, f"{type(error).__name__}: {error}"))


async def _attempt(trial: Trial, watch: Watch, site: Site) -> Outcome:
    watch.phase("start", 1.0)
    async with AsyncExitStack() as stack:
        board = await stack.enter_async_context(Switchboard(site.host))
        # All start at the same time; the channels tell the load processes where the server is once it is ready.
        processes = await site.processes(trial.load, trial.placement)
        plans = swarm_plans(trial, board.address, processes, site.afar)
        executors = [await stack.enter_async_context(site.executor(number)) for number in range(len(plans))]
        loses, end = LOSES if len(plans) > 1 else "", let_be if site.afar else kill
        workers = [
            Worker(executor, board, plan.role, swarm, plan, loses, end)
            for executor, plan in zip(executors, plans, strict=True)
        ]
        swarms = Swarms(workers, site.afar)
        feed = publisher_plan(trial, board.address)
        publisher = None
        if feed:
            publisher = Worker(await stack.enter_async_context(pool(1)), board, "publisher", publish, feed)
        between = None
        if trial.load.relayed:
            line = relay_plan(trial, board.address, site.host)
            kind = packet_relay if trial.load.line == "packets" else relay
            between = Worker(await stack.enter_async_context(pool(1)), board, "relay", kind, line)
        server: Running | Mortal | None = None
        if trial.target:
            server = await _start(trial, trial.target.at(site.host), stack)
        await stack.enter_async_context(swarms)
        if publisher:
            await stack.enter_async_context(publisher)
        if between:
            await stack.enter_async_context(between)
        cast = Cast(server, swarms, publisher, between)
        stopped_s = trial.load.server_stall_ms / 1000 + STOPPED_S
        return await cast.unless_one_ends(_perform(trial, watch, cast), stopped_s)


async def _start(trial: Trial, target: Target, stack: AsyncExitStack) -> Running | Mortal:
    if target.shares_log:
        shared = await stack.enter_async_context(backplane(trial.placement.server))
        started = await stack.enter_async_context(running(target.sharing(shared.url), trial.placement.server))
        return replace(started, workers=(*started.workers, shared.pid))  # it is a part of what serves
    if not trial.load.server_down_ms:
        return await stack.enter_async_context(running(target, trial.placement.server))
    directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="pushbench-"))
    return await stack.enter_async_context(Mortal(target, trial.placement.server, f"{directory}/journal"))


async def _perform(trial: Trial, watch: Watch, cast: Cast) -> Outcome:
    published: PublisherReport | None = None
    machine = Machine()
    if cast.publisher and cast.server:
        await cast.publisher.ask(ANSWER_S, host=cast.server.host, port=cast.server.port)
    known = cast.server.pids if cast.server else ()  # none of a server that was not started here
    memory = None
    if known:
        ends: float = 1 + cast.swarms.here + (2 if cast.relay and trial.load.line == "relay" else 0)
        if ROWS[trial.load.transport].quic:  # the server has one socket for all
            ends = math.inf
        memory = Memory(known, partial(cast.swarms.user_bytes, ANSWER_S), ends)
        await memory.note("baseline", 0)
    tls = await _tls_columns(trial, cast.server)
    before_ns = sum(map(probes.cpu_ns, known))
    await _ramp(trial, watch, cast, memory)
    connecting_ns = None
    if known and not trial.phases.plateau_messages:  # which are no part of connecting
        connecting_ns = sum(map(probes.cpu_ns, known)) - before_ns
    if trial.schedule:
        machine = await _traffic(trial, trial.schedule, watch, cast)
    if cast.publisher:
        cast.publisher.tell(dismissed=True)
        published = await cast.publisher.report(ANSWER_S)
    watch.phase("disconnect", 0.5)
    await cast.swarms.ask(ANSWER_S + trial.load.subscribers / CONNECTS_PER_S, disconnect=True)
    if trial.phases.plateaus and memory:
        await asyncio.sleep(trial.phases.settle_s + 2 * trial.load.transit_ms / 1000)  # until the server has heard of it
        await memory.note("residual", 0)
    outage = None
    if isinstance(cast.server, Mortal) and cast.server.returned_ns and published:
        outage = Outage(cast.server.away_s, cast.server.returned_ns, published.held_up)
    returned_ns = outage.returned_ns if outage else None
    count = len(published.slip_ns) if published else None
    unsaid = (await cast.swarms.ask(ANSWER_S, unsaid=True))["unsaid"] if trial.load.acts else None
    seen = await cast.swarms.report(ANSWER_S, published=count, returned_ns=returned_ns, unsaid=unsaid)
    relayed = None
    if cast.relay:
        cast.relay.tell(report=True)
        relayed = await cast.relay.report(ANSWER_S)
    slip_ns = published.slip_ns if published else seen.slip_ns
    machine = replace(machine, connecting_ns=connecting_ns)
    clocks = (*cast.swarms.clocks, *seen.clocks) if cast.server else (SAME,)
    crew = Crew(len(cast.swarms.workers), cast.swarms.late_ns, clocks)
    outcome = concluded(trial.load, trial.schedule, seen, slip_ns, machine, memory, relayed, outage, crew)
    outcome.columns |= tls
    return outcome


async def _ramp(trial: Trial, watch: Watch, cast: Cast, memory: Memory | None) -> None:
    """Connect all subscribers that are to be there from the beginning, in as many steps as there are plateaus."""
    steps = trial.phases.plateaus or 1
    total = trial.load.subscribers - trial.load.join_late
    host, port = await _entrance(cast)
    connecting_s = trial.load.connecting_ms / 1000 * math.ceil(total / CONNECTING)
    watch.phase("ramp", total / 1500 + connecting_s + steps * trial.phases.settle_s)
    for step in range(1, steps + 1):
        target = round(total * step / steps)
        within_s = ANSWER_S + target / CONNECTS_PER_S + connecting_s
        there, began_ns = round(total * (step - 1) / steps), time.monotonic_ns()
        answer = await cast.swarms.ask(within_s, connect=target, host=host, port=port)
        connect_per_s = (target - there) * NS / (time.monotonic_ns() - began_ns)
        if answer["ended"] or answer["connected"] < target:
            reasons = "; ".join(f"{count} × {reason}" for reason, count in answer["ended"].items())
            raise TrialFailed(f"{answer['connected']} of {target} subscribers connected: {reasons}")
        await asyncio.sleep(trial.phases.settle_s)
        if trial.phases.plateaus and memory:
            await memory.note("ramp", target, connect_per_s)
    if trial.phases.plateau_messages and memory and cast.server:
        await asyncio.to_thread(_publish_some, trial, cast.server)
        await _arrived(total * trial.phases.plateau_messages, trial, cast.swarms)
        await asyncio.sleep(trial.phases.settle_s)
        await memory.note("traffic", total)


async def _tls_columns(trial: Trial, server: Running | Mortal | None) -> dict[str, Any]:
    """What beginning TLS costs, and what was agreed on; nothing without it."""
    if not (server and trial.target and trial.target.reach.tls) or ROWS[trial.load.transport].quic:
        return {}  # of QUIC it is a part of connecting
    target, pids = trial.target, server.pids
    path = target.path(target.status_path or next(iter(target.publish.values())))
    used = (lambda: sum(map(probes.cpu_ns, pids))) if pids else None
    return await asyncio.to_thread(handshakes.columns, (server.host, server.port), path, target.reach, used)


def _publish_some(trial: Trial, server: Running | Mortal) -> None:
    """Publish what there is to be after the last plateau, one message after the other."""
    assert trial.target
    target, way = trial.target, trial.target.way(trial.load.publish_via)
    pads = padding.pads(trial.load.payload, trial.load.payload_bytes - message.FRAME_BYTES)
    try:
        with WAYS[way]((server.host, server.port), target.path(target.publish[way]), target.reach) as outlet:
            for seq in range(trial.phases.plateau_messages):
                now_ns = time.monotonic_ns()
                outlet.send(message.encode(seq, now_ns, now_ns, trial.load.payload_bytes, pads))
            outlet.settle(ANSWER_S)
    except Exception as error:
        raise TrialFailed(f"publishing after the ramp failed: {type(error).__name__}: {error}") from error


async def _arrived(deliveries: int, trial: Trial, swarms: Swarms) -> None:
    """Wait until so many have come. Raises TrialFailed if they do not within `drain_s`."""
    began = time.monotonic()
    while (swarms.latest or {"deliveries": 0})["deliveries"] < deliveries:
        if time.monotonic() - began > trial.phases.drain_s:
            raise TrialFailed(
                f"of {deliveries} deliveries after the ramp not all had come after drain_s = {trial.phases.drain_s:g}"
            )
        await asyncio.sleep(DRAIN_EVERY_S)


async def _entrance(cast: Cast) -> Address:
    """Where the swarm connects: to the server, or to the relay before it."""
    if cast.server is None:
        return "", 0
    if cast.relay is None:
        return cast.server.host, cast.server.port
    told = await cast.relay.ask(ANSWER_S, host=cast.server.host, port=cast.server.port)
    return told["host"], told["port"]


async def _traffic(trial: Trial, schedule: Schedule, watch: Watch, cast: Cast) -> Machine:
    """Warm up, measure, drain; returns what the machine gave to each process in the measured window."""
    if cast.server:
        await cast.swarms.ask(ANSWER_S, witness=True, host=cast.server.host, port=cast.server.port)
    await cast.swarms.synchronise(ANSWER_S)
    await cast.swarms.ask(ANSWER_S, tidy=True)
    away_ns = 4 * max(clock.uncertainty_ns for clock in cast.swarms.clocks)  # to tell one on another host
    start_ns = time.monotonic_ns() + round(LEAD_S * NS) + away_ns
    if cast.publisher:
        cast.publisher.tell(start_ns=start_ns)
    await cast.swarms.begin(ANSWER_S, start_ns)
    if cast.relay:
        await cast.relay.ask(ANSWER_S, measure=start_ns)
    from_ns, to_ns = (start_ns + offset for offset in schedule.window_ns)
    cores = {core for role in cast.pids for core in getattr(trial.placement, role)[: len(cast.pids[role])]}

    async with _looking(trial, cast.server) as looks:
        watch.phase("warm up", schedule.warmup_s + LEAD_S)
        await _until(from_ns, watch, cast.swarms)
        before = cast.used(cores)
        watch.phase("measure", schedule.measure_s)
        trouble = asyncio.ensure_future(_make_trouble(trial.load, cast.server, (from_ns + to_ns) // 2))
        try:
            peaks = await _watched(to_ns, watch, cast)
            await trouble
        finally:
            trouble.cancel()
            with suppress(asyncio.CancelledError):
                await trouble
        after = cast.used(cores)
    under_way_s = (trial.load.polled_ms + trial.load.line_ms) / 1000
    watch.phase("drain", under_way_s)
    if cast.publisher:
        await cast.publisher.hear(ANSWER_S + trial.phases.drain_s)
    if everything := trial.load.hearers * schedule.count:
        # What was lost is sent again after ever longer waits; but where it is not, nothing more comes.
        sent_again = trial.load.loss_percent > 0 and ROWS[trial.load.transport].reliable
        quiet_s = trial.phases.drain_s if sent_again else QUIET_S + 2 * under_way_s
        await _drain(everything, quiet_s, trial.phases.drain_s, watch, cast.swarms)
    noticed = noticing.noticed_ms(looks, from_ns, trial.load.vanishing)
    return replace(cast.given(before, after), peaks=peaks, noticed=noticed)


@asynccontextmanager
async def _looking(trial: Trial, server: Running | Mortal | None) -> AsyncIterator[list[noticing.Look]]:
    """Looks at how many readers the server has, if any are to vanish, from before they do."""
    looks: list[noticing.Look] = []
    looking = None
    if trial.load.vanishing and server and trial.target:
        path = trial.target.path(trial.target.status_path)
        looking = asyncio.ensure_future(noticing.look((server.host, server.port), path, trial.target.reach, looks))
    try:
        yield looks
    finally:
        if looking:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)  # a server that has gone is told of elsewhere


async def _make_trouble(load: Load, server: Running | Mortal | None, middle_ns: int) -> None:
    """Do to the server, around that moment, what the load asks for."""
    if load.server_stall_ms and server:
        await _stall(server.pids, middle_ns, load.server_stall_ms / 1000)
    if isinstance(server, Mortal):
        await server.be_away(middle_ns - load.server_down_ms * 500_000, load.server_down_ms / 1000)


async def _stall(pids: Sequence[int], middle_ns: int, for_s: float) -> None:
    """Stop the server for so long around that moment."""
    await asyncio.sleep(max(0.0, (middle_ns - time.monotonic_ns()) / NS - for_s / 2))
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(for_s)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def _watched(moment_ns: int, watch: Watch, cast: Cast) -> dict[str, float | None]:
    """Sleep until then, and look meanwhile at the memory; returns the most that was seen, as columns of `trials`."""
    user_bytes: list[float] = []
    queue_bytes: list[float] = []
    while time.monotonic_ns() < moment_ns:
        await _until(min(moment_ns, time.monotonic_ns() + round(MEMORY_EVERY_S * NS)), watch, cast.swarms)
        if cast.server and cast.server.pids:
            with suppress(probes.ProbeError):  # it may be killed just now
                user_bytes.append(sum(map(probes.user_bytes, cast.server.pids)))
        queue_bytes.append(probes.queue_bytes())
    return dict(zip(PEAKS, (max(user_bytes, default=None), max(queue_bytes, default=None)), strict=True))


async def _until(moment_ns: int, watch: Watch, swarms: Swarms) -> None:
    """Sleep until then, and show meanwhile how it goes."""
    while (left_s := (moment_ns - time.monotonic_ns()) / NS) > 0:
        await asyncio.sleep(min(left_s, LIVE_EVERY_S))
        _show(watch, swarms)


async def _drain(expected: int, quiet_s: float, longest_s: float, watch: Watch, swarms: Swarms) -> None:
    """Wait until all has arrived, or nothing more does.

    While somebody is about to come back there may be more. Quiet is what the swarm has told: while it, or this process, is
    held up it tells nothing, and that proves nothing.
    """
    began = time.monotonic()
    count, quiet_told_s, all_there = 0, 0.0, False
    swarms.news()  # what was told before the drain
    while not all_there and quiet_told_s < quiet_s and time.monotonic() - began < longest_s:
        await asyncio.sleep(DRAIN_EVERY_S)
        _show(watch, swarms)
        if not (told := swarms.news()):
            continue
        quiet_told_s = 0.0 if told["deliveries"] > count or told["away"] else quiet_told_s + TELL_EVERY_S
        if told["deliveries"] >= expected and told["deliveries"] > count:  # of which some may be there twice
            all_there = (await swarms.ask(ANSWER_S, distinct=True))["distinct"] >= expected
        count = told["deliveries"]


def _show(watch: Watch, swarms: Swarms) -> None:
    if latest := swarms.latest:
        watch.live(latest["per_s"], latest["p99_ms"])
