"""Verdicts provoked: what goes wrong on purpose is called by its name, not taken for a fast or a slow server."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field, replace

import pytest

from pushbench.checks import SLIP_MS, SLIP_PART, Verdict
from pushbench.run import target_of
from pushbench.scenario import Phases
from pushbench.trial import attempt
from tests.pushbench.tiny import Phased, command_of, load, nothing_left_over, started_below, trial

pytestmark = pytest.mark.slow

PHASES = Phases(settle_s=0, warmup_s=0.2, measure_s=0.8, drain_s=3)


@dataclass(slots=True)
class Throttling(Phased):
    """A watch that gives one of the processes a part of its time only, from the warm-up to the end of the drain."""

    whom: str = "swarm"
    share: float = 1.0
    period_ms: float = 100.0
    throttles: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def phase(self, name: str, planned_s: float) -> None:
        Phased.phase(self, name, planned_s)
        if name == "warm up":
            commands = {one: command_of(one) for one in started_below(os.getpid())}
            found = {
                "swarm": [one for one, command in commands.items() if "spawn_main" in " ".join(command)],
                "server": [
                    one for one, command in commands.items() if command[1:3] in (["-m", "servers"], ["-m", "targets.tcp"])
                ],
            }
            choose = (
                min if self.whom == "swarm" else max
            )  # other tests may have servers of their own; the trial's is newest
            process = choose(found[self.whom], key=lambda one: one.create_time())
            arguments = (str(process.pid), str(self.share), str(self.period_ms))
            self.throttles.append(subprocess.Popen([sys.executable, "-m", "tests.pushbench.throttle", *arguments]))
        if name == "disconnect":
            for one in self.throttles:
                one.send_signal(signal.SIGTERM)
                one.wait()


@pytest.mark.parametrize("period_ms", [100.0, 30.0])
async def test_a_swarm_that_gets_a_tenth_of_its_time_is_called_client_bound(period_ms: float) -> None:
    cell = load("websocket", subscribers=20, rate_hz=20.0)
    with nothing_left_over():
        outcome = await attempt(trial(cell, phases=PHASES), Throttling(share=0.1, period_ms=period_ms))
    judgement = outcome.judgement
    assert "swarm_held_p99_ms" in judgement.evidence, judgement.said
    assert outcome.columns["swarm_cpu_percent"] < 50  # by that alone it would pass as idle
    # On a busy machine the publisher may have been late too, which comes first.
    late = outcome.columns["publisher_slip_p99_ms"] > max(SLIP_MS, SLIP_PART * outcome.columns["latency_p99_ms"])
    assert judgement.verdict == (Verdict.PUBLISHER_LATE if late else Verdict.CLIENT_BOUND), judgement.said


@pytest.mark.parametrize("transport", ["sse", "tcp"])
async def test_a_server_that_is_stopped_again_and_again_is_not_taken_for_a_slow_one(transport: str) -> None:
    cell = load(transport, subscribers=20, rate_hz=20.0)
    with nothing_left_over():
        outcome = await attempt(trial(cell, target_of(cell), PHASES), Throttling(whom="server", share=0.5))
    assert "server_stopped_percent" in outcome.judgement.evidence, outcome.judgement.said
    assert not outcome.judgement.verdict.believable


async def test_a_publisher_that_is_asked_for_an_impossible_rate_is_called_late() -> None:
    cell = load("websocket", subscribers=1, rate_hz=100_000.0, publish_via="post")
    phases = Phases(settle_s=0, warmup_s=0.1, measure_s=1, drain_s=0.5)
    with nothing_left_over():
        outcome = await attempt(trial(cell, target_of(cell), phases), Phased())
    assert outcome.judgement.verdict == Verdict.PUBLISHER_LATE, outcome.judgement.said
    assert "lower rate_hz" in outcome.judgement.hint
    assert "messages were not published in time" in outcome.judgement.evidence
    assert outcome.columns["lost"] == 0  # what was not published is not lost


async def test_a_server_that_gives_up_in_the_middle_is_called_failed_with_its_last_words() -> None:
    cell = load("stream", payload_bytes=200)
    strict = target_of(cell)
    assert strict
    outcome = await attempt(trial(cell, replace(strict, command=(*strict.command, "--log-bytes=10"))), Phased())
    assert outcome.judgement.verdict == Verdict.FAILED
    assert "log_bytes is 10" in outcome.judgement.reason
