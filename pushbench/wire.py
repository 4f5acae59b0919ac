"""What goes over the wire: bytes and packets of the subscribers' own sockets, as the kernel counts those of TCP (TCP_INFO).

Those of UDP, for which it has no counts, count for themselves. It knows how sockets are counted, also those that close in
between. What the bytes are (headers, framing, payload) is not known here; `dissect` takes one exchange apart.
"""

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from clients.sockets import AddressInfo

if TYPE_CHECKING:
    from typing_extensions import Buffer

IP_BYTES = 20
"""The header of IPv4 without options (RFC 791). Subscribers connect by IPv4."""
TCP_BYTES = 20
"""The header of TCP without options (RFC 9293)."""
UDP_BYTES = 8
"""The header of UDP (RFC 768)."""
TIMESTAMP_BYTES = 12
"""The timestamps option with its padding (RFC 7323): on every segment once both sides have agreed on it."""
SYN_BYTES = 8
"""What the two segments that open a connection have beyond that: maximum segment size, window scale, SACK permitted."""
IP_BIND_ADDRESS_NO_PORT = 24  # linux/in.h; Python has no name for it
TOGETHER = 256
"""How many sockets are read before the event loop has its turn; together they take a third of a millisecond."""

# struct tcp_info of linux/tcp.h: state, options, bytes_received, segs_out, segs_in, data_segs_out, bytes_sent.
_INFO = struct.Struct("=B4xB122xQII12xI40xQ")
_TIMESTAMPS = 1  # TCPI_OPT_TIMESTAMPS
_OVER = frozenset({6, 7})  # TCP_TIME_WAIT, TCP_CLOSE
_HEARD_ALL = _OVER | {8, 9, 11}  # TCP_CLOSE_WAIT, TCP_LAST_ACK, TCP_CLOSING


class WireError(Exception):
    """The kernel does not tell what is needed."""


class Reading(NamedTuple):
    """What one socket has sent and received so far. Retransmissions count, as they do on the wire."""

    over: bool
    """Both sides have closed: the counts are final."""
    header_bytes: int
    """Headers of IP and TCP, or of IP and UDP, in each packet."""
    opening_bytes: int
    """What the first packet each way has beyond that."""
    down_bytes: int
    up_bytes: int
    down_packets: int
    up_packets: int
    up_data_packets: int


UNOPENED = Reading(False, 0, 0, 0, 0, 0, 0, 0)


def read(connection: socket.socket) -> Reading:
    """Read a socket's counts: TCP's are the kernel's, UDP's its own.

    Raises WireError before Linux 4.19, whose kernel counts less.
    """
    if isinstance(connection, MeteredDatagrams):
        return connection.counts()
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
    if len(info) < _INFO.size:
        raise WireError(f"TCP_INFO has {len(info)} bytes, and {_INFO.size} are needed: it takes Linux 4.19 or later")
    state, options, down, packets_up, packets_down, data_up, up = _INFO.unpack(info)
    down -= state in _HEARD_ALL  # the other side's FIN has a sequence number too, and is no byte
    header_bytes = IP_BYTES + TCP_BYTES + (TIMESTAMP_BYTES if options & _TIMESTAMPS else 0)
    return Reading(state in _OVER, header_bytes, SYN_BYTES, down, up, packets_down, packets_up, data_up)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What went over some connections in some time. Down is to the subscriber, up from it. Traffics can be added."""

    connections: int = 0
    """How many sockets took part."""
    opened: int = 0
    """How many of them were opened meanwhile."""
    down_bytes: int = 0
    """In TCP's stream: all but the headers of TCP and IP."""
    up_bytes: int = 0
    down_packets: int = 0
    up_packets: int = 0
    requests: int = 0
    """Packets up with data in them: a request each, or a frame."""
    down_tcpip_bytes: int = 0
    """Headers of TCP and IP."""
    up_tcpip_bytes: int = 0

    def __add__(self, other: "Traffic") -> "Traffic":
        return total((self, other))

    @classmethod
    def between(cls, before: Reading, after: Reading) -> "Traffic":
        """What went over one socket between two readings."""
        opened = before is UNOPENED
        down, up = after.down_packets - before.down_packets, after.up_packets - before.up_packets
        return cls(
            1,
            int(opened),
            after.down_bytes - before.down_bytes,
            after.up_bytes - before.up_bytes,
            down,
            up,
            after.up_data_packets - before.up_data_packets,
            down * after.header_bytes + after.opening_bytes * opened,
            up * after.header_bytes + after.opening_bytes * opened,
        )


_COUNTS = attrgetter(*Traffic.__dataclass_fields__)


class MeteredSocket(socket.socket):
    """A socket that is counted to its end, whoever closes it."""

    leave: Callable[["MeteredSocket"], None]
    """Told once, when it is closed."""

    def close(self) -> None:
        """asyncio's way to close it."""
        self._leave()
        super().close()

    def detach(self) -> int:
        """uvloop's, once it has closed the file itself."""
        self._leave()
        return super().detach()

    def _leave(self) -> None:
        if self.fileno() >= 0:
            self.leave(self)


class MeteredDatagrams(MeteredSocket):
    """One of UDP, for which the kernel keeps no counts: it counts what is received and sent by it."""

    down_bytes = up_bytes = down_packets = up_packets = 0

    def recv(self, most: int, flags: int = 0) -> bytes:
        """Receive a datagram."""
        data = super().recv(most, flags)
        self.down_bytes += len(data)
        self.down_packets += 1
        return data

    def send(self, data: "Buffer", flags: int = 0) -> int:
        """Send a datagram."""
        sent = super().send(data, flags)
        self.up_bytes += sent
        self.up_packets += 1
        return sent

    def counts(self) -> Reading:
        """So far. Which of what was sent asked for something nobody can tell from outside: it is encrypted."""
        up, down = self.up_packets, self.down_packets
        return Reading(self.fileno() < 0, IP_BYTES + UDP_BYTES, 0, self.down_bytes, self.up_bytes, down, up, 0)


class Line:
    """The sockets of one subscriber."""

    def __init__(self, meter: "Meter") -> None:
        self._meter = meter
        self._sockets: list[MeteredSocket] = []

    def socket(self, address: AddressInfo) -> MeteredSocket:
        """Make one; to be given to a client as its `socket_factory`."""
        made = self._meter.make(address)
        self._sockets = [one for one in self._sockets if one.fileno() >= 0] + [made]
        return made

    def traffic(self) -> Traffic:
        """All that went over those that are open, since each was opened."""
        return total(Traffic.between(UNOPENED, read(one)) for one in self._sockets if one.fileno() >= 0)


class Meter:
    """All sockets of a swarm, and what goes over them in the measured window.

    With `copies` each has a second file, through which the counts of one that is closed can be read until the last segment
    has come. Without, what went over a connection that closes inside the window is not counted.
    """

    def __init__(self, copies: bool, sources: Sequence[str] = ()) -> None:
        """`sources`: the addresses of loopback that sockets to loopback have, in turn; none: the kernel's choice."""
        self._copies = copies
        self._sources = cycle(sources) if sources else None
        self._open: dict[MeteredSocket, socket.socket] = {}
        """Each with what it is read by: itself, or its copy."""
        self._closing: list[tuple[socket.socket, Reading]] = []
        """Copies whose originals are closed, kept until the other side has closed too; each with its first reading."""
        self._before: dict[MeteredSocket, Reading] = {}
        self._measuring = False
        self._gone = Traffic()

    def make(self, address: AddressInfo) -> MeteredSocket:
        """A socket that is counted."""
        family, kind, protocol = address[:3]
        datagrams = kind == socket.SOCK_DGRAM
        made = (MeteredDatagrams if datagrams else MeteredSocket)(family, kind, protocol)
        made.leave = self._left
        if self._sources and address[4][0].startswith("127."):
            # Without it the kernel would look for a port that is free for all destinations, which takes ever longer.
            made.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            made.bind((next(self._sources), 0))
        self._open[made] = socket.socket(fileno=os.dup(made.fileno())) if self._copies and not datagrams else made
        return made

    async def begin(self) -> None:
        """The window begins."""
        self._before = {one: reading async for one, reading in self._in_turn()}
        self._measuring = True

    async def end(self) -> Traffic:
        """The window ends: what went over in it."""
        self._measuring = False
        self.sweep()
        left = total(Traffic.between(before, read(copy)) for copy, before in self._closing)
        here = [Traffic.between(self._before.get(one, UNOPENED), reading) async for one, reading in self._in_turn()]
        return self._gone + left + total(here)

    @property
    def closing(self) -> int:
        """How many are kept whose other side has not closed yet."""
        return len(self._closing)

    def sweep(self) -> None:
        """Let go of those that the other side has closed too. To be called now and then."""
        waiting = []
        for copy, before in self._closing:
            after = read(copy)
            if after.over:
                self._gone += Traffic.between(before, after)
                copy.close()
            else:
                waiting.append((copy, before))
        self._closing = waiting

    def close(self) -> None:
        """Let go of all copies."""
        copies = [copy for one, copy in self._open.items() if copy is not one] + [copy for copy, _ in self._closing]
        for copy in copies:
            copy.close()

    def _left(self, one: MeteredSocket) -> None:
        copy = self._open.pop(one, one)
        if isinstance(one, MeteredDatagrams) and self._measuring:
            self._gone += Traffic.between(self._before.get(one, UNOPENED), one.counts())
        if copy is one:
            return
        with suppress(OSError):  # which says that it is not connected any more
            copy.shutdown(socket.SHUT_RDWR)  # while the copy is open, nothing else tells the other side
        if self._measuring:
            self._closing.append((copy, self._before.get(one, UNOPENED)))
        else:
            copy.close()

    async def _in_turn(self) -> AsyncIterator[tuple[MeteredSocket, Reading]]:
        for number, one in enumerate(list(self._open), start=1):
            if one in self._open:
                yield one, read(self._open[one])
            if number % TOGETHER == 0:
                await asyncio.sleep(0)


def total(traffics: Iterable[Traffic]) -> Traffic:
    """Their sum. Added by columns, for a swarm has thousands, and its event loop waits meanwhile."""
    return Traffic(*map(sum, zip(*map(_COUNTS, traffics), strict=True))) if (traffics := list(traffics)) else Traffic()
