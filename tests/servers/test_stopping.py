"""A server ends by itself when it is told to, whatever its connections do, and those who listen are told."""

import asyncio
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest

from clients.conditional import ConditionalRequests
from clients.ends import SubscriptionEnded
from clients.subscription import Subscription
from clients.websocket import WebSocket
from pushbench.transports import OVER_TCP, Transport
from tests.conformance.conftest import client_of
from tests.servers.conftest import Caller
from tests.serving import END_S, Server, serving

POLL_INTERVAL_S = 0.2
HELD = [row for row in OVER_TCP.values() if not row.polls]
HANDSHAKE = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@pytest.fixture
async def connected() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def listening(
    connected: AsyncExitStack, server: Server, ask: Caller, count: int
) -> dict[asyncio.Task[None], Transport]:
    """`count` subscribers of each transport, that all wait for messages."""

    async def listen(subscription: Subscription) -> None:
        await subscription.receive(lambda messages: None)

    listeners: dict[asyncio.Task[None], Transport] = {}
    for row in OVER_TCP.values():
        options: dict[str, Any] = {"interval_s": POLL_INTERVAL_S} if row.polls else {}
        for _ in range(count):
            client = client_of(row)(server.url(row.path), **options)
            listeners[asyncio.ensure_future(listen(await connected.enter_async_context(client)))] = row
    async with asyncio.timeout(20):
        while await ask.cursors() != count * len(HELD):
            pass
    return listeners


async def returncode(process: subprocess.Popen[str]) -> int:
    return await asyncio.to_thread(process.wait, END_S)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
async def test_it_stops_with_a_hundred_connections_on_each_transport(
    connected: AsyncExitStack, http: aiohttp.ClientSession, loop: str
) -> None:
    with serving(loop=loop) as server:
        listeners = await listening(connected, server, Caller(server, http), 100)
        server.process.send_signal(signal.SIGTERM)
        assert await returncode(server.process) == -signal.SIGTERM
        ends = await asyncio.gather(*listeners, return_exceptions=True)
        assert [end for end in ends if not isinstance(end, SubscriptionEnded | aiohttp.ClientError)] == []


async def test_every_listener_is_told_that_it_ends(connected: AsyncExitStack, http: aiohttp.ClientSession) -> None:
    with serving() as server:
        listeners = await listening(connected, server, Caller(server, http), 1)
        server.process.send_signal(signal.SIGTERM)
        await returncode(server.process)
        ends = await asyncio.gather(*listeners, return_exceptions=True)
        for row, end in zip(listeners.values(), ends, strict=True):
            if issubclass(client_of(row), ConditionalRequests):
                # Its last answer was a whole one; that nobody answers any more is what it finds when it asks again.
                assert isinstance(end, aiohttp.ClientConnectorError), (row.name, end)
            else:
                assert type(end) is SubscriptionEnded, (row.name, end)


async def test_it_stops_while_readers_do_not_read(http: aiohttp.ClientSession) -> None:
    """What each is owed is more than the kernel takes, so the server is in the midst of writing when it is told."""
    with serving(stderr=subprocess.PIPE, log_messages=1000) as server:
        ask = Caller(server, http)
        slow = []
        for row in OVER_TCP.values():
            reader = socket.socket()
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.connect(("127.0.0.1", server.port))
            # With a validator a poll asks for all there is; the others do not know it.
            upgrade = HANDSHAKE if issubclass(client_of(row), WebSocket) else b""
            reader.sendall(b'GET %b HTTP/1.1\r\nHost: x\r\nIf-None-Match: "0"\r\n%b\r\n' % (row.path.encode(), upgrade))
            slow.append(reader)
        async with asyncio.timeout(20):
            while await ask.cursors() < len(HELD):
                pass
        await ask.publish(*[b"x" * 65_536] * 150)
        assert await ask.cursors() == len(HELD) - 1  # the long poll is answered, into its buffer
        server.process.send_signal(signal.SIGTERM)
        assert await returncode(server.process) == -signal.SIGTERM
        assert server.process.stderr is not None
        assert "graceful shutdown exceeded" in server.process.stderr.read()  # or they were not so slow
        for reader in slow:
            reader.close()


async def test_it_stops_while_a_publisher_is_connected(http: aiohttp.ClientSession) -> None:
    with serving() as server:
        async with http.ws_connect(server.url("/publish")) as socket_:
            await socket_.send_bytes(b"1")
            server.process.send_signal(signal.SIGTERM)
            frame = await socket_.receive()
            assert frame.type is aiohttp.WSMsgType.CLOSE
            assert await returncode(server.process) == -signal.SIGTERM


async def test_ctrl_c_is_the_shells_130_without_a_traceback(connected: AsyncExitStack, http: aiohttp.ClientSession) -> None:
    with serving(stderr=subprocess.PIPE) as server:
        listeners = await listening(connected, server, Caller(server, http), 1)
        server.process.send_signal(signal.SIGINT)
        assert await returncode(server.process) == 130
        assert server.process.stderr is not None
        assert server.process.stderr.read() == ""
        await asyncio.gather(*listeners, return_exceptions=True)
