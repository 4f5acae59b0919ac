"""The reader of an event stream over HTTP. The format itself is in test_eventstream."""

import aiohttp
import pytest

from clients.ends import CursorGone, SubscriptionEnded
from clients.sse import ServerSentEvents
from tests.clients.peer import Answer, Then, endless, peer


async def received(data: bytes, kind: type[Exception], says: str | None = None) -> tuple[list[bytes], int]:
    """What is handed over of one response until it ends with an exception, and the cursor then."""
    got: list[bytes] = []
    async with peer(Answer(data, Then.END)) as server, ServerSentEvents(server.url) as subscription:
        with pytest.raises(kind, match=says):
            await subscription.receive(got.extend)
        return got, int(subscription.cursor)


async def test_it_asks_for_an_event_stream_and_without_a_cursor_for_what_comes() -> None:
    async with peer(Answer(endless(), Then.HOLD)) as server, ServerSentEvents(server.url):
        assert server.header("accept") == "text/event-stream"
        assert server.header("last-event-id") is None


async def test_it_resumes_after_its_cursor() -> None:
    async with peer(Answer(endless(), Then.HOLD)) as server, ServerSentEvents(server.url, after=5):
        assert server.header("last-event-id") == "5"


async def test_each_event_is_a_message_and_its_id_the_cursor() -> None:
    data = endless(b"id: 7\n\n", b"id: 8\ndata: a\n\nid: 9\nda", b"ta: b\n\n", last=True)
    assert await received(data, SubscriptionEnded) == ([b"a", b"b"], 9)


async def test_an_id_alone_moves_the_cursor() -> None:
    assert await received(endless(b"id: 12\n\n", last=True), SubscriptionEnded) == ([], 12)


async def test_events_without_an_id_leave_the_cursor_where_it_is() -> None:
    assert await received(endless(b"data: a\n\n", last=True), SubscriptionEnded) == ([b"a"], 7)


async def test_an_id_may_be_any_text() -> None:
    data = endless(b"id: 1795872131:0\ndata: a\n\n")
    async with peer(Answer(data, Then.END)) as server, ServerSentEvents(server.url) as subscription:
        with pytest.raises(aiohttp.ClientError):
            await subscription.receive(lambda messages: None)
        assert subscription.cursor == "1795872131:0"


async def test_an_event_without_an_id_behind_one_that_has_one_leaves_the_cursor_there() -> None:
    data = endless(b"id: 1:0\ndata: a\n\n", b"data: b\n\n")
    got: list[bytes] = []
    async with peer(Answer(data, Then.END)) as server, ServerSentEvents(server.url) as subscription:
        with pytest.raises(aiohttp.ClientError):
            await subscription.receive(got.extend)
        assert (got, subscription.cursor) == ([b"a", b"b"], "1:0")


async def test_heartbeats_are_passed_over() -> None:
    assert await received(endless(b": heartbeat\n\n", b"id: 8\ndata: a\n\n", last=True), SubscriptionEnded) == ([b"a"], 8)


async def test_an_event_that_is_cut_off_is_not_a_message() -> None:
    assert await received(endless(b"id: 8\ndata: a\n\nid: 9\ndata: b\n", last=True), SubscriptionEnded) == ([b"a"], 8)


async def test_the_servers_last_event_is_the_reason_and_the_cursor_stays_at_the_last_message() -> None:
    data = endless(b"id: 8\ndata: a\n\nevent: cursor_too_old\ndata: come again\n\n", last=True)
    assert await received(data, CursorGone, "^cursor_too_old: come again$") == ([b"a"], 8)


async def test_an_orderly_end_is_the_servers() -> None:
    await received(endless(last=True), SubscriptionEnded, "the server ended the response")


async def test_an_end_within_the_response_is_a_broken_connection() -> None:
    assert await received(endless(b"id: 8\ndata: a\n\n"), aiohttp.ClientPayloadError) == ([b"a"], 8)
