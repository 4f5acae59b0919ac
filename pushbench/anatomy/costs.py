"""What an exchange costs in bytes: by kind from what passed, and TCP/IP as the kernel counted it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pushbench.anatomy.directions import Part
from pushbench.anatomy.exchange import Counted, Exchange
from pushbench.anatomy.spans import Kind

LABELS = {
    Kind.PAYLOAD: "payload",
    Kind.FRAMING: "framing",
    Kind.HTTP: "HTTP",
    Kind.QUIC: "QUIC",
    Kind.TLS: "TLS handshake",
    Kind.REST: "not told",
}
"""Kinds in the order of a table, and in words."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of some time of the exchange."""

    down: dict[Kind, int]
    up: dict[Kind, int]
    counted: Counted | None
    """The same time as the kernel has it; None if it was not counted."""

    @property
    def kinds(self) -> list[Kind]:
        """Those of which there is any."""
        return [kind for kind in LABELS if self.down.get(kind) or self.up.get(kind)]


def whole(exchange: Exchange, passed: Sequence[Part]) -> Cost:
    """From the first packet to the last."""
    return Cost(_sum(passed, False), _sum(passed, True), exchange.counted)


def one_update(exchange: Exchange, passed: Sequence[Part]) -> Cost | None:
    """From one publication to the next, with all that passes in the quiet time between; the last such time is taken.

    None if fewer than two were published.
    """
    if len(exchange.marks) < 2:
        return None
    before, after = exchange.marks[-2:]
    between = [part for part in passed if before.at_ns <= part.piece.at_ns < after.at_ns]
    return Cost(_sum(between, False), _sum(between, True), after.counted - before.counted)


def cost_rows(exchange: Exchange, passed: Sequence[Part]) -> list[tuple[str, list[int | None]]]:
    """The last table: for one update down and up, then for the whole exchange; None where it is not known."""
    costs = [one_update(exchange, passed), whole(exchange, passed)]
    kinds = [kind for kind in LABELS if any(one and kind in one.kinds for one in costs)]
    found = [(LABELS[kind], [value for one in costs for value in _pair(one, kind)]) for kind in kinds]
    headers = [value for one in costs for value in _counted(one, "tcpip_bytes")]
    total: list[int | None] = []
    for column, more in enumerate(headers):
        parts = [values[column] for _, values in found]
        known = [value for value in (*parts, more) if value is not None]
        total.append(sum(known) if known and more is not None else None)
    name = "UDP/IP headers" if exchange.quic else "TCP/IP headers"
    packets = [value for one in costs for value in _counted(one, "packets")]
    return [*found, (name, headers), ("total, bytes", total), ("packets", packets)]


def agreement(exchange: Exchange, passed: Sequence[Part]) -> str:
    """Whether the kernel has counted as many bytes as passed the tap, in words; empty if it has not counted."""
    cost = whole(exchange, passed)
    if cost.counted is None:
        return ""
    pairs = [
        (sum(cost.down.values()), cost.counted.down_bytes, "down"),
        (sum(cost.up.values()), cost.counted.up_bytes, "up"),
    ]
    who = "sockets" if exchange.quic else "kernel"
    if all(passed_bytes == counted for passed_bytes, counted, _ in pairs):
        return f"The {who} counted the same bytes as passed the tap: {pairs[0][1]} down, {pairs[1][1]} up."
    told = ", ".join(f"{counted} {way} where {passed_bytes} passed" for passed_bytes, counted, way in pairs)
    return f"The {who} counted other bytes than passed the tap: {told}."


def _sum(passed: Iterable[Part], up: bool) -> dict[Kind, int]:
    found: dict[Kind, int] = {}
    for part in passed:
        if part.piece.up is up:
            for kind, size in part.kinds.items():
                found[kind] = found.get(kind, 0) + size
    return found


def _pair(cost: Cost | None, kind: Kind) -> list[int | None]:
    return [cost.down.get(kind, 0), cost.up.get(kind, 0)] if cost else [None, None]


def _counted(cost: Cost | None, what: str) -> list[int | None]:
    if cost is None or cost.counted is None:
        return [None, None]
    return [getattr(cost.counted, f"down_{what}"), getattr(cost.counted, f"up_{what}")]
