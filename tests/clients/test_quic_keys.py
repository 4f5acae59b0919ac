"""The keys of a connection of QUIC are logged where the TLS context says, and nowhere without that."""

import ssl
from pathlib import Path

import pytest

quic = pytest.importorskip("clients.quic", reason="aioquic is not installed: pip install 'pushbench[webtransport]'")


def test_keys_are_logged_where_the_context_says(tmp_path: Path) -> None:
    context = ssl.create_default_context()
    context.keylog_filename = str(tmp_path / "keys")
    log = quic._configuration("127.0.0.1", context).secrets_log_file
    log.write("CLIENT_TRAFFIC_SECRET_0 aa bb\n")
    log.flush()
    assert (tmp_path / "keys").read_text().endswith("CLIENT_TRAFFIC_SECRET_0 aa bb\n")


def test_keys_are_logged_nowhere_without_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSLKEYLOGFILE", raising=False)
    assert quic._configuration("127.0.0.1", ssl.create_default_context()).secrets_log_file is None
    assert quic._configuration("127.0.0.1", None).secrets_log_file is None
