"""The event stream format of Server-Sent Events, parsed as it comes: bytes in, events out. No socket is in here.

Source: the HTML standard, section 9.2.6, "Interpreting an event stream".
"""

from typing import NamedTuple

BOM = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One dispatched event."""

    data: bytes
    type: bytes
    """`message` unless the server named another."""
    id: bytes | None = None
    """The id that came with it, or None."""


class EventStreamParser:
    """Feed it what was received; it returns the events that are complete."""

    def __init__(self) -> None:
        self.last_event_id: bytes | None = None
        """The last id that was set by a complete block, also by one without data; None before the first.
        Whoever wants to know whether one is set sets it to None before."""
        self.retry_ms: int | None = None
        """The reconnection time that the server asked for."""
        self._rest = b""  # an incomplete line
        self._started = False  # a byte order mark counts only at the very beginning
        self._ended_in_cr = False  # a line feed that comes next belongs to that line's end
        self._data: list[bytes] = []
        self._type = b""
        self._id: bytes | None = None

    @property
    def between(self) -> bool:
        """Whether the next byte begins a block."""
        return self._started and not (self._rest or self._ended_in_cr or self._data or self._type or self._id)

    def feed(self, chunk: bytes) -> list[Event]:
        """Take the next bytes, cut anywhere, and return the events that they complete."""
        text = self._rest + chunk
        if not self._started:
            if BOM.startswith(text[:3]) and len(text) < 3:
                self._rest = text
                return []
            self._started = True
            text = text.removeprefix(BOM)
        if self._ended_in_cr and text:
            text = text.removeprefix(b"\n")
            self._ended_in_cr = False
        if b"\r" in text:
            self._ended_in_cr = text.endswith(b"\r")
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, self._rest = text.split(b"\n")
        events: list[Event] = []
        for line in lines:
            if line:
                self._field(line)
            else:
                self._end_block(events)
        return events

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"id":
            if b"\0" not in value:
                self._id = value
        elif name == b"event":
            self._type = value
        elif name == b"retry" and value.isdigit():
            self.retry_ms = int(value)

    def _end_block(self, events: list[Event]) -> None:
        if self._id is not None:
            self.last_event_id = self._id
        if self._data:
            events.append(Event(b"\n".join(self._data), self._type or b"message", self._id))
        self._data, self._type, self._id = [], b"", None
