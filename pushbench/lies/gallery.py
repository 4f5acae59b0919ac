"""The gallery as it is run: every lie once in each round, and what came of it.

It knows the order, and who is told how it goes. How one is run is in `ways/`, what the numbers say in `record`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from importlib import import_module

from pushbench.lies.record import Pair, Shown
from pushbench.lies.stage import NotShown, Stage
from pushbench.lies.table import LIES, Lie
from pushbench.lies.text import beside
from pushbench.results import ResultsError

Tell = Callable[[str], None]
Keep = Callable[[list[Shown]], None]


def chosen(names: Sequence[str]) -> list[Lie]:
    """The lies of these names, in the gallery's order; all if none is named. Raises `ResultsError` for another."""
    for name in names:
        if name not in LIES:
            near = get_close_matches(name, LIES, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(LIES)}"
            raise ResultsError(f"no lie is called {name}: {hint}")
    return [lie for lie in LIES.values() if not names or lie.name in names]


async def told(lies: Sequence[Lie], times: int, tell: Tell, keep: Keep) -> None:
    """Run each so many times, in rounds, so that what the machine does meanwhile meets all of them.

    Each number is told as it comes; after every round what there is so far is handed over to be kept.
    """
    found = {lie.name: Shown(lie.name, lie.too_high) for lie in lies}
    with Stage() as stage:
        for number in range(1, times + 1):
            for lie in lies:
                so_far = found[lie.name]
                try:
                    pair = await _both(lie)(stage)
                    if not (pair.wrong > 0 and pair.right > 0):  # also what is no number
                        raise NotShown(f"{pair.wrong:g} beside {pair.right:g} has no factor")
                    found[lie.name] = replace(so_far, pairs=(*so_far.pairs, pair))
                    said = beside(lie, pair)
                except NotShown as failed:
                    found[lie.name] = replace(so_far, failures=(*so_far.failures, str(failed)))
                    said = f"no number, because {failed}"
                tell(f"[{number}/{times}] {lie.name}: {said}")
            keep(list(found.values()))


def _both(lie: Lie) -> Callable[[Stage], Awaitable[Pair]]:
    way: Callable[[Stage], Awaitable[Pair]] = import_module(f"pushbench.lies.ways.{lie.name}").both
    return way
