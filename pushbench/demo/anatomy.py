"""A lane's exchange, annotated byte by byte: what is kept of it becomes an exchange of `pushbench.anatomy`. Pure."""

import base64
from typing import Any

from pushbench.anatomy.directions import annotated
from pushbench.anatomy.exchange import Exchange, Piece
from pushbench.anatomy.spans import Annotated, Kind, sums
from pushbench.demo.exchange import OPAQUE
from pushbench.transports import TRANSPORTS

COUNTED = (Kind.HTTP, Kind.FRAMING, Kind.PAYLOAD)


def parts(exchange: dict[str, Any]) -> dict[str, dict[str, int] | None]:
    """Of each direction as far as its beginning was kept: bytes by kind. None where that is not known."""
    if exchange["kind"] == OPAQUE:
        return {"up": None, "down": None}
    directions = annotated(as_exchange("", exchange))
    return {way: _counted(directions.get((0, way == "up"))) for way in ("up", "down")}


def as_exchange(lane: str, exchange: dict[str, Any]) -> Exchange:
    """An exchange of a lane: the beginning of each direction, or of what is encrypted the last datagrams."""
    opaque = exchange["kind"] == OPAQUE
    begun_ns = exchange["begun_ns"]
    if opaque:
        pieces = tuple(
            Piece(one["at_ns"], number, one["up"], base64.b64decode(one["data"]))
            for number, one in enumerate(exchange["last"])  # each for itself: those between are not kept
        )
    else:
        ways = ((True, exchange["up"]), (False, exchange["down"]))
        pieces = tuple(Piece(begun_ns, 0, up, data) for up, way in ways if (data := base64.b64decode(way["first"])))
    return Exchange(
        lane,
        "the demo",
        f"{TRANSPORTS[lane].says if lane in TRANSPORTS else lane}: the last exchange of the kind {exchange['kind']}",
        "",
        pieces,
        quic=opaque,
        note=_note(exchange, opaque, sum(len(piece.data) for piece in pieces)),
        timed=False,
    )


def _note(exchange: dict[str, Any], opaque: bool, kept: int) -> str:
    up, down = exchange["up"]["size"], exchange["down"]["size"]
    if opaque:
        return (
            f"Up {up:,} and down {down:,} bytes have passed; here are {kept:,} bytes of the last {len(exchange['last'])} "
            "datagrams, as the relay had them. It has no key, which the browser keeps: what can be opened is shown by "
            "`pushbench wire`."
        )
    if kept == up + down:
        return f"All of it is here so far: {up:,} bytes up, {down:,} down, as the relay had them."
    first = {way: len(base64.b64decode(exchange[way]["first"])) for way in ("up", "down")}
    return (
        f"The record ends early, for a long exchange is cut: of {up:,} bytes up the first {first['up']:,} are here, "
        f"of {down:,} down the first {first['down']:,}."
    )


def _counted(found: Annotated | None) -> dict[str, int] | None:
    """Bytes by kind of one direction; None if nothing of it is understood."""
    if found is None:
        return dict.fromkeys((*COUNTED, "messages"), 0)
    counts = sums(found.spans)
    if not counts.keys() - {Kind.REST}:
        return None
    messages = sum(event.what == "message" for event in found.events)
    return {kind.value: counts.get(kind, 0) for kind in COUNTED} | {"messages": messages}
