"""The conditional requests of both pollers."""

from typing import Any

import pytest

from clients.conditional import ConditionalRequests
from clients.ends import CursorGone, RequestRefused
from clients.longpoll import LongPoll
from clients.polling import Polling
from tests.clients.peer import Answer, Then, peer, response

FIRST = Answer(response("204 No Content", b"", 'ETag: "7"'))
NOTHING = Answer(response("304 Not Modified", b"", 'ETag: "7"'))
END = Answer(response("500 Internal Server Error", b"the script is over"))


def polling(url: str, **options: Any) -> Polling:
    return Polling(url, interval_s=0, **options)


@pytest.fixture(params=[polling, LongPoll], ids=["polling", "longpoll"])
def poller(request: pytest.FixtureRequest) -> type[ConditionalRequests]:
    given: type[ConditionalRequests] = request.param
    return given


def new(etag: int, body: bytes) -> Answer:
    return Answer(response("200 OK", body, f'ETag: "{etag}"'))


async def test_it_asks_again_and_again_with_the_last_answers_validator_on_one_connection(
    poller: type[ConditionalRequests],
) -> None:
    got: list[list[bytes]] = []
    cursors: list[str] = []
    async with peer(FIRST, NOTHING, new(9, b"8\n9\n"), NOTHING, new(10, b"10\n"), END) as server:
        async with poller(server.url) as subscription:

            def hand_over(messages: list[bytes]) -> None:
                got.append(messages)
                cursors.append(str(subscription.cursor))

            with pytest.raises(RequestRefused, match="the script is over"):
                await subscription.receive(hand_over)
        assert got == [[b"8", b"9"], [b"10"]]
        assert cursors == ["9", "10"]
        sent = [server.header("if-none-match", number) for number in range(len(server.requests))]
        assert sent == [None, '"7"', '"7"', '"9"', '"9"', '"10"']
        assert server.connections == 1


async def test_a_poller_may_ask_by_a_query_whose_answer_is_200_also_with_nothing_new() -> None:
    got: list[list[bytes]] = []
    async with peer(FIRST, new(7, b""), new(9, b"8\n9\n"), new(9, b""), END) as server:
        async with Polling(server.url, interval_s=0, validators=False) as subscription:
            with pytest.raises(RequestRefused, match="the script is over"):
                await subscription.receive(got.append)
        assert got == [[b"8", b"9"]]
        assert [server.target(number).partition("?")[2] for number in range(5)] == ["", *["after=7"] * 2, *["after=9"] * 2]
        assert server.header("if-none-match", 1) is None


async def test_a_poller_may_make_a_connection_for_each_request() -> None:
    async with peer(FIRST, NOTHING, new(9, b"8\n9\n"), END) as server:
        async with Polling(server.url, interval_s=0, keep_connection=False) as subscription:
            with pytest.raises(RequestRefused, match="the script is over"):
                await subscription.receive(lambda messages: None)
        assert server.connections == 4


async def test_a_cursor_that_goes_while_it_polls_ends_it(poller: type[ConditionalRequests]) -> None:
    gone = Answer(response("410 Gone", b"cursor_too_old: come again\n"))
    async with peer(FIRST, new(8, b"8\n"), gone) as server, poller(server.url) as subscription:
        with pytest.raises(CursorGone, match="cursor_too_old: come again"):
            await subscription.receive(lambda messages: None)
        assert str(subscription.cursor) == "8"


async def test_an_answer_that_is_none_of_a_pollers_ends_it(poller: type[ConditionalRequests]) -> None:
    async with peer(FIRST, Answer(response("202 Accepted", b"later"))) as server, poller(server.url) as subscription:
        with pytest.raises(RequestRefused, match="answered 202: later"):
            await subscription.receive(lambda messages: None)


async def test_a_cookie_is_not_kept(poller: type[ConditionalRequests]) -> None:
    """A benchmark's subscribers are strangers to the server at each request, on every transport alike."""
    cookie = Answer(response("204 No Content", b"", 'ETag: "7"', "Set-Cookie: a=b"))
    async with peer(cookie, END) as server, poller(server.url) as subscription:
        with pytest.raises(RequestRefused):
            await subscription.receive(lambda messages: None)
        assert server.header("cookie") is None


@pytest.mark.parametrize("answers", [[Answer(response("204 No Content"))], [FIRST, Answer(response("200 OK", b"8\n"))]])
async def test_an_answer_without_a_validator_ends_it_for_there_is_nothing_to_ask_from(
    poller: type[ConditionalRequests], answers: list[Answer]
) -> None:
    got: list[list[bytes]] = []
    async with peer(*answers, END) as server:
        with pytest.raises(RequestRefused, match=r"/feed answered 20[04] without an ETag"):
            async with poller(server.url) as subscription:
                await subscription.receive(got.append)
    assert got == []


async def test_an_answer_may_end_with_its_connection(poller: type[ConditionalRequests]) -> None:
    got: list[list[bytes]] = []
    whole = Answer(b'HTTP/1.1 200 OK\r\nETag: "8"\r\nConnection: close\r\n\r\n8\n', Then.END)
    async with peer(FIRST, whole, END) as server, poller(server.url) as subscription:
        with pytest.raises(RequestRefused, match="the script is over"):
            await subscription.receive(got.append)
    assert got == [[b"8"]]
    assert server.connections == 2


async def test_both_validators_are_sent_back_as_they_came(poller: type[ConditionalRequests]) -> None:
    """As of nchan: an ETag without quotes counts within the second that Last-Modified names."""
    when = "Sat, 28 Nov 2026 13:21:55 GMT"
    first = Answer(response("304 Not Modified", b"", "ETag: 1", f"Last-Modified: {when}"))
    async with peer(first, NOTHING, END) as server, poller(server.url) as subscription:
        with pytest.raises(RequestRefused, match="the script is over"):
            await subscription.receive(lambda messages: None)
        assert [server.header("if-none-match", number) for number in range(3)] == [None, "1", "1"]
        assert [server.header("if-modified-since", number) for number in range(3)] == [None, when, when]


async def test_what_the_very_first_answer_holds_is_of_before_and_not_handed_over(poller: type[ConditionalRequests]) -> None:
    got: list[list[bytes]] = []
    async with peer(new(7, b"7\n"), new(8, b"8\n"), END) as server, poller(server.url) as subscription:
        with pytest.raises(RequestRefused, match="the script is over"):
            await subscription.receive(got.append)
    assert got == [[b"8"]]


async def test_the_last_line_of_an_answer_needs_no_end(poller: type[ConditionalRequests]) -> None:
    got: list[list[bytes]] = []
    async with peer(FIRST, new(8, b"8"), new(10, b"9\n10"), END) as server, poller(server.url) as subscription:
        with pytest.raises(RequestRefused, match="the script is over"):
            await subscription.receive(got.append)
    assert got == [[b"8"], [b"9", b"10"]]


async def test_where_a_reader_starts_may_be_said_elsewhere(poller: type[ConditionalRequests]) -> None:
    async with peer(FIRST, NOTHING, END) as server:
        async with poller(server.url, start_url=server.url.replace("/feed", "/newest?x=1")) as subscription:
            with pytest.raises(RequestRefused, match="the script is over"):
                await subscription.receive(lambda messages: None)
        assert [server.target(number) for number in range(3)] == ["/newest?x=1", "/feed", "/feed"]
        assert server.connections == 1
