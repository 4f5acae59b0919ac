"""The application: what it serves, how it refuses, and that it can be run alone, as a student would."""

import asyncio
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager

import aiohttp
import pytest
from starlette.routing import Route, WebSocketRoute

from clients.conditional import ConditionalRequests
from clients.subscription import Subscription
from clients.websocket import WebSocket
from pushbench.transports import OVER_TCP, TRANSPORTS
from servers.app import create_app
from servers.options import Options
from tests.conformance.conftest import client_of, subscriber
from tests.servers.conftest import Caller
from tests.serving import END_S, Server, ended

HELD = [row for row in OVER_TCP.values() if not row.polls]


def test_every_transport_of_the_table_is_served() -> None:
    paths = {route.path for route in create_app(Options()).routes if isinstance(route, Route | WebSocketRoute)}
    assert paths == {row.path for row in TRANSPORTS.values()} | {"/publish", "/echo", "/status"}


@pytest.mark.parametrize(
    ("path", "headers", "status", "refusal"),
    [
        ("/polling", {"if_none_match": '"x"'}, 400, "cursor_invalid"),
        ("/longpoll", {"if_none_match": '"999999999"'}, 410, "cursor_unknown"),
        ("/sse", {"last_event_id": ""}, 400, "cursor_invalid"),
        ("/sse_plain", {"last_event_id": "999999999"}, 410, "cursor_unknown"),
        ("/stream?after=", {}, 400, "cursor_invalid"),
        ("/stream?after=999999999", {}, 410, "cursor_unknown"),
    ],
)
async def test_a_refusal_is_one_line_that_is_named_in_body_and_header(
    ask: Caller, path: str, headers: dict[str, str], status: int, refusal: str
) -> None:
    async with ask.get(path, **headers) as response:
        said = await response.text()
        assert (response.status, response.headers["refusal"]) == (status, refusal)
        assert re.fullmatch(rf"{refusal}: .+\n", said)


async def test_a_refusal_leaves_no_reader_behind(ask_patiently: Caller) -> None:
    before = await ask_patiently.cursors()
    for row in HELD:
        async with ask_patiently.get(f"{row.path}?after=x", if_none_match="x", last_event_id="x"):
            pass
    assert await ask_patiently.cursors() == before


@pytest.mark.parametrize(
    "path", [row.path for row in HELD if not issubclass(client_of(row), ConditionalRequests | WebSocket)]
)
async def test_a_head_has_the_headers_and_leaves_the_connection_to_the_next_request(
    ask_patiently: Caller, path: str
) -> None:
    """Starlette answers HEAD by the endpoint of GET: of an endless response there would be no end to wait for."""
    last_id = await ask_patiently.publish(b"1")
    before = await ask_patiently.cursors()
    reader, writer = await asyncio.open_connection("127.0.0.1", ask_patiently.server.port)
    async with asyncio.timeout(20):
        for _ in range(2):
            writer.write(b"HEAD %b HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            assert b'etag: "%d"' % last_id in head
    assert await ask_patiently.cursors() == before
    writer.close()
    await writer.wait_closed()


@contextmanager
def run_by_hand() -> Iterator[Server]:
    """`uvicorn servers.app:app`, with uvicorn's own defaults but for the port; its log is merged into stdout."""
    command = [sys.executable, "-m", "uvicorn", "servers.app:app", "--port=0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with ended(process):
        assert process.stdout is not None
        for line in process.stdout:
            if running := re.search(r"running on http://127\.0\.0\.1:(\d+)", line):
                break
        assert running
        yield Server(process, int(running[1]))


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def number(request: pytest.FixtureRequest) -> signal.Signals:
    given: signal.Signals = request.param
    return given


@pytest.fixture
async def connected() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def test_run_by_hand_it_serves_and_stops_while_every_transport_is_open(
    number: signal.Signals, connected: AsyncExitStack, http: aiohttp.ClientSession
) -> None:
    with run_by_hand() as server:
        ask = Caller(server, http)
        got: list[bytes] = []
        all_have_it = asyncio.Event()

        async def receive(subscription: Subscription) -> None:
            def hand_over(messages: list[bytes]) -> None:
                got.extend(messages)
                if len(got) == len(HELD):
                    all_have_it.set()

            await subscription.receive(hand_over)

        subscriptions = [await connected.enter_async_context(subscriber(row, server)) for row in HELD]
        receiving = [asyncio.ensure_future(receive(each)) for each in subscriptions]
        await ask.publish(b"hello")
        async with asyncio.timeout(20):
            await all_have_it.wait()
            while await ask.cursors() < len(HELD):  # until the long poll has asked again
                pass

        server.process.send_signal(number)
        log = await asyncio.to_thread(lambda: server.process.communicate(timeout=END_S)[0])
        assert got == [b"hello"] * len(HELD)
        assert "Application shutdown complete" in log
        assert "Traceback" not in log
        await asyncio.wait(receiving, timeout=END_S)
        assert [task.done() for task in receiving] == [True] * len(HELD)
        for task in receiving:
            task.exception()
