"""`python -m benchmarks.receiving`: what the load side spends on a delivery, beside a C program that receives and does
nothing else, and beside the server, in one run.

The swarm is a real trial: it records every delivery with its latency from the due time, and has a ledger. The C program
takes its place before the same server and the same feed, on the same core, and is asked for its CPU over the same window.
"""

import asyncio
import multiprocessing
import os
import sys
import time
from dataclasses import dataclass
from statistics import median

from benchmarks.floor import FloorFailed, receiving
from pushbench import probes
from pushbench.placement import place
from pushbench.plans import Trial
from pushbench.publisher import FOLLOW, WAYS, Feed
from pushbench.run import target_of
from pushbench.scenario import Load, Phases
from pushbench.schedule import NS, Schedule
from pushbench.target import running
from pushbench.transports import TRANSPORTS
from pushbench.trial import attempt

SUBSCRIBERS, RATE_HZ, PAYLOAD_BYTES = 500, 100.0, 100
WARMUP_S, MEASURE_S = 1.0, 5.0
ROUNDS = 5
ENDLESS = ("stream", "sse", "sse_plain", "websocket")
"""Those whose messages come without being asked for: a program that only reads can stand in for their clients."""


class Nobody:
    """Looks on, and says nothing."""

    def phase(self, name: str, planned_s: float) -> None:
        """A phase has begun."""

    def live(self, deliveries_per_s: float, p99_ms: float | None) -> None:
        """How it goes."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one trial; CPU in µs a delivery."""

    load_us: float
    server_us: float
    p99_ms: float | None = None
    verdict: str = "ok"


def trial_of(transport: str) -> Trial:
    """500 subscribers, 100 messages a second of 100 bytes."""
    load = Load(transport=transport, subscribers=SUBSCRIBERS, rate_hz=RATE_HZ, payload_bytes=PAYLOAD_BYTES)
    phases = Phases(warmup_s=WARMUP_S, measure_s=MEASURE_S)
    return Trial(load, phases, target_of(load), place(sorted(os.sched_getaffinity(0))), seed=1)


async def by_swarm(transport: str) -> Figures:
    """As the suite measures it."""
    outcome = await attempt(trial_of(transport), Nobody())
    columns = outcome.columns
    if "client_cpu_us_per_delivery" not in columns:
        raise FloorFailed(f"the trial of {transport} failed: {outcome.judgement.said}")
    return Figures(
        columns["client_cpu_us_per_delivery"],
        columns["server_cpu_us_per_delivery"],
        columns["latency_p99_ms"],
        str(outcome.judgement.verdict),
    )


async def by_floor(transport: str) -> Figures:
    """The same with the C program in the place of the swarm."""
    trial = trial_of(transport)
    assert trial.target
    assert trial.schedule
    row, cores = TRANSPORTS[transport], trial.placement
    async with running(trial.target, cores.server) as server:
        args = (server.port, row.path, SUBSCRIBERS, cores.swarm)
        async with receiving(*args, websocket=row.asks == "upgrade") as receiver:
            start_ns = time.monotonic_ns() + NS
            publisher = multiprocessing.get_context("spawn").Process(
                target=_publish, args=((server.host, server.port), trial.schedule, start_ns, cores.publisher), daemon=True
            )
            publisher.start()
            begin_ns, end_ns = (start_ns + offset for offset in trial.schedule.window_ns)
            await _until(begin_ns)
            before = (probes.cpu_ns(receiver.pid), probes.cpu_ns(server.pid))
            await _until(end_ns)
            after = (probes.cpu_ns(receiver.pid), probes.cpu_ns(server.pid))
            await asyncio.to_thread(publisher.join)
            await asyncio.sleep(0.5)
        if receiver.messages != SUBSCRIBERS * trial.schedule.count:
            raise FloorFailed(f"the receiver saw {receiver.messages} of {SUBSCRIBERS * trial.schedule.count} messages")
    deliveries = SUBSCRIBERS * RATE_HZ * MEASURE_S
    load_us, server_us = ((late - early) / 1000 / deliveries for early, late in zip(before, after, strict=True))
    return Figures(load_us, server_us)


def _publish(address: tuple[str, int], schedule: Schedule, start_ns: int, cores: tuple[int, ...]) -> None:
    os.sched_setaffinity(0, cores)
    with WAYS["websocket"](address, "/publish") as outlet:
        FOLLOW["open"](Feed(schedule, start_ns, start_ns + schedule.window_ns[1] + 10 * NS, PAYLOAD_BYTES), outlet, [])


async def _until(moment_ns: int) -> None:
    await asyncio.sleep(max(0.0, (moment_ns - time.monotonic_ns()) / NS))


async def main(transports: list[str]) -> None:
    """Print the table."""
    found: dict[tuple[str, str], list[Figures]] = {}
    for number in range(1, ROUNDS + 1):
        for transport in transports:
            for side, measure in (("floor", by_floor), ("swarm", by_swarm)):
                figures = await measure(transport)
                found.setdefault((transport, side), []).append(figures)
                print(f"[{number}/{ROUNDS}] {transport:9} {side} {figures.load_us:6.2f} µs a delivery", file=sys.stderr)
    print(f"{SUBSCRIBERS} subscribers × {RATE_HZ:g} messages/s of {PAYLOAD_BYTES} B; medians of {ROUNDS} rounds\n")
    print("transport   swarm, µs   floor in C, µs   × floor (range)   server, µs (floor's)   × server   p99, ms   verdicts")
    for transport in transports:
        swarms, floors = found[transport, "swarm"], found[transport, "floor"]
        times = [swarm.load_us / floor.load_us for swarm, floor in zip(swarms, floors, strict=True)]
        load_us, server_us = median(one.load_us for one in swarms), median(one.server_us for one in swarms)
        floors_server_us = median(one.server_us for one in floors)
        print(
            f"{transport:9} {load_us:11.2f} {median(one.load_us for one in floors):16.2f} {median(times):9.2f} "
            f"({min(times):.2f}–{max(times):.2f}) {server_us:11.2f} ({floors_server_us:.2f}) {load_us / server_us:12.2f} "
            f"{median(one.p99_ms or 0 for one in swarms):9.1f}   {', '.join(sorted({one.verdict for one in swarms}))}"
        )


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1:] or list(ENDLESS)))
    except FloorFailed as failed:
        raise SystemExit(f"benchmarks.receiving: {failed}") from None
