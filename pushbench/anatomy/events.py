"""The lines of a body, annotated: event streams (HTML standard, section 9.2), and messages in lines. Pure.

It is fed pieces that do not mind where lines end, such as chunks, and knows nothing of what puts them there.
"""

from pushbench.anatomy.published import add_message, called
from pushbench.anatomy.spans import Event, Joined, Kind, Notes


class Lines:
    """The lines of one body. Feed it the pieces; a line is noted once it is whole."""

    def __init__(self, notes: Notes, *, events: bool) -> None:
        """`events`: it is an event stream; otherwise each line is a message."""
        self._notes = notes
        self._line = self._event_line if events else self._message_line
        self._joined = Joined()
        self._done = 0
        self._id = ""
        """Of an event that has nothing else so far."""

    def feed(self, data: bytes, at: int) -> None:
        """Some of the body, which lies there."""
        self._joined.add(data, at)
        while (end := self._joined.data.find(b"\n", self._done) + 1) > 0:
            self._note(end)

    def end(self) -> None:
        """The body is over: its last line needs no line feed."""
        if self._done < len(self._joined.data):
            self._note(len(self._joined.data))

    def _note(self, end: int) -> None:
        inside = Notes()
        line = bytes(self._joined.data[self._done : end])
        self._line(inside, line, self._done)
        self._done = end
        for span in inside.spans:
            self._notes.spans += self._joined.place(span)
        where = self._joined.where(end)
        self._notes.events += [Event(where, one.what, one.text, one.seq) for one in inside.events]

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
        ending = "CR LF" if line.endswith(b"\r\n") else "LF"
        if line.startswith(b"data:"):
            begin = 5 + line.startswith(b"data: ")
            value = text[begin:] if len(text) > begin else b""
            rest = len(line) - begin - len(value)
            notes.add(at, begin, Kind.FRAMING, "event: data", "the field’s name, a colon, a space that is dropped")
            seq = add_message(notes, value, at + begin)
            notes.add(at + begin + len(value), rest, Kind.FRAMING, "line end", ending)
            notes.events.append(Event(at, "message", called(seq, value), seq))
            self._id = ""
        elif not text:
            notes.add(at, len(line), Kind.FRAMING, "event: dispatch", f"an empty line ({ending})")
            if self._id:
                notes.events.append(Event(at, "said", f"an event with nothing but the id {self._id}"))
                self._id = ""
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
