"""`python -m tests.proofs.comparing DIR`: does `compare` call what differs, and only that? Ten minutes, on a quiet machine.

It makes one scenario several times with the same code, and once with a server that is slowed by 30 %, and compares each of
the first with each, and with the slowed one. Exits 1 if more than 5 % of the cells of equal runs are called different, or
if the slowed server is not called worse.
"""

import argparse
import asyncio
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from pushbench import results
from pushbench.compare import compare
from pushbench.comparison import Call, Comparison
from pushbench.results import Run
from pushbench.run import execute, open_store, target_of
from pushbench.scenario import Load, loads
from pushbench.target import Target

TOML = """\
title = "Does compare call what differs, and only that?"
charts = ["overview"]
[grid]
transport = ["polling", "longpoll", "stream", "sse", "websocket"]
subscribers = [50, 300]
[load]
rate_hz = 20
poll_interval_ms = 200
[phases]
warmup_s = 0.5
measure_s = 2
[repeat]
trials = 3
"""
SLOWER_PERCENT = 30
FALSE_ALARMS = 0.05


def slowed(load: Load) -> Target | None:
    """The built-in server, slowed."""
    target = target_of(load)
    assert target
    python, _, module, *options = target.command
    assert module == "servers"
    return replace(target, command=(python, "-m", "tests.proofs.slowed", str(SLOWER_PERCENT), *options))


def made(directory: Path, slow: bool, trials: int) -> Run:
    """Make a run, or read it if it is there."""
    if not (directory / "run.json").exists():
        scenario = loads(TOML, "comparing.toml", (f"trials={trials}",))
        store = open_store(scenario, directory.parent, directory, resume=False)
        asyncio.run(execute(scenario, store, slowed if slow else target_of))
    return results.load(directory)


def worse(made: Comparison) -> list[str]:
    """What is called worse over all cells together."""
    return [f"{one.heading} {one.worse_by:+.0%}" for one in made.together if one.call == Call.WORSE]


def main() -> int:
    """Make the runs, compare and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.comparing", description=__doc__.partition("\n")[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--runs", type=int, default=4, help="of the server as it is")
    parser.add_argument("--trials", type=int, default=3, help="of each cell")
    asked = parser.parse_args()
    equal = [made(asked.directory / f"equal-{number}", False, asked.trials) for number in range(asked.runs)]
    slow = made(asked.directory / "slowed", True, asked.trials)

    cells = called = 0
    for one, other in combinations(equal, 2):
        found = compare(one, other)
        different = [cell.label for cell in found.cells if cell.differs]
        cells, called = cells + len(found.cells), called + len(different)
        print(f"{one.path.name} and {other.path.name}: {len(different)} of {len(found.cells)} cells differ {different}")
    print(f"{called} of {cells} cells of equal runs are called different")
    missed = 0
    for one in equal:
        found = compare(one, slow)
        cells_worse = sum(any(change.call == Call.WORSE for change in cell.changes) for cell in found.cells)
        missed += not worse(found)
        print(f"{one.path.name} and slowed: {cells_worse} of {len(found.cells)} cells worse; together {worse(found)}")
    return int(called > FALSE_ALARMS * cells or missed > 0)


if __name__ == "__main__":
    sys.exit(main())
