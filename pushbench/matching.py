"""The cells of two runs, matched by their load.

It knows load keys. What was measured in a cell, and how it is compared, is not known here.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pushbench.columns import LOAD
from pushbench.differences import Difference
from pushbench.labels import plain
from pushbench.scenario import Load

if TYPE_CHECKING:
    import pandas as pd

Key = tuple[object, ...]
"""A load: the values of all load keys, in the order of `LOAD`."""


def cells(trials: "pd.DataFrame") -> dict[Key, "pd.DataFrame"]:
    """The trials of each load, in the scenario's order of cells.

    A load key that the run does not have is younger than the run, which then met what is the key's default today.
    """
    known = trials.sort_values(["cell", "trial"])
    for key in LOAD:
        if key not in known:
            known[key] = default(key)
    return {load: cell for load, cell in known.groupby(list(LOAD), sort=False, dropna=False) if isinstance(load, tuple)}


def default(key: str) -> Any:
    """What a load key is where nothing is said of it; None if it must be said."""
    field = Load.model_fields.get(key)
    return None if field is None or field.is_required() else field.default


def younger_keys(base: "pd.DataFrame", candidate: "pd.DataFrame") -> Iterator[Difference]:
    """The load keys that only one of two runs' trials have."""
    for key in LOAD:
        if (key in base) != (key in candidate):
            yield Difference(f"load, {key}", *(_values(trials, key) for trials in (base, candidate)))


def _values(trials: "pd.DataFrame", key: str) -> str:
    if key not in trials:
        return f"not recorded, taken as {default(key)}"
    return ", ".join(plain(value) for value in trials[key].drop_duplicates())


def labels(loads: Iterable[Key]) -> dict[Key, str]:
    """Each load in words: its transport, and whatever else varies among all of them, as `sse, subscribers=1,000`."""
    every = list(dict.fromkeys(loads))
    varying = [key for at, key in enumerate(LOAD) if key != "transport" and len({load[at] for load in every}) > 1]
    named = {load: dict(zip(LOAD, load, strict=True)) for load in every}
    return {
        load: ", ".join([str(values["transport"]), *(f"{key}={plain(values[key])}" for key in varying)])
        for load, values in named.items()
    }
