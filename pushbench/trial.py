"""A trial: one repetition of a cell, from a fresh server process to its verdict.

    start → baseline memory → ramp (plateaus) → settle → warm up → measure → drain → disconnect → residual memory → stop

It knows the phases and who does what in each. How a subscriber receives, how a message is published, what is made of the
recordings and where results are kept is not known here.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Protocol

from pushbench import probes
from pushbench.checks import Judgement, Verdict
from pushbench.control import Address, Switchboard
from pushbench.memory import Memory
from pushbench.outcome import Outcome, Share, concluded
from pushbench.placement import Placement
from pushbench.publisher import PublisherPlan, PublisherReport, publish
from pushbench.scenario import Load, Phases
from pushbench.schedule import NS, Schedule
from pushbench.swarm import SwarmPlan, SwarmReport, swarm
from pushbench.target import Running, Target, TargetFailed, running
from pushbench.transports import TRANSPORTS
from pushbench.workers import Worker, WorkerFailed, pool

LEAD_S = 0.2
"""From the order to start to the first message: time for it to reach everyone."""
ANSWER_S = 30.0
"""How long a load process may take to answer, beyond what it is asked to do."""
CONNECTS_PER_S = 100
"""A ramp that is slower than this is given up."""
LIVE_EVERY_S = 0.25
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
    target: Target
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
    slip_ns: tuple[int, ...] = ()
    cpu: dict[str, Share] = {}
    async with AsyncExitStack() as stack:
        executor = await stack.enter_async_context(pool(2))
        board = await stack.enter_async_context(Switchboard())
        # All three start at the same time; the channels tell the load processes where the server is once it is ready.
        swarm_worker = Worker(executor, board, "swarm", swarm, _swarm_plan(trial, board.address))
        feed = _publisher_plan(trial, board.address)
        publisher = Worker(executor, board, "publisher", publish, feed) if feed else None
        server = await stack.enter_async_context(running(trial.target, trial.placement.server))
        await stack.enter_async_context(swarm_worker)
        if publisher:
            await stack.enter_async_context(publisher)
            await publisher.ask(ANSWER_S, host=server.host, port=server.port)

        memory = Memory(server.pid)
        await memory.note("baseline", 0)
        await _ramp(trial, watch, server, swarm_worker, memory)
        if publisher:
            cpu = await _traffic(trial, watch, server, swarm_worker, publisher)
            publisher.tell(dismissed=True)
            slip_ns = (await publisher.report(ANSWER_S)).slip_ns
        watch.phase("disconnect", 0.5)
        await swarm_worker.ask(ANSWER_S + trial.load.subscribers / CONNECTS_PER_S, disconnect=True)
        if trial.phases.plateaus:
            await asyncio.sleep(trial.phases.settle_s)
            await memory.note("residual", 0)
        swarm_worker.tell(report=True)
        seen = await swarm_worker.report(ANSWER_S)
    return concluded(trial.load, trial.schedule, seen, slip_ns, cpu, memory)


async def _ramp(trial: Trial, watch: Watch, server: Running, swarm_worker: Worker[SwarmReport], memory: Memory) -> None:
    """Connect all subscribers, in as many steps as there are plateaus."""
    steps = trial.phases.plateaus or 1
    total = trial.load.subscribers
    watch.phase("ramp", total / 1500 + steps * trial.phases.settle_s)
    for step in range(1, steps + 1):
        target = round(total * step / steps)
        within_s = ANSWER_S + target / CONNECTS_PER_S
        answer = await swarm_worker.ask(within_s, connect=target, host=server.host, port=server.port)
        if answer["ended"] or answer["connected"] < target:
            reasons = "; ".join(f"{count} × {reason}" for reason, count in answer["ended"].items())
            raise TrialFailed(f"{answer['connected']} of {target} subscribers connected: {reasons}")
        await asyncio.sleep(trial.phases.settle_s)
        if trial.phases.plateaus:
            await memory.note("ramp", target)


async def _traffic(
    trial: Trial, watch: Watch, server: Running, swarm_worker: Worker[SwarmReport], publisher: Worker[PublisherReport]
) -> dict[str, Share]:
    """Warm up, measure, drain; returns what each process used of its core in the measured window."""
    schedule = trial.schedule
    assert schedule is not None
    await swarm_worker.ask(ANSWER_S, tidy=True)
    start_ns = time.monotonic_ns() + round(LEAD_S * NS)
    publisher.tell(start_ns=start_ns)
    await swarm_worker.ask(ANSWER_S, measure=start_ns)
    from_ns, to_ns = (start_ns + offset for offset in schedule.window_ns)
    pids = {"server": server.pid, "swarm": swarm_worker.pid, "publisher": publisher.pid}

    def cpu() -> dict[str, tuple[int, int]]:
        return {role: (probes.cpu_ns(pid), time.monotonic_ns()) for role, pid in pids.items()}

    watch.phase("warm up", schedule.warmup_s + LEAD_S)
    await _until(from_ns, watch, swarm_worker)
    before = cpu()
    watch.phase("measure", schedule.measure_s)
    await _until(to_ns, watch, swarm_worker)
    after = cpu()
    polls = TRANSPORTS[trial.load.transport].polls
    interval_s = trial.load.poll_interval_ms / 1000 if polls else 0.0
    watch.phase("drain", interval_s)
    await publisher.hear(ANSWER_S + trial.phases.drain_s)
    await _drain(
        trial.load.subscribers * schedule.count, QUIET_S + 2 * interval_s, trial.phases.drain_s, watch, swarm_worker
    )
    return {role: Share(after[role][0] - before[role][0], after[role][1] - before[role][1]) for role in pids}


async def _until(moment_ns: int, watch: Watch, swarm_worker: Worker[SwarmReport]) -> None:
    """Sleep until then, and show meanwhile how it goes."""
    while (left_s := (moment_ns - time.monotonic_ns()) / NS) > 0:
        await asyncio.sleep(min(left_s, LIVE_EVERY_S))
        _show(watch, swarm_worker)


async def _drain(expected: int, quiet_s: float, longest_s: float, watch: Watch, swarm_worker: Worker[SwarmReport]) -> None:
    """Wait until all has arrived, or nothing more does."""
    began = last_news = time.monotonic()
    count = 0
    while count < expected and time.monotonic() - last_news < quiet_s and time.monotonic() - began < longest_s:
        await asyncio.sleep(DRAIN_EVERY_S)
        _show(watch, swarm_worker)
        told = swarm_worker.latest.get("deliveries", 0)  # a swarm that is overloaded may not have told anything yet
        if told > count:
            count, last_news = told, time.monotonic()


def _show(watch: Watch, swarm_worker: Worker[SwarmReport]) -> None:
    if latest := swarm_worker.latest:
        watch.live(latest["per_s"], latest["p99_ms"])


def _swarm_plan(trial: Trial, control: Address) -> SwarmPlan:
    return SwarmPlan(
        control=control,
        transport=TRANSPORTS[trial.load.transport],
        subscribers=trial.load.subscribers,
        poll_interval_s=trial.load.poll_interval_ms / 1000,
        schedule=trial.schedule,
        seed=trial.seed,
        cores=trial.placement.swarm,
    )


def _publisher_plan(trial: Trial, control: Address) -> PublisherPlan | None:
    if (schedule := trial.schedule) is None:
        return None
    return PublisherPlan(
        control=control,
        path=trial.target.publish_path,
        via=trial.load.publish_via,
        schedule=schedule,
        payload_bytes=trial.load.payload_bytes,
        cores=trial.placement.publisher,
    )
