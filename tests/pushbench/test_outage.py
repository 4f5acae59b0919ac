"""An outage: the server is killed and comes back, nobody loses what its log still has, and what it has not is counted."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle

import pytest

from pushbench.checks import Verdict
from pushbench.scenario import Phases
from pushbench.transports import OVER_TCP
from pushbench.trial import attempt
from tests.pushbench.tiny import Phased, good_server, load, mostly_slow, nothing_left_over, shell, trial

PHASES = Phases(settle_s=0, warmup_s=0.1, measure_s=0.8, drain_s=20)
PUBLISHED_VIA = dict(zip(OVER_TCP, cycle(("websocket", "post")), strict=False))


@pytest.fixture(autouse=True)
def _tidy() -> Iterator[None]:
    with nothing_left_over():
        yield


@pytest.mark.parametrize("transport", mostly_slow(PUBLISHED_VIA))
async def test_a_server_that_is_killed_and_comes_back_with_its_log_costs_nobody_a_message(transport: str) -> None:
    way = PUBLISHED_VIA[transport]
    cell = load(transport, subscribers=10, server_down_ms=100, publish_via=way, reconnect_backoff_ms=50)
    outcome = await attempt(trial(cell, phases=PHASES), Phased())
    columns = outcome.columns
    assert outcome.judgement.verdict not in (Verdict.FAILED, Verdict.LOSSY), outcome.judgement.said
    assert columns["delivered"] == columns["expected"] == 10 * 36
    assert columns["lost"] == columns["duplicated"] == columns["reordered"] == 0
    assert columns["reconnects"] >= 10
    assert columns["server_away_ms"] >= 100
    assert columns["latency_max_ms"] >= 90  # what was due when it was killed
    assert 0 <= columns["recovered_90_percent_ms"] <= columns["recovered_all_ms"]
    assert columns["reconnect_p50_ms"] > 0
    assert columns["connect_peak_per_s"] >= 10
    assert columns["server_cpu_percent"] > 0


@pytest.mark.slow
async def test_what_its_log_has_no_more_is_lost_and_counted() -> None:
    # Their second attempt comes 0.9 s after the kill. By then the publisher has long sent all that was due meanwhile.
    cell = load("stream", rate_hz=100.0, server_down_ms=100, reconnect_backoff_ms=300, reconnect_jitter=False)
    own = good_server(cell)
    forgetful = replace(own, command=(*own.command, "--log-messages=10"))
    outcome = await attempt(trial(cell, forgetful, PHASES.model_copy(update={"measure_s": 1.6})), Phased())
    columns = outcome.columns
    assert f"lost {columns['lost']:,}" in outcome.judgement.evidence, outcome.judgement.said
    assert columns["lost"] > 0
    assert columns["lost"] + columns["delivered"] == columns["expected"] == 4 * 170
    assert columns["gaps"] >= 4
    assert columns["duplicated"] == 0
    assert columns["recovered_all_ms"] is None


async def test_a_server_that_does_not_come_back_fails_the_trial_with_its_own_words() -> None:
    cell = load("websocket", server_down_ms=50)
    own = good_server(cell)
    once = f'case "{{port}}" in 0) exec {" ".join(own.command)};; *) echo "I had enough"; exit 3;; esac'
    deaf = replace(shell(once, "once"), values=own.values)
    outcome = await attempt(trial(cell, deaf, PHASES), Phased())
    assert outcome.judgement.verdict == Verdict.FAILED
    assert "exit code 3" in outcome.judgement.reason
    assert "I had enough" in outcome.judgement.reason
