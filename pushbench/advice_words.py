"""The adviser's own words: how a figure, a few names, and what is said of several are written. Pure."""

from collections.abc import Iterable, Sequence

from pushbench.advice_values import Figure, How
from pushbench.labels import plain
from pushbench.stats import Interval

BEYOND = "≈"
"""Stands before a figure that is extrapolated."""
NONE = "–"


def amount(figure: Figure | None) -> str:
    """Two digits with an interval, if it is one: more would be false precision."""
    if figure is None:
        return NONE
    mark = f"{BEYOND} " if figure.how == How.EXTRAPOLATED else ""
    return mark + span(figure.value)


def span(value: Interval) -> str:
    """An estimate and its interval."""
    low, mid, high = (two(end) for end in (value.low, value.mid, value.high))
    return mid if not value.is_interval or low == high else f"{mid} ({low}–{high})"


def two(value: float) -> str:
    """Two significant digits."""
    return plain(float(f"{value:.1e}"))


def listed(names: Sequence[str]) -> str:
    """`a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def verb(names: Sequence[str]) -> str:
    """What so many do."""
    return "takes" if len(names) == 1 else "take"


def three(value: float) -> str:
    """Three significant digits."""
    return plain(float(f"{value:.3g}"))


def grouped(pairs: Iterable[tuple[str, str]]) -> Iterable[tuple[str, list[str]]]:
    """What is said of several, with those of whom it is said."""
    found: dict[str, list[str]] = {}
    for said, name in pairs:
        found.setdefault(said, []).append(name)
    return found.items()
