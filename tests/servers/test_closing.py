"""Every close code that a WebSocket of this server may end with: provoked, and seen by the client."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
import uvicorn

from clients.ends import SubscriptionEnded
from clients.websocket import WebSocket
from servers.hub import Cursor
from servers.options import Options
from servers.pump import Encode
from servers.serving import config
from tests.serving import serving


async def end_of(subscription: WebSocket) -> str:
    """How the server ends it."""
    with pytest.raises(SubscriptionEnded) as ended:
        async with asyncio.timeout(20):
            await subscription.receive(lambda messages: None)
    return str(ended.value)


@pytest.fixture(params=["direct", "asgi"])
def writes(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


async def test_1000_a_client_that_leaves_is_answered_in_kind(writes: str) -> None:
    with serving(writes=writes) as server:
        async with aiohttp.ClientSession() as session, session.ws_connect(server.url("/websocket")) as connection:
            await connection.close(code=1000)
            assert connection.close_code == 1000


async def test_1001_when_the_server_stops(writes: str) -> None:
    with serving(writes=writes) as server:
        async with WebSocket(server.url("/websocket")) as subscription:
            ending = asyncio.ensure_future(end_of(subscription))
            await asyncio.sleep(0)
            server.process.send_signal(signal.SIGTERM)
            assert await ending == "the server closed with 1001: the server is stopping"


@pytest.mark.parametrize("kind", ["text", "binary"])
async def test_1008_when_a_subscriber_says_something(writes: str, kind: str) -> None:
    with serving(writes=writes) as server:
        async with aiohttp.ClientSession() as session, session.ws_connect(server.url("/websocket")) as connection:
            await (connection.send_str("hello") if kind == "text" else connection.send_bytes(b"hello"))
            frame = await connection.receive()
            assert (frame.type, frame.data) == (aiohttp.WSMsgType.CLOSE, 1008)
            assert frame.extra == "a subscriber says nothing: publish at /publish"


async def test_1008_reaches_one_of_many_and_the_others_go_on(writes: str) -> None:
    got: list[bytes] = []
    with serving(writes=writes) as server:
        async with (
            aiohttp.ClientSession() as session,
            WebSocket(server.url("/websocket")) as other,
            session.ws_connect(server.url("/websocket")) as connection,
        ):
            receiving = asyncio.ensure_future(other.receive(got.extend))
            async with session.post(server.url("/publish"), data=b"before"):
                pass
            assert (await connection.receive()).data == "before"
            await connection.send_str("hello")
            assert (await connection.receive()).data == 1008
            async with session.post(server.url("/publish"), data=b"after"), asyncio.timeout(20):
                while len(got) < 2:  # noqa: ASYNC110  # the server is another process
                    await asyncio.sleep(0.01)
            receiving.cancel()
    assert got == [b"before", b"after"]


async def test_1009_when_a_frame_is_longer_than_a_message_may_be(writes: str) -> None:
    with serving(writes=writes, max_message_bytes=100) as server:
        async with aiohttp.ClientSession() as session, session.ws_connect(server.url("/websocket")) as connection:
            await connection.send_bytes(b"x" * 101)
            frame = await connection.receive()
            assert (frame.type, frame.data) == (aiohttp.WSMsgType.CLOSE, 1009)


@asynccontextmanager
async def in_this_process() -> AsyncIterator[int]:
    """The server, in the process of the test; gives its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    told = config(Options())
    told.log_level = "critical"
    server = uvicorn.Server(told)
    with server.capture_signals():
        serving_it = asyncio.ensure_future(server.serve([listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await serving_it


async def test_1011_when_the_server_makes_a_mistake_and_no_more_is_told_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def mistaken(cursor: Cursor, encode: Encode) -> None:
        raise RuntimeError("a mistake of the server's")

    monkeypatch.setattr("servers.websocket.pump_of", lambda scope: mistaken)
    async with in_this_process() as port, WebSocket(f"http://127.0.0.1:{port}/websocket") as subscription:
        assert await end_of(subscription) == "the server closed with 1011: the server has made a mistake"


async def test_an_event_stream_may_tell_how_long_to_wait_before_one_reconnects() -> None:
    for path in ("/sse", "/sse_plain"):
        with serving(sse_retry_ms=1500) as server:
            async with aiohttp.ClientSession() as session, session.get(server.url(path)) as response:
                first = await response.content.readuntil(b"\r\n\r\n")
                assert b"retry: 1500\r\n" in first
                assert b"id: 0\r\n" in first
