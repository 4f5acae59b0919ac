"""How a run was measured, in a few sentences from its manifest and its trials. How they are laid out is not known here."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pushbench import capacity
from pushbench.scenario import Scenario, ScenarioError, loads
from pushbench.summary import RANGE_ONLY, digits

if TYPE_CHECKING:
    import pandas as pd


def told(manifest: Mapping[str, Any], trials: "pd.DataFrame") -> list[str]:
    """The sentences: trials and their order, phases, placement, clocks, figures."""
    read = _scenario(manifest["scenario"])
    return [*_trials(read, trials), *_phases(read, trials), *_placed(manifest), *_clocks(trials), *_figures(trials)]


def _scenario(kept: Mapping[str, Any]) -> Scenario | None:
    """The scenario as it was run; None if this version reads it no more."""
    try:
        return loads(kept["source"], kept["name"], kept["overrides"])
    except ScenarioError:
        return None


def _trials(read: Scenario | None, trials: "pd.DataFrame") -> Iterator[str]:
    many, cells = len(trials), trials["cell"].nunique()
    drawn = f", in an order drawn from seed {read.repeat.seed}" if read else ", in an order drawn from the scenario's seed"
    if capacity.searched(trials):
        yield f"{many} trials are the steps of searches in {cells} cells. Each has fresh processes, the server's included."
    else:
        yield (
            f"{many} trials of {cells} cells, each with fresh processes, the server's included. They are made in rounds: "
            f"a round tries every cell once{drawn}."
        )


def _phases(read: Scenario | None, trials: "pd.DataFrame") -> Iterator[str]:
    windows = sorted(set(trials["measure_s"].dropna()))
    if windows == [0]:
        yield "A trial connects its subscribers step by step and reads the server's memory; nothing is published."
        return
    counted = " or ".join(f"{window:g}" for window in windows)
    before = f"lets {read.phases.warmup_s:g} s pass uncounted, " if read else ""
    idle = trials["kind"] == "idle"
    if idle.all():
        yield f"A trial connects its subscribers, {before}and counts {counted} s; nothing is published."
        return
    after = f", and then waits for stragglers, {read.phases.drain_s:g} s at most" if read else ""
    yield f"A trial connects its subscribers, {before}counts {counted} s{after}."
    if idle.any():
        yield "Where connections are idle nothing is published, and there are no stragglers to wait for."


def _placed(manifest: Mapping[str, Any]) -> Iterator[str]:
    on = {role: ", ".join(map(str, cores)) for role, cores in manifest["placement"].items() if cores}
    roles: dict[str, list[str]] = {}
    for role, cores in on.items():
        roles.setdefault(cores, []).append(role)
    if roles:
        said = ", ".join(
            f"{' and '.join(names)} on {'cores' if ',' in cores else 'core'} {cores}" for cores, names in roles.items()
        )
        yield f"Processes are pinned: {said}."
    if manifest.get("cluster"):
        yield "The subscribers were on the workers of a cluster."


def _clocks(trials: "pd.DataFrame") -> Iterator[str]:
    if not trials["latency_mean_ms"].notna().any():
        return
    yield "Latency is received − due: a stall is charged to every message that it delayed."
    unsure = trials["clock_uncertainty_ms"].max()
    if unsure > 0:
        yield f"Sender and receiver read two clocks, whose offset is known within {digits(float(unsure))} ms at worst."
    else:
        yield "All processes read one clock, CLOCK_MONOTONIC."


def _figures(trials: "pd.DataFrame") -> Iterator[str]:
    if capacity.searched(trials):
        return
    trials_of_each = int(trials.groupby("cell").size().max())
    if trials_of_each > 1:
        few = ", which of so few is their range" if trials_of_each <= RANGE_ONLY else ""
        yield (
            f"A figure is the median over a cell's trials, in brackets its 95 % bootstrap interval{few}. Ratios are "
            f"paired by round, with Student's interval. Trials that may not be believed are marked, and make no claim."
        )
