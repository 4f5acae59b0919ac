"""Bare TCP: the target and its client, line by line."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from clients.ends import SubscriptionEnded
from clients.tcp import Tcp
from pushbench.publisher import WAYS
from tests.serving import END_S, Server, ended


@pytest.fixture
def server() -> Iterator[Server]:
    process = subprocess.Popen([sys.executable, "-m", "targets.tcp"], stdout=subprocess.PIPE, text=True)
    with ended(process):
        assert process.stdout is not None
        yield Server(process, json.loads(process.stdout.readline())["port"])


async def collect(subscription: Tcp, count: int) -> list[bytes]:
    """The next `count` messages."""
    got: list[bytes] = []
    enough = asyncio.Event()

    def hand_over(messages: list[bytes]) -> None:
        got.extend(messages)
        if len(got) >= count:
            enough.set()

    receiving = asyncio.ensure_future(subscription.receive(hand_over))
    async with asyncio.timeout(20):
        await enough.wait()
    receiving.cancel()
    return got


def publish(server: Server, *lines: bytes) -> None:
    with WAYS["lines"](("127.0.0.1", server.port), "") as outlet:
        for line in lines:
            outlet.send(line)
        outlet.settle(0)


async def test_every_subscriber_gets_every_line_that_is_published_after_it_has_connected(server: Server) -> None:
    publish(server, b"before")
    lines = [b"%d %s" % (number, b"x" * number * 100) for number in range(50)]
    async with Tcp(server.url("")) as one, Tcp(server.url("")) as other:
        collecting = [asyncio.create_task(collect(subscription, 50)) for subscription in (one, other)]
        await asyncio.to_thread(publish, server, *lines)
        assert await asyncio.gather(*collecting) == [lines, lines]


async def test_what_comes_before_anyone_receives_is_kept(server: Server) -> None:
    async with Tcp(server.url("")) as early, Tcp(server.url("")) as witness:
        collecting = asyncio.create_task(collect(witness, 2))
        await asyncio.to_thread(publish, server, b"a", b"b")
        await collecting
        assert await collect(early, 2) == [b"a", b"b"]


async def test_when_the_server_ends_its_subscribers_are_told(server: Server) -> None:
    async with Tcp(server.url("")) as subscription:
        receiving = asyncio.ensure_future(subscription.receive(lambda messages: None))
        server.process.terminate()
        with pytest.raises(SubscriptionEnded, match="the connection ended"):
            await receiving
        assert await asyncio.to_thread(server.process.wait, END_S) == 0


async def test_who_is_not_welcomed_is_told() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    listener = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        with pytest.raises(SubscriptionEnded):
            await Tcp(f"http://127.0.0.1:{port}").__aenter__()


async def test_a_stranger_is_hung_up_on(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    writer.close()
