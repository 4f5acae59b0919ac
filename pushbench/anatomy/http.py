"""HTTP/1.1, annotated (RFC 9112): heads, bodies in chunks or by length, and what an upgrade turns it into. Pure.

It says which byte is what of one direction; a piece that is incomplete is left, as `pushbench.dissect` leaves it.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from pushbench.anatomy.events import Lines
from pushbench.anatomy.frames import accept_of, accept_told, annotate_frames
from pushbench.anatomy.published import add_message, called, shown
from pushbench.anatomy.spans import Annotated, Event, Kind, Notes

CUT = "the record ends before this is complete"
NOT_HTTP = "this is not HTTP/1"
VALIDATORS = ("if-none-match", "last-event-id")
"""Headers of a request by which a reader says where it stands."""


@dataclass(frozen=True, slots=True)
class _Head:
    """A request or an answer up to its empty line."""

    end: int
    first: list[str]
    headers: Mapping[str, str]
    """By their names in small letters."""


def requests(data: bytes) -> Annotated:
    """The client's side; after a request to upgrade, of a WebSocket."""
    notes, at, why = Notes(), 0, CUT
    while at < len(data):
        head = _head(notes, data, at, request=True)
        if head is None:
            why = _why(data, at)
            break
        at = head.end + _length(head.headers)
        if at > len(data):
            at = head.end
            break
        body = data[head.end : at]
        says = [f"{name}: {head.headers[name]}" for name in VALIDATORS if name in head.headers]
        seq = add_message(notes, body, head.end) if body else None
        says += [f"with {called(seq)}"] if body else []
        notes.events.append(Event(at, "request", ", ".join([" ".join(head.first[:2]), *says])))
        if "upgrade" in head.headers:
            annotate_frames(notes, data, at)
            break
    return Annotated(data, notes.covering(len(data), why), notes.events)


def answers(data: bytes, key: str = "") -> Annotated:
    """The server's side; after status 101, of a WebSocket, whose client had sent that key."""
    notes, why = Notes(), CUT
    at: int | None = 0
    while at is not None and at < len(data):
        begin = at
        head = _head(notes, data, at, request=False, key=key)
        if head is None:
            why = _why(data, at)
            break
        status = int(head.first[1])
        notes.events.append(Event(head.end, "answer", " ".join(head.first[1:]), status=status))
        if status == 101:
            annotate_frames(notes, data, head.end)
            break
        at = head.end if status < 200 or status in (204, 304) else _body(notes, data, head, status)
        assert at is None or at > begin
    return Annotated(data, notes.covering(len(data), why), notes.events)


def lines(data: bytes) -> Annotated:
    """No protocol but a message a line."""
    notes = Notes()
    Lines(notes, events=False).feed(data, 0)
    return Annotated(data, notes.covering(len(data), CUT), notes.events)


def key_of(data: bytes) -> str:
    """The key of the WebSocket that is asked for there; empty if none is."""
    head = _head(Notes(), data, 0, request=True)
    return head.headers.get("sec-websocket-key", "") if head else ""


def _why(data: bytes, at: int) -> str:
    line = data[at:].partition(b"\n")
    return CUT if not line[1] or b"HTTP/1." in line[0] else NOT_HTTP


def _head(notes: Notes, data: bytes, at: int, *, request: bool, key: str = "") -> _Head | None:
    """Note a head that is complete. None if it is not, or none."""
    cuts = [at]
    while True:
        end = data.find(b"\n", cuts[-1]) + 1
        if not end:
            return None
        cuts.append(end)
        if len(cuts) > 2 and end - cuts[-2] <= 2:
            break
    first = data[at : cuts[1]].decode("latin-1").split(maxsplit=2)
    if len(first) < 2 or not (first[2:] if request else first)[0].startswith("HTTP/1."):
        return None
    if not request and not first[1].isdecimal():
        return None
    _first_line(notes, data[at : cuts[1]], at, request=request)
    headers: dict[str, str] = {}
    for begin, end in pairwise(cuts[1:-1]):
        name, _, value = data[begin:end].decode("latin-1").partition(":")
        name, value = name.strip().lower(), value.strip()
        headers[name] = value
        notes.add(begin, end - begin, Kind.HTTP, f"header {name}", _told(name, value, key))
    notes.add(cuts[-2], cuts[-1] - cuts[-2], Kind.HTTP, "end of head", "an empty line")
    return _Head(cuts[-1], [word.strip() for word in first], headers)


def _first_line(notes: Notes, line: bytes, at: int, *, request: bool) -> None:
    names = ("method", "target", "version") if request else ("version", "status", "reason")
    kind = "request" if request else "status"
    begin = 0
    for name in names:
        space = line.find(b" ", begin) + 1 if name != names[-1] else 0
        end = space or len(line)
        notes.add(at + begin, end - begin, Kind.HTTP, f"{kind} line: {name}", line[begin:end].decode("latin-1").strip())
        begin = end


def _told(name: str, value: str, key: str) -> str:
    """The value of a header, with what it comes to."""
    if name == "sec-websocket-key":
        try:
            return f"{value}, which is base64 of {base64.b64decode(value).hex(' ')}"
        except (binascii.Error, ValueError):
            return value
    if name == "sec-websocket-accept" and key:
        verdict = "as it must be" if accept_of(key) == value else f"and not {value}, which was answered"
        return f"{accept_told(key)}, {verdict}"
    return value


def _length(headers: Mapping[str, str]) -> int:
    told = headers.get("content-length", "0")
    return int(told) if told.isdecimal() else 0


class _Coded:
    """A body that is compressed: its bytes are of no message alone."""

    def __init__(self, notes: Notes, coding: str) -> None:
        self._notes, self._coding = notes, coding

    def feed(self, data: bytes, at: int) -> None:
        self._notes.add(at, len(data), Kind.PAYLOAD, "compressed payload", f"by {self._coding}")
        self._notes.events.append(Event(at + len(data), "said", f"{len(data)} bytes compressed by {self._coding}"))

    def end(self) -> None:
        """Nothing is left."""


class _Refusal:
    """The words of an answer that is no success."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def feed(self, data: bytes, at: int) -> None:
        self._notes.add(at, len(data), Kind.HTTP, "refusal", shown(data, 200))

    def end(self) -> None:
        """Nothing is left."""


def _body(notes: Notes, data: bytes, head: _Head, status: int) -> int | None:
    """Note the body behind a head, and return where it ends; None if that is not in the record."""
    headers = head.headers
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    coding = headers.get("content-encoding", "")
    content: Lines | _Coded | _Refusal = Lines(notes, events=kind == "text/event-stream")
    if coding or status >= 300:
        content = _Coded(notes, coding) if coding else _Refusal(notes)
    if "transfer-encoding" in headers:
        return _chunks(notes, data, head.end, content)
    if "content-length" not in headers:  # it ends with the connection
        content.feed(data[head.end :], head.end)
        return None
    end = head.end + _length(headers)
    if end > len(data):
        return None
    content.feed(data[head.end : end], head.end)
    content.end()
    return end


def _chunks(notes: Notes, data: bytes, at: int, content: Lines | _Coded | _Refusal) -> int | None:
    while begin := data.find(b"\n", at) + 1:
        told = data[at:begin].partition(b";")[0].strip().decode("latin-1")
        try:
            size = int(told, 16)
        except ValueError:
            return None
        notes.add(at, begin - at, Kind.FRAMING, "chunk: size", f"{told} in hexadecimal: {size} bytes follow")
        if not size:
            content.end()
            return _trailers(notes, data, begin)
        end = begin + size
        if len(data) < end:
            return None
        content.feed(data[begin:end], begin)
        if len(data) < end + 2:
            return None
        notes.add(end, 2, Kind.FRAMING, "chunk: end", "CR LF")
        at = end + 2
    return None


def _trailers(notes: Notes, data: bytes, at: int) -> int | None:
    while end := data.find(b"\n", at) + 1:
        if end - at <= 2:
            notes.add(at, end - at, Kind.FRAMING, "chunk: end of body", "an empty line")
            notes.events.append(Event(end, "said", "the end of the body"))
            return end
        notes.add(at, end - at, Kind.FRAMING, "chunk: trailer", data[at:end].decode("latin-1").strip())
        at = end
    return None
