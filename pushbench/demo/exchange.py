"""Exchanges: what went up and down on a connection for one request, as raw bytes, for whoever wants to look. Pure.

Of a long one the beginning is kept, and the last few pieces that passed; all is counted. A request behind an answer on
the same connection begins a new exchange. The last exchange of each kind is kept, such as `GET 304` beside `GET 200`.
"""

import re
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import NamedTuple

FIRST_BYTES = 8192
"""So many bytes are kept of the beginning, of each direction,"""
LAST_PIECES, LAST_BYTES = 6, 1024
"""and of the last pieces so many, and that much of each."""
KINDS = 6
"""So many kinds are kept at most: the latest."""
OPEN = 256
"""So many connections are followed at most: the latest."""
REQUEST = re.compile(rb"[A-Z]{3,8} [/*]")
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
OPAQUE = "QUIC"
"""The kind of what is encrypted."""


class Piece(NamedTuple):
    """Some bytes that passed in one piece."""

    at_ns: int
    up: bool
    data: bytes
    """Its beginning."""
    size: int


@dataclass(slots=True)
class Way:
    """One direction."""

    first: bytearray = field(default_factory=bytearray)
    size: int = 0


@dataclass(slots=True)
class Exchange:
    """One of them."""

    begun_ns: int
    up: Way = field(default_factory=Way)
    down: Way = field(default_factory=Way)
    last: deque[Piece] = field(default_factory=lambda: deque(maxlen=LAST_PIECES))
    kind: str = ""
    """Method and status; empty until it is answered."""

    def add(self, at_ns: int, up: bool, data: bytes) -> None:
        """These bytes passed."""
        way = self.up if up else self.down
        way.first += data[: FIRST_BYTES - len(way.first)]
        way.size += len(data)
        self.last.append(Piece(at_ns, up, data[:LAST_BYTES], len(data)))


class Exchanges:
    """Those of one lane."""

    def __init__(self) -> None:
        self.kinds: dict[str, Exchange] = {}
        """The last of each kind, the latest at the end."""
        self._current: dict[Hashable, Exchange] = {}

    def add(self, connection: Hashable, at_ns: int, up: bool, data: bytes, kind: str = "") -> None:
        """These bytes passed on that connection. Without a `kind` it is HTTP, which says itself what it is."""
        current = self._current.get(connection)
        if current is None or (up and not kind and current.down.size and REQUEST.match(data)):
            while len(self._current) >= OPEN:
                del self._current[next(iter(self._current))]
            current = self._current[connection] = Exchange(at_ns)
        current.add(at_ns, up, data)
        current.kind = current.kind or kind or _kind(current)
        if current.kind:
            self.kinds.pop(current.kind, None)
            self.kinds[current.kind] = current
            while len(self.kinds) > KINDS:
                del self.kinds[next(iter(self.kinds))]

    def end(self, connection: Hashable) -> None:
        """Nothing will pass on it any more."""
        self._current.pop(connection, None)


def _kind(exchange: Exchange) -> str:
    """Empty as long as the answer's status has not come."""
    method = bytes(exchange.up.first).partition(b" ")[0].decode("latin-1")
    status = STATUS.match(exchange.down.first)
    return f"{method} {status[1].decode()}" if status else ""
