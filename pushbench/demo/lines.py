"""The lines: a process that relays every lane on a port of its own, counts what passes, delays it, and can be cut.

Each lane is its own origin for a browser, which has at most six connections to one. It knows which lane goes to which
server, and nothing of what passes; what is cut is reset, over TCP, and vanishes, over UDP, where nothing tells the ends.
"""

import base64
import os
import socket
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from select import EPOLLIN
from typing import Any

from pushbench.control import Address, BlockingChannel, ChannelClosed, Contact, Note
from pushbench.demo.exchange import OPAQUE, Exchange, Exchanges, Piece
from pushbench.forwarding import RESET, Connection, Traffic
from pushbench.shaping import Line
from pushbench.turns import Turns

HOST = "127.0.0.1"
READ_BYTES = 65_536
AT_ONCE = 64
"""So many datagrams are read at most before others have their turn."""
MOST_CLIENTS = 64
"""So many clients are there at once on a lane of datagrams: the latest."""
MS = 1_000_000


@dataclass(frozen=True, slots=True)
class LinesPlan:
    """What the process is told when it is made."""

    control: Contact
    lanes: dict[str, bool]
    """Each lane, and whether it is of datagrams."""


@dataclass(slots=True)
class Counts:
    """What has passed a lane, without headers of TCP, UDP and IP."""

    up_bytes: int = 0
    down_bytes: int = 0
    connections: int = 0
    """How many there have been."""
    exchanges: Exchanges = field(default_factory=Exchanges)

    def note(self, connection: Hashable, up: bool, data: bytes, kind: str = "") -> None:
        """These bytes have come."""
        if up:
            self.up_bytes += len(data)
        else:
            self.down_bytes += len(data)
        self.exchanges.add(connection, time.monotonic_ns(), up, data, kind)


def relay_lanes(plan: LinesPlan) -> None:
    """Be the lines until the channel is closed. Runs in a process of its own."""
    with BlockingChannel(plan.control, "lines") as channel:
        turns = Turns()
        lanes = {name: (DatagramLane if quic else StreamLane)(turns) for name, quic in plan.lanes.items()}
        channel.send(ready=True, pid=os.getpid(), ports={name: lane.port for name, lane in lanes.items()})

        def hear(bits: int) -> None:
            channel.send(**_do(lanes, channel.receive()))

        turns.watch(channel.fileno(), EPOLLIN, hear)
        try:
            while True:
                turns.turn()
        except ChannelClosed:
            pass
        finally:
            for lane in lanes.values():
                lane.close()


def _do(lanes: "dict[str, StreamLane | DatagramLane]", note: Note) -> Note:
    """Do as a note says; returns what is to be answered."""
    if servers := note.get("servers"):
        for name, (host, port) in servers.items():
            lanes[name].server = (host, port)
    if "round_trip_ms" in note:
        for lane in lanes.values():
            lane.stretch(Line(round_trip_ns=round(note["round_trip_ms"] * MS)))
    if "cut" in note:
        for lane in lanes.values():
            lane.cut = note["cut"]
            if lane.cut:
                lane.reset()
    if "exchange" in note:
        return _told(lanes[note["exchange"]].counts.exchanges, note.get("kind"))
    return {"at_ms": time.monotonic_ns() / MS, "lanes": {name: _counted(lane) for name, lane in lanes.items()}}


def _counted(lane: "StreamLane | DatagramLane") -> Note:
    counts = lane.counts
    return {"up": counts.up_bytes, "down": counts.down_bytes, "connections": counts.connections, "open": lane.open_count}


def _told(exchanges: Exchanges, kind: str | None) -> Note:
    """The last exchange of that kind, or of all, with bytes as base64."""
    kinds = list(exchanges.kinds)
    chosen = exchanges.kinds.get(kind or (kinds[-1] if kinds else ""))
    return {"kinds": kinds, "exchange": _plain(chosen) if chosen else None}


def _plain(exchange: Exchange) -> dict[str, Any]:
    def piece(one: Piece) -> dict[str, Any]:
        return {"at_ns": one.at_ns, "up": one.up, "data": _text(one.data), "size": one.size}

    return {
        "kind": exchange.kind,
        "begun_ns": exchange.begun_ns,
        "up": {"first": _text(exchange.up.first), "size": exchange.up.size},
        "down": {"first": _text(exchange.down.first), "size": exchange.down.size},
        "last": [piece(one) for one in exchange.last],
    }


def _text(data: bytes | bytearray) -> str:
    return base64.b64encode(data).decode()


class StreamLane:
    """A lane over TCP."""

    def __init__(self, turns: Turns) -> None:
        self.counts = Counts()
        self.server: Address = (HOST, 9)  # nobody is there until it is told
        self.cut = False
        self._traffic = Traffic(turns, Line(), Random(0), seen=self.counts.note)
        self._open: dict[Connection, None] = {}
        self._listener = socket.create_server((HOST, 0), backlog=128)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        turns.watch(self._listener.fileno(), EPOLLIN, self._accept)

    @property
    def open_count(self) -> int:
        """How many connections are open now."""
        return len(self._open)

    def stretch(self, line: Line) -> None:
        """Have the line be as long as that from now on, for connections that are open too."""
        self._traffic.line = line
        for connection in self._open:
            connection.stretch(line)

    def reset(self) -> None:
        """Reset all that are open."""
        for connection in list(self._open):
            connection.reset()

    def close(self) -> None:
        """Be gone."""
        for connection in list(self._open):
            connection.close()
        self._listener.close()

    def _accept(self, bits: int) -> None:
        try:
            client, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        if self.cut:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            client.close()
            return
        self.counts.connections += 1
        self._open[Connection(self._traffic, client, self.server, self._gone)] = None

    def _gone(self, connection: Connection) -> None:
        self._open.pop(connection, None)
        self.counts.exchanges.end(connection)


class DatagramLane:
    """A lane over UDP: each client has a socket of its own to the server. What is cut vanishes."""

    def __init__(self, turns: Turns) -> None:
        self.counts = Counts()
        self.server: Address = (HOST, 9)
        self.cut = False
        self._turns = turns
        self.vanished = 0
        """How many datagrams have come while it was cut."""
        self._transit_ns = 0
        self._clients: dict[Address, socket.socket] = {}
        self._socket = _datagrams((HOST, 0))
        self.port: int = self._socket.getsockname()[1]
        turns.watch(self._socket.fileno(), EPOLLIN, self._come_up)

    @property
    def open_count(self) -> int:
        """How many clients there are, of whom nothing says that they have left."""
        return len(self._clients)

    def stretch(self, line: Line) -> None:
        """Have the line be as long as that from now on."""
        self._transit_ns = line.transit_ns

    def reset(self) -> None:
        """There is nothing that could be: what is on its way vanishes."""

    def close(self) -> None:
        """Be gone."""
        for one in self._clients.values():
            one.close()
        self._socket.close()

    def _come_up(self, bits: int) -> None:
        for _ in range(AT_ONCE):
            try:
                data, client = self._socket.recvfrom(READ_BYTES)
            except OSError:  # there are no more, or the kernel tells of one that did not arrive
                return
            if self.cut:
                self.vanished += 1
                continue
            self.counts.note(client, True, data, OPAQUE)
            self._later(partial(self._send_up, client, data))

    def _send_up(self, client: Address, data: bytes) -> None:
        there = self._clients.get(client) or self._meet(client)
        _sent(lambda: there.sendto(data, self.server))

    def _meet(self, client: Address) -> socket.socket:
        while len(self._clients) >= MOST_CLIENTS:
            oldest = next(iter(self._clients))
            gone = self._clients.pop(oldest)
            self._turns.forget(gone.fileno())
            gone.close()
        self.counts.connections += 1
        there = self._clients[client] = _datagrams((HOST, 0))
        self._turns.watch(there.fileno(), EPOLLIN, partial(self._come_down, client, there))
        return there

    def _come_down(self, client: Address, there: socket.socket, bits: int) -> None:
        for _ in range(AT_ONCE):
            try:
                data = there.recv(READ_BYTES)
            except OSError:
                return
            if self.cut:
                self.vanished += 1
                continue
            self.counts.note(client, False, data, OPAQUE)
            self._later(partial(_sent, partial(self._socket.sendto, data, client)))

    def _later(self, go: Callable[[], object]) -> None:
        if self._transit_ns:
            self._turns.at(time.monotonic_ns() + self._transit_ns, partial(self._unless_cut, go))
        else:
            go()

    def _unless_cut(self, go: Callable[[], object]) -> None:
        if not self.cut:
            go()


def _datagrams(at: Address) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
    made.bind(at)
    return made


def _sent(send: Callable[[], object]) -> None:
    """A datagram that cannot be sent is lost, as datagrams may be."""
    try:
        send()
    except OSError:
        return
