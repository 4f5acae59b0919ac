"""A page as the subscribers of a trial: it gets everything, its clock is right, and a browser's limits are its own."""

import shutil
from pathlib import Path

import pytest

from pushbench import browser
from pushbench.certificates import Certificates, made
from pushbench.checks import Verdict
from pushbench.outcome import Outcome
from pushbench.scenario import Phases
from pushbench.transports import TRANSPORTS
from pushbench.trial import attempt
from tests.pushbench.tiny import Phased, good_server, load, trial

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(browser.missing()), reason=browser.missing() or "it is there"),
]
IN_A_PAGE = [name for name, row in TRANSPORTS.items() if row.in_browser]
PHASES = Phases(settle_s=0, warmup_s=0.5, measure_s=1, drain_s=10)


async def tried(transport: str, certified: Certificates | None = None, **keys: object) -> Outcome:
    cell = load(transport, client="browser", tls=certified is not None, **keys)
    target = good_server(cell)
    return await attempt(trial(cell, target.over_tls(certified) if certified else target, PHASES), Phased())


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return made(tmp_path_factory.mktemp("certificates"))


@pytest.mark.parametrize("transport", IN_A_PAGE)
async def test_a_page_gets_every_message_once_in_order_and_not_before_it_was_sent(transport: str) -> None:
    outcome = await tried(transport, subscribers=3)
    assert outcome.judgement.verdict not in (Verdict.FAILED, Verdict.LOSSY), outcome.judgement.said
    columns = outcome.columns
    assert (columns["lost"], columns["duplicated"], columns["reordered"]) == (0, 0, 0)
    assert columns["delivered"] == columns["expected"] == 180
    assert 0 < columns["clock_uncertainty_ms"] < 5
    assert columns["naive_p50_ms"] > 0
    assert columns["client_cpu_us_per_delivery"] > 0
    assert columns["swarm_lag_p99_ms"] is not None
    assert columns["wire_down_bytes_per_delivery"] is None


@pytest.mark.parametrize("transport", ["sse", "websocket"])
async def test_the_line_of_a_relay_is_the_pages_too(transport: str) -> None:
    columns = (await tried(transport, subscribers=1, rtt_ms=80.0)).columns
    assert columns["lost"] == 0
    assert columns["naive_p50_ms"] >= 40


async def test_a_browser_opens_six_connections_to_a_server_and_the_seventh_stream_never_comes() -> None:
    outcome = await tried("sse", subscribers=7)
    assert outcome.judgement.verdict == Verdict.FAILED
    assert outcome.judgement.reason.startswith("6 of 7 subscribers connected: 1 × it was not connected within 5 s")
    assert (await tried("websocket", subscribers=7)).columns["lost"] == 0


async def test_over_http2_many_share_one_connection(certified: Certificates) -> None:
    outcome = await tried("sse", certified, subscribers=12, http="2", target="hypercorn")
    assert outcome.judgement.verdict not in (Verdict.FAILED, Verdict.LOSSY), outcome.judgement.said
    assert outcome.columns["lost"] == 0


async def test_over_tls_only_the_runs_own_certificate_is_believed(certified: Certificates, tmp_path: Path) -> None:
    assert (await tried("websocket", certified, subscribers=2)).columns["lost"] == 0
    other = made(tmp_path)
    cell = load("websocket", client="browser", tls=True, subscribers=2)
    wrong = Certificates(other.authority, certified.certificate, certified.key)
    outcome = await attempt(trial(cell, good_server(cell).over_tls(wrong), PHASES), Phased())
    assert outcome.judgement.verdict == Verdict.FAILED


def test_what_is_not_installed_is_said_with_the_way_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert browser.missing() == f'client = "browser" needs chromium: {browser.INSTALL}'
