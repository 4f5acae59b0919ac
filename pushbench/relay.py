"""The relay: a process between the swarm and the server, as a line with a length, and with the faults of such lines.

One kind listens where the swarm connects, makes a connection to the server for each, and passes bytes both ways when the
line lets them. The other has the kernel's own packets come to it, of TCP and UDP alike, and passes on those that are not
lost. What is done on purpose is planned here, and counted; how bytes or packets pass is not known here.
"""

import gc
import os
import random
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from select import EPOLLIN

from pushbench import namespace
from pushbench.control import Address, BlockingChannel, Contact, Note
from pushbench.forwarding import Connection, Traffic
from pushbench.lag import Lag
from pushbench.schedule import Schedule
from pushbench.shaping import Line
from pushbench.turns import Turns

LAG_EVERY_NS = 10_000_000
"""How often it is taken how late the relay's loop is; as often as the swarm's."""
BACKLOG = 4096
READ_BYTES = 65_536
AT_ONCE = 64
"""So many packets are read before those are given back whose moment has come."""


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
    loss: float = 0.0
    """Of packets: which part of them is lost, in each direction."""


@dataclass(frozen=True, slots=True)
class RelayReport:
    """What it has to say in the end."""

    lag: Lag
    """Of its loop, in the window."""
    resets: int = 0
    """How many it has reset on purpose."""
    idle_cuts: int = 0
    """How many it has closed because nothing came."""
    packets: int = 0
    """How many have come to it in the window,"""
    packets_lost: int = 0
    """and how many of these it has lost."""
    packets_dropped: int = 0
    """How many were dropped, from its beginning, because too many waited: none that it was to lose."""


def relay(plan: RelayPlan) -> RelayReport:
    """Be a relay of bytes until the run has its report. Runs in a process of its own."""
    return _be(_Relay, plan)


def packet_relay(plan: RelayPlan) -> RelayReport:
    """Likewise one of packets, in a namespace of the run's own (`pushbench.namespace`)."""
    return _be(_PacketRelay, plan)


def _be(kind: "type[_Relay]", plan: RelayPlan) -> RelayReport:
    os.sched_setaffinity(0, plan.cores)
    with BlockingChannel(plan.control, "relay") as channel:
        channel.send(ready=True, pid=os.getpid())
        return kind(plan, channel).run()


class _Relay:
    """One relay of bytes, and what it has noted of itself."""

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
            self._leave()
            self.turns.close()
        return self._report(Lag(LAG_EVERY_NS, tuple(self.late_ns), tuple(self.cpu_ns)))

    def _report(self, lag: Lag) -> RelayReport:
        return RelayReport(lag, self.resets, self.idle_cuts)

    def _leave(self) -> None:
        for connection in list(self.open):
            connection.close()
        if self.listener:
            self.listener.close()

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
            host, port = self._entrance()
            return {"host": host, "port": port}
        if "measure" in note:
            self._begin(note["measure"])
        else:
            raise ValueError(f"a relay cannot {note}")
        return {}

    def _entrance(self) -> Address:
        """Where the swarm finds the server by this line."""
        host, port = (self.listener or self._listen()).getsockname()
        return host, port

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


class _PacketRelay(_Relay):
    """One of packets."""

    line = -1
    """The file by which they come and go."""
    before_leaving = 0
    """How many the kernel had dropped when it was closed."""
    packets = packets_lost = packets_dropped = 0

    def _entrance(self) -> Address:
        if self.line < 0:
            self.line = namespace.line()
            self.turns.watch(self.line, EPOLLIN, self._come)
        return namespace.FAR, self.server[1]

    def _come(self, bits: int) -> None:
        """Packets have come: each is lost, or goes on its way."""
        with suppress(BlockingIOError):
            for _ in range(AT_ONCE):
                packet, now_ns = os.read(self.line, READ_BYTES), time.monotonic_ns()
                if not namespace.is_ipv4(packet):
                    continue
                in_window = self.window_ns[0] <= now_ns < self.window_ns[1]
                lost = self.random.random() < self.plan.loss
                self.packets += in_window
                self.packets_lost += in_window and lost
                if not lost:
                    go = partial(self._go, namespace.mirrored(packet))
                    self.turns.at(now_ns + self.plan.line.transit_ns, go)

    def _go(self, packet: bytes) -> None:
        try:
            os.write(self.line, packet)
        except OSError:  # the kernel has no room for it
            self.packets_dropped += 1

    def _report(self, lag: Lag) -> RelayReport:
        dropped = self.packets_dropped + self.before_leaving
        return RelayReport(lag, packets=self.packets, packets_lost=self.packets_lost, packets_dropped=dropped)

    def _leave(self) -> None:
        if self.line >= 0:
            self.before_leaving = namespace.dropped()
            os.close(self.line)
