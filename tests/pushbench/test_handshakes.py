"""Handshakes, with a real server: full ones, resumed ones, and one whose certificate is not believed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pushbench import certificates, handshakes
from pushbench.certificates import Certificates
from pushbench.handshakes import COUNT, HandshakeFailed, columns
from pushbench.reach import Reach
from tests.serving import Server, serving

LARGEST_RECORD = 16_384 + 256


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates.made(tmp_path_factory.mktemp("certificates"), ["push.example"])


@pytest.fixture(scope="module")
def server(made: Certificates) -> Iterator[Server]:
    with serving(tls_certificate=made.certificate, tls_key=made.key) as running:
        yield running


def test_both_kinds_are_measured_and_what_was_agreed_on_is_told(server: Server, made: Certificates) -> None:
    asked = 0

    def cpu_ns() -> int:
        nonlocal asked
        asked += 1
        return asked * COUNT * 1_000_000

    found = columns(("127.0.0.1", server.port), "/status", Reach(tls=True, authority=made.authority), cpu_ns)
    assert found["tls_version"] == "TLSv1.3"
    assert str(found["tls_cipher"]).startswith("TLS_")
    assert 1000 < float(found["tls_full_bytes"] or 0) < LARGEST_RECORD
    assert 0 < float(found["tls_resumed_bytes"] or 0) < float(found["tls_full_bytes"] or 0)  # no certificate comes again
    assert min(float(found[f"tls_{kind}_ms"] or 0) for kind in ("full", "resumed")) > 0
    assert found["server_cpu_us_per_full_handshake"] == found["server_cpu_us_per_resumed_handshake"] == 1000


def test_without_a_process_to_look_at_there_is_no_cpu(server: Server, made: Certificates) -> None:
    found = columns(("127.0.0.1", server.port), "/status", Reach(tls=True, authority=made.authority), None)
    assert found["server_cpu_us_per_full_handshake"] is None
    assert found["tls_full_ms"]


def test_a_certificate_of_another_authority_is_refused(server: Server, tmp_path: Path) -> None:
    other = certificates.made(tmp_path)
    with pytest.raises(HandshakeFailed, match="certificate verify failed"):
        columns(("127.0.0.1", server.port), "/status", Reach(tls=True, authority=other.authority), None)


def test_a_certificate_for_another_name_is_refused(server: Server, made: Certificates) -> None:
    reach = Reach(tls=True, authority=made.authority)
    with (
        serving(host="127.0.0.3", tls_certificate=made.certificate, tls_key=made.key) as elsewhere,
        pytest.raises(HandshakeFailed, match=r"certificate is not valid for '127.0.0.3'"),
    ):
        columns(("127.0.0.3", elsewhere.port), "/status", reach, None)


def test_a_token_is_in_no_text_of_a_reach() -> None:
    assert "secret" not in repr(replace(Reach(), token="secret"))
    assert Reach(token="secret").headers == {"Authorization": "Bearer secret"}
    assert Reach().headers == {}


def test_nothing_but_a_connection_over_tls_has_handshakes() -> None:
    assert handshakes.COUNT == COUNT
    assert Reach().context() is None
