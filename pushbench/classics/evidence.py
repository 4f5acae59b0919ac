"""The trials of a run as plain values: cells picked by their load, and figures of them with intervals. Pure.

It knows the columns of a run, and no experiment.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from pushbench.checks import Verdict
from pushbench.stats import Interval, median_interval

Values = Mapping[str, Any]
"""One row of a table; None for what is missing."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The trials of one load."""

    trials: tuple[Values, ...]

    @property
    def doubted(self) -> bool:
        """True if one of the trials is not to be believed."""
        return any(not Verdict(str(trial["verdict"])).believable for trial in self.trials)

    @property
    def believed(self) -> "Cell":
        """Those of the trials that are to be believed."""
        return Cell(tuple(trial for trial in self.trials if Verdict(str(trial["verdict"])).believable))

    def figure(self, column: str, scale: float = 1.0) -> Interval | None:
        """The median of a column over the trials, times `scale`; None if no trial has it."""
        return self.of(lambda trial: value(trial, column) * scale)

    def of(self, compute: Callable[[Values], float]) -> Interval | None:
        """The median of what is computed of each trial; what cannot be, or is not finite, is left out."""
        return _median(partial(compute, trial) for trial in self.trials)

    def beside(self, other: "Cell", compute: Callable[[Values, Values], float]) -> Interval | None:
        """The median of what is computed of two trials of one round, one of each cell."""
        rounds = {trial["trial"]: trial for trial in other.trials}
        paired = [(trial, rounds[trial["trial"]]) for trial in self.trials if trial["trial"] in rounds]
        return _median(partial(compute, one, two) for one, two in paired)


def _median(made: Iterable[Callable[[], float]]) -> Interval | None:
    found = []
    for compute in made:
        with suppress(ZeroDivisionError):
            found.append(compute())
    found = [number for number in found if math.isfinite(number)]
    return median_interval(found) if found else None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a run has measured."""

    trials: tuple[Values, ...]
    latency: tuple[Values, ...] = ()
    """Buckets of histograms."""

    def at(self, **load: object) -> Cell:
        """The trials with these values."""
        return Cell(tuple(trial for trial in self.trials if all(trial[key] == wanted for key, wanted in load.items())))

    def among(self, key: str, **load: object) -> list[Any]:
        """The values of a key that trials with these values have, ascending."""
        return sorted({trial[key] for trial in self.at(**load).trials})

    def share_within(self, cell: Cell) -> tuple[tuple[float, float], ...]:
        """For each bucket of the cell's latencies, from when messages were due: its upper edge in ms, and the share up to
        there. All trials together."""
        of = {(trial["cell"], trial["trial"]) for trial in cell.trials}
        counts: dict[float, int] = {}
        for row in self.latency:
            if row["clock"] == "due" and (row["cell"], row["trial"]) in of:
                counts[row["value_ms"]] = counts.get(row["value_ms"], 0) + row["count"]
        total, up_to, found = sum(counts.values()), 0, []
        for edge in sorted(counts):
            up_to += counts[edge]
            found.append((float(edge), up_to / total))
        return tuple(found)


def value(trial: Values, column: str) -> float:
    """A number of a trial; NaN if it has none."""
    found = trial.get(column)
    return math.nan if found is None else float(found)


def doubted(cells: Iterable[Cell]) -> bool:
    """True if a trial of any of these is not to be believed."""
    return any(cell.doubted for cell in cells)


def doubtful(cells: Mapping[float, Cell]) -> tuple[float, ...]:
    """The places of those of the cells that have a trial that is not to be believed."""
    return tuple(place for place, cell in cells.items() if cell.doubted)


def exactly(number: float) -> Interval:
    """A number that has no interval."""
    return Interval(number, number, number, 1)


def times(one: Interval | None, factor: float) -> Interval | None:
    """An interval, multiplied."""
    return Interval(one.low * factor, one.mid * factor, one.high * factor, one.n) if one else None
