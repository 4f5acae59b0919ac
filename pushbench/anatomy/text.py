"""An exchange for a terminal: coloured by kind where there are colours, plain otherwise. It prints, and knows no socket."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pushbench.anatomy.costs import LABELS
from pushbench.anatomy.exchange import Exchange
from pushbench.anatomy.explanations import explained
from pushbench.anatomy.shape import (
    COST_HEADINGS,
    LIFE_HEADINGS,
    Shown,
    View,
    cost_cells,
    life_cells,
    readable,
    says,
    view,
)
from pushbench.anatomy.spans import Kind, Span

COLOURS = {
    Kind.HTTP: "blue",
    Kind.FRAMING: "yellow",
    Kind.PAYLOAD: "green",
    Kind.QUIC: "magenta",
    Kind.TLS: "cyan",
    Kind.REST: "red",
}
MOST_BYTES = 160
"""So many of a span are printed at most; JSON and the page have all."""
ARROWS = {"up": "client ──▶ server", "down": "client ◀── server", "published": "publisher", "received": "client"}


def show(console: Console, exchange: Exchange) -> None:
    """Print all of it."""
    made = view(exchange)
    console.print(Text(f"{exchange.transport} by {exchange.target}: {exchange.title}", style="bold"))
    captured = f"; captured {exchange.made_at}" if exchange.made_at else ""
    console.print(f"{len(exchange.pieces)} pieces, {made.size:,} bytes{captured}", highlight=False)
    if exchange.note:
        console.print(exchange.note, highlight=False, markup=False)
    console.print(_legend(made))
    if exchange.timed:
        _heading(console, "Who waited for whom")
        console.print(_timeline(made))
    if made.lives:
        _heading(console, "The life of each update, in ms from the first byte")
        console.print(_table(LIFE_HEADINGS, [life_cells(one) for one in made.lives]))
    _heading(console, "Every byte")
    told: set[str] = set()
    for piece in made.pieces:
        _piece(console, made, piece, told)
    if made.cost:
        _heading(console, "What it costs")
        console.print(_table(COST_HEADINGS, [[name, *cost_cells(row)] for name, row in made.cost]))
        console.print("One update is from one publication to the next, with all that passes in the quiet time between.")
        console.print(made.agreement, highlight=False)


def show_spans(console: Console, data: bytes, spans: Sequence[Span], told: set[str]) -> None:
    """Print the spans of some bytes, each name explained that is not `told` yet."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(justify="right", style="dim", no_wrap=True)
    grid.add_column(overflow="fold", max_width=max(24, console.width // 3))
    grid.add_column(overflow="fold")
    for span in spans:
        on_wire = readable(span, data[span.offset : span.end], MOST_BYTES)
        words = Text(span.name, style=f"bold {COLOURS[span.kind]}")
        if value := says(span, on_wire):
            words.append(f": {value}", style="default not bold")
        if span.name not in told:
            told.add(span.name)
            means, source = explained(span.name)
            if means:
                words.append(f"\n{means}" + (f" [{source}]" if source else ""), style="dim not bold")
        grid.add_row(str(span.offset), Text(on_wire, style=COLOURS[span.kind]), words)
    console.print(grid)


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, style="bold underline"))


def _legend(made: View) -> Text:
    legend = Text("bytes by kind: ")
    for number, (kind, size) in enumerate(made.sums.items()):
        legend.append(", " if number else "")
        legend.append(f"{LABELS[kind]} {size:,}", style=f"bold {COLOURS[kind]}")
    return legend


def _timeline(made: View) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(overflow="fold", ratio=2)
    grid.add_column(overflow="fold", ratio=3)
    grid.add_row(*(Text(one, style="dim") for one in ("ms", "", "bytes", "what", "who waited for whom")))
    for row in made.rows:
        passed = row.part is not None
        style = "" if passed else "dim"
        cells = (f"{row.at_ms:.1f}", ARROWS[row.way], f"{row.size:,}" if passed else "", row.what, row.waits)
        grid.add_row(*(Text(cell, style=style) for cell in cells))
    return grid


def _piece(console: Console, made: View, shown: Shown, told: set[str]) -> None:
    row, part = shown.row, shown.part
    at = f"{row.at_ms:.1f} ms, " if made.exchange.timed else ""
    console.print()
    console.print(Text(f"{ARROWS[row.way]}  {at}{row.size:,} bytes: {row.what}", style="bold"))
    spans = [span for index, span in enumerate(part.spans) if index in shown.differing]
    if shown.like:
        same = sum(span.length for index, span in enumerate(part.spans) if index not in shown.differing)
        where = f"at {shown.like.at_ms:.1f} ms" if made.exchange.timed else "in one before"
        console.print(Text(f"{same:,} bytes are as {where}{', and these differ:' if spans else ''}", style="dim"))
    if spans:
        data = made.directions[part.piece.connection, part.piece.up].data
        show_spans(console, data, spans, told)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*row)
    return table
