"""`python -m benchmarks.serving`: what one server process on one core does for 500, beside nchan and a floor in C.

Each row is a trial as the suite makes it, with its ledger: at 50,000 deliveries a second, which all can keep, how long they
take, of the first and the last subscriber too; and, where more is offered than any can keep, how many a second arrive.
"""

import asyncio
import os
import sys
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.floor import FloorFailed, built
from benchmarks.nchan import missing
from benchmarks.receiving import Nobody
from pushbench.placement import place
from pushbench.plans import Trial
from pushbench.run import target_of
from pushbench.scenario import Load, Phases
from pushbench.target import Target
from pushbench.trial import attempt

SUBSCRIBERS, PAYLOAD_BYTES = 500, 100
KEPT_HZ, SATURATED_HZ = 100.0, 400.0
WARMUP_S, DRAIN_S = 1.0, 20.0
MEASURE_S = {KEPT_HZ: 8.0, SATURATED_HZ: 4.0}
"""Of 400 messages the four slowest make the p99, which is one hiccup of the machine; of 800 it is eight."""
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Row:
    """A server, and the transport by which it is asked."""

    server: str
    transport: str


ROWS = (
    Row("pushbench", "stream"),
    Row("pushbench", "sse"),
    Row("pushbench", "sse_plain"),
    Row("pushbench", "websocket"),
    Row("nchan", "stream"),
    Row("nchan", "websocket"),
    Row("asyncio", "tcp"),
    Row("C", "tcp"),
)


def trial_of(row: Row, rate_hz: float) -> Trial:
    """500 subscribers at that rate."""
    load = Load(transport=row.transport, subscribers=SUBSCRIBERS, rate_hz=rate_hz, payload_bytes=PAYLOAD_BYTES)
    targets = {
        "nchan": lambda: Target("nchan", (sys.executable, "-m", "benchmarks.nchan")),
        "C": lambda: Target("C", (str(built("sender")),), publish={"lines": ""}),
    }
    target = targets[row.server]() if row.server in targets else target_of(load)
    phases = Phases(warmup_s=WARMUP_S, measure_s=MEASURE_S[rate_hz], drain_s=DRAIN_S)
    return Trial(load, phases, target, place(sorted(os.sched_getaffinity(0))), seed=1)


async def measured(row: Row, rate_hz: float) -> dict[str, Any]:
    """The columns of one trial, with its verdict."""
    outcome = await attempt(trial_of(row, rate_hz), Nobody())
    if "deliveries_per_s" not in outcome.columns:
        raise FloorFailed(f"the trial of {row.server} by {row.transport} failed: {outcome.judgement.said}")
    return outcome.columns | {"verdict": str(outcome.judgement.verdict)}


async def main() -> None:
    """Print the table."""
    rows = [row for row in ROWS if row.server != "nchan" or not missing()]
    if says := missing():
        print(f"without nchan: {says}", file=sys.stderr)
    built("sender")  # or it is told now that there is no compiler, and not when all else was measured
    found: dict[tuple[Row, float], list[dict[str, Any]]] = {}
    for number in range(1, ROUNDS + 1):
        for row in rows:
            for rate_hz in (KEPT_HZ, SATURATED_HZ):
                try:
                    columns = await measured(row, rate_hz)
                except FloorFailed as failed:
                    print(f"[{number}/{ROUNDS}] {failed}", file=sys.stderr)
                    continue
                found.setdefault((row, rate_hz), []).append(columns)
                says = f"{columns['deliveries_per_s']:,.0f}/s, p99 {columns['latency_p99_ms']:.1f} ms, {columns['verdict']}"
                print(f"[{number}/{ROUNDS}] {row.server} {row.transport} at {rate_hz:g}/s: {says}", file=sys.stderr)
    kept, offered = (f"{SUBSCRIBERS * rate_hz:,.0f}" for rate_hz in (KEPT_HZ, SATURATED_HZ))
    print(f"{SUBSCRIBERS} subscribers, {PAYLOAD_BYTES} B, one server process on one core; medians of {ROUNDS} rounds\n")
    print(f"                     at {kept} deliveries/s                                            {offered} offered")
    print("server     transport   p50, ms  p99, ms  first, ms  last, ms  server, µs  load, µs   reached/s  lost  verdicts")
    for row in rows:
        calm, full = (found.get((row, rate_hz), []) for rate_hz in (KEPT_HZ, SATURATED_HZ))
        if not calm or not full:
            print(f"{row.server:10} {row.transport:10} no trial of it was made")
            continue
        figures = [
            median(columns[name] for columns in calm)
            for name in (
                *("latency_p50_ms", "latency_p99_ms", "fanout_first_ms", "fanout_last_ms"),
                *("server_cpu_us_per_delivery", "client_cpu_us_per_delivery"),
            )
        ]
        reached = median(columns["deliveries_per_s"] for columns in full)
        lost = sum(columns["lost"] for columns in (*calm, *full))
        said = "/".join(",".join(sorted({columns["verdict"] for columns in each})) for each in (calm, full))
        words = "".join(f"{figure:{width}.2f}" for figure, width in zip(figures, (9, 9, 11, 10, 12, 10), strict=True))
        print(f"{row.server:10} {row.transport:10}{words}{reached:12,.0f}{lost:6}  {said}")


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except FloorFailed as failed:
        raise SystemExit(f"benchmarks.serving: {failed}") from None
