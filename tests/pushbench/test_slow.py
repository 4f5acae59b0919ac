"""Slow readers: messages are found wherever the bytes are cut, and the server's last word is."""

import pytest
from hypothesis import given, strategies as st

from pushbench import message
from pushbench.harm import bystanders
from pushbench.slow import Reading, Slow

FEED = b"".join(b"id: %d\r\ndata: %b\r\n\r\n" % (seq + 1, message.encode(seq, 1, 2, 100)) for seq in range(6))


@given(st.lists(st.integers(1, len(FEED) - 1), unique=True).map(sorted))
def test_every_message_is_found_once_wherever_the_bytes_are_cut(cuts: list[int]) -> None:
    reading = Reading()
    for begin, end in zip([0, *cuts], [*cuts, len(FEED)], strict=True):
        reading.take([FEED[begin:end]])
    assert reading.seqs == set(range(6))


@pytest.mark.parametrize(
    ("read", "error", "reason"),
    [
        (b"\0cursor_too_old: message 4 is no longer kept\n", EOFError("ended"), "cursor_too_old"),
        (b"event: cursor_too_old\r\ndata: x\r\n\r\n", EOFError("ended"), "cursor_too_old"),
        (b"", ValueError("cursor_too_old"), "cursor_too_old"),
        (FEED, ConnectionResetError("cut"), "ConnectionResetError: cut"),
    ],
)
def test_why_one_ended_is_the_servers_last_word_or_the_lines(read: bytes, error: Exception, reason: str) -> None:
    reading = Reading()
    reading.take([read])
    assert reading.reason(error) == reason


def test_what_is_told_of_them_is_apart_from_the_ledger() -> None:
    assert Slow(2, 30, {"cursor_too_old": 1, "cut": 1}).columns(40) == {
        "slow_delivered": 30,
        "slow_lost": 50,
        "slow_ended": 2,
        "slow_ended_by": "1 × cursor_too_old; 1 × cut",
    }
    assert set(Slow().columns(40).values()) == {None}


def row(transport: str, percent: float, p99_ms: float | None, **changes: object) -> dict[str, object]:
    return {
        "transport": transport,
        "slow_percent": percent,
        "slow_bytes_per_s": 0,
        "latency_p99_ms": p99_ms,
        "server_cpu_percent": 20.0,
        "verdict": "ok",
        "reason": "",
    } | changes


WITHOUT = [row(name, 0.0, 10.0) for name in ("stream", "sse")]


def test_it_is_told_where_slow_readers_harm_nobody() -> None:
    [said] = bystanders([*WITHOUT, row("stream", 1.0, 19.0), row("sse", 1.0, 9.0)])
    assert said == "Slow readers: the others' p99 stays within 2 times of that without them on stream, sse."


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "no core was full: the server waits for slow readers before it serves the others."),
        ({"server_cpu_percent": 99.0}, "the server's core was full, and those that read slowly take part of it."),
        ({"verdict": "client_bound", "reason": "a busy machine"}, "but 1 of 1 trials are in doubt (a busy machine)."),
    ],
)
def test_where_they_harm_the_others_it_is_told_by_how_much_and_why(changes: dict[str, object], reason: str) -> None:
    [good, bad] = bystanders([*WITHOUT, row("stream", 1.0, 35.0, **changes), row("sse", 1.0, 9.0)])
    assert good.endswith("on sse.")
    assert bad.startswith(
        "stream: with 1 % of the readers at 0 bytes/s the others' p99 is 35.0 ms instead of 10.0, 3.5 times; "
    )
    assert bad.endswith(reason)


def test_each_load_is_held_against_its_own_and_what_is_in_doubt_counts_only_alone() -> None:
    many = [row("sse", 0.0, 100.0, subscribers=1000), row("sse", 1.0, 150.0, subscribers=1000)]
    few = [row("sse", 0.0, 10.0, subscribers=10), row("sse", 1.0, 12.0, subscribers=10)]
    doubted = row("sse", 1.0, 9000.0, subscribers=10, verdict="client_bound")
    assert len(bystanders([*many, *few, doubted])) == 1
    [harmed] = bystanders([*many, row("sse", 0.0, 10.0, subscribers=10), row("sse", 1.0, 25.0, subscribers=10)])
    assert "25.0 ms instead of 10.0" in harmed


def test_nothing_is_told_without_something_to_compare() -> None:
    assert bystanders([row("stream", 1.0, 10.0), row("sse", 0.0, 1.0), row("sse", 1.0, None)]) == []
