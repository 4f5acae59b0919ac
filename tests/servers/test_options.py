"""What a server can be told, and what it refuses to be told."""

from dataclasses import fields
from typing import Any

import pytest

from servers.options import Options, without_password


def test_nothing_is_left_to_a_librarys_choice() -> None:
    assert "auto" not in [getattr(Options(), option.name) for option in fields(Options)]


@pytest.mark.parametrize("option", fields(Options), ids=lambda option: option.name)
def test_each_option_says_in_a_sentence_what_it_is(option: Any) -> None:
    assert option.metadata["help"].endswith(".")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"port": 65_536}, "port is 65536: it must be at most 65535"),
        ({"port": -1}, "port is -1: it must be at least 0"),
        ({"loop": "auto"}, "loop is 'auto': it must be one of asyncio, uvloop"),
        ({"heartbeat_s": -0.1}, "heartbeat_s is -0.1: it must be at least 0"),
        ({"heartbeat_s": float("nan")}, "heartbeat_s is nan: it must be at least 0"),
        ({"heartbeat_s": float("inf")}, "heartbeat_s is inf: it must be at most 86400"),
        ({"longpoll_timeout_s": 0.0}, "longpoll_timeout_s is 0.0: it must be at least 0.001"),
        ({"log_messages": 0}, "log_messages is 0: it must be at least 1"),
        ({"log_bytes": 99, "max_message_bytes": 100}, "log_bytes is 99: it must be at least max_message_bytes, 100"),
        ({"workers": 65}, "workers is 65: it must be at most 64"),
        ({"workers": 2}, "workers is 2 and redis is empty: several workers need a log that they share"),
        ({"redis": "redis://host:abc/0"}, "redis is redis://host:abc/0: it must be a URL such as redis://127.0.0.1:6379/0"),
        ({"redis": "redis://host/zero"}, "redis is redis://host/zero: it must be a URL"),
        ({"redis": "redis://:secret@host/0?db=1"}, "redis is redis://host/0: it must be a URL"),
        ({"redis": "redis://:secret@[host/0"}, r"redis is \[host/0: it must be a URL"),
        (
            {"redis": "redis://:secret@host", "journal": "file"},
            "redis is redis://host and journal is file: the log",
        ),
        ({"server": "granian", "keep_alive_s": 5}, "keep_alive_s is 5 and server is 'granian', which cannot be told that"),
        (
            {"webtransport": True},
            "webtransport is True and tls_certificate is empty: QUIC is always TLS, name a certificate",
        ),
        (
            {"webtransport": True, "tls_certificate": "c", "tls_key": "k", "server": "granian"},
            "webtransport is True, server is 'granian' and workers is 1: one process of uvicorn or hypercorn speaks it",
        ),
        (
            {"webtransport": True, "tls_certificate": "c", "tls_key": "k", "workers": 2, "redis": "redis://h"},
            "webtransport is True, server is 'uvicorn' and workers is 2",
        ),
        ({"redis": "localhost:6379"}, "which begins with one of redis, rediss, unix"),
    ],
)
def test_an_impossible_value_is_refused_with_its_bound(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Options(**options)


def test_bounds_themselves_are_possible() -> None:
    Options(port=0, heartbeat_s=0, log_messages=1, log_bytes=100, max_message_bytes=100)
    Options(port=65_535)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("rediss://user:secret@host:1/2?ssl_password=secret", "rediss://host:1/2"),
        ("unix:///run/redis.sock?db=1&password=secret", "unix:///run/redis.sock"),
    ],
)
def test_a_password_is_not_told(url: str, told: str) -> None:
    assert without_password(url) == told
