"""`python -m pushbench.everything [NAME …]`: every scenario, one after the other; first it says how long that will take.

Each is run as by `pushbench run NAME`, in a process of its own. It ends with 0 if all could be made, whatever the verdicts.
"""

import subprocess
import sys

from pushbench.environment import CHECKOUT
from pushbench.order import to_come
from pushbench.progress import OVERHEAD_S
from pushbench.scenario import SCENARIOS, Scenario, ScenarioError, find, load

DOUBTED = 1
"""The exit code of a run that was made, and of which some trial is not to be believed."""


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
    codes = {
        one.name: subprocess.run([sys.executable, "-m", "pushbench", "run", one.name], cwd=CHECKOUT) for one in scenarios
    }
    failed = {name: done.returncode for name, done in codes.items() if done.returncode not in (0, DOUBTED)}
    for name, code in failed.items():
        print(f"{name} could not be made: exit code {code}", file=sys.stderr)
    return max(failed.values(), default=0)


def _minutes(seconds: float) -> str:
    return f"{seconds // 3600:2.0f} h {seconds % 3600 / 60:2.0f} min"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
