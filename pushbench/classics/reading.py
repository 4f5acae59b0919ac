"""A run of a classic, read from its directory: what it is of, and what its trials are as evidence.

It knows files and the frames of a run, and turns them into plain values; no experiment is known here.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pushbench.classics import CLASSICS
from pushbench.classics.claims import Classic
from pushbench.classics.evidence import Evidence
from pushbench.results import ResultsError, Run
from pushbench.scenario import SCENARIOS

if TYPE_CHECKING:
    import pandas as pd

FOLDER = SCENARIOS / "classics"
"""Where their scenarios are; `pushbench run` takes them by path."""


def named(name: str) -> Classic:
    """The classic of that name. Raises `ResultsError`, which names all there are."""
    if name not in CLASSICS:
        raise ResultsError(f"{name}: no such classic; there are {', '.join(CLASSICS)} (pushbench repro)")
    return CLASSICS[name]


def path(classic: Classic) -> Path:
    """The file of its scenario."""
    return FOLDER / f"{classic.name}.toml"


def evidence(run: Run, classic: Classic) -> Evidence:
    """What a run of a classic has measured. Raises `ResultsError` if it is of another scenario, or has no trial."""
    made = run.manifest["scenario"]["name"]
    if made != classic.name:
        raise ResultsError(f"{run.path} is a run of {made}, and not of {classic.name}: name a run of that, or make one")
    if run.trials.empty:
        raise ResultsError(f"{run.path} has no finished trial yet: go on with --resume")
    return Evidence(_values(run.trials), _values(run.latency))


def _values(frame: "pd.DataFrame") -> tuple[dict[str, Any], ...]:
    plain = frame.astype(object)
    return tuple(
        {str(key): value for key, value in row.items()} for row in plain.where(frame.notna(), None).to_dict("records")
    )
