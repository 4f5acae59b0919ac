"""Trials on a line of packets: what is lost is sent again where the transport says so, and else is no fault."""

from collections.abc import Iterator

import pytest

from pushbench import namespace
from pushbench.certificates import Certificates, made
from pushbench.checks import Verdict
from pushbench.outcome import Outcome
from pushbench.transports import TRANSPORTS
from pushbench.trial import attempt
from tests.pushbench.tiny import Phased, good_server, load, mostly_slow, trial

pytestmark = pytest.mark.skipif(bool(namespace.unusable()), reason=namespace.unusable() or "it can be had")
QUIC = [name for name, row in TRANSPORTS.items() if row.quic]


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return made(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def apart() -> Iterator[None]:
    with namespace.entered():
        yield


async def tried(transport: str, certified: Certificates, **keys: object) -> Outcome:
    cell = load(transport, tls=True, line="packets", subscribers=10, **keys)
    return await attempt(trial(cell, good_server(cell).over_tls(certified)), Phased())


@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize("transport", mostly_slow(["polling", "websocket", *QUIC]))
async def test_nothing_arrives_sooner_than_the_line_lets_it_and_nothing_is_lost(
    transport: str, certified: Certificates
) -> None:
    columns = (await tried(transport, certified, rtt_ms=40.0)).columns
    assert (columns["lost"], columns["duplicated"]) == (0, 0)
    assert columns["latency_p50_ms"] >= 20
    assert columns["relay_packets"] > 0
    assert columns["relay_packets_lost"] == 0


@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize(
    "transport", mostly_slow(["websocket", "webtransport", "webtransport_streams"], quick=["webtransport_streams"])
)
async def test_what_the_line_loses_is_sent_again(transport: str, certified: Certificates) -> None:
    # Where the same is lost again and again the waits double, and no drain is long enough: so lose little of much.
    columns = (await tried(transport, certified, rtt_ms=4.0, loss_percent=2.0, rate_hz=100.0)).columns
    assert columns["relay_packets_lost"] > 0
    assert (columns["lost"], columns["duplicated"]) == (0, 0)
    assert columns["reordered"] == 0 or not TRANSPORTS[transport].ordered


@pytest.mark.slow
@pytest.mark.usefixtures("apart")
async def test_what_is_lost_of_datagrams_stays_lost_and_is_no_verdict(certified: Certificates) -> None:
    outcome = await tried("webtransport_datagrams", certified, rtt_ms=4.0, loss_percent=5.0, rate_hz=100.0)
    expected = outcome.columns["expected"]
    assert 0 < outcome.columns["lost"] < 0.05 * expected + 6 * (0.05 * 0.95 * expected) ** 0.5
    assert outcome.columns["duplicated"] == 0
    assert outcome.judgement.verdict != Verdict.LOSSY


@pytest.mark.usefixtures("apart")
async def test_a_line_is_there_for_subscribers_in_several_processes_too(certified: Certificates) -> None:
    columns = (await tried("websocket", certified, rtt_ms=4.0, swarms=2)).columns
    assert columns["swarm_processes"] == 2
    assert columns["delivered"] == columns["expected"] > 0
    assert columns["relay_packets_dropped"] == 0
