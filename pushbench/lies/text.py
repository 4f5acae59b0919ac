"""The gallery in words: a line a lie, a paragraph each, and the same as Markdown for a page. Pure."""

import textwrap
from collections.abc import Iterator, Sequence

from pushbench.lies.record import TWOFOLD, Pair, Shown
from pushbench.lies.table import LIES, Lie

PER_S = "/s"
AGAINST = "The factor compares with such a number, which may not be the server's own."
MARK = "○"
"""Before a right number: a trial of it is not to be believed. Before a factor: the lie did not hold."""
HEADINGS = ("lie", "what is measured", "wrong", "right", "times off", "range", "n")


def number(value: float) -> str:
    """Three significant digits, and all digits before the point: 0.0431, 4.00, 27.1, 12,345."""
    for limit, decimals in ((0.1, 4), (1, 3), (10, 2), (100, 1)):
        if abs(value) < limit:
            return f"{value:.{decimals}f}"
    return f"{value:,.0f}"


def with_unit(lie: Lie, value: float) -> str:
    """A number of that lie: `27.1 KiB`, `12,345/s`."""
    return f"{number(value)}{'' if lie.unit == PER_S else ' '}{lie.unit}"


def measured(lie: Lie) -> str:
    """What both its numbers are, with their unit where that is not said already."""
    return lie.quantity if lie.unit == PER_S else f"{lie.quantity}, {lie.unit}"


def beside(lie: Lie, pair: Pair) -> str:
    """Both numbers of one repetition."""
    factor = pair.factor(lie.too_high)
    wrong, right = (with_unit(lie, value) for value in (pair.wrong, pair.right))
    return f"{wrong} instead of {right}, {number(factor)} times too {'high' if lie.too_high else 'low'}"


def rows(all_shown: Sequence[Shown]) -> list[tuple[str, ...]]:
    """The cells of the table below `HEADINGS`; what is doubtful is marked."""
    return [_row(LIES[shown.name], shown) for shown in all_shown]


def table(all_shown: Sequence[Shown]) -> list[str]:
    """The table, its columns aligned: words on the left, numbers on the right."""
    cells = [HEADINGS, *rows(all_shown)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


def notes(all_shown: Sequence[Shown]) -> list[str]:
    """What the table needs to be read by, and why a number is missing."""
    said = [f"Medians of n repetitions, and the range of their factors, which is to be {TWOFOLD:g} or more in each."]
    for shown in all_shown:
        if shown.failures:
            said.append(f"{shown.name}: {len(shown.failures)} gave no number, the last because {shown.failures[-1]}")
        elif not shown.holds:
            said.append(f"{shown.name}: not shown here, its factor came down to {number(shown.factors[0])}")
    if doubted := [f"{shown.name} {_often(shown)}" for shown in all_shown if shown.doubts]:
        said.append(f"{MARK} right numbers that are not to be believed: {', '.join(doubted)}. {AGAINST}")
    return said


def lines(all_shown: Sequence[Shown], width: int) -> Iterator[str]:
    """All of it: a paragraph a lie, and the table below, where a terminal ends."""
    for shown in all_shown:
        yield from (*paragraphs(shown, width), "")
    yield from table(all_shown)
    for note in notes(all_shown):
        yield from textwrap.wrap(note, width)


def paragraphs(shown: Shown, width: int) -> Iterator[str]:
    """All about one lie, in lines of that width."""
    lie = LIES[shown.name]
    yield f"{lie.title} ({lie.name})"
    for label, text in _parts(lie, shown):
        yield from textwrap.wrap(f"{label}: {text}", width, initial_indent="  ", subsequent_indent="    ")


def markdown(all_shown: Sequence[Shown]) -> str:
    """The table and a section each, for a page."""
    rule = ["---"] * 2 + ["--:"] * (len(HEADINGS) - 2)
    lines = [*map(_bar, (HEADINGS, rule, *rows(all_shown)))]
    for note in notes(all_shown):
        lines += ["", note]
    for shown in all_shown:
        lie = LIES[shown.name]
        lines += ["", f"## {lie.title}", "", f"`pushbench lies {lie.name}`", ""]
        lines += [f"- **{label}:** {text}" for label, text in _parts(lie, shown)]
    return "\n".join(lines)


def _parts(lie: Lie, shown: Shown) -> Iterator[tuple[str, str]]:
    yield "The claim", lie.claim
    if shown.pairs:
        pair = shown.typical
        yield f"Wrong, {with_unit(lie, shown.wrong)}", f"{lie.wrong_way} Beside it: {pair.wrong_says}."
        right = f"{_mark(shown)}{with_unit(lie, shown.right)}"
        verdicts = ", ".join(sorted(set(shown.doubts)))
        doubt = f" {MARK} {_often(shown)} are not to be believed ({verdicts}). {AGAINST}" if shown.doubts else ""
        yield f"Right, {right}", f"{lie.right_way} Beside it: {pair.right_says}.{doubt}"
    else:
        yield from (("Wrong", lie.wrong_way), ("Right", lie.right_way))
    yield "Why it misleads", lie.why
    yield "Seen", lie.seen
    yield "How to notice", lie.notice


def _row(lie: Lie, shown: Shown) -> tuple[str, ...]:
    what = measured(lie)
    if not shown.pairs:
        return (lie.name, what, "–", "–", "–", "–", "0")
    low, high = shown.factors[0], shown.factors[-1]
    held = "" if shown.holds else f"{MARK} "
    times = (held + number(shown.factor), f"{number(low)}–{number(high)}")
    figures = (number(shown.wrong), _mark(shown) + number(shown.right), *times)
    return (lie.name, what, *figures, str(len(shown.pairs)))


def _mark(shown: Shown) -> str:
    return f"{MARK} " if shown.doubts else ""


def _often(shown: Shown) -> str:
    return f"{len(shown.doubts)} of {len(shown.pairs)}"


def _bar(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
