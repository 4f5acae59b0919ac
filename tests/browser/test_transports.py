"""The browser's side of the transports, against a server of the tests' own."""

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import WAIT_MS, Show, Shown
from tests.demo.demos import Demo
from tests.serving import Server, serving


@pytest.fixture
def plain(show: Show) -> Shown:
    """A page of the demo's origin with nothing on it."""
    return show("/page/icon.svg")


@pytest.fixture(scope="module")
def server(demo: Demo) -> Iterator[Server]:
    with serving(allow_origins=demo.url, sse_retry_ms=10) as started:
        for text in (b"first", b"second", b"third"):
            publish(started, text)
        yield started


def publish(server: Server, text: bytes) -> None:
    with urllib.request.urlopen(server.url("/publish"), text, timeout=WAIT_MS / 1000):
        pass


def begin(plain: Shown, server: Server, transport: str, after: int) -> None:
    """Have the page subscribe, and note what comes in `seen`."""
    plain.page.evaluate(
        """async ([transport, base, after]) => {
          const { TRANSPORTS } = await import("/page/transports.js");
          const seen = (globalThis.seen = { texts: [], ended: null });
          const onMessages = (texts) => seen.texts.push(...texts);
          seen.one = TRANSPORTS[transport](base, { after, onMessages, onEnd: (why) => (seen.ended = why) });
          seen.began = seen.one.cursor;
        }""",
        [transport, server.url(""), after],
    )


@pytest.mark.parametrize("transport", ["polling", "longpoll", "stream", "sse", "websocket"])
def test_a_new_subscription_resumes_behind_its_cursor(plain: Shown, server: Server, transport: str) -> None:
    begin(plain, server, transport, 1)
    plain.wait("() => seen.texts.length >= 2")
    assert plain.page.evaluate("() => [seen.began, seen.texts, seen.one.cursor]") == [1, ["second", "third"], 3]


def test_an_eventsource_that_is_refused_says_why(plain: Shown, server: Server) -> None:
    begin(plain, server, "sse", 99)
    plain.wait("() => seen.ended")
    assert plain.page.evaluate("() => seen.ended").startswith("answered 410: cursor_unknown")


def test_an_eventsource_that_comes_back_by_itself_goes_on_behind_its_last_event(
    plain: Shown, demo: Demo, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    with serving(allow_origins=demo.url, sse_retry_ms=10, journal=journal) as server:
        publish(server, b"first")
        begin(plain, server, "sse", 0)
        plain.wait("() => seen.texts.length === 1")
        port = server.port
    with serving(port=port, allow_origins=demo.url, sse_retry_ms=10, journal=journal) as server:
        publish(server, b"second")
        plain.wait("() => seen.texts.length >= 2")
        assert plain.page.evaluate("() => [seen.texts, seen.one.cursor]") == [["first", "second"], 2]
