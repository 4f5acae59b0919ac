"""The classics in a list: what each is of, and how long it takes; and, of those that are made, what became of them.

It turns names into lines.
"""

import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pushbench.classics import CLASSICS, reading
from pushbench.classics.claims import Outcome
from pushbench.everything import estimate_s
from pushbench.scenario import find, load

if TYPE_CHECKING:
    from pushbench.classics.sequence import Reproduced


def lines(width: int) -> Iterator[str]:
    """Each with its source, what is claimed, and about how long it takes."""
    total = 0.0
    for classic in CLASSICS.values():
        took = estimate_s(load(find(str(reading.path(classic)))))
        total += took
        yield f"{classic.name} (about {took / 60:.0f} min)"
        for told in (classic.source.said, classic.claimed):
            yield from textwrap.wrap(told, width, initial_indent="  ", subsequent_indent="    ")
    yield f"pushbench repro NAME runs one; --all runs them all, about {total / 60:.0f} min"


def verdicts(found: "Iterable[Reproduced]") -> Iterator[str]:
    """What became of each, and how many reproduce in shape."""
    from pushbench.classics import text  # pandas comes with it

    made = list(found)
    widest = max((len(one.classic.name) for one in made), default=0)
    for one in made:
        yield f"{one.classic.name:{widest}}  {text.verdict(one.made)}"
    became = [one.made.outcome for one in made]
    untold = f", {count} cannot be told" if (count := became.count(Outcome.UNTOLD)) else ""
    yield f"{became.count(Outcome.REPRODUCES)} of {len(made)} reproduce in shape{untold}"
