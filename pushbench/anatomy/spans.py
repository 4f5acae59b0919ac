"""Spans: which bytes of one direction of one connection are what. They cover every byte exactly once. Pure.

It knows how spans are collected, and nothing of any protocol; `explanations` says what each name means.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Kind(StrEnum):
    """What a byte is for; the first three are counted likewise by `pushbench.dissect`."""

    HTTP = "http"
    """Request and status lines, headers, the empty line after them; of HTTP/3 its frames and settings."""
    FRAMING = "framing"
    """What the transport puts around messages: chunk sizes, fields, line ends, frame headers; and all heartbeats."""
    PAYLOAD = "payload"
    """What was published, as it is on the wire."""
    QUIC = "quic"
    """Headers of QUIC's packets, its own frames, and what proves that nobody has changed them."""
    TLS = "tls"
    """The handshake of TLS 1.3 inside QUIC."""
    REST = "rest"
    """What cannot be told: the record ends before it is complete, or nobody here has the key."""


@dataclass(frozen=True, slots=True)
class Span:
    """Some bytes that are one thing."""

    offset: int
    """From the first byte of that direction of that connection."""
    length: int
    kind: Kind
    name: str
    """What it is: a key of `explanations.EXPLAINED`, or `header NAME`."""
    value: str = ""
    """What it says, as somebody would read it."""
    plain: bytes | None = None
    """The bytes without their mask or cipher; None where they are plain on the wire."""

    @property
    def end(self) -> int:
        """The offset of the byte behind it."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was said as a whole: a request, an answer, a message, a ping."""

    end: int
    """The offset behind its last byte: it is said when that has passed."""
    what: str
    """`request`, `answer`, `message`, `heartbeat`, `ping`, `pong`, `close`, `said` (anything else)."""
    text: str
    """In words."""
    seq: int | None = None
    """Of a message that carries a number."""
    status: int = 0
    """Of an answer."""


@dataclass(slots=True)
class Notes:
    """What is collected while bytes are read."""

    spans: list[Span] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def add(self, offset: int, length: int, kind: Kind, name: str, value: str = "", plain: bytes | None = None) -> None:
        """These bytes are that; no bytes are nothing."""
        if length:
            self.spans.append(Span(offset, length, kind, name, value, plain))

    def covering(self, size: int, why: str) -> list[Span]:
        """The spans in order, with what none of them has as spans of the kind `rest`."""
        found: list[Span] = []
        at = 0
        for span in sorted(self.spans, key=lambda one: one.offset):
            if span.offset > at:
                found.append(Span(at, span.offset - at, Kind.REST, "rest", why))
            found.append(span)
            at = span.end
        if at < size:
            found.append(Span(at, size - at, Kind.REST, "rest", why))
        return found


@dataclass(frozen=True, slots=True)
class Annotated:
    """One direction of one connection, annotated."""

    data: bytes
    spans: list[Span]
    events: list[Event]

    def bytes_of(self, span: Span) -> bytes:
        """What is on the wire there."""
        return self.data[span.offset : span.end]


class Joined:
    """A logical run of bytes that lies in several places of a direction: a body in chunks, a stream in packets."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._places: list[tuple[int, int, bool]] = []
        """Where each part begins in the run and on the wire, and whether it was opened to be read."""

    def add(self, data: bytes, at: int, *, opened: bool = False) -> None:
        """More of it, which lies there."""
        self._places.append((len(self.data), at, opened))
        self.data += data

    def place(self, span: Span) -> Iterator[Span]:
        """A span of the run as spans of the direction; only the first of several parts has the value."""
        value = span.value
        for number, (begin, at, opened) in enumerate(self._places):
            end = self._places[number + 1][0] if number + 1 < len(self._places) else len(self.data)
            first, last = max(begin, span.offset), min(end, span.end)
            if first < last:
                plain = span.plain if span.plain is not None else bytes(self.data[first:last]) if opened else None
                yield replace(span, offset=at + first - begin, length=last - first, value=value, plain=plain)
                value = "(continued)"

    def where(self, offset: int) -> int:
        """Where the byte in front of that offset of the run ends on the wire."""
        for begin, at, _ in reversed(self._places):
            if begin < offset:
                return at + offset - begin
        return 0


def sums(spans: Iterable[Span]) -> dict[Kind, int]:
    """How many bytes are of each kind; kinds of which there are none are left out."""
    found: dict[Kind, int] = {}
    for span in spans:
        found[span.kind] = found.get(span.kind, 0) + span.length
    return {kind: found[kind] for kind in Kind if kind in found}
