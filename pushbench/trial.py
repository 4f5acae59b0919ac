"""A trial: one repetition of a cell, from a fresh server process to its verdict.

    start → baseline memory → ramp (plateaus) → settle → warm up → measure → drain → disconnect → residual memory → stop

It knows the phases and who does what in each. How a subscriber receives, how a message is published, what is made of the
recordings and where results are kept is not known here.
"""

import asyncio
import os
import signal
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from pushbench import probes
from pushbench.checks import Judgement, Verdict
from pushbench.control import Address, Switchboard
from pushbench.memory import Memory
from pushbench.outcome import Machine, Outcome, Share, concluded
from pushbench.placement import Placement
from pushbench.publisher import PublisherPlan, PublisherReport, publish
from pushbench.scenario import Load, Phases
from pushbench.schedule import NS, Schedule
from pushbench.swarm import TELL_EVERY_S, SwarmPlan, SwarmReport, swarm
from pushbench.target import Running, Target, TargetFailed, running
from pushbench.transports import ROWS
from pushbench.workers import Worker, WorkerFailed, pool

LEAD_S = 0.2
"""From the order to start to the first message: time for it to reach everyone."""
ANSWER_S = 30.0
"""How long a load process may take to answer, beyond what it is asked to do."""
CONNECTS_PER_S = 100
"""A ramp that is slower than this is given up."""
LIVE_EVERY_S = 0.25
STOPPED_S = 5.0
"""A server that is stopped for so much longer than the scenario asks for will not go on by itself."""
DRAIN_EVERY_S = 0.05
QUIET_S = 1.0
"""A drain in which nothing has arrived for so long (and, when polling, two intervals) is over."""


class Watch(Protocol):
    """Someone who looks on."""

    def phase(self, name: str, planned_s: float) -> None:
        """A phase has begun that should take about so long."""

    def live(self, deliveries_per_s: float, p99_ms: float | None) -> None:
        """How it goes: the rate since the last call, and the p99 of the latest latencies."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is to be tried."""

    load: Load
    phases: Phases
    target: Target | None
    """None if the swarm feeds itself."""
    placement: Placement
    seed: int

    @property
    def schedule(self) -> Schedule | None:
        """The feed's schedule; None for a trial without traffic."""
        if not self.phases.measure_s:
            return None
        return Schedule(self.load.rate_hz, self.phases.warmup_s, self.phases.measure_s)


class TrialFailed(Exception):
    """The trial has no numbers; the text says why."""


async def attempt(trial: Trial, watch: Watch) -> Outcome:
    """Make the trial. Whatever goes wrong in it is the outcome `failed` with its reason, not an exception."""
    try:
        return await _attempt(trial, watch)
    except (TrialFailed, TargetFailed, WorkerFailed, probes.ProbeError) as error:
        return Outcome(Judgement(Verdict.FAILED, str(error)))
    except Exception as error:  # the other trials can still be made
        return Outcome(Judgement(Verdict.FAILED, f"{type(error).__name__}: {error}"))


async def _attempt(trial: Trial, watch: Watch) -> Outcome:
    watch.phase("start", 1.0)
    async with AsyncExitStack() as stack:
        board = await stack.enter_async_context(Switchboard())
        # All start at the same time; the channels tell the load processes where the server is once it is ready. Each has
        # an executor of its own, because one that loses a process ends the others too.
        swarm_worker = Worker(
            await stack.enter_async_context(pool(1)), board, "swarm", swarm, _swarm_plan(trial, board.address)
        )
        feed = _publisher_plan(trial, board.address)
        publisher = None
        if feed:
            publisher = Worker(await stack.enter_async_context(pool(1)), board, "publisher", publish, feed)
        server = None
        if trial.target:
            server = await stack.enter_async_context(running(trial.target, trial.placement.server))
        await stack.enter_async_context(swarm_worker)
        if publisher:
            await stack.enter_async_context(publisher)
        cast = Cast(server, swarm_worker, publisher)
        stopped_s = trial.load.server_stall_ms / 1000 + STOPPED_S
        return await _unless_one_ends(_perform(trial, watch, cast), cast, stopped_s)


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


async def _unless_one_ends(performance: Coroutine[Any, Any, Outcome], cast: Cast, stopped_s: float) -> Outcome:
    """Await the trial, unless one that takes part ends before its time: that is noticed at once."""
    trial = asyncio.ensure_future(performance)
    watching = [asyncio.ensure_future(worker.gone()) for worker in (cast.swarm, cast.publisher) if worker]
    if cast.server:
        watching += [asyncio.ensure_future(_exit(cast.server)), asyncio.ensure_future(_stop(cast.server, stopped_s))]
    try:
        done, _ = await asyncio.wait({trial, *watching}, return_when=asyncio.FIRST_COMPLETED)
        if trial not in done:
            await done.pop()
        return await trial
    finally:
        for one in (trial, *watching):
            one.cancel()
        await asyncio.gather(trial, *watching, return_exceptions=True)


async def _exit(server: Running) -> NoReturn:
    code = await asyncio.shield(server.exited)
    raise TargetFailed(f"the server ended with exit code {code}")  # its own last words say more, and take precedence


async def _stop(server: Running, stopped_s: float) -> NoReturn:
    """Raise TrialFailed if the server is stopped for longer than that."""
    while True:
        since = time.monotonic()
        while probes.is_stopped(server.pid):
            if time.monotonic() - since >= stopped_s:
                raise TrialFailed(
                    f"the server (process {server.pid}) was stopped (SIGSTOP, or a debugger) and did not go on for "
                    f"{stopped_s:g} s; let it go on: kill -CONT {server.pid}"
                )
            await asyncio.sleep(LIVE_EVERY_S)
        await asyncio.sleep(LIVE_EVERY_S)


async def _perform(trial: Trial, watch: Watch, cast: Cast) -> Outcome:
    slip_ns: tuple[int, ...] | None = None
    machine = Machine()
    if cast.publisher and cast.server:
        await cast.publisher.ask(ANSWER_S, host=cast.server.host, port=cast.server.port)
    memory = Memory(cast.server.pid) if cast.server else None
    if memory:
        await memory.note("baseline", 0)
    await _ramp(trial, watch, cast, memory)
    if trial.schedule:
        machine = await _traffic(trial, trial.schedule, watch, cast)
    if cast.publisher:
        cast.publisher.tell(dismissed=True)
        slip_ns = (await cast.publisher.report(ANSWER_S)).slip_ns
    watch.phase("disconnect", 0.5)
    await cast.swarm.ask(ANSWER_S + trial.load.subscribers / CONNECTS_PER_S, disconnect=True)
    if trial.phases.plateaus and memory:
        await asyncio.sleep(trial.phases.settle_s)
        await memory.note("residual", 0)
    cast.swarm.tell(report=True, published=None if slip_ns is None else len(slip_ns))
    seen = await cast.swarm.report(ANSWER_S)
    return concluded(trial.load, trial.schedule, seen, seen.slip_ns if slip_ns is None else slip_ns, machine, memory)


async def _ramp(trial: Trial, watch: Watch, cast: Cast, memory: Memory | None) -> None:
    """Connect all subscribers that are to be there from the beginning, in as many steps as there are plateaus."""
    steps = trial.phases.plateaus or 1
    total = trial.load.subscribers - trial.load.join_late
    host, port = (cast.server.host, cast.server.port) if cast.server else ("", 0)
    watch.phase("ramp", total / 1500 + steps * trial.phases.settle_s)
    for step in range(1, steps + 1):
        target = round(total * step / steps)
        within_s = ANSWER_S + target / CONNECTS_PER_S
        answer = await cast.swarm.ask(within_s, connect=target, host=host, port=port)
        if answer["ended"] or answer["connected"] < target:
            reasons = "; ".join(f"{count} × {reason}" for reason, count in answer["ended"].items())
            raise TrialFailed(f"{answer['connected']} of {target} subscribers connected: {reasons}")
        await asyncio.sleep(trial.phases.settle_s)
        if trial.phases.plateaus and memory:
            await memory.note("ramp", target)


async def _traffic(trial: Trial, schedule: Schedule, watch: Watch, cast: Cast) -> Machine:
    """Warm up, measure, drain; returns what the machine gave to each process in the measured window."""
    await cast.swarm.ask(ANSWER_S, tidy=True)
    start_ns = time.monotonic_ns() + round(LEAD_S * NS)
    if cast.publisher:
        cast.publisher.tell(start_ns=start_ns)
    await cast.swarm.ask(ANSWER_S, measure=start_ns)
    from_ns, to_ns = (start_ns + offset for offset in schedule.window_ns)
    cores = {core for role in cast.pids for core in getattr(trial.placement, role)}

    watch.phase("warm up", schedule.warmup_s + LEAD_S)
    await _until(from_ns, watch, cast.swarm)
    before = _used(cast.pids, cores)
    watch.phase("measure", schedule.measure_s)
    async with asyncio.TaskGroup() as meanwhile:
        if trial.load.server_stall_ms and cast.server:
            meanwhile.create_task(_stall(cast.server.pid, (from_ns + to_ns) // 2, trial.load.server_stall_ms / 1000))
        await _until(to_ns, watch, cast.swarm)
    after = _used(cast.pids, cores)
    polls = ROWS[trial.load.transport].polls
    interval_s = trial.load.poll_interval_ms / 1000 if polls else 0.0
    watch.phase("drain", interval_s)
    if cast.publisher:
        await cast.publisher.hear(ANSWER_S + trial.phases.drain_s)
    everything = trial.load.subscribers * schedule.count
    await _drain(everything, QUIET_S + 2 * interval_s, trial.phases.drain_s, watch, cast.swarm)
    return after.since(before)


@dataclass(frozen=True, slots=True)
class _Used:
    """What was used so far."""

    at_ns: int
    shares: dict[str, tuple[int, int]]
    """For each role, how long it ran and how long it waited for its core."""
    steal_ns: int
    cores: int

    def since(self, before: "_Used") -> Machine:
        of_ns = self.at_ns - before.at_ns
        return Machine(
            {
                role: Share(cpu_ns - before.shares[role][0], wait_ns - before.shares[role][1], of_ns)
                for role, (cpu_ns, wait_ns) in self.shares.items()
            },
            100 * (self.steal_ns - before.steal_ns) / of_ns / self.cores,
        )


def _used(pids: dict[str, int], cores: set[int]) -> _Used:
    shares = {role: (probes.cpu_ns(pid), probes.wait_ns(pid)) for role, pid in pids.items()}
    return _Used(time.monotonic_ns(), shares, probes.steal_ns(cores), len(cores))


async def _stall(pid: int, middle_ns: int, for_s: float) -> None:
    """Stop the server for so long around that moment."""
    await asyncio.sleep(max(0.0, (middle_ns - time.monotonic_ns()) / NS - for_s / 2))
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(for_s)
    finally:
        os.kill(pid, signal.SIGCONT)


async def _until(moment_ns: int, watch: Watch, swarm_worker: Worker[SwarmReport]) -> None:
    """Sleep until then, and show meanwhile how it goes."""
    while (left_s := (moment_ns - time.monotonic_ns()) / NS) > 0:
        await asyncio.sleep(min(left_s, LIVE_EVERY_S))
        _show(watch, swarm_worker)


async def _drain(expected: int, quiet_s: float, longest_s: float, watch: Watch, swarm_worker: Worker[SwarmReport]) -> None:
    """Wait until all has arrived, or nothing more does.

    Quiet is what the swarm has told: while it, or this process, is held up it tells nothing, and that proves nothing.
    """
    began = time.monotonic()
    told, count, quiet_told_s, all_there = swarm_worker.latest, 0, 0.0, False
    while not all_there and quiet_told_s < quiet_s and time.monotonic() - began < longest_s:
        await asyncio.sleep(DRAIN_EVERY_S)
        _show(watch, swarm_worker)
        if swarm_worker.latest is told:
            continue
        told = swarm_worker.latest
        quiet_told_s = 0.0 if told["deliveries"] > count else quiet_told_s + TELL_EVERY_S
        if told["deliveries"] >= expected and told["deliveries"] > count:  # of which some may be there twice
            all_there = (await swarm_worker.ask(ANSWER_S, distinct=True))["distinct"] >= expected
        count = told["deliveries"]


def _show(watch: Watch, swarm_worker: Worker[SwarmReport]) -> None:
    if latest := swarm_worker.latest:
        watch.live(latest["per_s"], latest["p99_ms"])


def _swarm_plan(trial: Trial, control: Address) -> SwarmPlan:
    return SwarmPlan(
        control=control,
        transport=ROWS[trial.load.transport],
        subscribers=trial.load.subscribers,
        poll_interval_s=trial.load.poll_interval_ms / 1000,
        schedule=trial.schedule,
        payload_bytes=trial.load.payload_bytes,
        join_late=trial.load.join_late,
        resume=trial.load.resume,
        seed=trial.seed,
        cores=trial.placement.swarm,
    )


def _publisher_plan(trial: Trial, control: Address) -> PublisherPlan | None:
    if trial.schedule is None or trial.target is None:
        return None
    return PublisherPlan(
        control=control,
        path=trial.target.publish_path,
        via=trial.target.publish_via or trial.load.publish_via,
        pacing=trial.load.pacing,
        schedule=trial.schedule,
        give_up_s=trial.phases.drain_s,
        payload_bytes=trial.load.payload_bytes,
        cores=trial.placement.publisher,
    )
