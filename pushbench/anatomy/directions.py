"""An exchange's directions: the bytes of each, annotated, and which piece has which of them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from pushbench.anatomy import http
from pushbench.anatomy.exchange import Exchange, Piece
from pushbench.anatomy.spans import Annotated, Event, Kind, Span

Direction = tuple[int, bool]
"""A connection, and whether it is up, to the server."""


@dataclass(frozen=True, slots=True)
class Part:
    """One piece, and what is in it."""

    piece: Piece
    begin: int
    """Of its first byte in its direction."""
    spans: tuple[Span, ...]
    """Those that begin in it."""
    events: tuple[Event, ...]
    """What is said as a whole once it has passed."""
    kinds: Mapping[Kind, int]
    """How many of its bytes are of which kind."""


def annotated(exchange: Exchange) -> dict[Direction, Annotated]:
    """Every direction of every connection."""
    joined: dict[Direction, bytearray] = {}
    for piece in exchange.pieces:
        joined.setdefault((piece.connection, piece.up), bytearray()).extend(piece.data)
    if exchange.quic:
        from pushbench.anatomy.quic import annotate_datagrams  # needs what may not be installed

        return annotate_datagrams(exchange)
    return {where: _of_tcp(exchange, joined, where) for where in joined}


def _of_tcp(exchange: Exchange, joined: Mapping[Direction, bytearray], where: Direction) -> Annotated:
    connection, up = where
    data = bytes(joined[where])
    if exchange.bare:
        return http.lines(data)
    if up:
        return http.requests(data)
    return http.answers(data, http.key_of(bytes(joined.get((connection, True), b""))))


def parts(exchange: Exchange, directions: Mapping[Direction, Annotated]) -> list[Part]:
    """Every piece in order, with what is in it."""
    seen: dict[Direction, int] = {}
    found = []
    for piece in exchange.pieces:
        where = (piece.connection, piece.up)
        begin = seen.get(where, 0)
        end = seen[where] = begin + len(piece.data)
        of = directions[where]
        kinds: dict[Kind, int] = {}
        for span in of.spans:
            if (size := min(span.end, end) - max(span.offset, begin)) > 0:
                kinds[span.kind] = kinds.get(span.kind, 0) + size
        found.append(
            Part(
                piece,
                begin,
                tuple(span for span in of.spans if begin <= span.offset < end),
                tuple(event for event in of.events if begin < event.end <= end),
                kinds,
            )
        )
    return found
