"""What the searches of a run have found: the capacity of each cell, where its edge lies, and who gave in there.

It turns `trials` into values, and into a table of texts. How a search goes on, or a table is laid out, is not known here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from pushbench.checks import Verdict
from pushbench.labels import HEADINGS, entry, plain
from pushbench.objective import NEVER, Objective, parse
from pushbench.search import Bracket, Side, Step, bracket
from pushbench.stats import Interval, median_interval
from pushbench.summary import RANGE_ONLY, Table, digits, varied
from pushbench.transports import FLOORS

if TYPE_CHECKING:
    import pandas as pd

AT_LEAST = "≥"
"""Stands before a lower bound: what could be borne is that or more."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """What was found of one cell."""

    load: Mapping[Any, Any]
    """The load keys of the cell, but for the one that was searched."""
    key: str
    limit: float
    """No more than this was tried."""
    objective: Objective
    brackets: tuple[Bracket, ...]
    """One for each search."""
    value: Interval
    """The highest value that held: median of the searches with its interval. A search in which nothing held counts as 0."""
    rows: "pd.DataFrame" = field(repr=False, compare=False)
    """All its steps."""

    @property
    def by_load_side(self) -> int:
        """In how many searches it was the load side that gave in."""
        return sum(one.gave_in is Side.LOAD for one in self.brackets)

    @property
    def lower_bound(self) -> bool:
        """True if a search ended without showing that the server can do no more: then it may be able to."""
        return any(one.gave_in is not Side.SERVER for one in self.brackets)

    @property
    def between(self) -> tuple[float, float | None]:
        """From the lowest value that a search ended with as held, to the highest that one ended with as failed.

        The latter is None if some search has none.
        """
        failed = [one.failed for one in self.brackets if one.failed is not None]
        return min(one.held or 0 for one in self.brackets), max(failed) if len(failed) == len(self.brackets) else None

    @property
    def gave_in(self) -> str:
        """Who gave in first, in words."""
        open_ended = [one for one in self.brackets if one.failed is None]
        said = [
            (sum(one.gave_in is Side.SERVER for one in self.brackets), "server"),
            (self.by_load_side, "load side"),
            (sum((one.held or 0) >= self.limit for one in open_ended), "nobody up to the limit"),
            (sum((one.held or 0) < self.limit for one in open_ended), "search not finished"),
        ]
        there = [(count, who) for count, who in said if count]
        return there[0][1] if len(there) == 1 else ", ".join(f"{count} {who}" for count, who in there)

    def steps_at(self, held: bool) -> "pd.DataFrame":
        """The trials at the ends of the brackets: those that held at the highest value, or failed at the lowest."""
        wanted = []
        for number, one in enumerate(self.brackets, start=1):
            value = one.held if held else one.failed
            at = (self.rows["search"] == number) & (self.rows[self.key] == value)
            wanted += list(self.rows.index[at & ((self.rows["outcome"] == Side.HELD) == held)])
        return self.rows.loc[wanted]

    @property
    def broke(self) -> str:
        """What did not hold there, in words: medians of the figures, and the verdicts with which nothing holds."""
        failed = self.steps_at(held=False)
        columns = [clause.column for clause in self.objective.clauses]
        rows = [{column: row[column] for column in columns} for row in failed.to_dict("records")]
        broken = dict.fromkeys(clause.column for row in rows for clause in self.objective.broken(row))
        said = []
        for column in broken:
            known = failed[column].dropna()
            said.append(f"{column} {digits(float(known.median()))}" if len(known) else f"{column} not measured")
        verdicts = [verdict for verdict in dict.fromkeys(failed["verdict"].astype(str)) if Verdict(verdict) in NEVER]
        return ", ".join([*said, *verdicts]) or "–"


def searched(trials: "pd.DataFrame") -> bool:
    """Whether these are the steps of searches. A run that is older than searches has these columns empty."""
    return "search" in trials and bool(trials["search"].notna().any())


def capacities(trials: "pd.DataFrame") -> list[Capacity]:
    """What was found of each cell, in the scenario's order, floors last; nothing if nothing was searched."""
    if not searched(trials):
        return []
    ordered = trials.sort_values(["cell", "trial"])
    floor = ordered["transport"].isin(list(FLOORS))
    return [_capacity(rows) for part in (ordered[~floor], ordered[floor]) for _, rows in part.groupby("cell")]


def by_load(trials: "pd.DataFrame") -> "pd.DataFrame":
    """The trials with a cell for each value that was tried, so that they can be shown as if they were a grid's."""
    key = str(trials["search_key"].iloc[0])
    return trials.sort_values(["cell", key, "trial"]).assign(cell=lambda ordered: ordered.groupby(["cell", key]).ngroup())


def doubtful(trials: "pd.DataFrame") -> int:
    """In how many cells the load side gave in before the server did, so that only a lower bound is known."""
    return sum(one.by_load_side > 0 for one in capacities(trials))


def table(trials: "pd.DataFrame") -> Table | None:
    """The table of capacities; None if nothing was searched."""
    found = capacities(trials)
    if not found:
        return None
    key = found[0].key
    keys = [name for name in varied(trials) if name != key]
    name = HEADINGS.get(key, key)
    headings = ("gave in", "what broke it", "deliveries/s, holding", "server CPU, holding, %")
    rows = tuple(
        (
            *(entry(one.load["transport"], key, one.load[key]) for key in keys),
            said(one),
            between_said(one),
            one.gave_in,
            one.broke,
            *(_median(one.steps_at(held=True)[column]) for column in ("deliveries_per_s", "server_cpu_percent")),
        )
        for one in found
    )
    return Table(
        (*(HEADINGS.get(one, one) for one in keys), f"capacity, {name}", "edge between", *headings),
        rows,
        tuple(_notes(found)),
        "Capacity",
        len(keys),
        columns=(*keys, "capacity", "edge", "gave_in", "broke", "deliveries_per_s", "server_cpu_percent"),
    )


def said(one: Capacity) -> str:
    """A capacity with its interval: `1,400 (1,300–1,500)`, `≥ 1,600`; `below 1` or `–` if nothing held in most searches."""
    mark = f"{AT_LEAST} " if one.lower_bound else ""
    if not one.value.mid:
        return "–" if one.between[1] is None or one.lower_bound else f"below {plain(one.between[1])}"
    interval = f" ({plain(one.value.low)}–{plain(one.value.high)})" if one.value.is_interval else ""
    return f"{mark}{plain(one.value.mid)}{interval}"


def between_said(one: Capacity) -> str:
    """Where the edge is: `1,300–1,600`, or `above 1,600` if a search found no value that failed."""
    low, high = one.between
    if high is None:
        return f"above {plain(low)}" if low else "–"
    return f"{plain(low)}–{plain(high)}"


def _capacity(rows: "pd.DataFrame") -> Capacity:
    first = {str(name): value for name, value in rows.iloc[0].to_dict().items()}
    key = str(first["search_key"])
    found = tuple(bracket(_steps(steps, key)) for _, steps in rows.groupby("search", sort=True))
    return Capacity(
        load={name: value for name, value in first.items() if name != key},
        key=key,
        limit=float(first["search_limit"]),
        objective=parse(str(first["objective"])),
        brackets=found,
        value=median_interval([one.held or 0 for one in found]),
        rows=rows,
    )


def _steps(rows: "pd.DataFrame", key: str) -> Iterator[Step]:
    for value, outcome in zip(rows[key], rows["outcome"], strict=True):
        yield Step(float(value), Side(outcome))


def _median(values: "pd.Series[float]") -> str:
    known = [float(value) for value in values.dropna()]
    return digits(median(known)) if known else "–"


def _notes(found: list[Capacity]) -> Iterator[str]:
    name = HEADINGS.get(found[0].key, found[0].key)
    searches = max(len(one.brackets) for one in found)
    how = "one search of each cell"
    if searches > 1:
        few = " (of so few, their range)" if searches <= RANGE_ONLY else ""
        how = f"median of {searches} searches, in brackets the 95 % bootstrap interval{few}"
    yield (
        f"Capacity: the most {name} with which {found[0].objective} and nothing was lost; {how}. "
        f"What broke it: the figures at the lowest value that failed. Holding: at the capacity."
    )
    if any(one.gave_in is Side.SERVER for each in found for one in each.brackets):
        yield (
            "Gave in: server: the objective was missed, and not for anything on the load side. Its core need not be full: "
            "a pause of its interpreter is enough for a tail."
        )
    if any(one.lower_bound for one in found):
        yield (
            f"{AT_LEAST} a lower bound: the load side gave in, or the search had reached its limit or was not finished, "
            f"before the server did. It is not the server's capacity."
        )
