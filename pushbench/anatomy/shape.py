"""How an exchange is shown, as text or as a page: readable bytes, figures, what need not be said twice. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from pushbench.anatomy import costs, timeline
from pushbench.anatomy.directions import Part, annotated, parts
from pushbench.anatomy.exchange import Exchange
from pushbench.anatomy.published import called
from pushbench.anatomy.spans import Annotated, Kind, Span, sums

VISIBLE = {13: r"\r", 10: r"\n"}
"""Line ends as they can be seen."""
BINARY = ("frame:", "close code", "control payload", "quic:", "tls:", "h3:", "qpack:", "webtransport:")
"""How names begin whose bytes are no text, even where they look like it."""

CONTINUED = "All of it belongs to a part that began before."
"""Of a piece in which no part begins."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One piece as it is shown."""

    part: Part
    row: timeline.Row
    like: timeline.Row | None
    """An earlier piece of the same form, if there is one."""
    differing: frozenset[int]
    """Which of its spans, counted from 0, are not as they were there; all if there is none."""


@dataclass(frozen=True, slots=True)
class View:
    """All that is shown of an exchange."""

    exchange: Exchange
    rows: list[timeline.Row]
    lives: list[timeline.Life]
    pieces: list[Shown]
    sums: dict[Kind, int]
    cost: list[tuple[str, list[int | None]]]
    agreement: str
    size: int
    directions: dict[tuple[int, bool], Annotated]

    def bytes_of(self, shown: Shown, span: Span) -> bytes:
        """What is on the wire there."""
        piece = shown.part.piece
        return self.directions[piece.connection, piece.up].bytes_of(span)


def view(exchange: Exchange) -> View:
    """Take an exchange apart."""
    directions = annotated(exchange)
    passed = parts(exchange, directions)
    rows = timeline.rows(exchange, passed)
    spans = [span for one in directions.values() for span in one.spans]
    row_of = {row.part: row for row in rows if row.part is not None}
    pieces: list[Shown] = []
    last: dict[tuple[object, ...], Shown] = {}
    for number, part in enumerate(passed):
        form = (part.piece.up, *(span.name for span in part.spans))
        like = last.get(form) if part.spans else None
        differing = list(range(len(part.spans)))
        if like:
            data = directions[part.piece.connection, part.piece.up]
            before = directions[like.part.piece.connection, like.part.piece.up]
            pairs = zip(part.spans, like.part.spans, strict=True)
            same = [data.bytes_of(here) == before.bytes_of(there) for here, there in pairs]
            differing = [index for index, one in enumerate(same) if not one]
        pieces.append(Shown(part, row_of[number], like.row if like else None, frozenset(differing)))
        last[form] = pieces[-1]
    return View(
        exchange,
        rows,
        timeline.lives(exchange, passed),
        pieces,
        sums(spans),
        costs.cost_rows(exchange, passed) if exchange.counted else [],
        costs.agreement(exchange, passed),
        sum(len(piece.data) for piece in exchange.pieces),
        directions,
    )


def readable(span: Span, data: bytes, most: int = 10_000) -> str:
    """The bytes of a span: text, with line ends that can be seen, where it is printable; otherwise hex."""
    some = data[:most]
    shown = as_text(some) if not span.name.startswith(BINARY) else ""
    return (shown or some.hex(" ")) + (f" … and {len(data) - most} bytes more" if len(data) > most else "")


def as_text(data: bytes) -> str:
    """Printable bytes as text; empty if not all are."""
    text = data.decode(errors="replace").translate(VISIBLE)
    return text if text.isprintable() and "\ufffd" not in text else ""


def says(span: Span, on_wire: str) -> str:
    """What a span says that its bytes do not show by themselves."""
    value = span.value if span.value and span.value not in on_wire else ""
    plain = readable(span, span.plain, 200) if span.plain else ""
    if plain and plain == value != on_wire:
        return f"in the clear: {plain}"
    if plain and plain not in value and plain != on_wire:
        return f"{value}; in the clear: {plain}" if value else f"in the clear: {plain}"
    return value


def life_cells(life: timeline.Life) -> list[str]:
    """A row of the table of lives; see `LIFE_HEADINGS`."""
    times = (life.due_ms, life.sent_ms, life.taken_ms, life.passed_ms, life.received_ms, life.age_ms)
    return [called(life.seq), *("~" if one is None else f"{one:.1f}" for one in times)]


LIFE_HEADINGS = ["update", "due", "sent", "answered to the publisher", "sent by the server", "received", "received − due"]
"""All in ms; all but the last from the first byte."""
COST_HEADINGS = ["bytes", "one update, down", "up", "whole exchange, down", "up"]


def cost_cells(row: Sequence[int | None]) -> list[str]:
    """Figures of the last table."""
    return ["~" if value is None else f"{value:,}" for value in row]
