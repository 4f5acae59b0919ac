"""What is left behind by those who leave, vanish, or do not read."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import pytest

from clients.ends import CursorGone
from pushbench.transports import Transport
from tests.conformance.conftest import ENDLESS, Feed, Serve, in_order, subscriber, take
from tests.serving import Server

VANISHING = 20
BIG = 65_536


async def until(feed: Feed, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The server's status once it fulfils the condition."""
    async with asyncio.timeout(10):
        while not condition(status := await feed.status()):  # noqa: ASYNC110  # the server is another process
            await asyncio.sleep(0.01)
    return status


async def before_anyone_comes(transport: Transport, server: Server, feed: Feed) -> dict[str, Any]:
    """The status to which the server has to return. Each worker has had one: what is begun once for all is no leak."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(subscriber(transport, server))
        while transport in ENDLESS and not all(each["cursors"] for each in (await feed.status()).get("workers", ())):
            await stack.enter_async_context(subscriber(transport, server))
    return await until(feed, lambda status: status["cursors"] == 0)


@asynccontextmanager
async def doomed(transport: Transport, server: Server, count: int, *, read: bool) -> AsyncIterator[None]:
    """`count` subscribers in a process of their own, which is killed in the end."""
    arguments = [transport.name, server.url(transport.path), str(count), str(int(read))]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.conformance.vanishing", *arguments, stdin=pipe, stdout=pipe
    )
    try:
        assert process.stdin is not None
        process.stdin.write(server.authority.encode())
        process.stdin.close()
        assert process.stdout is not None
        assert await process.stdout.readline() == b"connected\n"
        yield
    finally:
        process.kill()
        await process.wait()


@pytest.mark.quick_once
async def test_a_client_that_vanishes_leaves_no_task_and_no_cursor(
    held_transport: Transport, patient_server: Server, http: aiohttp.ClientSession
) -> None:
    """On a server that ends nothing by time, so that the disconnect alone can be the reason."""
    feed = Feed(patient_server, http)
    before = await before_anyone_comes(held_transport, patient_server, feed)
    async with doomed(held_transport, patient_server, VANISHING, read=True):
        during = await until(feed, lambda status: status["cursors"] == VANISHING)
        assert during["tasks"] >= before["tasks"] + VANISHING
    await until(feed, lambda status: status["cursors"] == 0 and status["tasks"] <= before["tasks"])


@pytest.mark.quick_once
async def test_a_client_that_vanishes_while_it_is_written_to_leaves_nothing_either(
    endless_transport: Transport, patient_server: Server, http: aiohttp.ClientSession
) -> None:
    feed = Feed(patient_server, http)
    before = await before_anyone_comes(endless_transport, patient_server, feed)
    async with doomed(endless_transport, patient_server, 2, read=False):
        await until(feed, lambda status: status["cursors"] == 2)
        await feed.publish(*[b"x" * BIG] * 300)  # twice what the kernel takes for one who does not read
        assert (await feed.status())["cursors"] == 2
    await until(feed, lambda status: status["cursors"] == 0 and status["tasks"] <= before["tasks"])


async def test_a_client_that_leaves_politely_leaves_nothing_either(
    transport: Transport, patient_server: Server, http: aiohttp.ClientSession
) -> None:
    feed = Feed(patient_server, http)
    before = await before_anyone_comes(transport, patient_server, feed)
    async with subscriber(transport, patient_server) as subscription:
        await feed.publish(b"1")
        assert await take(subscription, 1) == [b"1"]
    await until(feed, lambda status: status["cursors"] == 0 and status["tasks"] <= before["tasks"])


@pytest.fixture(scope="module")
def small_log_server(serve: Serve) -> Iterator[Server]:
    with serve(log_messages=100, max_message_bytes=BIG, heartbeat_s=0) as running:
        yield running


@pytest.mark.quick_once
async def test_a_slow_reader_does_not_slow_the_others_and_is_told_when_it_falls_off_the_log(
    reliable_transport: Transport, small_log_server: Server, http: aiohttp.ClientSession
) -> None:
    """The kernel takes some 10 MB for a reader that does not read; what is published is three times that."""
    transport, feed = reliable_transport, Feed(small_log_server, http)
    messages = [b"%06d" % i + b"x" * (BIG - 6) for i in range(500)]
    async with subscriber(transport, small_log_server) as slow, subscriber(transport, small_log_server) as other:
        taking = asyncio.ensure_future(take(other, len(messages)))
        await feed.publish(*messages)
        assert in_order(transport, await taking) == messages
        taken: list[bytes] = []
        with pytest.raises(CursorGone, match="cursor_too_old"):
            await take(slow, len(messages), into=taken)
        assert in_order(transport, taken) == messages[: len(taken)]
    await until(feed, lambda status: status["cursors"] == 0)
