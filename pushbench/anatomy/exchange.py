"""One exchange as it was captured: what passed and when, what was published, what the kernel counted. And as JSON.

It knows what is kept, and not what the bytes are. Pure.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

SCHEMA = 1
"""The version of what `plain_values` makes."""
KEY_LOG = re.compile("(#.*|[A-Z0-9_]+ [0-9A-Fa-f]+ ([0-9A-Fa-f]{64}|[0-9A-Fa-f]{96}))?")
"""A line of a key log: a label, the client's random bytes, and a secret as long as a hash."""


class Unreadable(Exception):
    """It is no exchange that was kept; the text says why."""


class Piece(NamedTuple):
    """Some bytes that passed in one piece, or one datagram."""

    at_ns: int
    connection: int
    up: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Published:
    """One message on its way in; all by CLOCK_MONOTONIC."""

    seq: int
    due_ns: int
    sent_ns: int
    taken_ns: int
    """When the publisher had its answer that the server has it; by then the server may have sent it on."""


@dataclass(frozen=True, slots=True)
class Received:
    """When the client handed over which messages."""

    at_ns: int
    seqs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """What went over the subscriber's sockets. Down is to the subscriber."""

    down_bytes: int
    up_bytes: int
    down_packets: int
    up_packets: int
    down_tcpip_bytes: int
    """Headers of TCP and IP, or UDP and IP."""
    up_tcpip_bytes: int

    def __sub__(self, other: "Counted") -> "Counted":
        return Counted(*(getattr(self, name) - getattr(other, name) for name in self.__dataclass_fields__))


@dataclass(frozen=True, slots=True)
class Mark:
    """What the kernel had counted when a message was about to be published."""

    at_ns: int
    counted: Counted


@dataclass(frozen=True, slots=True)
class Exchange:
    """All of it."""

    transport: str
    target: str
    title: str
    made_at: str
    """In UTC, ISO 8601."""
    pieces: tuple[Piece, ...]
    published: tuple[Published, ...] = ()
    received: tuple[Received, ...] = ()
    marks: tuple[Mark, ...] = ()
    """One for each message that was published."""
    counted: Counted | None = None
    """From the first packet to the last; None if nobody counted."""
    bare: bool = False
    """Whether it is lines without HTTP."""
    quic: bool = False
    numbered: bool = False
    """Of WebTransport: whether an id is in front of each message, in place of its length."""
    secrets: str = ""
    """Of QUIC: the keys of this one connection, in the format of NSS key logs."""
    note: str = ""
    """What else is to be known, such as where the record ends."""
    timed: bool = True
    """Whether it is known when each piece passed."""


def plain_values(exchange: Exchange) -> dict[str, Any]:
    """All of it as JSON has it; bytes as base64."""
    values = asdict(exchange)
    values["pieces"] = [{**piece._asdict(), "data": base64.b64encode(piece.data).decode()} for piece in exchange.pieces]
    return {"schema": SCHEMA, **values}


def from_plain_values(values: Any) -> Exchange:
    """That back. Raises Unreadable."""
    if not isinstance(values, Mapping) or values.get("schema") != SCHEMA:
        found = values.get("schema", "none") if isinstance(values, Mapping) else "none"
        raise Unreadable(f"its schema is {found}, and {SCHEMA} is read here: capture it anew")
    try:
        known = {name: values[name] for name in Exchange.__dataclass_fields__}
        for number, line in enumerate(known["secrets"].splitlines(), 1):
            if not KEY_LOG.fullmatch(line):
                raise ValueError(f"line {number} of its secrets is no line of a key log")
        known["pieces"] = tuple(
            Piece(int(one["at_ns"]), int(one["connection"]), bool(one["up"]), base64.b64decode(one["data"], validate=True))
            for one in values["pieces"]
        )
        known["published"] = tuple(Published(**one) for one in values["published"])
        known["received"] = tuple(Received(one["at_ns"], tuple(one["seqs"])) for one in values["received"])
        known["marks"] = tuple(Mark(one["at_ns"], Counted(**one["counted"])) for one in values["marks"])
        known["counted"] = Counted(**values["counted"]) if values["counted"] else None
        return Exchange(**known)
    except (AttributeError, KeyError, TypeError, ValueError, binascii.Error) as error:
        raise Unreadable(f"it is no whole exchange ({type(error).__name__}: {error}): capture it anew") from None
