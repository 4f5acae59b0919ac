"""Post: who acts by HTTP, against the server that echoes, and against peers that do as a server should not."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from clients.ends import RequestRefused
from clients.http2 import Http2
from clients.post import Post
from tests.serving import Server, serving


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def of_http2() -> Iterator[Server]:
    with serving(server="hypercorn") as running:
        yield running


class Actor:
    """Says one thing after the other, and has each answer."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._answers: asyncio.Queue[bytes] = asyncio.Queue()
        self._hearing = asyncio.ensure_future(post.receive(self._hear))

    def _hear(self, answers: list[bytes]) -> None:
        for answer in answers:
            self._answers.put_nowait(answer)

    async def act(self, data: bytes) -> bytes:
        self._post.say(data)
        answer = asyncio.ensure_future(self._answers.get())
        done, _ = await asyncio.wait({answer, self._hearing}, return_when=asyncio.FIRST_COMPLETED)
        if answer not in done:
            answer.cancel()
            await self._hearing
        return await answer

    def leave(self) -> None:
        self._hearing.cancel()


@asynccontextmanager
async def acting(url: str, **options: object) -> AsyncIterator[Actor]:
    async with Post(url, **options) as post:  # type: ignore[arg-type]
        actor = Actor(post)
        try:
            yield actor
        finally:
            actor.leave()


@pytest.mark.parametrize("keep_connection", [True, False])
async def test_each_thing_said_has_its_answer(server: Server, keep_connection: bool) -> None:
    async with acting(server.url("/echo"), keep_connection=keep_connection) as actor:
        for data in (b"one", b"", b"x" * 65_536, "δύο".encode()):
            assert await actor.act(data) == data


async def test_over_http2_too_also_what_is_longer_than_a_window(of_http2: Server) -> None:
    shared = Http2(2)
    async with (
        acting(of_http2.url("/echo"), http2=shared) as one,
        acting(of_http2.url("/echo"), http2=shared) as other,
    ):
        for size in (1, 0, 16_384, 65_536, 65_536, 65_536):
            both = await asyncio.gather(one.act(b"x" * size), other.act(b"y" * size))
            assert tuple(both) == (b"x" * size, b"y" * size)


async def test_what_is_refused_ends_it_with_the_answers_own_words(server: Server) -> None:
    async with acting(server.url("/echo")) as actor:
        with pytest.raises(RequestRefused, match="/echo answered 413: message_too_large: the message has more than 65536"):
            await actor.act(b"x" * 65_537)


@asynccontextmanager
async def peer(
    handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    handling: list[asyncio.Task[None]] = []

    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await handle(reader, writer)
        writer.close()
        await writer.wait_closed()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handling.append(asyncio.ensure_future(closing(reader, writer)))

    made = await asyncio.start_server(begin, "127.0.0.1", 0)
    async with made:
        yield f"http://127.0.0.1:{made.sockets[0].getsockname()[1]}/act?x=1"
        await asyncio.gather(*handling)


async def test_a_connection_that_the_server_closes_between_two_actions_is_made_anew() -> None:
    heads: list[bytes] = []

    async def one_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
        except asyncio.IncompleteReadError:
            return
        body = await reader.readexactly(1)
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n" + body)

    async with peer(one_answer) as url, acting(url) as actor:
        assert [await actor.act(data) for data in (b"a", b"b", b"c")] == [b"a", b"b", b"c"]
    assert len(heads) == 3
    assert heads[0].startswith(b"POST /act?x=1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"Content-Length: 1\r\n" in heads[0]


async def test_a_connection_that_ends_before_the_answer_ends_it() -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")

    async with peer(half) as url, acting(url) as actor:
        with pytest.raises(aiohttp.ServerDisconnectedError, match="the connection was lost"):
            await actor.act(b"a")


async def test_with_a_new_connection_each_time_the_server_is_told_that_it_closes() -> None:
    heads: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async with peer(answer) as url, acting(url, keep_connection=False, headers={"X": "y"}) as actor:
        assert await actor.act(b"") == b""
        assert await actor.act(b"") == b""
    assert all(b"Connection: close\r\n" in head and b"X: y\r\n" in head for head in heads)
    assert len(heads) == 2


async def test_who_cannot_connect_is_told_so() -> None:
    with pytest.raises(OSError, match=r"[Cc]onnect"):
        async with Post("http://127.0.0.1:1/echo"):
            pass


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"this is no HTTP at all\r\n\r\n", "broke the protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", "cannot be decoded"),
    ],
)
async def test_an_answer_that_is_none_ends_it_at_once(said: bytes, why: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await reader.read()  # and the connection stays open

    async with peer(answer) as url, acting(url) as actor:
        with pytest.raises(aiohttp.ClientPayloadError, match=why):
            await actor.act(b"a")


async def test_on_new_connections_the_next_thing_may_be_said_while_the_answer_is_handed_over() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await reader.read()  # it is for the client to close

    said: asyncio.Queue[bytes] = asyncio.Queue()
    async with peer(answer) as url, Post(url, keep_connection=False) as post:

        def again(answers: list[bytes]) -> None:
            said.put_nowait(answers[0])
            if said.qsize() < 3:
                post.say(b"")

        receiving = asyncio.ensure_future(post.receive(again))
        await asyncio.sleep(0)
        post.say(b"")
        async with asyncio.timeout(20):
            while said.qsize() < 3 and not receiving.done():  # noqa: ASYNC110  # a queue is not waited for until it is full
                await asyncio.sleep(0.001)
        assert not receiving.done()
        receiving.cancel()
