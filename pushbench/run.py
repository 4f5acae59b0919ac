"""A run: one execution of a scenario, trial by trial, each kept as soon as it is made.

It knows the order of the trials and where their results go; a trial's inside and the charts are not known here.
"""

import asyncio
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pushbench import backplane, candidates, certificates, conformance, contract, environment, namespace
from pushbench.certificates import Certificates
from pushbench.checks import Judgement, Verdict
from pushbench.clocks import below
from pushbench.conformance import SENTENCES, Finding, Result
from pushbench.objective import parse
from pushbench.order import Task, columns_needed, following, outcome_of, to_come
from pushbench.outcome import Outcome
from pushbench.placement import Placement
from pushbench.plans import Trial
from pushbench.progress import Progress
from pushbench.results import ResultsError, Store, read_manifest, runs
from pushbench.scenario import Load, Scenario, check_files
from pushbench.site import Site
from pushbench.target import Target, TargetFailed
from pushbench.transports import TRANSPORTS
from pushbench.trial import HERE, attempt

Targets = Callable[[Load], Target | None]
TOKEN = "PUSH_TOKEN"
"""The environment variable with the token that a server wants; the suite's own reads it too."""


def target_of(load: Load) -> Target | None:
    """What serves a cell; None if nothing does, and the swarm feeds itself. Raises ScenarioError if it cannot be had."""
    known = contract.of(load)
    return known.target(load) if known else None


def _check_certificates(scenario: Scenario) -> None:
    for cell in scenario.cells:
        if cell.tls and (why := certificates.missing()):
            raise scenario.refusal(cell, "tls", f"true cannot be: {why}")


def _check_backplane(scenario: Scenario) -> None:
    if why := backplane.missing():
        for cell in scenario.cells:
            if cell.server_workers > 1:
                raise scenario.refusal(cell, "server_workers", f"{cell.server_workers} cannot be: {why}")


def _check_line(scenario: Scenario, site: Site) -> None:
    for cell in scenario.cells:
        if cell.line == "packets":
            if why := "the swarms are on other hosts" if site.afar else namespace.unusable():
                raise scenario.refusal(cell, "line", f'"packets" cannot be: {why}')
            return


def open_store(scenario: Scenario, results: Path, out: Path | None, resume: bool, site: Site = HERE) -> Store:
    """A new run's store, or that of the run which is to be resumed.

    Without `out` a new run gets a directory below `results`, and the newest unfinished run of the scenario is resumed.
    Raises ResultsError, and ScenarioError if this process may not open as many files as the scenario needs, or has not what
    several processes of a server share.
    """
    scenario, skipped = candidates.possible(scenario)
    check_files(scenario, environment.raise_file_limit())
    _check_backplane(scenario)
    _check_certificates(scenario)
    _check_line(scenario, site)
    placement = environment.placed()
    here = {
        "scenario": {"name": scenario.name, "source": scenario.source, "overrides": list(scenario.overrides)},
        "environment": environment.describe(),
        "placement": {role: list(getattr(placement, role)) for role in _roles(scenario)},
        "cluster": dict(site.described),
        "targets": candidates.described(scenario, skipped),
    }
    if resume:
        directory = out or _unfinished(scenario, here["scenario"], results)
        store = Store.reopen(directory)
        for part, now in here.items():
            before = store.manifest.get(part, {})
            if changed := sorted(key for key in now | before if now.get(key) != before.get(key)):
                raise ResultsError(
                    f"{directory} cannot be resumed: its {part} differs in {', '.join(changed)}, "
                    f"and one run must not mix them; start a new run"
                )
        return store
    began = datetime.now(UTC)
    directory = out or results / f"{scenario.name}-{began:%Y%m%d-%H%M%S}"
    manifest = {
        "title": scenario.title,
        "description": scenario.description.strip(),
        "charts": list(scenario.charts),
        **here,
        "at_start": environment.describe_moment(),
        "command": ["pushbench", *sys.argv[1:]],
        "started_at": began.isoformat(timespec="seconds"),
        "finished_at": None,
    }
    return Store.create(directory, manifest)


def _roles(scenario: Scenario) -> tuple[str, ...]:
    """Whose cores are to be known."""
    return ("server", "swarm", "publisher", *(("relay",) if any(cell.relayed for cell in scenario.cells) else ()))


def _unfinished(scenario: Scenario, same: Mapping[str, Any], results: Path) -> Path:
    """The newest run of this scenario that was cut off: one with the same text and overrides, if there is any."""
    found = []
    for directory in reversed(runs(results)):
        try:
            manifest = read_manifest(directory)
        except ResultsError:
            continue  # it is broken or of another version, and not the one to go on with
        if manifest["scenario"]["name"] == scenario.name and manifest["finished_at"] is None:
            if manifest["scenario"] == same:
                return directory
            found.append(directory)
    if not found:
        raise ResultsError(f"no unfinished run of {scenario.name} is in {results}: start one without --resume")
    return found[0]


async def execute(scenario: Scenario, store: Store, targets: Targets = target_of, site: Site = HERE) -> None:
    """Make every trial that the store does not have yet, with its swarms there. Raises SiteError if they cannot be made.

    Cells that cannot be tried here are left out.
    """
    scenario, _ = candidates.possible(scenario)
    by_packets = any(cell.line == "packets" for cell in scenario.cells)
    with namespace.entered() if by_packets else nullcontext():
        await _execute(scenario, store, targets, site)


async def _execute(scenario: Scenario, store: Store, targets: Targets, site: Site) -> None:
    cores = sorted(os.sched_getaffinity(0))
    placement = environment.placed()
    columns, made = columns_needed(scenario), 0
    secured = Secured(site.host)
    os.sched_setaffinity(0, placement.publisher)  # what this process draws must not disturb the server
    try:
        conforms = await _conformance(scenario, store, placement, secured)
        with Progress(to_come(scenario, store.rows(columns))) as progress:
            while task := following(scenario, store.rows(columns)):
                if scenario.search:
                    progress.expect(to_come(scenario, store.rows(columns)))
                cell, trial, load = task.cell, task.trial, task.load
                progress.trial(task.label)
                started_at = datetime.now(UTC).isoformat(timespec="seconds")
                seed = hash((scenario.repeat.seed, cell, trial))
                target = secured(targets(load), load)
                made_of = Trial(load, scenario.phases, target, placement.serving(load.server_workers), seed)
                outcome = _held_to(conforms, load, await attempt(made_of, progress, site))
                site.ensure()  # else it failed because of that, and is to be made again
                searched, said = _searched(scenario, task, outcome)
                await asyncio.sleep(0)  # whoever told the load processes to end has told this one too: no failure is kept
                store.add(
                    {
                        "cell": cell,
                        "trial": trial,
                        "order": task.order,
                        "started_at": started_at,
                        **load.model_dump(),
                        "measure_s": scenario.phases.measure_s,
                        "verdict": outcome.judgement.verdict,
                        "reason": outcome.judgement.reason,
                        "evidence": outcome.judgement.evidence,
                        "hint": outcome.judgement.hint,
                        **searched,
                        **outcome.columns,
                    },
                    latency=outcome.latency,
                    timeline=outcome.timeline,
                    memory=outcome.memory,
                )
                progress.done(outcome.judgement.verdict, said + _in_short(outcome))
                made += 1
    finally:
        os.sched_setaffinity(0, cores)
        secured.close()
    if made or not store.manifest["finished_at"]:
        store.finish(datetime.now(UTC).isoformat(timespec="seconds"))


class Secured:
    """What all targets of a run have in common: the token of the environment, and certificates once they are needed."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._token = os.environ.get(TOKEN, "")
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._certificates: Certificates | None = None

    def __call__(self, target: Target | None, load: Load) -> Target | None:
        """The target of a cell, with both as far as they are wanted."""
        if target is None:
            return None
        if self._token:
            target = replace(target, reach=replace(target.reach, token=self._token))
        if load.tls and not target.url:
            if self._certificates is None:
                self._directory = tempfile.TemporaryDirectory(prefix="pushbench-")
                self._certificates = certificates.made(Path(self._directory.name), [self._host])
            target = target.over_tls(self._certificates)
        return target

    def close(self) -> None:
        """Forget the certificates."""
        if self._directory:
            self._directory.cleanup()


async def _conformance(scenario: Scenario, store: Store, placement: Placement, secured: Secured) -> dict[str, list[Result]]:
    """Whether the servers keep what they claim on the transports that are asked for; it is kept with the run.

    If the suite's own is there alone nobody looks: its tests do. Of one that cannot be started nothing is known: its trials
    will say why.
    """
    known = store.manifest.setdefault("conformance", {})
    targets = candidates.compared(scenario)
    for name, target in targets.items() if len(to_come(scenario, store.rows(columns_needed(scenario)))) else ():
        asked = {cell.transport for cell in scenario.cells if cell.target == name} & TRANSPORTS.keys()
        if name in known or not asked:
            continue
        with suppress(TargetFailed):
            results = await conformance.examined(target, placement.server, only=asked, long=False, secured=secured)
            known[name] = conformance.plain_values(results)
            store.note()
            for one in results:
                if one.finding is Finding.FAILS:
                    print(f"nonconforming: {name}, {one.transport}: {SENTENCES[one.check]}: {one.why}", file=sys.stderr)
    return {name: conformance.from_plain_values(values) for name, values in known.items()}


def _held_to(conforms: Mapping[str, Sequence[Result]], load: Load, outcome: Outcome) -> Outcome:
    """The outcome, of which nothing is believed if the server does not keep on that transport what it claims."""
    failing = [
        one
        for one in conforms.get(load.target, ())
        if one.finding is Finding.FAILS and one.transport == load.transport and outcome.judgement.verdict.believable
    ]
    if not failing:
        return outcome
    reason = f"{load.target} does not do on {load.transport} what its contract claims: {SENTENCES[failing[0].check]}"
    evidence = "; ".join(f"{one.check}: {one.why}" for one in failing)
    hint = f"mend the server, or claim less (pushbench conform {load.target})"
    return replace(outcome, judgement=Judgement(Verdict.NONCONFORMING, reason, evidence, hint))


def left(scenario: Scenario, store: Store) -> int:
    """How many trials are still to come; where something is searched, about."""
    scenario, _ = candidates.possible(scenario)
    return len(to_come(scenario, store.rows(columns_needed(scenario))))


def give_up() -> None:
    """End the load processes of the trial that is being made, when nobody waits for it any more.

    To be asked would take them longer: a publisher listens again when it has published everything.
    """
    for process in multiprocessing.active_children():
        process.kill()


def _searched(scenario: Scenario, task: Task, outcome: Outcome) -> tuple[dict[str, Any], str]:
    """What a trial means for the search that it is a step of, as columns and in words; nothing if it is of none."""
    if not scenario.search:
        return {}, ""
    objective = parse(scenario.search.objective)
    side, said = outcome_of(objective, outcome.judgement.verdict, outcome.columns, by_target=outcome.by_target)
    return {**task.columns, "outcome": side.value}, f", {said}"


def _in_short(outcome: Outcome) -> str:
    columns = outcome.columns
    parts = []
    if columns.get("deliveries_per_s"):
        unsure_ms = columns.get("clock_uncertainty_ms") or 0.0
        p50, p99 = (below(unsure_ms, ms, f"{ms:,.1f}") for ms in (columns["latency_p50_ms"], columns["latency_p99_ms"]))
        parts.append(f"p50 {p50} ms, p99 {p99} ms")
        parts.append(f"{columns['deliveries_per_s']:,.0f} deliveries/s")
    if "server_user_bytes_per_connection" in columns:
        parts.append(f"{columns['server_user_bytes_per_connection'] / 1024:.1f} KiB a connection")
    if outcome.judgement.reason:
        parts.append(outcome.judgement.said)
    return "".join(f", {part}" for part in parts)
