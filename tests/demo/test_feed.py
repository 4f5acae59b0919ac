"""The feed, against servers: it waits for one, numbers are the same on all, and one that lacks some gets them."""

import json
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing

import pytest

from pushbench import message
from pushbench.demo.feed import Feed
from pushbench.turns import Turns
from tests.serving import Server, serving

WAIT_S = 20


def told(server: Server, path: str, data: bytes | None = None) -> bytes:
    with urllib.request.urlopen(server.url(path), data, timeout=WAIT_S) as answer:
        body: bytes = answer.read()
        return body


def last_id(server: Server) -> int:
    number: int = json.loads(told(server, "/status"))["last_id"]
    return number


def turn_until(turns: Turns, true: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < give_up_s
        turns.at(time.monotonic_ns() + 1_000_000, lambda: None)  # so that a turn ends
        turns.turn()


@pytest.mark.parametrize("payload_bytes", [message.MIN_BYTES, 150, 16_384])
def test_messages_are_of_the_size_that_is_set_and_numbered_from_0(payload_bytes: int) -> None:
    with closing(Turns()) as turns, serving() as server:
        feed = Feed(turns, 200, payload_bytes)
        feed.do({"servers": [["127.0.0.1", server.port, ""]]})
        turn_until(turns, lambda: last_id(server) >= 5)
        feed.leave()
        lines = told(server, "/polling?after=0").splitlines()
    assert [message.decode(line).seq for line in lines] == list(range(len(lines)))
    assert {len(line) for line in lines} == {payload_bytes}


def test_without_a_server_it_waits_and_says_so() -> None:
    with closing(Turns()) as turns:
        feed = Feed(turns, 200, 150)
        assert feed.do({})["waits"]
        assert feed.do({"servers": []})["count"] == 0


def test_a_server_that_comes_later_gets_what_it_lacks_and_then_the_same_as_the_other() -> None:
    with closing(Turns()) as turns, serving() as first, serving() as second:
        feed = Feed(turns, 200, 150)
        at = [["127.0.0.1", server.port, ""] for server in (first, second)]
        feed.do({"servers": at[:1]})
        turn_until(turns, lambda: last_id(first) >= 5)
        feed.do({"servers": at})
        turn_until(turns, lambda: last_id(second) >= 10)
        feed.leave()
        both = [told(server, "/polling?after=0").splitlines() for server in (first, second)]
    most = min(map(len, both))
    assert both[0][:most] == both[1][:most]
    assert most >= 10


def test_it_goes_on_by_itself_when_a_server_does_not_answer_at_first() -> None:
    with closing(Turns()) as turns:
        feed = Feed(turns, 200, 150)
        with serving() as gone:
            port = gone.port
        feed.do({"servers": [["127.0.0.1", port, ""]]})
        turn_until(turns, lambda: bool(turns._due))
        assert feed.do({})["waits"]
        with serving(port=port) as server:  # the later flag counts
            turn_until(turns, lambda: last_id(server) >= 3)
            assert not feed.do({})["waits"]
            feed.leave()


def test_a_rate_that_is_changed_while_a_server_is_lost_does_not_stop_it() -> None:
    with closing(Turns()) as turns:
        feed = Feed(turns, 20, 150)
        with serving() as server:
            port = server.port
            feed.do({"servers": [["127.0.0.1", port, ""]]})
            turn_until(turns, lambda: last_id(server) >= 3)
        turn_until(turns, lambda: bool(feed.do({})["waits"]))
        assert feed.do({"rate_hz": 10})["waits"]
        with serving(port=port) as server:
            turn_until(turns, lambda: last_id(server) >= 6)
            feed.leave()


def test_a_server_that_lacks_more_than_is_kept_is_left_out_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pushbench.demo.feed.KEPT", 2)
    with closing(Turns()) as turns, serving() as first, serving() as second:
        feed = Feed(turns, 200, 150)
        at = [["127.0.0.1", server.port, ""] for server in (first, second)]
        feed.do({"servers": at[:1]})
        turn_until(turns, lambda: last_id(first) >= 3)
        feed.do({"servers": at})
        turn_until(turns, lambda: bool(feed.do({})["left_out"]))
        count = feed.do({})["count"]
        turn_until(turns, lambda: last_id(first) > count)
        [said] = feed.do({})["left_out"]
        feed.leave()
        assert said.startswith(f"The server at 127.0.0.1:{second.port} lacks {count} messages, and the last 2 are kept")
        assert last_id(second) == 0
        assert [message.decode(line).seq for line in told(first, "/polling?after=0").splitlines()][:4] == [0, 1, 2, 3]


def test_what_is_kept_of_a_log_that_has_gone_on_without_the_feed_is_not_taken_for_its_end() -> None:
    with closing(Turns()) as turns, serving() as first, serving() as second:
        feed = Feed(turns, 200, 150)
        feed.do({"servers": [["127.0.0.1", second.port, ""]]})
        turn_until(turns, lambda: last_id(second) >= 3)
        feed.do({"servers": []})
        for _ in range(last_id(second) + 1):
            told(first, "/publish", data=b"of another")
        feed.do({"servers": [["127.0.0.1", server.port, ""] for server in (first, second)]})
        turn_until(turns, lambda: bool(feed.do({})["left_out"]))
        feed.leave()
        assert b"of another" not in told(second, "/polling?after=0")
