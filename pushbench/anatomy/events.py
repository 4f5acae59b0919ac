"""The lines of a body, annotated: event streams (HTML standard, section 9.2), and messages in lines. Pure.

It is fed pieces that do not mind where lines end, such as chunks, and knows nothing of what puts them there.
"""

import re
from dataclasses import replace

from pushbench.anatomy.published import add_message, called, seq_of
from pushbench.anatomy.spans import Event, Joined, Kind, Notes

MESSAGE_END = re.compile(rb"\n")
EVENT_END = re.compile(rb"\r\n|\n|\r")
ENDINGS = {b"\r\n": "CR LF", b"\n": "LF", b"\r": "CR"}


class Lines:
    """The lines of one body. Feed it the pieces; a line is noted once it is whole."""

    def __init__(self, notes: Notes, *, events: bool) -> None:
        """`events`: it is an event stream; otherwise each line is a message."""
        self._notes = notes
        self._line = self._event_line if events else self._message_line
        self._ending = EVENT_END if events else MESSAGE_END
        self._joined = Joined()
        self._done = 0
        self._id = ""
        """Of the event that is not over yet."""
        self._data: list[bytes] = []
        """Its lines of data."""

    def feed(self, data: bytes, at: int) -> None:
        """Some of the body, which lies there."""
        self._joined.add(data, at)
        while found := self._ending.search(self._joined.data, self._done):
            self._note(found.end())

    def end(self) -> None:
        """The body is over: its last line needs no end; an event without its empty line is discarded."""
        size = len(self._joined.data)
        if self._done < size:
            self._note(size)
        if self._data:
            self._notes.events.append(Event(self._joined.where(size), "said", "an event that is not finished: discarded"))

    def _note(self, end: int) -> None:
        inside = Notes()
        line = bytes(self._joined.data[self._done : end])
        self._line(inside, line, self._done)
        self._done = end
        for span in inside.spans:
            self._notes.spans += self._joined.place(span)
        where = self._joined.where(end)
        self._notes.events += [replace(event, end=where) for event in inside.events]

    def _message_line(self, notes: Notes, line: bytes, at: int) -> None:
        text = line.removesuffix(b"\n")
        if not text:
            notes.add(at, len(line), Kind.FRAMING, "heartbeat line", "an empty line")
            notes.events.append(Event(at, "heartbeat", "heartbeat (an empty line)"))
            return
        seq = add_message(notes, text, at)
        notes.add(at + len(text), len(line) - len(text), Kind.FRAMING, "line end", "LF")
        notes.events.append(Event(at, "message", called(seq, text), seq))

    def _event_line(self, notes: Notes, line: bytes, at: int) -> None:
        text = line.rstrip(b"\r\n")
        ending = ENDINGS.get(line[len(text) :], "")
        if line == b"\n" and self._joined.data[:at].endswith(b"\r"):
            notes.add(at, 1, Kind.FRAMING, "line end", "the LF of the CR LF that began before")
        elif not text:
            self._dispatch(notes, len(line), at, ending)
        elif text == b"data" or text.startswith(b"data:"):
            value = text.removeprefix(b"data").removeprefix(b":").removeprefix(b" ")
            begin = len(text) - len(value)
            says = "the field’s name, a colon, a space that is dropped" if text[4:] else "the field’s name alone"
            notes.add(at, begin, Kind.FRAMING, "event: data", says)
            add_message(notes, value, at + begin)
            notes.add(at + len(text), len(line) - len(text), Kind.FRAMING, "line end", ending)
            self._data.append(value)
        elif text.startswith(b":"):
            said = text[1:].decode(errors="replace").strip()
            notes.add(at, len(line), Kind.FRAMING, "event: comment", said)
            notes.events.append(Event(at, "heartbeat", f"heartbeat (the comment “{said}”)"))
        else:
            field, _, value = text.partition(b":")
            known = field.decode(errors="replace")
            name = f"event: {known}" if known in ("id", "event", "retry") else "event: other field"
            notes.add(at, len(line), Kind.FRAMING, name, value.decode(errors="replace").strip())
            if known == "id":
                self._id = value.decode(errors="replace").strip()

    def _dispatch(self, notes: Notes, size: int, at: int, ending: str) -> None:
        """The empty line behind an event; one without data is not handed over."""
        name = "event: dispatch" if self._data else "event: nothing to dispatch"
        notes.add(at, size, Kind.FRAMING, name, f"an empty line ({ending})")
        if self._data:
            data = b"\n".join(self._data)
            seq = seq_of(data)
            notes.events.append(Event(at, "message", called(seq, data), seq))
        elif self._id:
            notes.events.append(Event(at, "said", f"an event with nothing but the id {self._id}, which is not handed over"))
        self._id, self._data = "", []
