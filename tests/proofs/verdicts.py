"""`python -m tests.proofs.verdicts`: provoke each verdict at a real load; exits 1 if one is not called by its name.

The same on a small scale is in tests/pushbench/test_provoked.py. Here a machine that is busy with other work spoils it.
"""

import asyncio
import os
import subprocess
import sys
from dataclasses import dataclass, field

from pushbench.checks import Verdict
from pushbench.outcome import Outcome
from pushbench.placement import place
from pushbench.plans import Trial
from pushbench.run import target_of
from pushbench.scenario import Load, Phases
from pushbench.trial import attempt
from tests.pushbench.tiny import command_of, started_below

PHASES = Phases(warmup_s=1, measure_s=3, drain_s=10)


@dataclass(slots=True)
class Quiet:
    """A watch that looks away."""

    throttles: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def phase(self, name: str, planned_s: float) -> None:
        """Nothing."""

    def live(self, deliveries_per_s: float, p99_ms: float | None) -> None:
        """Nothing."""


class Throttling(Quiet):
    """A watch that gives the swarm a tenth of its time while there is traffic."""

    def phase(self, name: str, planned_s: float) -> None:
        """Begin with the warm-up, end with the drain."""
        if name == "warm up":
            load_processes = [one for one in started_below(os.getpid()) if "spawn_main" in " ".join(command_of(one))]
            swarm = min(load_processes, key=lambda one: one.create_time())
            command = (sys.executable, "-m", "tests.pushbench.throttle", str(swarm.pid), "0.1", "100")
            self.throttles.append(subprocess.Popen(command))
        if name == "disconnect":
            for one in self.throttles:
                one.terminate()
                one.wait()


def load(transport: str, subscribers: int, rate_hz: float, publish_via: str = "websocket") -> Load:
    """A cell."""
    return Load.model_validate(
        {"transport": transport, "subscribers": subscribers, "rate_hz": rate_hz, "publish_via": publish_via}
    )


PROVOKED = (
    ("nothing amiss", load("websocket", 100, 10.0), Quiet, Verdict.OK),
    ("a swarm with a tenth of a core", load("websocket", 100, 10.0), Throttling, Verdict.CLIENT_BOUND),
    ("a swarm with a tenth of a core", load("sse", 500, 20.0), Throttling, Verdict.CLIENT_BOUND),
    ("a publisher asked for 20,000/s by POST", load("stream", 10, 20_000.0, "post"), Quiet, Verdict.PUBLISHER_LATE),
    ("a publisher asked for 100,000/s", load("websocket", 1, 100_000.0), Quiet, Verdict.PUBLISHER_LATE),
    ("a saturated server", load("longpoll", 1000, 10.0), Quiet, Verdict.SERVER_BOUND),
    ("a saturated server", load("sse", 300, 150.0), Quiet, Verdict.SERVER_BOUND),
)


def outcome_of(cell: Load, watch: Quiet) -> Outcome:
    """One trial."""
    placement = place(sorted(os.sched_getaffinity(0)))
    return asyncio.run(attempt(Trial(cell, PHASES, target_of(cell), placement, seed=1), watch))


def main() -> int:
    """Provoke and print."""
    wrong = 0
    for what, cell, watch, expected in PROVOKED:
        judgement = outcome_of(cell, watch()).judgement
        right = judgement.verdict == expected
        wrong += not right
        said = f"{cell.transport} {cell.subscribers} x {cell.rate_hz:g}/s, {what}: {judgement.verdict}"
        print(f"{'ok   ' if right else 'WRONG'} {said} {judgement.evidence}", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
