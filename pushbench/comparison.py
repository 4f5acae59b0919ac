"""What a comparison of two runs says: the values that `pushbench.compare` makes and `pushbench.compare_text` tells."""

from dataclasses import dataclass
from enum import StrEnum

from pushbench.differences import Difference
from pushbench.stats import Interval

TOGETHER = "all cells together"
"""What stands for a cell where a change is the mean over the cells."""


class Call(StrEnum):
    """What a comparison says of a change."""

    BETTER = "better"
    WORSE = "worse"
    UNCLEAR = "not distinguishable"


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one metric."""

    heading: str
    base: float
    """Geometric mean over the base's trials; NaN where cells are taken together, which have no mean of their own."""
    candidate: float
    ratio: Interval
    """Candidate to base, with `n` trials on the side that has fewer."""
    call: Call
    worse_by: float
    """How much worse the estimate is, as a part of 1; negative if it is better."""
    why: str = ""
    """Why nothing can be called, if that is not for want of a difference."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A load that both runs have met."""

    label: str
    base_verdicts: str
    candidate_verdicts: str
    verdict: Call
    """Worse if trials are in doubt where none was, or if something is newly lost or failed."""
    base_left_out: int
    """How many of the base's trials are not to be believed, and take no part."""
    candidate_left_out: int
    in_doubt: bool
    """Whether all trials of a side are left out."""
    changes: tuple[Change, ...]

    @property
    def differs(self) -> bool:
        """Whether anything of it is called better or worse."""
        return self.verdict != Call.UNCLEAR or any(change.call != Call.UNCLEAR for change in self.changes)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs."""

    path: str
    commit: str
    started_at: str
    finished: bool
    trials: int
    alone: tuple[str, ...]
    """Labels of cells, and headings of metrics, that the other run does not have."""


@dataclass(frozen=True, slots=True)
class Witness:
    """What the load itself cost, on average over the cells."""

    heading: str
    ratio: Interval

    @property
    def moved(self) -> bool:
        """Whether it changed by more than chance."""
        return not self.ratio.low <= 1 <= self.ratio.high


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that is to be said of a base and a candidate."""

    base: Side
    candidate: Side
    differences: tuple[Difference, ...]
    witnesses: tuple[Witness, ...]
    together: tuple[Change, ...]
    """The mean change over all cells; empty if fewer than two can tell of any."""
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """A cell, or all together, that became worse than may be."""

    cell: str
    what: Change | str
    """The change that is worst; or the verdicts, if these got worse; or that it is not there."""
    others: int = 0
    """How many other changes of the cell are too large."""


def failures(made: Comparison, limit: float) -> tuple[Failure, ...]:
    """What is worse: verdicts that got worse, and changes that are called so and are at least `limit` (a part of 1).

    Also what the candidate no longer has: nothing that was not measured has passed.
    """
    found = [Failure(gone, "not in the candidate") for gone in made.base.alone]
    if not made.candidate.finished:
        found.append(Failure(made.candidate.path, "the run is not finished"))
    found += [Failure(cell.label, cell.candidate_verdicts) for cell in made.cells if cell.verdict == Call.WORSE]
    for cell, changes in [(TOGETHER, made.together), *((cell.label, cell.changes) for cell in made.cells)]:
        worse = [change for change in changes if change.call == Call.WORSE and change.worse_by >= limit]
        if worse:
            found.append(Failure(cell, max(worse, key=lambda change: change.worse_by), len(worse) - 1))
    return tuple(found)
