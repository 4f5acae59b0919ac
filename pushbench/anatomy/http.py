"""HTTP/1.1, annotated (RFC 9112): heads, and what an upgrade turns a connection into; `bodies` knows the rest. Pure.

It says which byte is what of one direction; a piece that is incomplete is left, as `pushbench.dissect` leaves it.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pushbench.anatomy.bodies import Coded, Content, Refusal, Whole, annotate_body
from pushbench.anatomy.events import Lines
from pushbench.anatomy.frames import accept_of, accept_told, annotate_frames
from pushbench.anatomy.published import called
from pushbench.anatomy.spans import CUT, Annotated, Event, Kind, Notes

NOT_HTTP = "this is not HTTP/1"
STATUS = re.compile("[0-9]{3}")
VALIDATORS = ("if-none-match", "last-event-id")
"""Headers of a request by which a reader says where it stands."""


@dataclass(frozen=True, slots=True)
class _Head:
    """A request or an answer up to its empty line."""

    end: int
    first: list[str]
    headers: Mapping[str, str]
    """By their names in small letters."""


def requests(data: bytes, answered: Sequence[int] | None = None) -> Annotated:
    """The client's side; after a request to upgrade that was granted, of a WebSocket.

    `answered` is the status of each request’s last answer; without it every upgrade is taken for granted.
    """
    notes, why, asked = Notes(), CUT, 0
    at: int | None = 0
    while at is not None and at < len(data):
        begin = at
        head = _head(notes, data, at, request=True)
        if head is None:
            why = _why(data, at)
            break
        body = Whole(notes)
        at = annotate_body(notes, data, head.end, {"content-length": "0", **head.headers}, body)
        if at is None:
            break
        assert at > begin
        says = [f"{name}: {head.headers[name]}" for name in VALIDATORS if name in head.headers]
        says += [f"with {called(body.seq)}"] if body.size else []
        notes.events.append(Event(at, "request", ", ".join([" ".join(head.first[:2]), *says])))
        asked += 1
        if "upgrade" in head.headers and (answered is None or 101 in answered[asked - 1 : asked]):
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
        said = len(notes.events)
        notes.events.append(Event(head.end, "answer", " ".join(head.first[1:]), status=status))
        if status == 101:
            annotate_frames(notes, data, head.end)
            break
        at = head.end
        if status >= 200 and status not in (204, 304):
            at = annotate_body(notes, data, head.end, head.headers, _content(notes, head.headers, status))
            if at is None and ("content-length" not in head.headers or "transfer-encoding" in head.headers):
                notes.events[said] = replace(notes.events[said], ends=False)
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


def statuses(data: bytes) -> list[int]:
    """The status of each request’s last answer, by the server's side."""
    found = (event.status for event in answers(data).events if event.what == "answer")
    return [status for status in found if status == 101 or status >= 200]


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
    version = 2 if request else 0
    if len(first) <= max(1, version) or not first[version].startswith("HTTP/1."):
        return None
    if not request and not STATUS.fullmatch(first[1]):
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


def _content(notes: Notes, headers: Mapping[str, str], status: int) -> Content:
    """What the body of an answer is."""
    if coding := headers.get("content-encoding", ""):
        return Coded(notes, coding)
    if status >= 300:
        return Refusal(notes)
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return Lines(notes, events=kind == "text/event-stream")
