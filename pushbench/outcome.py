"""What comes of a trial: from what its processes reported to its columns, its rows and its judgement.

It knows how each figure is computed. How it was taken is the business of those who reported it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pushbench import histogram, timeline
from pushbench.checks import Judgement, Verdict, judge
from pushbench.clocks import SAME, Clock
from pushbench.columns import MEASURED, WIRE
from pushbench.comeback import AWAY_S, recovered_ms
from pushbench.costs import connect_columns, wire_columns
from pushbench.memory import Memory
from pushbench.relay import RelayReport
from pushbench.scenario import Load
from pushbench.schedule import NS, Schedule
from pushbench.swarm_report import SwarmReport
from pushbench.transports import ROWS
from pushbench.usage import Share, together


@dataclass(slots=True)
class Outcome:
    """What came of it: the judgement, the measured columns of `trials`, and the rows of the other frames."""

    judgement: Judgement
    columns: dict[str, Any] = field(default_factory=dict)
    latency: list[dict[str, Any]] = field(default_factory=list)
    timeline: list[dict[str, Any]] = field(default_factory=list)
    memory: list[dict[str, Any]] = field(default_factory=list)
    by_target: bool = False
    """Of one that failed, whether the server did, and not the load side."""


TOGETHER = 12
"""So many messages of the least size fit into a packet."""
NOTICED = ("noticed_p50_ms", "noticed_all_ms")
PEAKS = ("server_peak_user_bytes", "host_peak_queue_bytes")


@dataclass(frozen=True, slots=True)
class Machine:
    """What the machine gave to a trial in its window."""

    shares: Mapping[str, Share] = field(default_factory=dict)
    """By role: server, swarm, publisher, relay, as far as there are such processes."""
    steal_percent: float | None = None
    """Of the core from which most was stolen."""
    connecting_ns: int | None = None
    """CPU time of the server while the subscribers connected, before the window; None if that cannot be told."""
    peaks: Mapping[str, float | None] = field(default_factory=lambda: dict.fromkeys(PEAKS))
    """The most memory that was seen in the window, by column."""
    noticed: Mapping[str, float | None] = field(default_factory=lambda: dict.fromkeys(NOTICED))
    """How long it took the server to see that peers had vanished, by column."""

    @property
    def columns(self) -> dict[str, float | None]:
        """As columns of `trials`."""
        columns = {
            f"{role}_{what}_percent": getattr(share, f"{what}_percent")
            for role, share in self.shares.items()
            for what in ("cpu", "wait", "stopped")
        }
        swarm, server = self.shares.get("swarm"), self.shares.get("server")
        return columns | {
            "steal_percent": self.steal_percent,
            "swarm_busiest": swarm.busiest + 1 if swarm and swarm.each else None,
            "server_processes": max(1, len(server.each)) if server else None,
        }


@dataclass(frozen=True, slots=True)
class Crew:
    """How many swarm processes there were, and whether they were together."""

    processes: int = 1
    late_ns: int = 0
    """How long after the traffic was to begin the last of them heard of it; 0: all before."""
    clocks: tuple[Clock, ...] = (SAME,)
    """What they read."""

    @property
    def columns(self) -> dict[str, float | None]:
        """As columns of `trials`."""
        return {
            "swarm_processes": self.processes,
            "swarm_late_ms": self.late_ns / 1e6,
            "clock_offset_ms": max((clock.offset_ns for clock in self.clocks), key=abs) / 1e6,
            "clock_uncertainty_ms": max(clock.uncertainty_ns for clock in self.clocks) / 1e6,
        }


@dataclass(frozen=True, slots=True)
class Outage:
    """How a server was away on purpose."""

    away_s: float
    """From the kill until it was ready again."""
    returned_ns: int
    """When it was."""
    held_up: tuple[int, ...] = ()
    """The numbers of the messages that could not be published meanwhile."""


def concluded(
    load: Load,
    schedule: Schedule | None,
    seen: SwarmReport,
    slip_ns: tuple[int, ...],
    machine: Machine,
    memory: Memory | None,
    relayed: RelayReport | None = None,
    outage: Outage | None = None,
    crew: Crew = Crew(),
) -> Outcome:
    """The columns and rows of a trial that came to its end. Without a server there is no memory of it."""
    columns: dict[str, Any] = memory.slopes() if memory else {}
    columns["swarm_processes"] = crew.processes
    if load.kind == "request" and load.post_connection == "new":  # who makes a connection only when it acts
        seen = replace(seen, connect_ns=())
    else:
        columns["connect_per_s"] = len(seen.connect_ns) / (sum(seen.connecting_ns) / NS)
    columns["connect_p99_ms"] = float(np.percentile(seen.connect_ns, 99)) / 1e6 if seen.connect_ns else None
    columns |= connect_columns(seen.connect_traffic)
    if machine.connecting_ns is not None and seen.connect_ns:
        columns["server_cpu_us_per_connect"] = machine.connecting_ns / 1e3 / len(seen.connect_ns)
    rows = memory.rows if memory else []
    if schedule is None:
        return Outcome(_with_ends(Judgement(Verdict.OK), seen.ended), columns, memory=rows)
    if seen.shares:  # of processes that could not be looked at from here
        machine = replace(machine, shares={**machine.shares, "swarm": together(seen.shares)})
    recovered = {
        f"recovered_{name}_ms": recovered_ms(seen.caught_up_ns, outage.returned_ns, percent) if outage else None
        for name, percent in (("90_percent", 90), ("all", 100))
    }
    published = len(slip_ns)
    if outage:  # what nobody could have published in time is no fault of the publisher's
        slip_ns = tuple(slip for seq, slip in enumerate(slip_ns) if seq not in set(outage.held_up))
    due, sent = histogram.merged([seen.due_histogram]), histogram.merged([seen.sent_histogram])
    deliveries = seen.deliveries_in_window
    if load.tls and load.poll_connection == "new":  # the handshake's packets up are no requests
        seen = replace(seen, traffic=replace(seen.traffic, requests=seen.traffic.opened))
    polls = seen.traffic.requests if seen.account and seen.account.up.heads else 0
    # What is written to those that read slowly or have vanished is work for which there is no delivery here.
    counted = deliveries if load.bystanders == load.subscribers else 0
    there = load.subscribers - load.join_late / 2
    served = there + (seen.account is not None)  # the server does not know that one is a witness
    columns |= histogram.summary_ms(due, "latency") | histogram.summary_ms(sent, "naive") | seen.ledger.columns
    columns |= {
        **seen.fanout.columns,
        "age_mean_ms": seen.age.mean_ms,
        "age_peak_ms": seen.age.peak_ms,
        "deliveries_per_s": deliveries / schedule.measure_s,
        "offered_per_s": (load.hearers if load.acts else _present(load))
        * (schedule.count - schedule.warmup_count)
        / schedule.measure_s,
        **_named(
            "server",
            _cpu(
                machine.shares.get("server"),
                counted and counted + seen.witnessed,
                served * schedule.measure_s,
                0 if deliveries else polls * served / _present(load),
            ),
        ),
        **_named(
            "client", _cpu(machine.shares.get("swarm"), counted, there * schedule.measure_s, 0 if deliveries else polls)
        ),
        **wire_columns(
            seen.traffic,
            seen.account,
            deliveries=seen.deliveries_metered,
            connection_s=_present(load) / load.subscribers * seen.metered_ns / NS,
            tls=load.tls,
        ),
        "publisher_slip_p99_ms": float(np.percentile(slip_ns, 99)) / 1e6 if slip_ns else None,
        "publisher_slip_max_ms": max(slip_ns) / 1e6 if slip_ns else None,
        "swarm_lag_p99_ms": seen.lag.wait_ms(0.99),
        "swarm_held_p99_ms": seen.lag.held_ms(0.99),
        **machine.columns,
        **crew.columns,
        **seen.arrivals.columns,
        **recovered,
        **seen.slow.columns(published),
        **seen.pings.columns,
        **machine.peaks,
        **machine.noticed,
        "server_away_ms": outage.away_s * 1000 if outage else None,
    }
    if load.client == "browser":  # whose sockets nobody counts
        columns |= dict.fromkeys(WIRE)
    if relayed:
        columns["relay_lag_p99_ms"] = relayed.lag.wait_ms(0.99)
        columns |= {"relay_resets": relayed.resets, "relay_idle_cuts": relayed.idle_cuts}
        columns |= {"relay_packets": relayed.packets, "relay_packets_lost": relayed.packets_lost}
        columns["relay_packets_dropped"] = relayed.packets_dropped
    evidence = dict.fromkeys(MEASURED) | columns | load.model_dump()
    evidence |= {"measure_s": schedule.measure_s, "warmup_ms": schedule.warmup_s * 1000}
    evidence |= {"scheduled": schedule.count, "published": published + seen.unsaid, "unsaid": seen.unsaid}
    excused = _excused(load, schedule, outage, recovered["recovered_all_ms"])
    row = ROWS[load.transport]
    losable = 0.0 if row.reliable else _losable(load, seen.ledger.expected)
    excused += min(losable, seen.ledger.lost) / max(1, seen.ledger.expected)
    evidence |= {"polled_ms": load.polled_ms, "line_ms": load.line_ms, "excused": excused}
    evidence |= {"ordered": row.ordered, "losable": losable}
    return Outcome(
        _with_ends(judge(evidence), seen.ended),
        columns,
        latency=[
            {"clock": clock, "value_ms": edge_ns / 1e6, "count": count}
            for clock, one in (("due", due), ("sent", sent))
            for edge_ns, count in histogram.buckets(one)
        ],
        timeline=[
            dict(row)
            for row in timeline.rows(
                seen.timeline, seen.naive_timeline, warmup_s=schedule.warmup_s, measure_s=schedule.measure_s
            )
        ],
        memory=rows,
    )


def _present(load: Load) -> float:
    """How many subscribers are there on average over the window: those that join late do so evenly."""
    return load.bystanders - load.join_late / 2


def _losable(load: Load, expected: int) -> float:
    """How many deliveries a line may lose of those that are not sent again: what its loss comes to, and six standard
    deviations more. Several messages may be in one packet, and then are lost together."""
    part, together = load.loss_percent / 100, min(load.burst, TOGETHER)
    return part * expected + 6 * math.sqrt(part * (1 - part) * expected * together)


def _excused(load: Load, schedule: Schedule, outage: Outage | None = None, recovered_all_ms: float | None = None) -> float:
    """The part of the offered deliveries that come after the window because the load would have it so, at most.

    Who is away gets them when it is back, who joined late when it has connected and, if it polls, with its next poll,
    everybody when a stall is over, or when the server has returned and all have found it again; if not all ever did, the
    ledger says so. What the line delays by moves the end of the window as it does the beginning, if the warm-up is as long.
    """
    if outage and recovered_all_ms is None:
        return 1.0
    late_s = (load.server_stall_ms + load.relay_stall_ms) / 1000
    away_s = AWAY_S + load.connecting_ms / 1000
    late_s += load.resume / load.subscribers * away_s
    late_s += load.churn_hz * away_s / load.subscribers * away_s
    late_s += load.join_late / load.subscribers * (load.connecting_ms + load.polled_ms) / 1000
    late_s += max(0.0, (load.line_ms + load.polled_ms) / 1000 - schedule.warmup_s)
    if outage:
        late_s += outage.away_s + (recovered_all_ms or 0) / 1000
    return late_s / schedule.measure_s


def _cpu(share: Share | None, deliveries: int, connection_s: float, empty_polls: float) -> dict[str, float | None]:
    """What the CPU time of a process comes to, in microseconds, as the ends of the names of columns; None for: not told."""
    if share is None:
        return {}
    used_us = share.cpu_ns / 1e3
    each = used_us / deliveries if deliveries else None
    user = None if each is None or share.user is None else each * share.user
    return {
        "cpu_us_per_delivery": each,
        "user_us_per_delivery": user,
        "system_us_per_delivery": None if each is None or user is None else each - user,
        "cpu_us_per_connection_s": used_us / connection_s,
        "cpu_us_per_empty_poll": used_us / empty_polls if empty_polls else None,
    }


def _named(role: str, columns: dict[str, float | None]) -> dict[str, float | None]:
    return {f"{role}_{name}": value for name, value in columns.items()}


def _with_ends(judgement: Judgement, ended: Mapping[str, int]) -> Judgement:
    """The judgement, and why subscribers ended before they were told to: then it is `lossy` at best."""
    if not ended:
        return judgement
    reasons = "; ".join(f"{count} × {reason}" for reason, count in ended.items())
    if judgement.verdict.believable:
        return Judgement(
            Verdict.LOSSY, f"subscribers ended: {reasons}", judgement.evidence, "see why the server ended them"
        )
    return replace(judgement, reason=f"{judgement.reason}; subscribers ended: {reasons}")
