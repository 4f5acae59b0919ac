"""A search for the largest load that still keeps an objective: which value is to be tried next, and what is known so far.

It knows numbers, in the order in which they were tried, and whether the objective was kept at each. What a value is of,
how it is tried and what the objective says is not known here. All is a function of the steps so far, so a search that was
cut off goes on as if it had not been.

1. From `start` the value doubles until the objective is not kept, or the limit is reached; if it is not kept at `start`, it
   is halved until it is, or nothing smaller is left.
2. Then the bracket between the highest value that held and the lowest that failed is halved, until it is narrow enough.
3. Near the edge chance decides. So a value that failed is tried again, and if it then holds, a third time: two of three.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

ATTEMPTS = 3
"""A value is tried so often at most."""
NEEDED = 2
"""Of these, so many decide; the first alone does if it held."""


class Side(StrEnum):
    """What came of a step: the objective was kept, or which side gave in."""

    HELD = "held"
    SERVER = "server"
    """The objective was not kept, and nothing speaks against the load side: it is the server's doing."""
    LOAD = "load"
    """It was not kept, but the load side or the machine was at its own limit: nobody can tell what the server would do."""


@dataclass(frozen=True, slots=True)
class Range:
    """Where to search, in the unit of what is searched."""

    start: float
    lowest: float
    """Nothing below is tried."""
    limit: float
    """Nothing above is tried."""
    precision: float
    """The search is over when (failed - held) / held is not above this."""
    whole: bool
    """True if only whole numbers can be tried."""


@dataclass(frozen=True, slots=True)
class Step:
    """One trial of a search."""

    value: float
    side: Side


@dataclass(frozen=True, slots=True)
class Bracket:
    """Where the edge is, as far as a search knows."""

    held: float | None
    """The highest value that held; None if none has."""
    failed: float | None
    """The lowest value that failed; None if none has."""
    gave_in: Side | None
    """Who gave in there: the server only if no trial that decided it was the load side's. None if no value failed."""


def bracket(steps: Iterable[Step]) -> Bracket:
    """What is known after these steps; values that are not decided yet take no part."""
    tried = _tried(steps)
    held = max((value for value, sides in tried.items() if _decided(sides) is True), default=None)
    failed = min((value for value, sides in tried.items() if _decided(sides) is False), default=None)
    if failed is None:
        return Bracket(held, None, None)
    return Bracket(held, failed, Side.LOAD if Side.LOAD in tried[failed] else Side.SERVER)


def next_value(within: Range, steps: Sequence[Step]) -> float | None:
    """The value to try next; None if the search is over."""
    tried = _tried(steps)
    undecided = [value for value, sides in tried.items() if _decided(sides) is None]
    if undecided:
        return undecided[-1]
    known = bracket(steps)
    if known.held is None and known.failed is None:
        return within.start
    if known.failed is None:
        assert known.held is not None
        return None if known.held >= within.limit else min(2 * known.held, within.limit)
    if known.held is None:
        return None if known.failed <= within.lowest else max(within.lowest, _fit(within, known.failed / 2))
    if known.failed - known.held <= within.precision * known.held:
        return None
    middle = _fit(within, (known.held + known.failed) / 2)
    return middle if known.held < middle < known.failed else None


def steps_left(within: Range, steps: Sequence[Step]) -> int:
    """About how many steps are still to come, if the edge is in the middle (on a scale of factors) of where it may be."""
    known = bracket(steps)
    low = known.held or within.lowest
    high = known.failed or within.limit
    edge = math.sqrt(low * high)
    made = list(steps)
    while (value := next_value(within, made)) is not None:
        made.append(Step(value, Side.HELD if value <= edge else Side.SERVER))
    return len(made) - len(steps)


def _tried(steps: Iterable[Step]) -> dict[float, list[Side]]:
    """What came of each value, in order."""
    tried: dict[float, list[Side]] = {}
    for step in steps:
        tried.setdefault(step.value, []).append(step.side)
    return tried


def _decided(sides: Sequence[Side]) -> bool | None:
    """Whether a value holds; None if it is to be tried again."""
    held = sides.count(Side.HELD)
    if sides[0] is Side.HELD or held >= NEEDED:
        return True
    return False if len(sides) - held >= NEEDED else None


def _fit(within: Range, value: float) -> float:
    """The nearest value below that can be tried. Six digits are more than any precision asks for."""
    return float(math.floor(value)) if within.whole else float(f"{value:.6g}")
