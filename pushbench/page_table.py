"""A table of texts made ready for a page: what each cell sorts by, and which entry of the glossary each heading links to.

It knows texts, and what numbers look like in them. How a page is laid out is not known here.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pushbench.glossary import kept, meaning
from pushbench.ratios import NOT_SHOWN
from pushbench.summary import NAIVE, Table

_NUMBER = re.compile(r"(?:[○~<≥] )*([+-]?\d[\d,]*(?:\.\d+)?)(?= %| \(|, |$)")
"""A figure behind its marks and before its interval, or before what else there is to say of it."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a table on a page."""

    text: str
    column: str
    """The glossary's entry."""
    kind: str
    """`key` says which cell a row is of, `naive` stands right of what it belongs to, `text` is no figure; else empty."""
    id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One cell of a table on a page."""

    figure: str
    interval: str = ""
    """With its brackets."""
    value: float | None = None
    """What it sorts by, if it is a number."""
    link: str = ""
    """The glossary's entry that its text is the name of."""
    kind: str = ""
    """How it is set off from the others, as a class of its style."""


@dataclass(frozen=True, slots=True)
class PageTable:
    """A table as a page shows it."""

    title: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Entry, ...], ...]
    notes: tuple[str, ...]


def of(table: Table, id_: str) -> PageTable:
    """A table of figures, whose headings get ids that begin with this one."""
    rows = tuple(tuple(map(entry, row)) for row in table.rows)
    headings = tuple(
        Heading(text, column, _kind(text, place < table.keys, [row[place] for row in rows]), f"{id_}-{place}")
        for place, (text, column) in enumerate(zip(table.headings, table.columns, strict=True))
    )
    return PageTable(table.title, headings, rows, table.notes)


def entry(text: str) -> Entry:
    """A text as a cell: its interval apart, and the number that it sorts by."""
    figure, bracket, interval = text.partition(" (")
    return Entry(figure, f"({interval}" if bracket else "", value(text))


def value(text: str) -> float | None:
    """The number that a text sorts by: `○ 12,300 (12,000–12,500)` is 12300. None if it is none.

    A ratio that is not shown to differ from 1 is sorted as 1.
    """
    if NOT_SHOWN in text:
        return 1.0
    found = _NUMBER.match(text)
    return float(found[1].replace(",", "")) if found else None


@dataclass(frozen=True, slots=True)
class Meaning:
    """A column in the glossary of a page."""

    column: str
    headings: tuple[str, ...]
    """What it is called above its columns."""
    says: str
    kept: bool
    """Whether it is a column of `trials`, and not computed."""
    used_at: str
    """The id of the first heading of it."""


def meanings(tables: Iterable[PageTable]) -> list[Meaning]:
    """The glossary of all columns that these tables have as headings or in their rows, in the order in which they come."""
    used: dict[str, dict[str, str]] = {}
    for table in tables:
        for heading in table.headings:
            used.setdefault(heading.column, {}).setdefault(heading.text, heading.id)
        for row in table.rows:
            for heading, one in zip(table.headings, row, strict=True):
                if one.link:
                    used.setdefault(one.link, {}).setdefault(one.figure, heading.id)
    return [
        Meaning(column, tuple(at), meaning(column), kept(column), next(iter(at.values()))) for column, at in used.items()
    ]


def _kind(text: str, is_key: bool, entries: Sequence[Entry]) -> str:
    if is_key:
        return "key"
    if text.startswith(f"{NAIVE} "):
        return NAIVE
    return "" if any(one.value is not None for one in entries) else "text"
