"""Forwarding: a connection of a client, another to the server, and bytes that pass between them when the line lets them.

What ends one side ends the other in the same way, after the time of the line: a FIN as a FIN, a reset as a reset. A line
that is full takes no more, so that a slow reader is slow to whoever sends to it. Who connects, and what a relay does to
connections on purpose, is not known here.
"""

import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from select import EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT

from pushbench.buffering import Buffering
from pushbench.control import Address
from pushbench.shaping import Line, Way, handshake
from pushbench.turns import Turns

READ_BYTES = 65_536
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of a socket that is to be closed with a RST."""


@dataclass(slots=True)
class Traffic:
    """What all connections of a relay have in common."""

    turns: Turns
    line: Line
    random: Random
    buffer_bytes: int = 0
    """Responses that go on are held until so many bytes of them are there; 0: nothing is."""
    closed_until_ns: int = 0
    """Nothing is passed on before."""
    seen: Callable[["Connection", bool, bytes], None] | None = None
    """Shown what has come, and whether it goes up, to the server."""


class _End:
    """A socket, and what it is watched for."""

    __slots__ = ("_bits", "_ready", "_turns", "_watched", "alive", "socket")

    def __init__(self, turns: Turns, one: socket.socket) -> None:
        self.socket, self._turns = one, turns
        self.alive = True
        self._bits, self._watched = 0, False

    def watch(self, ready: Callable[[int], None]) -> None:
        self._ready = ready
        self.want(EPOLLIN)

    def want(self, bits: int) -> None:
        if self._bits & bits != bits:
            self._set(self._bits | bits)

    def want_no(self, bits: int) -> None:
        if self._bits & bits:
            self._set(self._bits & ~bits)

    def wants(self, bits: int) -> bool:
        return bool(self._bits & bits)

    def hush(self) -> None:
        """Hear nothing of it any more, unless something is wanted again."""
        if self._watched:
            self._watched = False
            self._turns.forget(self.socket.fileno())

    def close(self, *, reset: bool = False) -> None:
        if self.alive:
            self.hush()
            self.alive = False
            if reset:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.socket.close()

    def _set(self, bits: int) -> None:
        self._bits = bits
        if self._watched:
            self._turns.change(self.socket.fileno(), bits)
        else:
            self._watched = True
            self._turns.watch(self.socket.fileno(), bits, self._ready)


class _Flow:
    """What is on its way from one end to the other."""

    __slots__ = (
        "_buffering",
        "_connection",
        "_ended",
        "_queue",
        "_rest",
        "_room",
        "_way",
        "done",
        "sink",
        "source",
        "underway",
    )

    def __init__(
        self, connection: "Connection", source: _End, sink: _End, way: Way, buffering: Buffering | None = None
    ) -> None:
        self._connection = connection
        self.source, self.sink = source, sink
        self._way, self._buffering = way, buffering
        self._queue: deque[tuple[int, bytes]] = deque()  # when each leaves; no bytes stand for a FIN
        self._rest = b""  # may leave, but the kernel has no room for it
        self._room = connection.traffic.line.capacity_bytes
        self._ended = False  # a FIN may leave
        self.done = False
        """The FIN has been passed on."""
        self.underway = False
        """Somebody will call `pass_on`: a moment, or the kernel when it has room."""

    def read(self) -> None:
        """Take in what has arrived, as far as there is room."""
        now_ns = time.monotonic_ns()
        try:
            data = self.source.socket.recv(min(READ_BYTES, self._room))
        except BlockingIOError:
            return
        except OSError:  # reset, refused, or timed out
            self._connection.lost(self.source)
            return
        self._connection.active_ns = now_ns
        if data:
            self._connection.show(self, data)
        self._room -= len(data)
        if not data or self._room <= 0:
            self.source.want_no(EPOLLIN)
        passing = [data]
        if self._buffering:
            passing = [self._buffering.through(data)] if data else [self._buffering.rest(), b""]
        for part in passing:
            if part or not data:
                self._queue.extend(self._way.pieces(now_ns, part))
        if not self.underway:
            self.underway = True
            self.pass_on()

    def stretch(self, line: Line, more_bytes: int) -> None:
        """From now on the line is as long as that, and has room for so much more."""
        self._way.stretch(line)
        if self._room <= 0 < self._room + more_bytes and self.source.alive:
            self.source.want(EPOLLIN)
        self._room += more_bytes

    def reset_leaves_ns(self) -> int:
        """When a reset that has just come from the source may leave."""
        return self._way.leaves_ns(time.monotonic_ns(), 0)

    def pass_on(self) -> None:
        """Send what may leave by now, as far as the kernel takes it, and see to it that the rest follows."""
        if not self.sink.alive:
            return
        traffic, queue = self._connection.traffic, self._queue
        now_ns = time.monotonic_ns()
        if traffic.closed_until_ns > now_ns:
            traffic.turns.at(traffic.closed_until_ns, self.pass_on)
            return
        due = [self._rest] if self._rest else []
        while queue and queue[0][0] <= now_ns:
            piece = queue.popleft()[1]
            due.append(piece)
            self._ended = not piece
        if due and not self._send(due[0] if len(due) == 1 else b"".join(due)):
            return
        if self._ended:
            self._end()
        elif queue:
            traffic.turns.at(queue[0][0], self.pass_on)
        else:
            self.underway = False

    def _send(self, data: bytes) -> bool:
        """Send it; False if not all could be sent."""
        try:
            sent = self.sink.socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._connection.lost(self.sink)
            return False
        if sent and self._room <= 0 and self.source.alive:
            self.source.want(EPOLLIN)
        self._room += sent
        self._rest = data[sent:]
        if self._rest:
            self.sink.want(EPOLLOUT)
        return not self._rest

    def _end(self) -> None:
        with suppress(OSError):  # if it was reset meanwhile, its own event says so
            self.sink.socket.shutdown(socket.SHUT_WR)
        self.done = True
        self._connection.close_if_done()


class Connection:
    """A client's connection and the one to the server that was made for it, until both have ended."""

    def __init__(
        self, traffic: Traffic, client: socket.socket, server: Address, gone: Callable[["Connection"], None]
    ) -> None:
        """The client's was accepted just now. `gone` is called when both are closed, however that came."""
        self.traffic = traffic
        self.active_ns = time.monotonic_ns()
        """When bytes came last, from either side."""
        self._gone = gone
        self._capacity_bytes = traffic.line.capacity_bytes
        there, back = handshake(traffic.line, self.active_ns, traffic.random)
        self._closed = False
        other = socket.socket()
        for one in (client, other):
            one.setblocking(False)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client, self._server = _End(traffic.turns, client), _End(traffic.turns, other)
        self._up = _Flow(self, self._client, self._server, there)
        buffering = Buffering(traffic.buffer_bytes) if traffic.buffer_bytes else None
        self._down = _Flow(self, self._server, self._client, back, buffering)
        other.connect_ex(server)  # that it is refused is heard when it is watched
        self._client.watch(lambda bits: self._ready(bits, self._up, self._down))
        self._server.watch(lambda bits: self._ready(bits, self._down, self._up))

    def show(self, flow: _Flow, data: bytes) -> None:
        """Show what has come to whoever wants to see it."""
        if self.traffic.seen:
            self.traffic.seen(self, flow is self._up, data)

    def stretch(self, line: Line) -> None:
        """Have it be as long as that line from now on."""
        more_bytes = max(0, line.capacity_bytes - self._capacity_bytes)  # it never shrinks below what is on its way
        self._capacity_bytes += more_bytes
        for flow in (self._up, self._down):
            flow.stretch(line, more_bytes)

    def _ready(self, bits: int, out_of: _Flow, into: _Flow) -> None:
        """An end is ready, of which one flow comes and to which the other goes."""
        end = out_of.source
        if bits & EPOLLOUT and end.wants(EPOLLOUT):
            end.want_no(EPOLLOUT)
            into.pass_on()
        if not end.alive:
            return
        if end.wants(EPOLLIN):
            if bits & ~EPOLLOUT:
                out_of.read()
        elif bits & (EPOLLERR | EPOLLHUP):
            if end.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self.lost(end)
            else:
                end.hush()  # both sides have ended; what is on its way may take longer

    def lost(self, end: _End) -> None:
        """One side was reset: so will the other be, when the line lets it."""
        flow, other = (self._up, self._server) if end is self._client else (self._down, self._client)
        end.close()
        if other.alive:
            other.want_no(EPOLLIN)  # there is nobody who could get it
            self.traffic.turns.at(flow.reset_leaves_ns(), self._pass_reset_on)

    def _pass_reset_on(self) -> None:
        if (until_ns := self.traffic.closed_until_ns) > time.monotonic_ns():
            self.traffic.turns.at(until_ns, self._pass_reset_on)
        else:
            self.reset()

    def reset(self) -> None:
        """Reset whichever side is still there, and be gone."""
        self._close(reset=True)

    def close(self) -> None:
        """Close both sides, and be gone; what was on its way is lost."""
        self._close(reset=False)

    def close_if_done(self) -> None:
        """Be gone if both directions have come to their end."""
        if self._up.done and self._down.done:
            self.close()

    def _close(self, *, reset: bool) -> None:
        if not self._closed:
            self._closed = True
            self._client.close(reset=reset)
            self._server.close(reset=reset)
            self._gone(self)
