"""The bodies of HTTP/1.1, annotated (RFC 9112 sections 6 and 7): by length, in chunks, or until the connection ends. Pure.

It knows where a body ends; what is in it is `Content`: lines (`events`), one message, something compressed, a refusal.
"""

import re
from collections.abc import Mapping
from typing import Protocol

from pushbench.anatomy.published import add_message, shown
from pushbench.anatomy.spans import Event, Joined, Kind, Notes

CHUNK_SIZE = re.compile("0*[0-9A-Fa-f]{1,16}")
"""Section 7.1, 1*HEXDIG: no sign, no prefix; and no more than can be."""
LENGTH = re.compile("0*[0-9]{1,18}")
"""RFC 9110 section 8.6, likewise."""


class Content(Protocol):
    """What a body is made of."""

    def feed(self, data: bytes, at: int) -> None:
        """Some of it, which lies there."""

    def end(self) -> None:
        """The body is over."""


class Coded:
    """A body that is compressed: its bytes are of no message alone."""

    def __init__(self, notes: Notes, coding: str) -> None:
        self._notes, self._coding = notes, coding

    def feed(self, data: bytes, at: int) -> None:
        """Some of it."""
        self._notes.add(at, len(data), Kind.PAYLOAD, "compressed payload", f"by {self._coding}")
        self._notes.events.append(Event(at + len(data), "said", f"{len(data)} bytes compressed by {self._coding}"))

    def end(self) -> None:
        """Nothing is left."""


class Refusal:
    """The words of an answer that is no success."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def feed(self, data: bytes, at: int) -> None:
        """Some of them."""
        self._notes.add(at, len(data), Kind.HTTP, "refusal", shown(data, 200))

    def end(self) -> None:
        """Nothing is left."""


class Whole:
    """A body that is one message, as a publisher sends it."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._joined = Joined()
        self.seq: int | None = None
        """The number of the message, once it is whole."""

    @property
    def size(self) -> int:
        """How long it is so far."""
        return len(self._joined.data)

    def feed(self, data: bytes, at: int) -> None:
        """Some of it."""
        self._joined.add(data, at)

    def end(self) -> None:
        """It is whole: note it."""
        inside = Notes()
        self.seq = add_message(inside, bytes(self._joined.data), 0)
        for span in inside.spans:
            self._notes.spans += self._joined.place(span)


def annotate_body(notes: Notes, data: bytes, at: int, headers: Mapping[str, str], content: Content) -> int | None:
    """Note the body that begins there, and return where it ends; None if that is not in the record."""
    if "transfer-encoding" in headers:
        return _chunks(notes, data, at, content)
    if "content-length" not in headers:  # it ends with the connection
        content.feed(data[at:], at)
        return None
    told = headers["content-length"]
    if not LENGTH.fullmatch(told) or (end := at + int(told)) > len(data):
        return None
    content.feed(data[at:end], at)
    content.end()
    return end


def _chunks(notes: Notes, data: bytes, at: int, content: Content) -> int | None:
    while begin := data.find(b"\n", at) + 1:
        told = data[at:begin].partition(b";")[0].strip().decode("latin-1")
        if not CHUNK_SIZE.fullmatch(told):
            return None
        size = int(told, 16)
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
