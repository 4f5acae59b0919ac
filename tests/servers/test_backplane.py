"""The backplane, with a real Redis: ids, lives, and that what was accepted outlives a Redis that is killed."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from servers import backplane as module
from servers.backplane import LIFE_IDS, Backplane
from servers.replica import BackplaneLost
from tests.rediserver import RedisServer


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    return f"{request.node.name}-{time.monotonic_ns()}"


def opened(stack: AsyncExitStack, redis: RedisServer, key: str, keep: int = 1000) -> Backplane:
    backplane = Backplane(redis.url, key, keep=keep)
    stack.push_async_callback(backplane.close)
    return backplane


async def test_ids_are_consecutive_from_1_and_are_those_of_the_stream(
    stack: AsyncExitStack, redis: RedisServer, key: str
) -> None:
    log = opened(stack, redis, key)
    head = await log.join(b"", 0)
    assert head.last_id == 0
    assert await log.commit(head.life, []) == 0
    assert await log.commit(head.life, [b"1", "δύο".encode()]) == 2
    assert await log.commit(head.life, [b"3"]) == 3
    assert await log.read(0, wait=False) == [(1, b"1"), (2, "δύο".encode()), (3, b"3")]
    assert await log.read(2, wait=True) == [(3, b"3")]
    assert await log.read(3, wait=False) == []
    assert redis.ask("XLEN", f"{key}:log") == ":3"


async def test_several_may_publish_at_once_and_what_is_committed_together_stays_together(
    stack: AsyncExitStack, redis: RedisServer, key: str
) -> None:
    logs = [opened(stack, redis, key) for _ in range(4)]
    (life,) = {(await log.join(b"", 0)).life for log in logs}

    async def publish(number: int) -> list[int]:
        return [await logs[number].commit(life, [b"%d-%d" % (number, i), b"next"]) for i in range(50)]

    ids = await asyncio.gather(*[publish(number) for number in range(4)])
    assert sorted(each for some in ids for each in some) == list(range(2, 401, 2))
    log: list[tuple[int, bytes]] = []
    while len(log) < 400:
        log += await logs[0].read(len(log), wait=False)
    assert [number for number, _ in log] == list(range(1, 401))
    for number, some in enumerate(ids):
        for i, each in enumerate(some):
            assert [data for _, data in log[each - 2 : each]] == [b"%d-%d" % (number, i), b"next"]


async def test_a_read_that_waits_has_the_message_as_soon_as_it_is_published(
    stack: AsyncExitStack, redis: RedisServer, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK_S", 3600)  # so that it is not the end of its patience
    reader, writer = opened(stack, redis, key), opened(stack, redis, key)
    life = (await reader.join(b"", 0)).life
    await writer.join(b"", 0)
    reading = asyncio.ensure_future(reader.read(0, wait=True))
    while "cmd=xread" not in redis.clients():  # noqa: ASYNC110  # Redis is another process
        await asyncio.sleep(0)
    await writer.commit(life, [b"at last"])
    assert await reading == [(1, b"at last")]


async def test_the_stream_is_trimmed_to_about_what_is_to_be_kept(
    stack: AsyncExitStack, redis: RedisServer, key: str
) -> None:
    log = opened(stack, redis, key, keep=200)
    life = (await log.join(b"", 0)).life
    await log.commit(life, [b"x"] * 1000)
    kept = int(redis.ask("XLEN", f"{key}:log")[1:])
    assert 200 <= kept < 400  # Redis forgets whole nodes, of a hundred
    assert (await log.read(0, wait=False))[0][0] == 1000 - kept + 1


async def test_nothing_is_committed_to_another_life(stack: AsyncExitStack, redis: RedisServer, key: str) -> None:
    log = opened(stack, redis, key)
    await log.join(b"", 0)
    with pytest.raises(BackplaneLost, match="has lost the log"):
        await log.commit(b"another", [b"x"])
    assert (await log.join(b"", 0)).last_id == 0


async def test_who_comes_back_to_the_same_log_goes_on_in_it(stack: AsyncExitStack, redis: RedisServer, key: str) -> None:
    log = opened(stack, redis, key)
    head = await log.join(b"", 0)
    await log.commit(head.life, [b"1", b"2"])
    again = await log.join(head.life, 1)
    assert (again.life, again.last_id) == (head.life, 2)


@pytest.mark.parametrize("others", [0, 3])
async def test_a_log_that_was_lost_begins_anew_behind_all_that_was_seen_of_it(
    stack: AsyncExitStack, redis: RedisServer, key: str, others: int
) -> None:
    """Also if somebody who had seen nothing of it has begun one meanwhile."""
    log, other = opened(stack, redis, key), opened(stack, redis, key)
    head = await log.join(b"", 0)
    await log.commit(head.life, [b"x"] * 7)
    redis.ask("DEL", f"{key}:log", f"{key}:head")
    if others:
        await other.commit((await other.join(b"", 0)).life, [b"y"] * others)
    again = await log.join(head.life, 7)
    assert again.life != head.life
    assert again.last_id == LIFE_IDS
    assert await log.commit(again.life, [b"z"]) == LIFE_IDS + 1
    assert await log.read(0, wait=False) == [(LIFE_IDS + 1, b"z")]
    assert (await other.join(head.life, 5)).last_id == LIFE_IDS + 1  # the next one joins that


async def test_a_log_that_has_lost_its_end_begins_anew(stack: AsyncExitStack, redis: RedisServer, key: str) -> None:
    log = opened(stack, redis, key)
    head = await log.join(b"", 0)
    await log.commit(head.life, [b"x"] * 7)
    again = await log.join(head.life, 8)  # as one says who has seen the eighth
    assert again.life != head.life
    assert again.last_id == LIFE_IDS


async def test_a_stream_of_something_else_is_left_alone(stack: AsyncExitStack, redis: RedisServer, key: str) -> None:
    redis.ask("XADD", f"{key}:log", "*", "not", "ours")
    with pytest.raises(BackplaneLost, match=f"{key}:log is there without {key}:head: choose another --redis-key"):
        await opened(stack, redis, key).join(b"", 0)
    assert redis.ask("XLEN", f"{key}:log") == ":1"


async def test_what_was_committed_outlives_a_redis_that_is_killed(
    stack: AsyncExitStack, mortal_redis: RedisServer, key: str
) -> None:
    log = opened(stack, mortal_redis, key)
    life = (await log.join(b"", 0)).life
    last_id = await log.commit(life, [b"1", b"2"])
    mortal_redis.kill()
    with pytest.raises(BackplaneLost):
        await log.commit(life, [b"3"])
    with pytest.raises(BackplaneLost):
        await log.read(2, wait=True)
    mortal_redis.start()
    head = await log.join(life, last_id)
    assert (head.life, head.last_id) == (life, 2)
    assert await log.commit(life, [b"3"]) == 3  # the script is known to it again
    assert await log.read(0, wait=False) == [(1, b"1"), (2, b"2"), (3, b"3")]
