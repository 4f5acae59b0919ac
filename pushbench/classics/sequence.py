"""All classics, one after the other, each in a directory of its own: what is finished, begun, or still to be made.

It knows directories and scenarios. How one is run is not known here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pushbench import results
from pushbench.classics import CLASSICS, reading, text
from pushbench.classics.claims import Classic, Reproduction
from pushbench.results import ResultsError
from pushbench.scenario import Scenario, find, load


@dataclass(frozen=True, slots=True)
class Step:
    """One of the sequence."""

    classic: Classic
    scenario: Scenario
    directory: Path
    begun: bool
    """There is a run in the directory."""
    finished: bool
    """And all of its trials are made."""


@dataclass(frozen=True, slots=True)
class Reproduced:
    """One that is made."""

    classic: Classic
    run: results.Run
    made: Reproduction

    @property
    def values(self) -> dict[str, Any]:
        """All of it as JSON takes it."""
        return text.plain_values(self.classic, self.made)


def steps(parent: Path, overrides: Sequence[str]) -> Iterator[Step]:
    """Every classic, with what is there of it below `parent` when it is its turn.

    Raises `ResultsError` if a run that is there was made with other overrides, or of another text of its scenario.
    """
    for classic in CLASSICS.values():
        directory = parent / classic.name
        scenario = load(find(str(reading.path(classic))), overrides)
        begun = (directory / "run.json").exists()
        finished = begun and results.read_manifest(directory)["finished_at"] is not None
        if finished:
            _refuse_others(directory, scenario)
        yield Step(classic, scenario, directory, begun, finished)


def _refuse_others(directory: Path, scenario: Scenario) -> None:
    """A run that is not finished is held to its scenario when it is resumed; one that is, here."""
    made = results.read_manifest(directory)["scenario"]
    if made["overrides"] != list(scenario.overrides):
        why = f"was made with --set {' --set '.join(made['overrides'])}" if made["overrides"] else "was made without --set"
    elif made["source"] != scenario.source:
        why = "is of a scenario that has changed since"
    else:
        return
    raise ResultsError(f"{directory} is finished and {why}: choose another --out, or remove it")


def reproduced(parent: Path) -> list[Reproduced]:
    """Those that have a run below `parent`, in order."""
    found = []
    for classic in CLASSICS.values():
        if (parent / classic.name / "run.json").exists():
            run = results.load(parent / classic.name)
            found.append(Reproduced(classic, run, classic.judge(reading.evidence(run, classic))))
    return found
