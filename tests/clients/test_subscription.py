"""What holds for every subscriber, whatever its transport."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest

from clients.ends import CursorGone, RequestRefused, SubscriptionEnded
from clients.longpoll import LongPoll
from clients.opening import position
from clients.polling import Polling
from clients.sse import ServerSentEvents
from clients.stream import Stream
from clients.subscription import Subscription
from clients.websocket import WebSocket
from tests.clients.peer import Answer, Then, endless, peer, response, upgraded

MANY = 150


def polling(url: str, **options: Any) -> Polling:
    return Polling(url, interval_s=0, **options)


WELCOME: dict[Callable[..., Subscription], Answer] = {
    polling: Answer(response("204 No Content", b"", 'ETag: "7"'), Then.HOLD),
    LongPoll: Answer(response("204 No Content", b"", 'ETag: "7"'), Then.HOLD),
    Stream: Answer(endless(), Then.HOLD),
    ServerSentEvents: Answer(endless(), Then.HOLD),
    WebSocket: Answer(upgraded(), Then.TALK),
}
"""The answer to which each client is connected."""


@pytest.fixture(params=WELCOME, ids=lambda client: client.__name__.lower())
def client(request: pytest.FixtureRequest) -> Callable[..., Subscription]:
    given: Callable[..., Subscription] = request.param
    return given


@pytest.fixture
def welcome(client: Callable[..., Subscription]) -> Answer:
    return WELCOME[client]


async def test_it_starts_where_the_server_says(client: Callable[..., Subscription], welcome: Answer) -> None:
    async with peer(welcome) as server, client(server.url) as subscription:
        assert str(subscription.cursor) == "7"


async def test_it_resumes_from_where_it_is_told_whatever_the_server_says(
    client: Callable[..., Subscription], welcome: Answer
) -> None:
    async with peer(welcome) as server, client(server.url, after=5) as subscription:
        assert str(subscription.cursor) == "5"


async def test_leaving_closes_the_connection(client: Callable[..., Subscription], welcome: Answer) -> None:
    async with peer(welcome) as server:
        async with client(server.url):
            assert not server.left.is_set()
        async with asyncio.timeout(20):
            await server.left.wait()
        assert server.connections == 1


async def test_an_error_inside_closes_the_connection_too(client: Callable[..., Subscription], welcome: Answer) -> None:
    async with peer(welcome) as server:
        with pytest.raises(ZeroDivisionError):
            async with client(server.url):
                _ = 1 / 0
        async with asyncio.timeout(20):
            await server.left.wait()


async def test_it_asks_for_no_compression(client: Callable[..., Subscription], welcome: Answer) -> None:
    async with peer(welcome) as server, client(server.url):
        assert server.header("accept-encoding") is None
        assert server.header("sec-websocket-extensions") is None


async def test_its_headers_go_with_the_request(client: Callable[..., Subscription], welcome: Answer) -> None:
    async with peer(welcome) as server, client(server.url, headers={"Authorization": "Bearer x"}):
        assert server.header("authorization") == "Bearer x"


async def test_more_than_a_hundred_are_connected_at_once(client: Callable[..., Subscription], welcome: Answer) -> None:
    """aiohttp's own limit is 100; whoever is beyond it would wait until one of them leaves."""
    async with peer(*[welcome] * MANY) as server, AsyncExitStack() as stack, asyncio.timeout(20):
        await asyncio.gather(*[stack.enter_async_context(client(server.url)) for _ in range(MANY)])
        assert server.connections == MANY
        assert not server.left.is_set()


async def test_nobody_there_is_a_clients_error(client: Callable[..., Subscription]) -> None:
    with socket.socket() as bound:  # but not listening
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(aiohttp.ClientConnectorError):
            async with client(f"http://127.0.0.1:{bound.getsockname()[1]}/feed"):
                pass


@pytest.mark.parametrize(
    ("status", "kind"),
    [("410 Gone", CursorGone), ("404 Not Found", RequestRefused), ("500 Internal Server Error", RequestRefused)],
)
async def test_a_refusal_ends_it_and_says_what_the_server_said(
    client: Callable[..., Subscription], status: str, kind: type[SubscriptionEnded]
) -> None:
    # Of an answer that refuses a WebSocket's handshake only the headers can be seen.
    refusal = Answer(response(status, b"cursor_too_old: come again\n", "Refusal: cursor_too_old"), Then.HOLD)
    async with peer(refusal) as server:
        with pytest.raises(kind, match=f"/feed answered {status[:3]}: cursor_too_old") as caught:
            async with client(server.url):
                pass
        assert type(caught.value) is kind
        async with asyncio.timeout(20):
            await server.left.wait()


async def test_a_refusal_without_words_is_told_by_its_status(client: Callable[..., Subscription]) -> None:
    async with peer(Answer(response("503 Service Unavailable"), Then.HOLD)) as server:
        with pytest.raises(RequestRefused, match="/feed answered 503"):
            async with client(server.url):
                pass


async def test_a_server_that_breaks_off_while_it_listens_ends_it(
    client: Callable[..., Subscription], welcome: Answer
) -> None:
    async with peer(Answer(welcome.data, Then.RESET)) as server, client(server.url) as subscription:
        with pytest.raises((SubscriptionEnded, aiohttp.ClientError)):
            async with asyncio.timeout(20):
                await subscription.receive(lambda messages: None)


@pytest.mark.parametrize(
    ("headers", "expected"), [({"etag": '"12"'}, 12), ({"etag": "0"}, 0), ({"etag": 'W/"3"'}, 3), ({}, None)]
)
def test_a_position_is_what_the_etag_says(headers: dict[str, str], expected: int | None) -> None:
    assert position(headers) == expected


def test_both_refusals_are_ends() -> None:
    assert issubclass(CursorGone, SubscriptionEnded)
    assert issubclass(RequestRefused, SubscriptionEnded)
