"""What is to be tried, and what each load process is told of it.

It knows the keys of a load, and the plans of swarm, publisher and relay. When each does its part is not known here.
"""

from dataclasses import dataclass, replace

from pushbench.audience import Habits
from pushbench.client_options import client_options
from pushbench.comeback import Backoff
from pushbench.control import Contact
from pushbench.part import Part
from pushbench.placement import Placement
from pushbench.publisher import PublisherPlan
from pushbench.relay import Faults, RelayPlan
from pushbench.rooms import Rooms
from pushbench.scenario import Load, Phases
from pushbench.schedule import NS, Schedule
from pushbench.shaping import Line
from pushbench.speaking import ROOM, Speaking
from pushbench.swarm import SwarmPlan
from pushbench.target import Served, Target
from pushbench.transports import ROWS

MS_NS = 1_000_000


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
        return Schedule(self.load.rate_hz, self.phases.warmup_s, self.phases.measure_s, self.load.burst)


def swarm_plans(trial: Trial, control: Contact, processes: int, afar: bool) -> tuple[SwarmPlan, ...]:
    """Who subscribes in each of so many processes, and how they behave; `control` is where each hears more.

    `afar`: the processes are others', and perhaps on other hosts.
    """
    load = trial.load
    habits = Habits(
        transport=ROWS[load.transport],
        subscribers=load.subscribers,
        options=client_options(load),
        join_late=load.join_late,
        resume=load.resume,
        leave_early=load.leave_early,
        seed=trial.seed,
        churn_hz=load.churn_hz,
        slow=load.slow,
        slow_bytes_per_s=load.slow_bytes_per_s,
        vanish=load.vanishing,
        ping_s=load.ping_s,
        browser=load.client == "browser",
        spread=load.line != "packets",
        streams=load.streams if load.http == "2" else 0,
        backoff=Backoff(load.reconnect_backoff_ms / 1000, load.reconnect_jitter) if load.ends else None,
    )
    if trial.target:
        habits = _served_by(trial.target, load, habits)
        if load.acts:
            habits = _speaking(trial.target, load, habits)
    cores = trial.placement.swarms(load.relayed)
    return tuple(
        SwarmPlan(
            control=control,
            habits=habits,
            schedule=trial.schedule,
            give_up_s=trial.phases.drain_s,
            payload_bytes=load.payload_bytes,
            payload=load.payload,
            cores=None if afar else (cores[number % len(cores)],),
            part=Part(number, processes),
            role=f"swarm process {number + 1} of {processes}" if processes > 1 else "swarm",
        )
        for number in range(processes)
    )


def _served_by(target: Target, load: Load, habits: Habits) -> Habits:
    """The habits of those that ask this target."""
    row = habits.transport
    served = target.serves.get(row.name, Served(row.path))
    return replace(
        habits,
        transport=replace(row, path=target.path(served.path)),
        options={**habits.options, **({"drain": True} if row.polls and served.one_at_a_time else {})},
        reach=target.reach,
        start_path=target.path(served.start) if served.start else "",
        hello=served.hello,
        wrapped_bytes=load.payload_bytes if served.hello else 0,
        inside=served.inside.encode(),
    )


def _speaking(target: Target, load: Load, habits: Habits) -> Habits:
    """The habits of those that say something themselves: to be answered, or to their room."""
    row, rooms = habits.transport, Rooms(load.subscribers, load.rooms)
    if load.kind == "request":
        path = target.path(target.acts["websocket" if row.duplex else "post"])
        return replace(
            habits,
            transport=replace(row, path=path),
            options=habits.options if row.duplex else {**habits.options, "content_type": target.content_type},
            speaking=Speaking(rooms, answered=True, template=target.action),
            hello="",
            wrapped_bytes=load.payload_bytes if target.action else 0,
            inside=b"",
        )
    below = target.path(target.room.replace("{room}", ROOM))
    path = below + target.serves.get(row.name, Served(row.path)).path
    upstream = "" if row.duplex else below + target.publish["post"]
    return replace(
        habits,
        transport=replace(row, path=path),
        speaking=Speaking(rooms, False, upstream=upstream, keep_connection=load.post_connection == "kept"),
        hello="",
        wrapped_bytes=0,
        inside=b"",
    )


def publisher_plan(trial: Trial, control: Contact) -> PublisherPlan | None:
    """What is published, and when; None if nothing is, the swarm feeds itself, or its subscribers say it."""
    if trial.schedule is None or not trial.schedule.count or trial.target is None or trial.load.acts:
        return None
    target, via = trial.target, trial.target.way(trial.load.publish_via)
    return PublisherPlan(
        control=control,
        path=target.path(target.publish[via]),
        status_path=target.path(target.status_path),
        reach=target.reach,
        via=via,
        pacing=trial.load.pacing,
        schedule=trial.schedule,
        give_up_s=trial.phases.drain_s,
        payload_bytes=trial.load.payload_bytes,
        payload=trial.load.payload,
        cores=trial.placement.publisher,
        persists=trial.load.server_down_ms > 0,
    )


def relay_plan(trial: Trial, control: Contact, host: str) -> RelayPlan:
    """What the line is like, and what goes wrong on it; `host` is the address where subscribers find it."""
    load = trial.load
    return RelayPlan(
        control=control,
        line=Line(
            round_trip_ns=round(load.rtt_ms * MS_NS),
            jitter_ns=round(load.jitter_ms * MS_NS),
            bit_per_s=load.bandwidth_kbit_s * 1000,
        ),
        faults=Faults(
            stall_ns=load.relay_stall_ms * MS_NS,
            resets=load.relay_resets,
            idle_ns=round(load.relay_idle_s * NS),
            buffer_bytes=load.relay_buffer_bytes,
        ),
        schedule=trial.schedule,
        seed=trial.seed,
        cores=trial.placement.relay,
        host=host,
        loss=load.loss_percent / 100,
    )
