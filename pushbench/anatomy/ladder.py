"""The time line as a ladder: two lifelines, an arrow for each piece, shaded where an answer is owed. SVG, as text. Pure.

Time runs downwards, but not to scale: each moment has the room that its words need, and a pause has some more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap

from pushbench.anatomy.timeline import Row

LINE = 15
"""Height of a line of words."""
MOST_GAP, GAP_PER_MS = 34.0, 0.12
"""What a pause adds, at most and for each ms."""
LETTER = 6.1
"""How wide a letter is at most, on average."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are, in pixels."""

    width: int
    client: int
    server: int
    words: int
    """Where the words on waiting begin; 0: below the arrow."""


WIDE = Layout(1060, 100, 470, 560)
NARROW = Layout(370, 58, 344, 0)


def ladder(rows: Sequence[Row], layout: Layout, *, timed: bool, name: str) -> str:
    """The picture; arrows lead to `#piece-N`. `name` is its title."""
    out: list[str] = []
    at = 34.0
    places: list[float] = []
    tops: list[tuple[float, list[str], list[str]]] = []
    before_ms = rows[0].at_ms if rows else 0.0
    middle = layout.server - layout.client - 24
    for row in rows:
        label = f"{row.what} ({row.size:,}\u00a0B)" if row.part is not None else row.what
        labels = wrap(label, int(middle / LETTER))
        room = layout.width - layout.words if layout.words else middle
        words = wrap(row.waits, int(room / (LETTER - 0.5)))
        at += min(MOST_GAP, (row.at_ms - before_ms) * GAP_PER_MS) + LINE * len(labels) + 6
        below = LINE * len(words) if not layout.words else max(0, len(words) - 2) * LINE
        places.append(at)
        tops.append((at, labels, words))
        at += below + 8
        before_ms = row.at_ms
    height = at + 16
    out.append(
        f'<svg class="{"narrow" if not layout.words else "wide"}" viewBox="0 0 {layout.width} {height:.0f}" '
        f'width="{layout.width}" height="{height:.0f}" role="img" aria-label="{escape(name)}">'
    )
    for x, who in ((layout.client, "client"), (layout.server, "server")):
        anchor = "end" if x == layout.server and not layout.words else "middle"
        out.append(f'<text class="who" x="{x + (12 if anchor == "end" else 0)}" y="16" text-anchor="{anchor}">{who}</text>')
        out.append(f'<line class="life" x1="{x}" y1="22" x2="{x}" y2="{height:.0f}"/>')
    out += _holds(rows, places, layout)
    for row, (y, labels, words) in zip(rows, tops, strict=True):
        out += _row(row, y, labels, words, layout, timed)
    return "\n".join([*out, "</svg>"])


def _holds(rows: Sequence[Row], places: Sequence[float], layout: Layout) -> list[str]:
    """From when something was asked until it was answered, the server owes an answer."""
    y_of: dict[float, float] = {}
    for row, y in zip(rows, places, strict=True):
        if row.way == "up":
            y_of[row.at_ms] = y
    ends: dict[float, float] = {}
    for row, y in zip(rows, places, strict=True):
        if row.held_since_ms in y_of:
            ends[y_of[row.held_since_ms]] = y
    return [
        f'<rect class="hold" x="{layout.server - 5}" y="{begin:.1f}" width="10" height="{end - begin:.1f}"/>'
        for begin, end in ends.items()
    ]


def _row(row: Row, y: float, labels: Sequence[str], words: Sequence[str], layout: Layout, timed: bool) -> list[str]:
    left, right = layout.client, layout.server
    out = []
    if timed:
        out.append(f'<text class="at" x="{left - 10}" y="{y + 4:.1f}" text-anchor="end">{row.at_ms:.1f}</text>')
    if row.part is not None:
        start, end = (left, right) if row.way == "up" else (right, left)
        back = 7 if end < start else -7
        tip = end + (1 if end < start else -1)
        out.append(f'<a href="#piece-{row.part}" class="{row.way}">')
        out.append(f'<line class="arrow" x1="{start}" y1="{y:.1f}" x2="{tip}" y2="{y:.1f}"/>')
        out.append(f'<path class="tip" d="M{tip} {y:.1f}l{back} -4v8z"/>')
        out += _lines(labels, (left + right) / 2, y - 5 - LINE * (len(labels) - 1), "middle", "what")
        out.append("</a>")
    elif row.way == "published":
        out.append(f'<path class="mark" d="M{right} {y:.1f}l6 -6l6 6l-6 6z"/>')
        out += _lines(labels, right - 10, y + 4 - LINE * (len(labels) - 1), "end", "moment")
    else:
        out.append(f'<circle class="mark" cx="{left}" cy="{y:.1f}" r="5"/>')
        out += _lines(labels, left + 10, y + 4 - LINE * (len(labels) - 1), "start", "moment")
    if layout.words:
        out += _lines(words, layout.words, y + 4 - LINE * (min(2, len(words)) - 1), "start", "waits")
    else:
        lower = 0 if row.part is not None else 5  # the label of a moment is beside its mark, not above it
        out += _lines(words, (left + right) / 2, y + LINE + lower, "middle", "waits")
    return out


def _lines(lines: Sequence[str], x: float, y: float, anchor: str, kind: str) -> list[str]:
    return [
        f'<text class="{kind}" x="{x:g}" y="{y + LINE * number:.1f}" text-anchor="{anchor}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    ]
