"""The relay: a process between the swarm and the server, as a line with a length, and with the faults of such lines.

It listens where the swarm connects, makes a connection to the server for each, and passes bytes both ways when the line
lets them. What it does to connections on purpose is planned here, and counted; how bytes pass is not known here.
"""

import gc
import os
import random
import socket
import time
from dataclasses import dataclass
from functools import partial
from select import EPOLLIN

from pushbench.control import Address, BlockingChannel, Contact, Note
from pushbench.forwarding import Connection, Traffic
from pushbench.lag import Lag
from pushbench.schedule import Schedule
from pushbench.shaping import Line
from pushbench.turns import Turns

LAG_EVERY_NS = 10_000_000
"""How often it is taken how late the relay's loop is; as often as the swarm's."""
BACKLOG = 4096


@dataclass(frozen=True, slots=True)
class Faults:
    """What the relay does to connections on purpose."""

    stall_ns: int = 0
    """It passes nothing on for so long, in the middle of the window."""
    resets: int = 0
    """How many connections it resets, one after the other, spread evenly over the window."""
    idle_ns: int = 0
    """A connection on which nothing has come for so long is closed; 0: none is."""
    buffer_bytes: int = 0
    """Responses that go on are held until so many bytes of them are there, or the connection ends; 0: nothing is held."""


@dataclass(frozen=True, slots=True)
class RelayPlan:
    """What a relay is told when it is made."""

    control: Contact
    line: Line
    faults: Faults
    schedule: Schedule | None
    """None if nothing will be published."""
    seed: int
    """Draws jitter, and which connections are reset."""
    cores: tuple[int, ...]
    host: str = "127.0.0.1"
    """The address of this host at which it listens."""


@dataclass(frozen=True, slots=True)
class RelayReport:
    """What it has to say in the end."""

    lag: Lag
    """Of its loop, in the window."""
    resets: int = 0
    """How many it has reset on purpose."""
    idle_cuts: int = 0
    """How many it has closed because nothing came."""


def relay(plan: RelayPlan) -> RelayReport:
    """Be a relay until the run has its report. Runs in a process of its own."""
    os.sched_setaffinity(0, plan.cores)
    with BlockingChannel(plan.control, "relay") as channel:
        channel.send(ready=True, pid=os.getpid())
        return _Relay(plan, channel).run()


class _Relay:
    """One relay, and what it has noted of itself."""

    def __init__(self, plan: RelayPlan, channel: BlockingChannel) -> None:
        self.plan = plan
        self.channel = channel
        self.turns = Turns()
        self.random = random.Random(plan.seed)
        self.traffic = Traffic(self.turns, plan.line, self.random, plan.faults.buffer_bytes)
        self.server: Address = ("", 0)
        self.listener: socket.socket | None = None
        self.open: dict[Connection, None] = {}  # in the order in which they were made, so that a seed draws the same
        self.resets = self.idle_cuts = 0
        self.window_ns = (0, 0)
        self.late_ns: list[int] = []
        self.cpu_ns: list[int] = []
        self.reporting = False

    def run(self) -> RelayReport:
        """Do as the notes say, until one asks for the report."""
        self.turns.watch(self.channel.fileno(), EPOLLIN, self._hear)
        try:
            while not self.reporting:
                self.turns.turn()
        finally:
            for connection in list(self.open):
                connection.close()
            if self.listener:
                self.listener.close()
            self.turns.close()
        lag = Lag(LAG_EVERY_NS, tuple(self.late_ns), tuple(self.cpu_ns))
        return RelayReport(lag, self.resets, self.idle_cuts)

    def _hear(self, bits: int) -> None:
        note = self.channel.receive()
        if "report" in note:
            self.reporting = True
        else:
            self.channel.send(**self._do(note))

    def _do(self, note: Note) -> Note:
        """Do as a note says; returns what is to be answered."""
        if "port" in note:
            self.server = (note["host"], note["port"])
            host, port = (self.listener or self._listen()).getsockname()
            return {"host": host, "port": port}
        if "measure" in note:
            self._begin(note["measure"])
        else:
            raise ValueError(f"a relay cannot {note}")
        return {}

    def _listen(self) -> socket.socket:
        self.listener = socket.create_server((self.plan.host, 0), backlog=BACKLOG)
        self.listener.setblocking(False)
        self.turns.watch(self.listener.fileno(), EPOLLIN, self._accept)
        return self.listener

    def _accept(self, bits: int) -> None:
        assert self.listener
        try:
            client, _ = self.listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        connection = Connection(self.traffic, client, self.server, self.open.pop)
        self.open[connection] = None
        if self.plan.faults.idle_ns:
            self._look_whether_idle(connection)

    def _begin(self, start_ns: int) -> None:
        """The traffic begins then: plan what is to happen in the window."""
        gc.collect()
        gc.freeze()  # later collections need not look at what is there for good
        schedule = self.plan.schedule
        assert schedule, "there is a window to measure only where something is published"
        begin_ns, end_ns = (start_ns + offset for offset in schedule.window_ns)
        self.window_ns = (begin_ns, end_ns)
        self.turns.at(begin_ns, partial(self._note_lag, begin_ns, time.thread_time_ns()))
        faults = self.plan.faults
        if faults.stall_ns:
            self.turns.at((begin_ns + end_ns - faults.stall_ns) // 2, self._stall)
        for nth in range(faults.resets):
            self.turns.at(begin_ns + round((nth + 0.5) / faults.resets * (end_ns - begin_ns)), self._reset_one)

    def _note_lag(self, due_ns: int, cpu_ns: int) -> None:
        """Note how late this timer is, and how much CPU time was used since it was set; set the next."""
        now_ns, now_cpu_ns = time.monotonic_ns(), time.thread_time_ns()
        if due_ns > self.window_ns[0]:  # the first was set long ago
            self.late_ns.append(now_ns - due_ns)
            self.cpu_ns.append(now_cpu_ns - cpu_ns)
        if now_ns < self.window_ns[1]:
            next_ns = now_ns + LAG_EVERY_NS
            self.turns.at(next_ns, partial(self._note_lag, next_ns, now_cpu_ns))

    def _stall(self) -> None:
        self.traffic.closed_until_ns = time.monotonic_ns() + self.plan.faults.stall_ns

    def _reset_one(self) -> None:
        """Reset one of those that are open now; if there is none, none is counted."""
        if self.open:
            self.random.choice(list(self.open)).reset()
            self.resets += 1

    def _look_whether_idle(self, connection: Connection) -> None:
        if connection not in self.open:
            return
        idle_at_ns = connection.active_ns + self.plan.faults.idle_ns
        if idle_at_ns <= time.monotonic_ns():
            connection.close()
            self.idle_cuts += 1
        else:
            self.turns.at(idle_at_ns, partial(self._look_whether_idle, connection))
