"""The reader of a stream of lines."""

import asyncio
import itertools

import aiohttp
import pytest
from hypothesis import given, strategies as st

from clients.ends import CursorGone, SubscriptionEnded
from clients.stream import Stream
from tests.clients.peer import Answer, Then, endless, peer


async def received(data: bytes, kind: type[Exception], says: str | None = None) -> tuple[list[bytes], int | None]:
    """What is handed over of one response until it ends with an exception, and the cursor then."""
    got: list[bytes] = []
    async with peer(Answer(data, Then.END)) as server, Stream(server.url) as subscription:
        with pytest.raises(kind, match=says):
            await subscription.receive(got.extend)
        return got, subscription.cursor


async def test_it_asks_without_a_cursor_for_what_comes() -> None:
    async with peer(Answer(endless(), Then.HOLD)) as server, Stream(server.url):
        assert server.target() == "/feed"


async def test_it_resumes_after_its_cursor() -> None:
    async with peer(Answer(endless(), Then.HOLD)) as server, Stream(server.url, after=5):
        assert server.target() == "/feed?after=5"


async def test_each_line_is_a_message_and_moves_the_cursor_by_one() -> None:
    assert await received(endless(b"a\nb\n", b"c\n", last=True), SubscriptionEnded) == ([b"a", b"b", b"c"], 10)


async def test_each_line_is_handed_over_with_the_cursor_that_resumes_after_it() -> None:
    cursors: list[tuple[list[bytes], int | None]] = []
    async with peer(Answer(endless(b"a\nb\n", last=True))) as server, Stream(server.url) as subscription:
        with pytest.raises(SubscriptionEnded):
            await subscription.receive(lambda messages: cursors.append((messages, subscription.cursor)))
    assert cursors == [([b"a"], 8), ([b"b"], 9)]


async def test_heartbeats_are_passed_over() -> None:
    assert await received(endless(b"\n", b"a\n\n\nb\n", b"\n", last=True), SubscriptionEnded) == ([b"a", b"b"], 9)


async def test_a_line_that_is_cut_off_is_not_a_message() -> None:
    assert await received(endless(b"a\nb", last=True), SubscriptionEnded) == ([b"a"], 8)


async def test_an_orderly_end_is_the_servers() -> None:
    await received(endless(last=True), SubscriptionEnded, "the server ended the response")


async def test_an_end_within_the_response_is_a_broken_connection() -> None:
    assert await received(endless(b"a\n"), aiohttp.ClientPayloadError) == ([b"a"], 8)


async def test_the_servers_last_line_is_the_reason_and_no_message() -> None:
    data = endless(b"a\n\0cursor_too_old: come again\n", last=True)
    assert await received(data, CursorGone, "^cursor_too_old: come again$") == ([b"a"], 8)


async def test_without_an_etag_there_is_no_cursor_but_all_messages() -> None:
    assert await received(endless(b"a\nb\n", etag=None, last=True), SubscriptionEnded) == ([b"a", b"b"], None)


@given(st.lists(st.integers(0, 30), max_size=8))
async def test_it_does_not_matter_where_the_bytes_are_cut(cuts: list[int]) -> None:
    data = b"first\n\nsecond\n\xe2\x82\xac\nlast\n"
    edges = sorted({0, *cuts, len(data)})
    chunks = [data[a:b] for a, b in itertools.pairwise(edges) if data[a:b]]
    got, cursor = await received(endless(*chunks, last=True), SubscriptionEnded)
    assert (got, cursor) == ([b"first", b"second", b"\xe2\x82\xac", b"last"], 11)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_response_may_end_with_its_connection(version: str) -> None:
    head = f'HTTP/{version} 200 OK\r\nETag: "7"\r\n\r\n'.encode()
    assert await received(head + b"a\nb\n", SubscriptionEnded, "the server ended the response") == ([b"a", b"b"], 9)


async def test_a_response_that_will_end_with_its_connection_is_read_as_it_comes() -> None:
    begun = Answer(b'HTTP/1.1 200 OK\r\nETag: "7"\r\n\r\na\n', Then.HOLD)
    async with peer(begun) as server, asyncio.timeout(20), Stream(server.url) as subscription:
        got: asyncio.Future[list[bytes]] = asyncio.get_running_loop().create_future()
        receiving = asyncio.ensure_future(subscription.receive(got.set_result))
        assert await got == [b"a"]
        assert not server.left.is_set()
        receiving.cancel()
