"""An exchange as one self-contained page: the ladder, the bytes with an explanation for each, the sums. Pure."""

import base64
import hashlib
import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pushbench.anatomy.costs import LABELS
from pushbench.anatomy.exchange import Exchange
from pushbench.anatomy.explanations import explained
from pushbench.anatomy.ladder import NARROW, WIDE, ladder
from pushbench.anatomy.shape import (
    COST_HEADINGS,
    LIFE_HEADINGS,
    VISIBLE,
    Shown,
    View,
    cost_cells,
    life_cells,
    readable,
    says,
    view,
)
from pushbench.anatomy.spans import Kind

MOST_CELLS = 2048
"""So many bytes of a part are shown one by one."""


def page(exchange: Exchange, *, back: str = "") -> str:
    """The page, as HTML; with `back`, a link to there."""
    made = view(exchange)
    environment = Environment(
        loader=PackageLoader("pushbench"), undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    name = f"{exchange.transport} by {exchange.target}"
    timed = exchange.timed
    used = {span.name: span.kind for one in made.directions.values() for span in one.spans}
    return environment.get_template("wire.html.j2").render(
        title=f"{name}, byte by byte",
        exchange=exchange,
        size=made.size,
        back=back,
        legend=[(kind, LABELS[kind], size) for kind, size in made.sums.items()],
        ladders=[Markup(ladder(made.rows, layout, timed=timed, name=f"Time line of {name}")) for layout in (WIDE, NARROW)]
        if timed
        else [],
        life_headings=LIFE_HEADINGS,
        lives=[life_cells(one) for one in made.lives],
        pieces=[_piece(made, number, shown) for number, shown in enumerate(made.pieces)],
        cost_headings=COST_HEADINGS,
        costs=[[label, *cost_cells(row)] for label, row in made.cost],
        agreement=made.agreement,
        glossary=[
            (kind, name, *explained(name))
            for kind in Kind
            for name, of in used.items()
            if of is kind and explained(name).means
        ],
    )


def policy(html: str) -> str:
    """A content security policy that lets the page’s own style and script be, by their hashes, and nothing else."""
    style, script = (_hash(re.search(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)) for tag in ("style", "script"))
    return f"default-src 'none'; style-src {style}; script-src {script}; frame-ancestors 'none'"


def _hash(found: "re.Match[str] | None") -> str:
    assert found
    return f"'sha256-{base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()}'"


def _piece(made: View, number: int, shown: Shown) -> dict[str, Any]:
    spans = []
    for span in shown.part.spans:
        data = made.bytes_of(shown, span)
        clear = span.plain if span.plain is not None else data
        spans.append(
            {
                "kind": span.kind.value,
                "name": span.name,
                "value": says(span, "") or readable(span, data, 200),
                "offset": span.offset,
                "length": span.length,
                "cells": [(chr(byte) if 33 <= byte < 127 else _sign(byte), f"{byte:02x}") for byte in data[:MOST_CELLS]],
                "left": max(0, len(data) - MOST_CELLS),
                "opened": _opened(clear) if span.plain is not None and clear != data else "",
            }
        )
    same = "" if not shown.like else _same(shown, made.exchange.timed)
    return {"number": number, "row": shown.row, "spans": spans, "same": same}


def _same(shown: Shown, timed: bool) -> str:
    assert shown.like
    count = len(shown.differing)
    what = "the same" if not count else f"the same but for {count} of {len(shown.part.spans)} parts"
    return f"{what} as at {shown.like.at_ms:.1f} ms" if timed else f"{what} as before"


def _sign(byte: int) -> str:
    return {**VISIBLE, 32: "␣"}.get(byte, "·")


def _opened(data: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in data)
