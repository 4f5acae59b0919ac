"""`python -m tests.proofs.cluster DIR`: does a cluster measure what this host measures? Six minutes, on a quiet machine.

It makes one scenario with two swarm processes of the run's own, and with two workers of a Dask scheduler on loopback; where
the kernel and the rights allow it also with a second worker that reads another clock, 100 seconds ahead (a time namespace).
Exits 1 if a ledger differs, or the intervals of a percentile do not overlap.
"""

import argparse
import asyncio
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pushbench import compare_text, results
from pushbench.cluster import connected
from pushbench.columns import LEDGER
from pushbench.compare import compare
from pushbench.results import Run
from pushbench.run import execute, open_store, target_of
from pushbench.scenario import loads
from pushbench.site import Here, Site
from pushbench.stats import median_interval
from pushbench.summary import said
from tests.pushbench.dask_cluster import dask

TOML = """\
title = "Does a cluster measure what this host measures?"
charts = ["overview"]
[grid]
transport = ["polling", "sse", "websocket"]
[load]
subscribers = 200
swarms = 2
rate_hz = 10
poll_interval_ms = 200
resume_percent = 10
[phases]
warmup_s = 0.5
measure_s = 3
[repeat]
trials = 6
"""
AHEAD_S = 100
ANOTHER_CLOCK = ("unshare", "--time", "--monotonic", str(AHEAD_S), "--fork", "--kill-child")
PERCENTILES = ("latency_p50_ms", "latency_p90_ms", "latency_p99_ms")
SHOWN = (*PERCENTILES, "age_mean_ms", "deliveries_per_s", "client_cpu_us_per_delivery", "swarm_cpu_percent")
CLOCKS = ("swarm_late_ms", "clock_offset_ms", "clock_uncertainty_ms")
SAME_LEDGER = [name for name in LEDGER if name != "coalesced"]
"""How many messages a poll finds is by chance: by the phases of the pollers, which are drawn anew for each process."""


def made(directory: Path, site: Site, trials: int) -> Run:
    """Make a run."""
    store = open_store(loads(TOML, "cluster.toml", (f"trials={trials}",)), directory.parent, directory, False, site)
    asyncio.run(execute(loads(TOML, "cluster.toml", (f"trials={trials}",)), store, target_of, site))
    return results.load(directory)


def made_on_dask(directory: Path, trials: int, before_worker: Mapping[int, Sequence[str]]) -> Run:
    """Make a run on two workers of Dask, of which some are started by another command."""
    with dask(2, before_worker) as there, connected(there.address, loads(TOML, "cluster.toml")) as site:
        return made(directory, site, trials)


def beside(runs: Mapping[str, Run]) -> int:
    """Print the same figures of all runs beside each other; returns how many differ that should not."""
    wrong = 0
    first = next(iter(runs.values()))
    for transport in first.trials["transport"].unique():
        cells = {name: run.trials[run.trials["transport"] == transport] for name, run in runs.items()}
        print(f"\n{transport:28}" + "".join(f"{name:>28}" for name in runs))
        for name in ("verdict", "swarm_processes", *LEDGER):
            row = [
                ", ".join(sorted({f"{value:,}" if name != "verdict" else value for value in cell[name]}))
                for cell in cells.values()
            ]
            differs = name in SAME_LEDGER and len(set(row)) > 1
            wrong += differs
            print(f"{name:28}" + "".join(f"{text:>28}" for text in row) + ("  DIFFERS" if differs else ""))
        for name in (*SHOWN, *CLOCKS):
            found = [median_interval(cell[name]) for cell in cells.values()]
            apart = name in PERCENTILES and max(one.low for one in found) > min(one.high for one in found)
            wrong += apart
            print(f"{name:28}" + "".join(f"{said(one):>28}" for one in found) + ("  APART" if apart else ""))
        for name, cell in cells.items():
            if (lost := (cell["delivered"] != cell["expected"]).sum()) or (cell["lost"] > 0).any():
                wrong += 1
                print(f"{name} has lost something in {lost} trials")
    return wrong


def told(one: Run, other: Run) -> None:
    """Print what `pushbench compare` says."""
    print(f"\npushbench compare {one.path.name} {other.path.name}")
    for line in compare_text.lines(found := compare(one, other), found.cells):
        print(f"  {line}")


def main() -> int:
    """Make the runs, and print them beside each other."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.cluster", description=__doc__.partition("\n")[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--trials", type=int, default=6, help="of each cell")
    asked = parser.parse_args()
    runs = {"here": made(asked.directory / "here", Here(), asked.trials)}
    runs["on Dask"] = made_on_dask(asked.directory / "dask", asked.trials, {})
    if subprocess.run([*ANOTHER_CLOCK, "true"], capture_output=True, check=False).returncode == 0:
        runs["another clock"] = made_on_dask(asked.directory / "clock", asked.trials, {1: ANOTHER_CLOCK})
    else:
        print("no run with another clock: it takes unshare --time, of util-linux, and the right to use it")
    wrong = beside(runs)
    for name in list(runs)[1:]:
        told(runs["here"], runs[name])
    print(f"\n{wrong or 'no'} figures differ that should not")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
