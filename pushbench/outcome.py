"""What comes of a trial: from what its processes reported to its columns, its rows and its judgement.

It knows how each figure is computed. How it was taken is the business of those who reported it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from pushbench import histogram, timeline
from pushbench.checks import Judgement, Verdict, judge
from pushbench.memory import Memory
from pushbench.scenario import Load
from pushbench.schedule import NS, Schedule
from pushbench.swarm import SwarmReport


@dataclass(slots=True)
class Outcome:
    """What came of it: the judgement, the measured columns of `trials`, and the rows of the other frames."""

    judgement: Judgement
    columns: dict[str, Any] = field(default_factory=dict)
    latency: list[dict[str, Any]] = field(default_factory=list)
    timeline: list[dict[str, Any]] = field(default_factory=list)
    memory: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Share:
    """What a process used of its core in the window."""

    cpu_ns: int
    of_ns: int

    @property
    def percent(self) -> float:
        """Of one core."""
        return 100 * self.cpu_ns / self.of_ns


def concluded(
    load: Load,
    schedule: Schedule | None,
    seen: SwarmReport,
    slip_ns: tuple[int, ...],
    cpu: dict[str, Share],
    memory: Memory,
) -> Outcome:
    """The columns and rows of a trial that came to its end."""
    columns: dict[str, Any] = memory.slopes()
    columns["connect_per_s"] = len(seen.connect_ns) / (seen.connecting_ns / NS)
    columns["connect_p99_ms"] = float(np.percentile(seen.connect_ns, 99)) / 1e6
    if schedule is None:
        return Outcome(_with_ends(Judgement(Verdict.OK), seen.ended), columns, memory=memory.rows)
    due, sent = histogram.merged([seen.due_histogram]), histogram.merged([seen.sent_histogram])
    deliveries = seen.deliveries_in_window
    columns |= histogram.summary_ms(due, "latency") | histogram.summary_ms(sent, "naive") | asdict(seen.ledger)
    columns |= {
        "age_mean_ms": seen.age.mean_ms,
        "age_peak_ms": seen.age.peak_ms,
        "deliveries_per_s": deliveries / schedule.measure_s,
        "offered_per_s": load.subscribers * (schedule.count - schedule.warmup_count) / schedule.measure_s,
        "server_cpu_us_per_delivery": cpu["server"].cpu_ns / deliveries / 1e3 if deliveries else None,
        "client_cpu_us_per_delivery": cpu["swarm"].cpu_ns / deliveries / 1e3 if deliveries else None,
        "publisher_slip_p99_ms": float(np.percentile(slip_ns, 99)) / 1e6,
        "swarm_lag_p99_ms": float(np.percentile(seen.lag_ns, 99)) / 1e6,
        **{f"{role}_cpu_percent": share.percent for role, share in cpu.items()},
    }
    return Outcome(
        _with_ends(judge(columns), seen.ended),
        columns,
        latency=[
            {"clock": clock, "value_ms": edge_ns / 1e6, "count": count}
            for clock, one in (("due", due), ("sent", sent))
            for edge_ns, count in histogram.buckets(one)
        ],
        timeline=[
            dict(row) for row in timeline.rows(seen.timeline, warmup_s=schedule.warmup_s, measure_s=schedule.measure_s)
        ],
        memory=memory.rows,
    )


def _with_ends(judgement: Judgement, ended: Mapping[str, int]) -> Judgement:
    """The judgement, and why subscribers ended before they were told to: then it is `lossy` at best."""
    if not ended:
        return judgement
    reasons = "subscribers ended: " + "; ".join(f"{count} × {reason}" for reason, count in ended.items())
    if judgement.verdict.believable:
        return Judgement(Verdict.LOSSY, reasons)
    return Judgement(judgement.verdict, f"{judgement.reason}; {reasons}")
