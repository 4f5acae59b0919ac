"""The time line of an exchange: what passed when, who waited for whom, and the life of each update. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pushbench.anatomy.directions import Part
from pushbench.anatomy.exchange import Exchange
from pushbench.anatomy.published import called
from pushbench.anatomy.spans import Event

MS = 1_000_000
HELD_MS = 30.0
"""Who is not answered for longer is held, and who does not ask for longer waits on purpose."""


@dataclass(frozen=True, slots=True)
class Row:
    """One moment."""

    at_ms: float
    """From the first byte."""
    way: str
    """`up`, `down`, `published` (by the publisher) or `received` (handed over by the client)."""
    what: str
    waits: str = ""
    """Who waited for whom, in words."""
    size: int = 0
    part: int | None = None
    """Which piece, of something that passed."""
    held_since_ms: float | None = None
    """Since when the server has held what this answers."""


@dataclass(frozen=True, slots=True)
class Life:
    """The life of one update, in ms from the first byte; None where it is not known."""

    seq: int
    due_ms: float
    sent_ms: float
    taken_ms: float
    passed_ms: float | None
    """When its last byte came from the server."""
    received_ms: float | None

    @property
    def age_ms(self) -> float | None:
        """From due to received: its latency."""
        return None if self.received_ms is None else self.received_ms - self.due_ms


@dataclass(slots=True)
class _Connection:
    """What is known of one connection so far."""

    asks_again: bool
    asked_ms: float | None = None
    answered_ms: float | None = None
    pinged_ms: float | None = None
    said_ms: float = 0.0
    """When the server said something last."""
    closed_ms: float | None = None
    waits: list[str] = field(default_factory=list)


def rows(exchange: Exchange, passed: Sequence[Part]) -> list[Row]:
    """Every moment, in order."""
    sent = {one.seq: one.sent_ns for one in exchange.published}
    zero = _zero(exchange)
    asked = [part.piece.connection for part in passed for event in part.events if event.what == "request"]
    connections = {part.piece.connection: _Connection(asked.count(part.piece.connection) > 1) for part in passed}
    found = [
        Row((one.sent_ns - zero) / MS, "published", f"{called(one.seq)} is published", _late(one.sent_ns - one.due_ns))
        for one in exchange.published
    ]
    due = {one.seq: one.due_ns for one in exchange.published}
    for one in exchange.received:
        names = ", ".join(called(seq) for seq in one.seqs)
        ages = [f"{(one.at_ns - due[seq]) / MS:.1f} ms after it was due" for seq in one.seqs if seq in due]
        found.append(Row((one.at_ns - zero) / MS, "received", f"{names} is handed over", ", ".join(ages)))
    for number, part in enumerate(passed):
        at_ms = (part.piece.at_ns - zero) / MS
        connection = connections[part.piece.connection]
        ages_ms = {seq: at_ms - (at - zero) / MS for seq, at in sent.items()}
        held_since = None
        waits = []
        for event in part.events:
            if event.what in ("answer", "message") and connection.asked_ms is not None and not part.piece.up:
                held_since = connection.asked_ms
            waits.append(_told(event, connection, at_ms, part.piece.up, ages_ms))
        words = "; ".join(dict.fromkeys(filter(None, waits)))
        what = ", ".join(_merged(part.events)) or "a part of what follows"
        way = "up" if part.piece.up else "down"
        found.append(Row(at_ms, way, what, words if exchange.timed else "", len(part.piece.data), number, held_since))
    return sorted(found, key=lambda row: row.at_ms)


def lives(exchange: Exchange, passed: Sequence[Part]) -> list[Life]:
    """Each update that was published."""
    zero = _zero(exchange)
    came = {
        event.seq: part.piece.at_ns
        for part in passed
        if not part.piece.up
        for event in part.events
        if event.seq is not None
    }
    handed = {seq: one.at_ns for one in exchange.received for seq in one.seqs}

    def ms(at_ns: int | None) -> float | None:
        return None if at_ns is None else (at_ns - zero) / MS

    return [
        Life(
            one.seq,
            (one.due_ns - zero) / MS,
            (one.sent_ns - zero) / MS,
            (one.taken_ns - zero) / MS,
            ms(came.get(one.seq)),
            ms(handed.get(one.seq)),
        )
        for one in exchange.published
    ]


def _zero(exchange: Exchange) -> int:
    return exchange.pieces[0].at_ns if exchange.pieces else 0


def _merged(events: Sequence[Event]) -> list[str]:
    """Their texts; the same one after the other once, with how often."""
    found: list[tuple[str, int]] = []
    for event in events:
        if found and found[-1][0] == event.text:
            found[-1] = (event.text, found[-1][1] + 1)
        else:
            found.append((event.text, 1))
    return [text if count == 1 else f"{text} ({count} times)" for text, count in found]


def _late(late_ns: int) -> str:
    return f"{late_ns / MS:.2f} ms after it was due"


def _told(event: Event, connection: _Connection, at_ms: float, up: bool, ages_ms: dict[int, float]) -> str:
    """Who waited for whom until that was said; what it means for the connection is noted."""
    told = ""
    if event.what == "request":
        if connection.answered_ms is not None:
            pause_ms = at_ms - connection.answered_ms
            told = (
                f"the client has waited {pause_ms:.0f} ms before it asks again"
                if pause_ms > HELD_MS
                else "it asks again at once"
            )
        connection.asked_ms, connection.answered_ms = at_ms, None
    elif event.what == "answer":
        told = _answered(event, connection, at_ms)
    elif event.what == "message" and not up:
        told = _delivered(event, connection, at_ms, ages_ms)
    elif event.what == "heartbeat":
        told = f"the server has said nothing for {at_ms - connection.said_ms:.0f} ms: a sign of life, and no news"
    elif event.what == "ping":
        told = f"nothing was said for {at_ms - connection.said_ms:.0f} ms: is the other side still there?"
        connection.pinged_ms = at_ms
    elif event.what == "pong" and connection.pinged_ms is not None:
        told = f"the answer to the ping of {at_ms - connection.pinged_ms:.1f} ms ago: the same bytes"
    elif event.what == "close":
        first = connection.closed_ms is None
        told = (
            "says good-bye" if first else f"and so does the other side, after {at_ms - (connection.closed_ms or 0):.1f} ms"
        )
        connection.closed_ms = at_ms if first else connection.closed_ms
    if not up and event.what in ("answer", "message", "heartbeat", "ping"):
        connection.said_ms = at_ms
    return told


def _answered(event: Event, connection: _Connection, at_ms: float) -> str:
    connection.answered_ms = at_ms
    if connection.asked_ms is None:
        return ""
    took_ms = at_ms - connection.asked_ms
    if event.status == 101:
        connection.asked_ms = None  # nothing is asked any more
        return "from here on it is a WebSocket"
    if event.status in (204, 304):
        if took_ms > HELD_MS and connection.asks_again:
            return f"the server has held the request for {took_ms:.0f} ms: nothing was new"
        return f"answered after {took_ms:.1f} ms: nothing is new"
    if not connection.asks_again:
        return f"the answer begins after {took_ms:.1f} ms, and does not end"
    return ""


def _delivered(event: Event, connection: _Connection, at_ms: float, ages_ms: dict[int, float]) -> str:
    name = called(event.seq)
    age_ms = ages_ms.get(event.seq) if event.seq is not None else None
    if age_ms is None:
        return ""
    if not connection.asks_again or connection.asked_ms is None:
        return f"{name} passes {age_ms:.1f} ms after it was published: nobody had to ask"
    held_ms = at_ms - connection.asked_ms
    if held_ms >= age_ms:
        return f"the server has held the request for {held_ms:.0f} ms; {name} passes {age_ms:.1f} ms after it was published"
    return f"{name} has waited {age_ms - held_ms:.0f} ms for this request, and is answered after {held_ms:.1f} ms"
