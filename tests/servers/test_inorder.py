"""A publisher's ping and close are answered once what it sent before is taken; here by a Redis that can be held up."""

import asyncio
import signal
from collections.abc import Iterator

import aiohttp
import pytest

from tests.rediserver import RedisServer, redis_server
from tests.servers.conftest import Caller
from tests.serving import Server, serving


@pytest.fixture(scope="module")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(scope="module")
def server(own_redis: RedisServer) -> Iterator[Server]:
    with serving(redis=own_redis.url, heartbeat_s=0.01) as running:
        yield running


async def test_many_messages_at_once_keep_their_order(ask: Caller) -> None:
    async with ask.get("/status") as response:
        last_id = (await response.json())["last_id"]
    messages = [b"%d" % i for i in range(3000)]
    async with ask.http.ws_connect(ask.server.url("/publish")) as socket:
        for data in messages[:-1]:
            await socket.send_bytes(data)
        await socket.send_str(messages[-1].decode())
    async with ask.get("/polling", if_none_match=f'"{last_id + len(messages)}"'):  # when it has them all
        pass
    async with ask.get("/polling", if_none_match=f'"{last_id}"') as response:
        assert (await response.read()).splitlines() == messages


@pytest.mark.parametrize("question", ["ping", "close"])
async def test_a_question_behind_a_message_is_answered_when_the_message_is_taken(
    ask: Caller, own_redis: RedisServer, question: str
) -> None:
    assert own_redis.process is not None
    async with ask.get("/status") as response:
        last_id = (await response.json())["last_id"]
    async with ask.http.ws_connect(ask.server.url("/publish"), autoping=False, autoclose=False) as socket:
        own_redis.process.send_signal(signal.SIGSTOP)
        try:
            await socket.send_bytes(b"taken late")
            answer = await _asked(socket, question)
            for _ in range(10):  # that many times it has had something else to do, and has done it
                async with ask.get("/polling?after=0") as response:
                    await response.read()
            assert not answer.done()
        finally:
            own_redis.process.send_signal(signal.SIGCONT)
        await answer
    async with ask.get("/status") as response:
        assert (await response.json())["last_id"] == last_id + 1


async def _asked(socket: aiohttp.ClientWebSocketResponse, question: str) -> asyncio.Future[None]:
    """Asks; it is done when that is answered."""

    async def closed() -> None:
        await socket.close()

    async def pong() -> None:
        while (await socket.receive()).type is not aiohttp.WSMsgType.PONG:
            pass

    if question == "close":
        return asyncio.ensure_future(closed())
    await socket.ping(b"question")
    return asyncio.ensure_future(pong())
