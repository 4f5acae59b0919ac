"""Which trial is next, and how many are still to come: by a scenario's schedule, or by what its searches have found so far.

Pure, and a function of the trials that are kept: a run that was cut off goes on as if it had not been. How a trial is made
and kept is not known here.

Searches go on side by side, as trials are made in rounds. The first search of every cell comes first, then the second of
each. Within that, a round makes one step of every cell whose search is not over, in an order drawn from the seed. So a
machine that slowly gets hotter or busier harms all cells alike.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pushbench.objective import Objective
from pushbench.scenario import Load, Scenario
from pushbench.search import Side, Step, next_value, steps_left

KEPT = ("cell", "trial", "search", "outcome")
"""What has to be known of a trial that is kept, beside the value of the key that is searched."""

Kept = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Task:
    """One trial that is to be made."""

    order: int
    """Position in the order of execution, from 1."""
    cell: int
    trial: int
    """Tells the trials of a cell apart; of a scenario without search also the number of its round."""
    load: Load
    label: str
    columns: Mapping[str, Any] = field(default_factory=dict)
    """What a search has to say of it, as columns of `trials`, but for the outcome."""


def columns_needed(scenario: Scenario) -> tuple[str, ...]:
    """The columns of the trials that are kept which `following` and `to_come` need."""
    return (*KEPT, scenario.search.key) if scenario.search else KEPT


def following(scenario: Scenario, kept: Kept) -> Task | None:
    """The trial to be made next; None if all are made."""
    return _next_step(scenario, kept) if scenario.search else _next_trial(scenario, kept)


def to_come(scenario: Scenario, kept: Kept) -> list[float]:
    """For each trial that is still to come, how long its phases should take, in s; where something is searched, about."""
    if not scenario.search:
        done = {(row["cell"], row["trial"]) for row in kept}
        return [scenario.planned_s(scenario.cells[cell]) for cell, trial in scenario.schedule if (cell, trial) not in done]
    return [
        scenario.planned_s(scenario.cells[cell])
        for (cell, _), steps in _searches(scenario, kept)
        for _ in range(steps_left(scenario.within, steps))
    ]


def outcome_of(
    objective: Objective, verdict: str, columns: Mapping[str, Any], *, by_target: bool = False
) -> tuple[Side, str]:
    """What a trial means for its search, and that in words: `held`, or what did not hold."""
    side = objective.side(verdict, columns, by_target=by_target)
    if side is Side.HELD:
        return side, "held"
    broken = [f"{clause.column} {_said(columns.get(clause.column))}" for clause in objective.broken(columns)]
    who = "the load side gave in" if side is Side.LOAD else "not held"
    return side, ": ".join([who, *([", ".join(broken)] if broken else [])])


def _said(value: Any) -> str:
    return "not measured" if value is None else f"{value:,.4g}"


def _next_trial(scenario: Scenario, kept: Kept) -> Task | None:
    done = {(row["cell"], row["trial"]) for row in kept}
    for order, (cell, trial) in enumerate(scenario.schedule, start=1):
        if (cell, trial) not in done:
            load = scenario.cells[cell]
            return Task(order, cell, trial, load, f"{scenario.label(load)} #{trial}")
    return None


def _next_step(scenario: Scenario, kept: Kept) -> Task | None:
    assert scenario.search
    rounds: dict[int, dict[int, list[Step]]] = {}
    for (cell, number), steps in _searches(scenario, kept):
        if next_value(scenario.within, steps) is not None:
            rounds.setdefault(number, {})[cell] = steps
    if not rounds:
        return None
    number, going = next(iter(rounds.items()))
    made = min(map(len, going.values()))
    draws = random.Random(hash((scenario.repeat.seed, number, made)))
    drawn = sorted(range(len(scenario.cells)), key=lambda _: draws.random())
    cell = next(cell for cell in drawn if cell in going and len(going[cell]) == made)
    value = next_value(scenario.within, going[cell])
    assert value is not None
    load = scenario.at(cell, value)
    return Task(
        order=len(kept) + 1,
        cell=cell,
        trial=1 + sum(row["cell"] == cell for row in kept),
        load=load,
        label=f"{scenario.label(load)} #{number}, step {made + 1}",
        columns={
            "search": number,
            "step": made + 1,
            "search_key": scenario.search.key,
            "search_limit": scenario.search.limit,
            "objective": scenario.search.objective,
        },
    )


def _searches(scenario: Scenario, kept: Kept) -> Iterator[tuple[tuple[int, int], list[Step]]]:
    """The steps of every search, by cell and number of the search, in the order in which searches are begun."""
    assert scenario.search
    made: dict[tuple[int, int], list[tuple[int, Step]]] = {}
    for row in kept:
        step = Step(float(row[scenario.search.key]), Side(row["outcome"]))
        made.setdefault((row["cell"], row["search"]), []).append((row["trial"], step))
    for number in range(1, scenario.repeat.trials + 1):
        for cell in range(len(scenario.cells)):
            yield (cell, number), [step for _, step in sorted(made.get((cell, number), []), key=lambda one: one[0])]
