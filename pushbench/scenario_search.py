"""What a scenario searches for: how `[search]` takes the place of one key of the load, and what contradicts it.

It knows the rules between the search and the other tables. How a search goes on is `pushbench.search`.
"""

from collections.abc import Iterator
from dataclasses import replace

from pushbench.objective import parse
from pushbench.scenario_cells import Origin, cell_problems
from pushbench.scenario_errors import Problem, shown
from pushbench.scenario_keys import Load, Phases, Search, bounds, expected, kind_of_value
from pushbench.scenario_toml import Draft
from pushbench.search import Range

WAITED = {"mean": 0.5, "p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1.0}
"""Which part of its interval a poller's latency is at any load: a message is as likely to come at any moment of it."""
LUCK = 0.9
"""So much less may come out where there are few messages."""


def asked_for(draft: Draft, problems: list[Problem]) -> bool:
    """Whether the scenario has a `[search]`; that an override alone makes none is added to the problems."""
    if ("search",) in draft.places.lines:
        return True
    if draft.tables["search"]:
        says = "this scenario searches for nothing, and has no [search] that could be changed; take one that has, or add it"
        problems.append(Problem("search", says, tuple(("search", key) for key in draft.tables["search"])))
    return False


def with_start(draft: Draft, search: Search) -> Draft:
    """The draft with the first value to be tried, as if it were written under `[load]`."""
    load = {**draft.tables["load"], search.key: fit(search.key, search.start)}
    return Draft({**draft.tables, "load": load}, draft.grids, draft.places)


def at(cell: Load, key: str, value: float) -> Load:
    """The cell with another value of the key."""
    return cell.model_copy(update={key: fit(key, value)})


def fit(key: str, value: float) -> float:
    """A value as the key takes it: whole numbers as integers."""
    return int(value) if whole(key) else float(value)


def whole(key: str) -> bool:
    """Whether the key takes whole numbers only."""
    return kind_of_value(Load.model_fields[key]) == "integer"


def range_of(search: Search, phases: Phases, burst: int = 1) -> Range:
    """Where to search: down to 1, to what the key takes, and to a rate at which so many messages at once are published."""
    least, _ = bounds(Load.model_fields[search.key])
    lowest = max(1.0, least, burst / phases.measure_s if search.key == "rate_hz" else 0.0)
    return Range(search.start, min(lowest, search.start), search.limit, search.precision, whole(search.key))


def search_problems(draft: Draft, search: Search) -> Iterator[Problem]:
    """What is wrong with the search by itself, or beside the load and the grid."""
    for place, table in ((("load",), draft.tables["load"]), *draft.grids):
        if search.key in table:
            says = f"{shown(table[search.key])} is given here, and [search] varies it; take it out of one of the two"
            yield Problem(f"{place[0]}.{search.key}", says, ((*place, search.key), ("search", "key")))
    field = Load.model_fields[search.key]
    least, most = bounds(field)
    ends = {"start": search.start, "limit": search.limit}
    for name, value in ends.items():
        if not least <= value <= most or (whole(search.key) and value != int(value)):
            says = f"{shown(value)} is no value of {search.key}, expected {expected(search.key, field)}"
            yield Problem(f"search.{name}", says, (("search", name),))
    if search.start > search.limit:
        says = f"{search.start:g} is above the limit of {search.limit:g}, expected at most that; lower it, or raise that"
        yield Problem("search.start", says, (("search", "start"), ("search", "limit")))
    try:
        parse(search.objective)
    except ValueError as error:
        yield Problem("search.objective", str(error), (("search", "objective"),))


def search_phase_problems(phases: Phases) -> Iterator[Problem]:
    """What is contradictory between a search and the phases."""
    if phases.measure_s == 0:
        says = "0 measures no traffic, and a search asks what becomes of it; set it above 0, or take [search] out"
        yield Problem("phases.measure_s", says, (("phases", "measure_s"), ("search",)))
    if phases.plateaus:
        says = f"{phases.plateaus}, and a search measures no memory; set it to 0, or take [search] out"
        yield Problem("phases.plateaus", says, (("phases", "plateaus"), ("search",)))


def end_problems(search: Search, phases: Phases, cell: Load, origin: Origin) -> Iterator[Problem]:
    """What is contradictory between the phases and a cell, at either end of the search; and an objective beyond it."""
    yield from _beyond_polling(search, cell, origin)
    for name, value in (("start", search.start), ("limit", search.limit)):
        origins = {**origin, search.key: ("search", name)}
        for problem in cell_problems(phases, at(cell, search.key, value), origins):
            yield replace(problem, key=f"search.{name}") if problem.key == f"search.{search.key}" else problem


def _beyond_polling(search: Search, cell: Load, origin: Origin) -> Iterator[Problem]:
    """A latency that no poller can keep, because it asks too seldom."""
    for clause in parse(search.objective).clauses:
        part = WAITED.get(clause.column.removeprefix("latency_").removesuffix("_ms"), 0.0) * LUCK
        if clause.comparison in ("<=", "<") and clause.limit < part * cell.polled_ms:
            says = (
                f"{clause} is beyond {cell.transport}, which asks every {cell.polled_ms:g} ms, at any load; "
                f"set poll_interval_ms to {clause.limit:g} or less, or leave {cell.transport} out"
            )
            yield Problem("search.objective", says, (("search", "objective"), origin["poll_interval_ms"]))
