"""`python -m pushbench.everything [NAME …]`: every scenario, one after the other; first it says how long that will take.

Each is run as by `pushbench run NAME`, in a process of its own. It ends with 0 if all could be made, whatever the verdicts.
"""

import subprocess
import sys

from pushbench.environment import CHECKOUT
from pushbench.interruption import Interrupted, listen
from pushbench.order import to_come
from pushbench.progress import OVERHEAD_S
from pushbench.scenario import SCENARIOS, Scenario, ScenarioError, find, load

DOUBTED = 1
"""The exit code of a run that was made, and of which some trial is not to be believed."""
ENDED = 128
"""Exit codes above that are those of a signal."""


def estimate_s(scenario: Scenario) -> float:
    """About how long a scenario takes; of a search, as many steps as it usually needs."""
    return sum(planned_s + OVERHEAD_S for planned_s in to_come(scenario, []))


def chosen(names: list[str]) -> list[Scenario]:
    """These scenarios, or all; the shortest first. Raises ScenarioError for one that there is not."""
    found = [load(find(name)) for name in names or [path.stem for path in SCENARIOS.glob("*.toml")]]
    return sorted(found, key=estimate_s)


def main(names: list[str]) -> int:
    """Tell the plan, then follow it; the exit code."""
    try:
        scenarios = chosen(names)
    except ScenarioError as error:
        print(f"pushbench: {error}", file=sys.stderr)
        return 2
    for scenario in scenarios:
        print(f"{_minutes(estimate_s(scenario))}  {len(to_come(scenario, [])):4} trials  {scenario.name}: {scenario.title}")
    print(
        f"{_minutes(sum(map(estimate_s, scenarios)))} in all, on a machine that should have nothing else to do", flush=True
    )
    failed: dict[str, int] = {}
    for one in scenarios:
        code = _run(one.name)
        if code < 0 or code > ENDED:  # it was told to end, and so are the others
            return code if code > 0 else ENDED - code
        if code not in (0, DOUBTED):
            print(f"{one.name} could not be made: exit code {code}", file=sys.stderr)
            failed[one.name] = code
    return max(failed.values(), default=0)


def _run(name: str) -> int:
    """Run a scenario; its exit code. Who tells this process to end tells that one too, and waits for what it shows then."""
    run = subprocess.Popen([sys.executable, "-m", "pushbench", "run", name], cwd=CHECKOUT)
    try:
        return run.wait()
    except Interrupted as told:
        run.terminate()  # after a Ctrl-C it knows already, and this changes nothing
        run.wait()
        return told.exit_code


def _minutes(seconds: float) -> str:
    return f"{seconds // 3600:2.0f} h {seconds % 3600 / 60:2.0f} min"


if __name__ == "__main__":
    listen()
    try:
        raise SystemExit(main(sys.argv[1:]))
    except Interrupted as told:
        raise SystemExit(told.exit_code) from None
