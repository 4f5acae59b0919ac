"""Known truth: a server that distorts its deliveries by a plan, and an instrument that has to report that and nothing else.

Each transport has two trials against the fake of `targets/`, one without distortion and one with all of them. Never does it
depend on the machine that

- the ledger counts what the plan counts, and the histogram has as many deliveries;
- no latency is below its planned one, because the fake never releases a delivery early.

How far a latency may be above its planned one does depend on it. So that bound is measured and not set:

    floor         the largest latency of the trial without distortion: all that the path and the instrument add
    + late        the fake's own evidence, how late it was against its plan in the trial with distortion
    + lag         the swarm's own evidence, how late its loop was (the largest of the columns `swarm_lag_*_ms`)
    + interval    for a transport that polls, one poll interval

An instrument whose stamps are always late would raise the floor, and so excuse itself. Hence the floor has a bound too: of
its 176 deliveries the one that was held up least took the bare path, and that is not longer than `PATH_MS`.

A stall of the machine that none of this evidence has seen can break the bounds from above. They are tried again, up to
`TRIES` times: an error of the instrument breaks them each time. The others may not fail once.
"""

import http.client
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import pairwise
from typing import Any

import psutil
import pytest

from pushbench.checks import Verdict
from pushbench.columns import LEDGER
from pushbench.outcome import Outcome
from pushbench.scenario import Phases
from pushbench.schedule import Schedule
from pushbench.target import Target
from pushbench.transports import OVER_TCP
from pushbench.trial import attempt
from targets.plan import Distortion, Plan, draw
from tests.pushbench.tiny import Phased, command_of, load, nothing_left_over, started_below, trial

pytestmark = pytest.mark.slow

TRIES = 3
PATH_MS = 3.0
"""The bare path: a timer's grain of 1 ms, two ways over loopback, two event loops. Least overheads were 0.5 to 1.2 ms."""
BUCKET = 1e-3
"""The width of a histogram's bucket, as a part of its value (docs/method.md)."""

POLL_INTERVAL_MS = 10
RATE_HZ = 43.0  # no multiple of the poll interval fits its period, so pollers meet messages at every phase
PLAIN = Distortion(subscribers=8, rate_hz=RATE_HZ)
PLAIN_PHASES = Phases(settle_s=0, warmup_s=0.1, measure_s=0.4, drain_s=10)
# More is duplicated than lost, so that there are more deliveries than were expected before the last of them has come.
DISTORTED = replace(PLAIN, seed=7, drop=0.1, duplicate=0.2, delay_ms=20, delay_max_ms=500)
DISTORTED_PHASES = Phases(settle_s=0, warmup_s=0.15, measure_s=0.85, drain_s=10)

QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1.0}


@dataclass(slots=True)
class Asking(Phased):
    """A watch that asks the fake what it did, when all has arrived and everybody is still there."""

    truth: Mapping[str, int] = field(default_factory=dict)

    def phase(self, name: str, planned_s: float) -> None:
        Phased.phase(self, name, planned_s)
        if name == "disconnect":
            [fake] = [one for one in started_below(os.getpid()) if command_of(one)[1:3] == ["-m", "targets.fake"]]
            self.truth = json.loads(fetched(fake, "/truth"))


def fetched(server: psutil.Process, path: str) -> bytes:
    """What the one port on which a process listens answers to a GET."""
    [port] = [one.laddr.port for one in server.net_connections("tcp") if one.status == psutil.CONN_LISTEN]
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path)
    body = connection.getresponse().read()
    connection.close()
    return body


@dataclass(frozen=True, slots=True)
class Told:
    """What a trial told, beside what is true."""

    columns: Mapping[str, Any]
    least_ms: float
    """The least latency that was recorded, to the upper edge of its bucket."""
    planned_ms: Mapping[str, float]
    """Planned latencies, by the columns' names."""
    late_ms: float
    """How late the fake was at most, by its own evidence."""

    @property
    def lag_ms(self) -> float:
        return max(float(value) for name, value in self.columns.items() if name.startswith("swarm_lag_"))


async def told(transport: str, distortion: Distortion, phases: Phases) -> Told:
    """Make a trial against the fake, and hold it to all that must be true whatever the machine does."""
    schedule = Schedule(RATE_HZ, phases.warmup_s, phases.measure_s)
    distortion = replace(distortion, messages=schedule.count)
    plan = draw(distortion)
    watch = Asking()
    cell = load(transport, subscribers=distortion.subscribers, rate_hz=RATE_HZ, poll_interval_ms=POLL_INTERVAL_MS)
    outcome = await attempt(trial(cell, fake(distortion), phases), watch)
    assert outcome.judgement.verdict != Verdict.FAILED, outcome.judgement.reason
    assert "ended" not in outcome.judgement.reason
    columns = outcome.columns

    true = asdict(plan.counts) | {"coalesced": watch.truth["coalesced"]}
    assert {name: columns[name] for name in LEDGER} == true
    due = due_latencies(outcome)
    assert sum(due.values()) == len(plan.latencies_ns(schedule.warmup_count))

    planned_ms = latencies_ms(plan, schedule)
    early = {name: (columns[name], ms) for name, ms in planned_ms.items() if columns[name] < ms * (1 - BUCKET)}
    assert early == {}
    return Told(columns, min(due), planned_ms, watch.truth["late_max_ns"] / 1e6)


def fake(distortion: Distortion) -> Target:
    flags = [f"--{option.name.replace('_', '-')}={getattr(distortion, option.name)}" for option in fields(distortion)]
    return Target("fake", (sys.executable, "-m", "targets.fake", *flags))


def due_latencies(outcome: Outcome) -> dict[float, int]:
    """How many deliveries each bucket has, by its upper edge in milliseconds."""
    return {row["value_ms"]: row["count"] for row in outcome.latency if row["clock"] == "due"}


def latencies_ms(plan: Plan, schedule: Schedule) -> dict[str, float]:
    """What the latency columns would be if nothing but the plan took time; quantiles by the nearest rank."""
    delays_ms = [delay_ns / 1e6 for delay_ns in plan.latencies_ns(schedule.warmup_count)]
    ranks = {name: max(1, int(share * len(delays_ms) + 0.5)) for name, share in QUANTILES.items()}
    return {"latency_mean_ms": sum(delays_ms) / len(delays_ms)} | {
        f"latency_{name}_ms": delays_ms[rank - 1] for name, rank in ranks.items()
    }


def test_the_plan_has_every_distortion_and_percentiles_that_are_well_apart() -> None:
    schedule = Schedule(RATE_HZ, DISTORTED_PHASES.warmup_s, DISTORTED_PHASES.measure_s)
    plan = draw(replace(DISTORTED, messages=schedule.count))
    counts = plan.counts
    assert counts.duplicated > counts.lost > 10
    assert counts.reordered > 50
    assert counts.gaps > counts.gap_longest > 2
    quantiles_ms = [latencies_ms(plan, schedule)[f"latency_{name}_ms"] for name in ("p50", "p90", "p99", "max")]
    assert all(high - low > 40 for low, high in pairwise(quantiles_ms))


@pytest.mark.parametrize("transport", OVER_TCP)
async def test_the_instrument_reports_what_the_server_is_known_to_do(transport: str) -> None:
    interval_ms = POLL_INTERVAL_MS if OVER_TCP[transport].polls else 0
    complaints = []
    for _ in range(TRIES):
        with nothing_left_over():
            floor = await told(transport, PLAIN, PLAIN_PHASES)
            distorted = await told(transport, DISTORTED, DISTORTED_PHASES)
        tolerance_ms = floor.columns["latency_max_ms"] + distorted.late_ms + distorted.lag_ms + interval_ms
        late = [
            f"{name} {distorted.columns[name]:.2f}, planned {ms:.2f} + {tolerance_ms:.2f}"
            for name, ms in distorted.planned_ms.items()
            if distorted.columns[name] > ms * (1 + BUCKET) + tolerance_ms
        ]
        if floor.least_ms > PATH_MS:
            late.append(f"no delivery without distortion took less than {floor.least_ms:.2f} (at most {PATH_MS:g})")
        if not late:
            return
        complaints.append("; ".join(late))
    pytest.fail("in each try something came too late, in ms:\n" + "\n".join(complaints))
