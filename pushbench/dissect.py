"""The bytes of a connection, taken apart: HTTP headers, the transport's framing, and what was published. Pure.

It reads HTTP/1.1 (RFC 9112) with its chunked coding (section 7.1), event streams (the HTML standard, section 9.2), messages
in lines, and WebSocket frames (RFC 6455, section 5.2). It is no parser for a client: it trusts what it sees, and wants to
know only which byte is what.
"""

import zlib
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from operator import add, attrgetter, sub

LINE = 0
"""Asked for instead of a number of bytes: all up to the next line feed."""
Reading = Generator[int, bytes, None]
"""Asks for so many bytes, or for a line, and is sent them."""


class Incomprehensible(Exception):
    """Bytes that are nothing which is known here; the text says where they begin."""


@dataclass(frozen=True, slots=True)
class Parts:
    """How many bytes of one direction are what, and how often something was said. Parts can be added and subtracted."""

    http: int = 0
    """Request and status lines, headers, and the empty line after them."""
    framing: int = 0
    """What the transport puts around messages: chunk sizes, fields, line ends, frame headers; and all heartbeats."""
    payload: int = 0
    """What was published, as it is on the wire."""
    messages: int = 0
    heads: int = 0
    """Requests, or answers."""

    def __add__(self, other: "Parts") -> "Parts":
        return Parts(*map(add, _COUNTS(self), _COUNTS(other)))

    def __sub__(self, other: "Parts") -> "Parts":
        return Parts(*map(sub, _COUNTS(self), _COUNTS(other)))

    @property
    def total(self) -> int:
        """All bytes."""
        return self.http + self.framing + self.payload


def _decoder(coding: str) -> Callable[[bytes], bytes]:
    if coding == "gzip":
        return zlib.decompressobj(31).decompress  # any window, in gzip's format
    if coding == "br":
        import brotli  # which is not there unless somebody wants it

        decode: Callable[[bytes], bytes] = brotli.Decompressor().process
        return decode
    raise Incomprehensible(f"a body in the coding {coding!r}")


_COUNTS = attrgetter(*Parts.__dataclass_fields__)


@dataclass(slots=True)
class Dissector:
    """One direction of one connection: feed it the bytes in order, cut anywhere."""

    reading: Callable[["Dissector"], Reading]
    """`requests`, `answers` or `lines`."""
    parts: Parts = field(default_factory=Parts)
    """What there was so far. A piece that is incomplete is not in it yet."""
    _rest: bytearray = field(default_factory=bytearray)
    _running: Reading | None = None
    _wants: int = LINE

    def feed(self, data: bytes) -> None:
        """Take the next bytes. Raises Incomprehensible."""
        if self._running is None:
            self._running = self.reading(self)
            self._wants = next(self._running)
        self._rest += data
        while size := self._available():
            piece = bytes(self._rest[:size])
            del self._rest[:size]
            self._wants = self._running.send(piece)

    def add(self, *, http: int = 0, framing: int = 0, payload: int = 0, messages: int = 0, heads: int = 0) -> None:
        """There was this, too."""
        self.parts += Parts(http, framing, payload, messages, heads)

    def _available(self) -> int:
        size = self._rest.find(b"\n") + 1 if self._wants == LINE else self._wants
        return size if size <= len(self._rest) else 0


def requests(dissector: Dissector) -> Reading:
    """The client's side of HTTP; after a request to upgrade, of a WebSocket."""
    while True:
        headers = yield from _head(dissector)
        if size := int(headers.get("content-length", "0")):
            yield size
            dissector.add(payload=size)
        if "upgrade" in headers:
            yield from _frames(dissector)


def answers(dissector: Dissector) -> Reading:
    """The server's side of HTTP; after status 101, of a WebSocket."""
    while True:
        headers = yield from _head(dissector)
        status = int(headers[""].split()[1])
        if status == 101:
            yield from _frames(dissector)
        if status in (204, 304):
            continue
        if status >= 400:
            raise Incomprehensible(f"an answer that refuses: {headers['']}")
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        line = _event_line if kind == "text/event-stream" else _message_line
        coding = headers.get("content-encoding", "")
        lines = _CodedLines(dissector, line, coding) if coding else _Lines(dissector, line)
        if "transfer-encoding" not in headers:
            while "content-length" not in headers:  # it ends with the connection
                lines.feed((yield LINE))
            if size := int(headers["content-length"]):
                lines.feed((yield size))
                lines.end()
            continue
        while True:
            head = yield LINE
            dissector.add(framing=len(head))
            if not (chunk := int(head.partition(b";")[0], 16)):
                break
            lines.feed((yield chunk))
            dissector.add(framing=len((yield 2)))
        lines.end()
        while len(trailer := (yield LINE)) > 2:
            dissector.add(framing=len(trailer))
        dissector.add(framing=len(trailer))


def lines(dissector: Dissector) -> Reading:
    """No protocol but a message a line; words of the protocol's own are taken for messages."""
    while True:
        _message_line(dissector, (yield LINE))


def _head(dissector: Dissector) -> Generator[int, bytes, Mapping[str, str]]:
    """A request or an answer up to the empty line: its headers by their names in small letters, its first line by ""."""
    first = yield LINE
    headers = {"": first.decode("latin-1").strip()}
    if "HTTP/1." not in headers[""]:
        raise Incomprehensible(f"not HTTP/1: {headers[''][:60]!r}")
    size = len(first)
    while len(line := (yield LINE)) > 2:
        size += len(line)
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    dissector.add(http=size + len(line), heads=1)
    return headers


def _frames(dissector: Dissector) -> Reading:
    """WebSocket frames, for ever."""
    while True:
        begin = yield 2
        last, opcode, masked, size = begin[0] & 0x80, begin[0] & 0x0F, begin[1] & 0x80, begin[1] & 0x7F
        framing = 2
        if wide := {126: 2, 127: 8}.get(size):
            size = int.from_bytes((yield wide))
            framing += wide
        if masked:
            yield 4
            framing += 4
        if size:
            yield size
        if opcode & 0x8:  # ping, pong, close
            dissector.add(framing=framing + size)
        else:
            dissector.add(framing=framing, payload=size, messages=int(bool(last)))


class _Lines:
    """The content of a body, which comes in pieces that do not mind its lines."""

    def __init__(self, dissector: Dissector, line: Callable[[Dissector, bytes], None]) -> None:
        self._dissector = dissector
        self._line = line
        self._rest = b""

    def feed(self, data: bytes) -> None:
        *whole, self._rest = (self._rest + data).split(b"\n")
        for line in whole:
            self._line(self._dissector, line + b"\n")

    def end(self) -> None:
        """The body is over: its last line needs no line feed."""
        if self._rest:
            self._line(self._dissector, self._rest)
            self._rest = b""


class _CodedLines(_Lines):
    """Those of a body that is compressed: its bytes are of no message alone, and count as payload."""

    def __init__(self, dissector: Dissector, line: Callable[[Dissector, bytes], None], coding: str) -> None:
        inside = Dissector(lines)  # nothing is fed to it: it counts what is in the lines
        super().__init__(inside, line)
        self._inside, self._outside = inside, dissector
        self._decode = _decoder(coding)

    def feed(self, data: bytes) -> None:
        before = self._inside.parts.messages
        super().feed(self._decode(data))
        self._outside.add(payload=len(data), messages=self._inside.parts.messages - before)

    def end(self) -> None:
        before = self._inside.parts.messages
        super().end()
        self._outside.add(messages=self._inside.parts.messages - before)


def _message_line(dissector: Dissector, line: bytes) -> None:
    """A message and its line feed, if it has one; an empty one is a heartbeat."""
    size = len(line.removesuffix(b"\n"))
    dissector.add(framing=len(line) - size, payload=size, messages=int(size > 0))


def _event_line(dissector: Dissector, line: bytes) -> None:
    """A line of an event stream: only what `data` holds was published."""
    if not line.startswith(b"data:"):
        dissector.add(framing=len(line))
        return
    value = line.removeprefix(b"data:").removeprefix(b" ").rstrip(b"\r\n")
    dissector.add(framing=len(line) - len(value), payload=len(value), messages=1)
