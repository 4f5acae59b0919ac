"""The connection that a poller keeps: what it asks on it, how it reads the answers, and when it takes a new one."""

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

import clients.conditional
from clients.conditional import ConditionalRequests
from clients.ends import RequestRefused, SubscriptionEnded
from clients.exchange import Exchange
from clients.longpoll import LongPoll
from clients.polling import Polling
from tests.clients.peer import Answer, Peer, Then, endless, peer, response

FIRST = Answer(response("204 No Content", b"", 'ETag: "7"'))
NOTHING = Answer(response("304 Not Modified", b"", 'ETag: "7"'))
OVER = Answer(response("500 Internal Server Error", b"the script is over"))

Poller = Callable[..., ConditionalRequests]


def polling(url: str, **options: Any) -> Polling:
    return Polling(url, interval_s=0, **options)


@pytest.fixture(params=[polling, LongPoll], ids=["polling", "longpoll"])
def poller(request: pytest.FixtureRequest) -> Poller:
    given: Poller = request.param
    return given


def new(etag: int, body: bytes, *headers: str, then: Then = Then.NEXT) -> Answer:
    return Answer(response("200 OK", body, f'ETag: "{etag}"', *headers), then)


def validators(server: Peer) -> list[str | None]:
    return [server.header("if-none-match", number) for number in range(len(server.requests))]


def lines(server: Peer, number: int) -> list[str]:
    """Of a request's head."""
    return server.requests[number].decode().removesuffix("\r\n\r\n").split("\r\n")


async def received(
    subscription: ConditionalRequests, kind: type[Exception] | tuple[type[Exception], ...] = RequestRefused
) -> list[list[bytes]]:
    """What is handed over, answer by answer, until it ends with such an exception."""
    got: list[list[bytes]] = []
    with pytest.raises(kind):
        async with asyncio.timeout(20), subscription:
            await subscription.receive(got.append)
    return got


@pytest.mark.parametrize("header", [(), ("Connection: close",)], ids=["without a word", "as it said"])
async def test_a_connection_that_the_server_closes_behind_an_answer_is_made_anew_and_nothing_is_lost(
    poller: Poller, header: tuple[str, ...]
) -> None:
    last = Answer(response("304 Not Modified", b"", 'ETag: "9"', *header), Then.END)
    async with peer(FIRST, new(9, b"8\n9\n", *header, then=Then.END), last, new(10, b"10\n"), OVER) as server:
        assert await received(poller(server.url)) == [[b"8", b"9"], [b"10"]]
        assert validators(server) == [None, '"7"', '"9"', '"9"', '"10"']
        assert server.connections == 3


@pytest.mark.parametrize("header", [(), ("Connection: close",)], ids=["without a word", "as it said"])
async def test_the_first_connection_may_be_closed_behind_its_answer_too(poller: Poller, header: tuple[str, ...]) -> None:
    first = Answer(response("204 No Content", b"", 'ETag: "7"', *header), Then.END)
    async with peer(first, new(9, b"8\n9\n"), OVER) as server:
        assert await received(poller(server.url)) == [[b"8", b"9"]]
        assert validators(server) == [None, '"7"', '"9"']
        assert server.connections == 2


async def test_a_connection_of_which_the_server_says_that_it_closes_it_is_not_asked_on_again(poller: Poller) -> None:
    async with peer(FIRST, new(9, b"8\n9\n", "Connection: close", then=Then.HOLD), new(10, b"10\n"), OVER) as server:
        assert await received(poller(server.url)) == [[b"8", b"9"], [b"10"]]
        async with asyncio.timeout(20):
            await server.left.wait()
        assert server.said == b""
        assert server.connections == 2


@pytest.mark.parametrize("then", [Then.END, Then.RESET])
async def test_a_request_that_a_kept_connection_does_not_answer_is_asked_again_on_a_new_one(
    poller: Poller, then: Then
) -> None:
    async with peer(FIRST, Answer(b"", then), new(9, b"8\n9\n"), OVER) as server:
        assert await received(poller(server.url)) == [[b"8", b"9"]]
        assert validators(server) == [None, '"7"', '"7"', '"9"']
        assert server.connections == 2


async def test_a_server_that_answers_on_no_connection_any_more_is_a_clients_error(poller: Poller) -> None:
    async with peer(FIRST) as server:
        assert await received(poller(server.url), aiohttp.ClientError) == []


EARLY_HINTS = b'HTTP/1.1 103 Early Hints\r\nETag: "1"\r\n\r\n'
LENGTH = new(9, b"8\n9\n").data
CHUNKED = endless(b"8\n", b"9\n", etag='"9"', last=True)
TRAILED = CHUNKED.removesuffix(b"\r\n") + b"X: a trailer\r\n\r\n"


@pytest.fixture(params=[LENGTH, CHUNKED, TRAILED], ids=["of a length", "chunked", "with a trailer"])
def answer(request: pytest.FixtureRequest) -> bytes:
    given: bytes = request.param
    return given


@pytest.mark.parametrize("keep", [True, False], ids=["kept", "a new one each time"])
async def test_an_answer_is_read_whole_on_either_kind_of_connection(poller: Poller, answer: bytes, keep: bool) -> None:
    async with peer(FIRST, Answer(answer), new(10, b"10\n"), OVER) as server:
        assert await received(poller(server.url, keep_connection=keep)) == [[b"8", b"9"], [b"10"]]
        assert server.connections == (1 if keep else 4)


@pytest.mark.parametrize("keep", [True, False], ids=["kept", "a new one each time"])
async def test_an_answer_that_breaks_off_is_a_clients_error_and_nothing_of_it_is_handed_over(
    poller: Poller, answer: bytes, keep: bool
) -> None:
    body = answer.index(b"\r\n\r\n") + 4
    for cut in range(body, len(answer)):
        async with peer(FIRST, Answer(answer[:cut], Then.END), new(9, b"8\n9\n"), OVER) as server:
            subscription = poller(server.url, keep_connection=keep)
            assert await received(subscription, aiohttp.ClientError) == [], cut
            assert str(subscription.cursor) == "7"


async def test_an_answer_that_breaks_off_in_its_head_is_never_handed_over_in_part(poller: Poller, answer: bytes) -> None:
    for cut in range(answer.index(b"\r\n\r\n") + 4):
        async with peer(FIRST, Answer(answer[:cut], Then.END), new(9, b"8\n9\n"), OVER) as server:
            subscription = poller(server.url)
            got = await received(subscription, (RequestRefused, aiohttp.ClientError))
            assert (got, str(subscription.cursor)) in [([], "7"), ([[b"8", b"9"]], "9")], cut


@pytest.mark.parametrize("before", [b"", EARLY_HINTS], ids=["alone", "after early hints"])
async def test_it_does_not_matter_where_an_answer_on_a_kept_connection_is_cut_in_two(
    poller: Poller, answer: bytes, before: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = before + answer
    came = asyncio.Event()

    class Noting(Exchange):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            came.set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(FIRST.data)
        for cut in range(1, len(answer)):
            await reader.readuntil(b"\r\n\r\n")
            came.clear()
            writer.write(answer[:cut])
            await writer.drain()
            await came.wait()  # so the two do not come in one piece
            writer.write(answer[cut:])
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OVER.data)
        writer.close()

    monkeypatch.setattr(clients.conditional, "Exchange", Noting)
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        got = await received(poller(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/feed"))
    assert got == [[b"8", b"9"]] * (len(answer) - 1)


async def test_a_body_of_many_pieces_is_read_whole(poller: Poller) -> None:
    messages = [b"%d" % number * 1000 for number in range(1000)]
    body = b"".join(message + b"\n" for message in messages)
    pieces = [body[at : at + 5000] for at in range(0, len(body), 5000)]
    both = [new(1007, body), Answer(endless(*pieces, etag='"1007"', last=True))]
    async with peer(FIRST, *both, OVER) as server:
        assert await received(poller(server.url)) == [messages, messages]


@pytest.mark.parametrize("name", ["ETag", "etag", "ETAG"])
async def test_the_validator_is_found_however_its_header_is_spelt(poller: Poller, name: str) -> None:
    def spelt(answer: Answer) -> Answer:
        return Answer(answer.data.replace(b"ETag:", f"{name}:".encode()))

    async with peer(spelt(FIRST), spelt(NOTHING), spelt(new(9, b"8\n9\n")), OVER) as server:
        assert await received(poller(server.url)) == [[b"8", b"9"]]
        assert validators(server) == [None, '"7"', '"7"', '"9"']


async def test_a_header_without_a_value_does_not_hide_the_next(poller: Poller) -> None:
    empty = new(9, b"8\n9\n").data.replace(b"ETag:", b"X-Empty:\r\nETag:")
    async with peer(FIRST, Answer(empty), OVER) as server:
        assert await received(poller(server.url)) == [[b"8", b"9"]]
        assert validators(server) == [None, '"7"', '"9"']


async def test_a_request_has_the_headers_of_the_first_and_the_validator(poller: Poller) -> None:
    own = {"Authorization": "Bearer x", "X-Own": "a, b"}
    ended = new(9, b"8\n9\n", then=Then.END)
    async with peer(FIRST, NOTHING, ended, NOTHING, new(10, b"10\n"), OVER) as server:
        await received(poller(server.url, headers=own))
        first = lines(server, 0)
        assert first[0] == "GET /feed HTTP/1.1"
        names = [line.partition(":")[0] for line in first[1:]]
        assert sorted(names) == ["Accept", "Authorization", "Host", "User-Agent", "X-Own"]
        assert server.header("x-own", 0) == "a, b"
        for number, validator in enumerate(['"7"', '"7"', '"9"', '"9"', '"10"'], start=1):
            request = lines(server, number)
            assert request[0] == first[0]
            assert sorted(request) == sorted([*first, f"If-None-Match: {validator}"])


@pytest.mark.parametrize(
    "wrong",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"no such thing\r\n\r\n",
        b"\0\0\0\0",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
    ],
)
async def test_a_server_that_breaks_the_protocol_instead_of_another_answer_is_a_clients_error(
    poller: Poller, wrong: bytes
) -> None:
    async with peer(FIRST, NOTHING, Answer(wrong, Then.HOLD)) as server:
        assert await received(poller(server.url), aiohttp.ClientError) == []
        async with asyncio.timeout(20):
            await server.left.wait()
        assert server.connections == 1


async def test_what_follows_an_answer_unasked_is_no_answer_to_the_next_request(poller: Poller) -> None:
    async with peer(FIRST, Answer(new(9, b"8\n9\n").data + b"and more"), new(10, b"10\n"), OVER) as server:
        subscription = poller(server.url)
        assert await received(subscription, aiohttp.ClientError) == [[b"8", b"9"]]
        assert str(subscription.cursor) == "9"


@pytest.mark.parametrize("interim", [b"HTTP/1.1 100 Continue\r\n\r\n", EARLY_HINTS * 2], ids=["one", "two"])
async def test_an_answer_that_announces_another_is_passed_over(poller: Poller, interim: bytes) -> None:
    answers = [Answer(interim + answer.data) for answer in (FIRST, NOTHING, new(9, b"8\n9\n"), new(10, b"10\n"))]
    async with peer(*answers, OVER) as server:
        assert await received(poller(server.url)) == [[b"8", b"9"], [b"10"]]
        assert validators(server) == [None, '"7"', '"7"', '"9"', '"10"']


async def test_a_protocol_that_nobody_asked_for_is_no_answer(poller: Poller, caplog: pytest.LogCaptureFixture) -> None:
    upgrade = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n\0\0\0"
    async with peer(FIRST, NOTHING, Answer(upgrade, Then.HOLD)) as server:
        assert await received(poller(server.url), SubscriptionEnded) == []
        async with asyncio.timeout(20):
            await server.left.wait()
    assert not caplog.records  # as there are of an error that nobody catches


@pytest.mark.parametrize("query", ["topic=a", "topic=a%20b&topic=c", "q=%26%3D"])
@pytest.mark.parametrize("keep", [True, False], ids=["kept", "a new one each time"])
async def test_a_query_in_the_url_is_kept_when_it_asks_by_a_query(query: str, keep: bool) -> None:
    async with peer(FIRST, new(7, b""), new(9, b"8\n9\n"), OVER) as server:
        subscription = Polling(f"{server.url}?{query}", interval_s=0, validators=False, keep_connection=keep)
        assert await received(subscription) == [[b"8", b"9"]]
        first = server.target(0)
        assert first.startswith("/feed?topic=a" if query.startswith("topic") else "/feed?q=")
        targets = [server.target(number) for number in range(1, 4)]
        assert targets == [f"{first}&after=7", f"{first}&after=7", f"{first}&after=9"]
        assert validators(server) == [None] * 4


async def test_a_query_in_the_url_is_kept_when_it_asks_by_a_validator(poller: Poller) -> None:
    async with peer(FIRST, NOTHING, new(9, b"8\n9\n", then=Then.END), OVER) as server:
        await received(poller(f"{server.url}?topic=a"))
        assert [server.target(number) for number in range(4)] == ["/feed?topic=a"] * 4


async def test_behind_a_redirect_it_goes_on_asking_there_as_long_as_the_connection_is_kept(poller: Poller) -> None:
    moved = Answer(response("307 Temporary Redirect", b"moved", "Location: /there?topic=a"))
    ended = new(9, b"8\n9\n", then=Then.END)
    async with peer(moved, FIRST, NOTHING, ended, moved, new(10, b"10\n"), OVER) as server:
        assert await received(poller(server.url)) == [[b"8", b"9"], [b"10"]]
        there = "/there?topic=a"
        assert [server.target(number) for number in range(7)] == ["/feed", there, there, there, "/feed", there, there]
        assert validators(server) == [None, None, '"7"', '"7"', '"9"', '"9"', '"10"']
