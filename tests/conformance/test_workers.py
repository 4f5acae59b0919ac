"""What several workers promise: whichever of them dies, or their Redis, all that was accepted arrives, and once."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from clients.ends import ENDS, CursorGone
from pushbench.transports import OVER_TCP, Transport
from tests.conformance.conftest import ENDLESS, Feed, subscriber
from tests.rediserver import RedisServer, redis_server
from tests.serving import Server, serving

EACH = 4
"""So many subscribers are on each transport, so that each worker has some."""


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as running:
        yield running


@pytest.fixture
def server(redis: RedisServer) -> Iterator[Server]:
    with serving(workers=2, redis=redis.url, longpoll_timeout_s=0.2, heartbeat_s=0.1) as running:
        yield running


@dataclass(slots=True)
class Follower:
    """A subscriber that comes back, and goes on where it was."""

    transport: Transport
    taken: list[bytes] = field(default_factory=list)
    returns: int = 0

    async def follow(self, server: Server, connected: asyncio.Event) -> None:
        """Until it is cancelled, or its position is gone."""
        after: int | None = None
        while True:
            subscription = subscriber(self.transport, server, after)
            try:
                async with subscription:
                    connected.set()
                    await subscription.receive(self.taken.extend)
            except CursorGone:
                raise
            except ENDS:
                await asyncio.sleep(0.01)
            after = subscription.cursor
            self.returns += 1

    async def until(self, last: bytes) -> None:
        while last not in self.taken[-1:]:  # noqa: ASYNC110  # what it waits for is another process
            await asyncio.sleep(0.01)


@asynccontextmanager
async def followers(server: Server) -> AsyncIterator[list[Follower]]:
    """On every transport; all are connected."""
    all_of_them = [Follower(transport) for transport in OVER_TCP.values() for _ in range(EACH)]
    async with asyncio.TaskGroup() as tasks:
        following = []
        for one in all_of_them:
            connected = asyncio.Event()
            following.append(tasks.create_task(one.follow(server, connected)))
            await connected.wait()
        yield all_of_them
        for task in following:
            task.cancel()


@dataclass(slots=True)
class Publisher:
    """Posts what has never been posted before, and knows what was accepted. It is the only one."""

    feed: Feed
    accepted: list[bytes] = field(default_factory=list)
    attempts: int = 0
    refusals: set[tuple[int, str, str]] = field(default_factory=set)

    async def attempt(self) -> bool:
        """Publish one; says whether it was accepted."""
        self.attempts += 1
        data = b"attempt %d" % self.attempts
        try:
            async with self.feed.http.post(self.feed.server.url("/publish"), data=data) as response:
                if response.status == 200:
                    self.accepted.append(data)
                    return True
                headers = response.headers
                self.refusals.add((response.status, headers["refusal"], headers["retry-after"]))
        except aiohttp.ClientError:  # a worker has gone, before or after it had it accepted
            pass
        return False

    async def publish(self, count: int) -> bytes:
        """So many that are accepted; returns the last."""
        while count:
            count -= await self.attempt()
        return self.accepted[-1]


def got_all_that_was_accepted_once_and_in_order(taken: list[bytes], publisher: Publisher) -> None:
    """What was not answered may be there, or not."""
    numbers = [int(data.split()[1]) for data in taken]
    assert numbers == sorted(set(numbers))
    accepted = set(publisher.accepted)
    assert [data for data in taken if data in accepted] == publisher.accepted


async def test_when_a_worker_is_killed_its_subscribers_go_on_at_another_and_miss_nothing(
    server: Server, http: aiohttp.ClientSession
) -> None:
    publisher = Publisher(Feed(server, http))
    async with asyncio.timeout(40), followers(server) as all_of_them:
        await publisher.publish(50)
        killed = asyncio.create_task(asyncio.to_thread(os.kill, server.pids[0], signal.SIGKILL))
        last = await publisher.publish(200)
        await killed
        for follower in all_of_them:
            await follower.until(last)
        assert any(follower.returns for follower in all_of_them if follower.transport in ENDLESS)
    for follower in all_of_them:
        got_all_that_was_accepted_once_and_in_order(follower.taken, publisher)
        assert follower.taken == all_of_them[0].taken


async def test_while_redis_is_away_subscribers_stay_and_publishers_are_refused_and_nothing_accepted_is_lost(
    server: Server, redis: RedisServer, http: aiohttp.ClientSession
) -> None:
    publisher = Publisher(Feed(server, http))
    async with asyncio.timeout(40), followers(server) as all_of_them:
        async with http.ws_connect(server.url("/publish")) as socket:
            await publisher.publish(50)
            killed = asyncio.create_task(asyncio.to_thread(redis.kill))
            while await publisher.attempt():
                pass
            await killed
            await socket.send_bytes(b"attempt 0")
            frame = await socket.receive()
            assert (frame.type, frame.data) == (aiohttp.WSMsgType.CLOSE, 1013)
            assert str(frame.extra).startswith("backplane_unavailable: ")
        assert publisher.refusals == {(503, "backplane_unavailable", "1")}
        cursors = (await publisher.feed.status())["cursors"]
        assert cursors >= sum(follower.transport in ENDLESS for follower in all_of_them)
        redis.start()
        last = await publisher.publish(50)
        for follower in all_of_them:
            await follower.until(last)
        assert [follower.transport.name for follower in all_of_them if follower.returns] == []
    for follower in all_of_them:
        got_all_that_was_accepted_once_and_in_order(follower.taken, publisher)
        assert follower.taken == all_of_them[0].taken


async def test_a_redis_that_comes_back_empty_ends_whoever_followed_what_it_had(
    server: Server, redis: RedisServer, http: aiohttp.ClientSession
) -> None:
    feed = Feed(server, http)
    await feed.publish(b"1", b"2", b"3")
    async with asyncio.timeout(40), AsyncExitStack() as stack:
        reading = {}
        for transport in OVER_TCP.values():
            subscription = await stack.enter_async_context(subscriber(transport, server))
            reading[transport.name] = asyncio.ensure_future(subscription.receive(lambda messages: None))
        redis.kill()
        redis.forget()
        redis.start()
        ends = await asyncio.gather(*reading.values(), return_exceptions=True)
        for name, end in zip(reading, ends, strict=True):
            assert isinstance(end, CursorGone), (name, end)
            assert "cursor_too_old" in str(end)
        publisher = Publisher(feed)
        await publisher.publish(1)
        assert (await feed.status())["last_id"] > 1_000_000  # so that no cursor of before is ever one of now
