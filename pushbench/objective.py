"""An objective: what a load must keep to be one that the server can bear, as `latency_p99_ms <= 100`.

It knows the measured columns of `trials`, and what verdicts mean for an objective; how loads are searched it does not.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pushbench.checks import Verdict
from pushbench.columns import MEASURED
from pushbench.search import Side

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
}

NEVER = frozenset({Verdict.LOSSY, Verdict.FAILED, Verdict.PUBLISHER_LATE})
"""Verdicts with which no objective is kept: not everything arrived, or another load was offered than was meant."""
LOAD_SIDE = frozenset({Verdict.CLIENT_BOUND, Verdict.PUBLISHER_LATE})
"""Verdicts that say: the load side, or the machine, was at its own limit."""
OF_ARRIVING = ("latency_", "naive_", "age_", "deliveries_per_s")
"""How columns begin that a load side in trouble can only make worse."""
WRONG = ("lost", "duplicated", "reordered")
"""Counts of the ledger that must be 0: a verdict that is named for what is worse does not say so."""

_CLAUSE = re.compile(r"\s*(?P<column>\w+)\s*(?P<comparison><=|>=|<|>)\s*(?P<limit>[-+]?\d[\d_]*(?:\.\d+)?)\s*")
_AND = re.compile(r"\band\b")


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition."""

    column: str
    comparison: str
    """One of `COMPARISONS`."""
    limit: float
    """In the column's unit."""

    def met(self, value: object) -> bool:
        """Whether a value of the column keeps it; what was not measured does not."""
        return isinstance(value, int | float) and COMPARISONS[self.comparison](value, self.limit)

    def __str__(self) -> str:
        return f"{self.column} {self.comparison} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Objective:
    """Conditions that must all be met, by a trial in which nothing was lost."""

    clauses: tuple[Clause, ...]

    def broken(self, columns: Mapping[str, Any]) -> tuple[Clause, ...]:
        """The conditions that a trial with these columns does not meet."""
        return tuple(clause for clause in self.clauses if not clause.met(columns.get(clause.column)))

    def side(self, verdict: str, columns: Mapping[str, Any], *, by_target: bool = False) -> Side:
        """What a trial says of its load: the objective was kept, or which side gave in.

        It may be kept in spite of `client_bound`: a load side that is in trouble makes what arrives come later and never
        sooner, so the server alone would have kept it too. Of what a delivery costs that cannot be said. One that failed
        for another reason than the server (`by_target`) says nothing of it.
        """
        said = Verdict(verdict)
        whole = said not in NEVER and not any(columns.get(count) for count in WRONG)
        of_arriving = all(clause.column.startswith(OF_ARRIVING) for clause in self.clauses)
        if whole and not self.broken(columns) and (said is not Verdict.CLIENT_BOUND or of_arriving):
            return Side.HELD
        return Side.LOAD if said in LOAD_SIDE or (said is Verdict.FAILED and not by_target) else Side.SERVER

    def __str__(self) -> str:
        return " and ".join(map(str, self.clauses))


def parse(text: str) -> Objective:
    """Read conditions that are joined by `and`; ValueError, with what is wrong and a way out, if they cannot be."""
    return Objective(tuple(_clause(part.strip()) for part in _AND.split(text)))


def _clause(text: str) -> Clause:
    found = _CLAUSE.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no condition, expected a column, one of {', '.join(COMPARISONS)}, and a number")
    column = found["column"]
    if column not in MEASURED:
        near = get_close_matches(column.lower(), MEASURED, n=1)
        hint = f"did you mean {near[0]}?" if near else "docs/method.md defines them"
        raise ValueError(f"{column} is no column that is measured, {hint}")
    if MEASURED[column].type == "str":
        raise ValueError(f"{column} is text, expected a column of numbers; docs/method.md defines them")
    if "_bytes_per_connection" in column.removesuffix("_per_connection_s"):
        raise ValueError(f"{column} is a slope over plateaus, and a search has none; take another column")
    return Clause(column, found["comparison"], float(found["limit"]))
