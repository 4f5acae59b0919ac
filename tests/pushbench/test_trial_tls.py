"""A trial over TLS: everything arrives on every transport, what TLS adds is known, and a wrong certificate is refused."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from clients.ends import SubscriptionEnded
from pushbench import certificates
from pushbench.certificates import Certificates
from pushbench.checks import Verdict
from pushbench.reach import Reach
from pushbench.transports import OVER_TCP, TRANSPORTS, load_class
from pushbench.trial import attempt
from tests.pushbench.tiny import Phased, good_server, load, mostly_slow, trial
from tests.serving import serving_quic

QUIC = [name for name, row in TRANSPORTS.items() if row.quic]


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates.made(tmp_path_factory.mktemp("certificates"))


@pytest.mark.parametrize(
    "transport", mostly_slow((name for name, row in TRANSPORTS.items() if row.quic), quick=["webtransport"])
)
async def test_over_quic_everything_arrives_and_its_packets_are_counted(transport: str, certified: Certificates) -> None:
    cell = load(transport, tls=True, subscribers=10)
    columns = (await attempt(trial(cell, good_server(cell).over_tls(certified)), Phased())).columns
    assert (columns["lost"], columns["duplicated"]) == (0, 0)
    assert columns["delivered"] == columns["expected"] > 0
    # A message of 128 bytes is a packet; it has 28 bytes of heads below QUIC, whose own and whose tag are some 33 more.
    assert 128 + 28 + 20 < columns["wire_down_bytes_per_delivery"] < 128 + 28 + 100
    assert columns["wire_down_tcpip_bytes_per_delivery"] == pytest.approx(28, rel=0.2)
    assert columns["wire_down_payload_bytes_per_delivery"] is None
    assert columns["connect_down_bytes"] > 1000
    assert columns["server_cpu_us_per_connect"] > 0
    assert "tls_version" not in columns


@pytest.mark.parametrize("transport", mostly_slow(OVER_TCP))
async def test_over_tls_everything_arrives_and_what_was_agreed_on_and_what_it_adds_is_known(
    transport: str, certified: Certificates
) -> None:
    cell = load(transport, tls=True, subscribers=10)
    outcome = await attempt(trial(cell, good_server(cell).over_tls(certified)), Phased())
    columns = outcome.columns
    assert (columns["lost"], columns["duplicated"]) == (0, 0), outcome.judgement.said
    assert columns["delivered"] == columns["expected"] > 0
    assert columns["tls_version"] == "TLSv1.3"
    if columns["wire_down_tls_bytes_per_delivery"] is not None:  # a record has 22 bytes more, RFC 8446 section 5.2
        assert columns["wire_down_tls_bytes_per_delivery"] > 0
    assert columns["wire_split_error_percent"] is None


async def test_a_server_whose_certificate_is_not_believed_is_not_measured(certified: Certificates, tmp_path: Path) -> None:
    cell = load("websocket", tls=True)
    server, other = good_server(cell).over_tls(certified), certificates.made(tmp_path)
    doubted = replace(server, reach=replace(server.reach, authority=other.authority))
    outcome = await attempt(trial(cell, doubted), Phased())
    assert outcome.judgement.verdict == Verdict.FAILED
    assert "certificate verify failed" in outcome.judgement.reason


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_no_client_connects_to_a_server_whose_certificate_it_does_not_believe(
    transport: str, certified: Certificates, tmp_path: Path
) -> None:
    row, other = TRANSPORTS[transport], certificates.made(tmp_path)
    options: dict[str, Any] = {"interval_s": 1} if row.polls else {}
    refused = SubscriptionEnded if row.quic else aiohttp.ClientConnectorCertificateError
    with serving_quic(certified) as server:
        url = server.url(row.path)
        for authority, error in ((other.authority, refused), (certified.authority, None)):
            client = load_class(row.client)(url, tls=Reach(tls=True, authority=authority).context(), **options)
            with pytest.raises(error) if error else nullcontext():
                async with client:
                    pass
