"""How a table of texts is laid out for a terminal: intervals below their figures, and in parts where it is too wide.

It knows widths. What the texts say is not known here.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.table import Table as Shown

if TYPE_CHECKING:
    from pushbench.summary import Table

GAP = 2
"""Between two columns."""
BESIDE = "naive "
"""A column whose heading begins so stays right of the one before it."""


def parts(table: "Table", width: int) -> Iterator[Shown]:
    """The table, or so many columns of it at a time as the width has room for; each part names the cells again.

    At least one figure, with the one that stays beside it, is in every part, however narrow the terminal.
    """
    columns = [_lines(column) for column in zip(table.headings, *table.rows, strict=True)]
    widths = [max(len(line) for text in column for line in text.splitlines()) + GAP for column in columns]
    keys = range(table.keys)
    room = width + GAP - sum(widths[key] for key in keys)
    for group in _groups(_together(table), widths, room):
        yield _shown([*keys, *group], columns)


def _lines(column: Sequence[str]) -> list[str]:
    """A heading in short lines, and texts with an interval, or a second verdict, below the first."""
    heading, *texts = column
    return [heading.replace(" ", "\n"), *(text.replace(" (", "\n(").replace(", ", "\n") for text in texts)]


def _together(table: "Table") -> list[list[int]]:
    """The columns right of the keys; those that must not be parted are in one list."""
    found: list[list[int]] = []
    for number in range(table.keys, len(table.headings)):
        if found and table.headings[number].startswith(BESIDE):
            found[-1].append(number)
        else:
            found.append([number])
    return found


def _groups(together: Iterable[list[int]], widths: Sequence[int], room: int) -> Iterator[list[int]]:
    """Fill part after part."""
    group: list[int] = []
    for numbers in together:
        if group and sum(widths[number] for number in [*group, *numbers]) > room:
            yield group
            group = []
        group = [*group, *numbers]
    if group:
        yield group


def _shown(numbers: Iterable[int], columns: Sequence[Sequence[str]]) -> Shown:
    shown = Shown(box=None, pad_edge=False, header_style="bold")
    chosen = [columns[number] for number in numbers]
    tallest = max(column[0].count("\n") for column in chosen)
    for place, column in enumerate(chosen):
        heading = "\n" * (tallest - column[0].count("\n")) + column[0]
        shown.add_column(heading, justify="right" if place else "left", no_wrap=True)
    for row in list(zip(*chosen, strict=True))[1:]:
        shown.add_row(*row)
    return shown
