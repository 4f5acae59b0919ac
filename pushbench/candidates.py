"""Which cells of a scenario can be tried here: those whose server is installed, claims the transport, and heeds the load.

What a server claims is its contract's business. It looks at this machine, and starts nothing.
"""

import subprocess
from typing import Any

from pushbench import browser, contract
from pushbench.contract import Known
from pushbench.scenario import Load, Scenario, ScenarioError
from pushbench.scenario_keys import BUILT_IN
from pushbench.target import filled
from pushbench.transports import ROWS

VERSION_S = 10.0
"""A program that does not say its version within that has none."""


def possible(scenario: Scenario) -> tuple[Scenario, tuple[str, ...]]:
    """The scenario with the cells that can be tried, and why the others cannot, a line for each reason.

    Raises ScenarioError if there are none, or a target cannot be had at all.
    """
    why = [_refusal(scenario, cell) for cell in scenario.cells]
    if not any(why):
        return scenario, ()
    reasons = list(dict.fromkeys(filter(None, why)))
    kept = [number for number, reason in enumerate(why) if not reason]
    if not kept:
        first = why.index(reasons[0])
        more = f" (and {len(reasons) - 1} more reasons)" if len(reasons) > 1 else ""
        raise scenario.refusal(scenario.cells[first], "target", f"{reasons[0]}{more}")
    lines = (f"skipped, {why.count(reason)} of {len(why)} cells: {reason}" for reason in reasons)
    return scenario.only(kept), tuple(lines)


def _refusal(scenario: Scenario, cell: Load) -> str:
    if cell.client == "browser" and (why := browser.missing()):
        return why
    try:
        known = contract.of(cell)
    except ScenarioError as error:
        raise scenario.refusal(cell, "target", str(error)) from None
    return known.refusal(cell) if known else ""


def compared(scenario: Scenario) -> dict[str, Known]:
    """The servers of a scenario's cells, by name; empty if they are the suite's own and floors alone."""
    found = {cell.target: contract.known(cell.target) for cell in scenario.cells if ROWS[cell.transport].heeds("target")}
    return {} if found.keys() <= {BUILT_IN} else found


def described(scenario: Scenario, skipped: tuple[str, ...]) -> dict[str, Any]:
    """What a run has to remember of its targets: their contracts, their versions, and what was skipped."""
    targets = compared(scenario)
    return {
        "contracts": {name: known.text for name, known in targets.items()},
        "versions": {name: said for name, known in targets.items() if (said := version(known))},
        "skipped": list(skipped),
    }


def version(known: Known) -> str:
    """What the server says of its version; empty if its contract names no command for that, or it says nothing."""
    command = [filled(word, {"here": str(known.here)}) for word in known.contract.version]
    if not command:
        return ""
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=VERSION_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return " ".join((said.stdout or said.stderr).split())
