"""The frames in a packet of QUIC, annotated (RFC 9000 section 19, RFC 9221); what streams carry is collected. Pure."""

from dataclasses import dataclass, field

from pushbench.anatomy.spans import Event, Joined, Kind, Notes
from pushbench.anatomy.varint import Short, varint

PADDING, PING, ACK, ACK_ECN, CRYPTO, NEW_TOKEN, NEW_ID, DONE = 0x00, 0x01, 0x02, 0x03, 0x06, 0x07, 0x18, 0x1E
PATHS, CLOSES, STREAMS, DATAGRAMS = (0x1A, 0x1B), (0x1C, 0x1D), range(0x08, 0x10), (0x30, 0x31)
NUMBERS = {
    0x04: ("quic: stream control", "RESET_STREAM", 3),
    0x05: ("quic: stream control", "STOP_SENDING", 2),
    0x10: ("quic: flow control", "MAX_DATA", 1),
    0x11: ("quic: flow control", "MAX_STREAM_DATA", 2),
    0x12: ("quic: flow control", "MAX_STREAMS, both ways", 1),
    0x13: ("quic: flow control", "MAX_STREAMS, one way", 1),
    0x14: ("quic: flow control", "DATA_BLOCKED", 1),
    0x15: ("quic: flow control", "STREAM_DATA_BLOCKED", 2),
    0x16: ("quic: flow control", "STREAMS_BLOCKED, both ways", 1),
    0x17: ("quic: flow control", "STREAMS_BLOCKED, one way", 1),
    0x19: ("quic: RETIRE_CONNECTION_ID", "", 1),
}
"""Frames that are a type and so many numbers."""


@dataclass(slots=True)
class Run:
    """What was sent of a stream, or of the handshake, in the order of its bytes."""

    joined: Joined = field(default_factory=Joined)
    _early: dict[int, tuple[bytes, int]] = field(default_factory=dict)

    def add(self, notes: Notes, offset: int, data: bytes, at: int) -> None:
        """A piece of it, which lies there; what was there before is noted as sent again."""
        have = len(self.joined.data)
        if offset > have:
            self._early[offset] = (data, at)
            return
        again = min(have - offset, len(data))
        notes.add(at, again, Kind.QUIC, "quic: stream again", f"{again} bytes", data[:again])
        self.joined.add(data[again:], at + again, opened=True)
        if later := self._early.pop(len(self.joined.data), None):
            self.add(notes, len(self.joined.data), *later)


@dataclass(slots=True)
class Inside:
    """What one direction's packets carried."""

    _crypto: dict[int, Run] = field(default_factory=dict)
    _streams: dict[int, Run] = field(default_factory=dict)
    datagrams: list[tuple[bytes, int]] = field(default_factory=list)
    """Each with where it lies."""

    @property
    def crypto(self) -> dict[int, Joined]:
        """The handshake, by the type of packet."""
        return {kind: run.joined for kind, run in self._crypto.items()}

    @property
    def streams(self) -> dict[int, Joined]:
        """By their numbers."""
        return {number: run.joined for number, run in self._streams.items()}


def annotate_frames(notes: Notes, inside: Inside, packet: int, data: bytes, base: int) -> None:
    """Note all frames of a packet of that type whose payload, opened, is this and lies there."""
    at = 0
    quiet: list[Event] = []
    before = len(notes.events)
    try:
        while at < len(data):
            at = _frame(notes, inside, packet, data, at, base, quiet)
    except Short:
        notes.add(base + at, len(data) - at, Kind.QUIC, "quic: other frame", "", data[at:])
    if len(notes.events) == before:
        notes.events += quiet


def _frame(notes: Notes, inside: Inside, packet: int, data: bytes, at: int, base: int, quiet: list[Event]) -> int:
    """Note the frame that begins there, and return where it ends. Raises Short."""
    kind, here = varint(data, at)

    def note(end: int, name: str, value: str) -> int:
        _within(data, end)
        notes.add(base + at, end - at, Kind.QUIC, name, value, data[at:end])
        return end

    def event(end: int, what: str, text: str) -> None:
        notes.events.append(Event(base + end, what, text))

    if kind == PADDING:
        end = at + len(data[at:]) - len(data[at:].lstrip(b"\0"))
        return note(end, "quic: PADDING", f"{end - at} zeros")
    if kind == PING:
        event(here, "ping", "PING")
        return note(here, "quic: PING", "")
    if kind in (ACK, ACK_ECN):
        end, text = _ack(data, here, ecn=kind == ACK_ECN)
        quiet.append(Event(base + end, "said", "ACK"))
        return note(end, "quic: ACK", text)
    if kind == CRYPTO:
        offset, here = varint(data, here)
        size, here = varint(data, here)
        _within(data, here + size)
        note(here, "quic: CRYPTO", f"from byte {offset}, {size} bytes")
        inside._crypto.setdefault(packet, Run()).add(notes, offset, data[here : here + size], base + here)
        return here + size
    if kind in STREAMS:
        return _stream(notes, inside, data, kind, at, here, base)
    if kind in DATAGRAMS:
        size, begin = varint(data, here) if kind & 1 else (len(data) - here, here)
        _within(data, begin + size)
        note(begin, "quic: DATAGRAM", f"{size} bytes")
        inside.datagrams.append((data[begin : begin + size], base + begin))
        return begin + size
    if kind in CLOSES:
        return _close(notes, data, kind, at, here, base)
    if kind == DONE:
        event(here, "said", "HANDSHAKE_DONE")
        return note(here, "quic: HANDSHAKE_DONE", "")
    if kind == NEW_ID:
        number, here = varint(data, here)
        _, here = varint(data, here)
        _within(data, here + 1)
        size = data[here]
        _within(data, here + 1 + size + 16)
        quiet.append(Event(base + here, "said", "NEW_CONNECTION_ID"))
        return note(
            here + 1 + size + 16, "quic: NEW_CONNECTION_ID", f"number {number}: {data[here + 1 : here + 1 + size].hex()}"
        )
    if kind in PATHS:
        return note(here + 8, "quic: other frame", "PATH_CHALLENGE" if kind == PATHS[0] else "PATH_RESPONSE")
    if kind == NEW_TOKEN:
        size, here = varint(data, here)
        return note(here + size, "quic: other frame", "NEW_TOKEN")
    if kind not in NUMBERS:
        raise Short
    name, called, count = NUMBERS[kind]
    numbers = []
    for _ in range(count):
        number, here = varint(data, here)
        numbers.append(str(number))
    value = " ".join(filter(None, [called, ", ".join(numbers)]))
    quiet.append(Event(base + here, "said", value.partition(",")[0] if called else "RETIRE_CONNECTION_ID"))
    return note(here, name, value)


def _within(data: bytes, end: int) -> None:
    """Raises Short if something would end behind the data."""
    if end > len(data):
        raise Short


def _ack(data: bytes, at: int, *, ecn: bool) -> tuple[int, str]:
    largest, at = varint(data, at)
    delay, at = varint(data, at)
    count, at = varint(data, at)
    first, at = varint(data, at)
    for _ in range(2 * count + 3 * ecn):
        _, at = varint(data, at)
    which = f"packets {largest - first} to {largest}" if first else f"packet {largest}"
    return at, f"{which}{f' and {count} ranges before' if count else ''}, delay {delay}"


def _stream(notes: Notes, inside: Inside, data: bytes, kind: int, at: int, here: int, base: int) -> int:
    number, here = varint(data, here)
    offset, here = varint(data, here) if kind & 4 else (0, here)
    size, here = varint(data, here) if kind & 2 else (len(data) - here, here)
    _within(data, here + size)
    last = ", its last" if kind & 1 else ""
    says = f"stream {number} from byte {offset}, {size} bytes{last}"
    notes.add(base + at, here - at, Kind.QUIC, "quic: STREAM", says, data[at:here])
    inside._streams.setdefault(number, Run()).add(notes, offset, data[here : here + size], base + here)
    return here + size


def _close(notes: Notes, data: bytes, kind: int, at: int, here: int, base: int) -> int:
    code, here = varint(data, here)
    if kind == CLOSES[0]:
        _, here = varint(data, here)
    size, here = varint(data, here)
    reason = data[here : here + size].decode(errors="replace")
    end = here + size
    _within(data, end)
    text = f"{code:#x}{f', “{reason}”' if reason else ', no reason given'}"
    notes.add(base + at, end - at, Kind.QUIC, "quic: CONNECTION_CLOSE", text, data[at:end])
    notes.events.append(Event(base + end, "close", f"CONNECTION_CLOSE {text}"))
    return end
