"""The reader of WebSocket frames."""

import asyncio

import pytest

import clients.websocket
from clients.ends import CursorGone, SubscriptionEnded
from clients.websocket import WebSocket
from tests.clients.peer import Answer, Then, closing, frame, peer, upgraded

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA


async def received(data: bytes, kind: type[Exception], says: str | None = None) -> tuple[list[bytes], int | None]:
    """What is handed over of one connection until it ends with an exception, and the cursor then."""
    got: list[bytes] = []
    async with peer(Answer(data, Then.END)) as server, WebSocket(server.url) as subscription:
        with pytest.raises(kind, match=says):
            await subscription.receive(got.extend)
        return got, subscription.cursor


async def test_it_asks_without_a_cursor_for_what_comes() -> None:
    async with peer(Answer(upgraded(), Then.TALK)) as server, WebSocket(server.url):
        assert server.target() == "/feed"


async def test_it_resumes_after_its_cursor() -> None:
    async with peer(Answer(upgraded(), Then.TALK)) as server, WebSocket(server.url, after=5):
        assert server.target() == "/feed?after=5"


async def test_each_frame_is_a_message_as_its_bytes_and_moves_the_cursor_by_one() -> None:
    data = upgraded(frame(TEXT, "α".encode()), frame(BINARY, b"\0b"), closing(1000))
    assert await received(data, SubscriptionEnded) == (["α".encode(), b"\0b"], 9)


async def test_each_frame_is_handed_over_with_the_cursor_that_resumes_after_it() -> None:
    cursors: list[tuple[list[bytes], int | None]] = []
    data = upgraded(frame(TEXT, b"a"), frame(TEXT, b"b"), closing(1000))
    async with peer(Answer(data)) as server, WebSocket(server.url) as subscription:
        with pytest.raises(SubscriptionEnded):
            await subscription.receive(lambda messages: cursors.append((messages, subscription.cursor)))
    assert cursors == [([b"a"], 8), ([b"b"], 9)]


async def test_heartbeats_are_answered_and_passed_over() -> None:
    async with peer(Answer(upgraded(frame(PING, b"?"), frame(TEXT, b"a")), Then.TALK)) as server:
        async with WebSocket(server.url) as subscription:
            got: asyncio.Future[list[bytes]] = asyncio.get_running_loop().create_future()
            receiving = asyncio.ensure_future(subscription.receive(got.set_result))
            assert await got == [b"a"]
            receiving.cancel()
            await asyncio.wait({receiving})
        await server.left.wait()
        assert server.said[:2] == bytes([0x80 | PONG, 0x80 | 1])  # one masked byte


async def test_without_an_etag_there_is_no_cursor_but_all_messages() -> None:
    data = upgraded(frame(TEXT, b"a"), closing(1000), etag=None)
    assert await received(data, SubscriptionEnded) == ([b"a"], None)


async def test_the_servers_close_is_told_with_its_code_and_reason() -> None:
    await received(upgraded(closing(1001, b"the server is stopping")), SubscriptionEnded, "1001: the server is stopping$")
    await received(upgraded(closing(1001)), SubscriptionEnded, "1001: no reason given$")


async def test_a_close_that_says_that_the_position_is_gone_is_told_as_that() -> None:
    data = upgraded(frame(TEXT, b"a"), closing(4410, b"cursor_too_old: come again"))
    assert await received(data, CursorGone, "4410: cursor_too_old: come again$") == ([b"a"], 8)


async def test_a_connection_that_breaks_without_a_close_is_an_end_too() -> None:
    assert await received(upgraded(frame(TEXT, b"a")), SubscriptionEnded) == ([b"a"], 8)


async def test_a_server_that_breaks_the_protocol_ends_it() -> None:
    masked = bytes([0x80 | TEXT, 0x80 | 1]) + b"mask" + b"a"  # RFC 6455 section 5.1: a server must not mask
    reserved = frame(0x3, b"")
    for wrong in (reserved, masked):
        got, _ = await received(upgraded(frame(TEXT, b"a"), wrong), SubscriptionEnded)
        assert got[:1] == [b"a"]
    await received(upgraded(reserved), SubscriptionEnded, "the server broke the protocol")


async def test_leaving_says_good_bye() -> None:
    async with peer(Answer(upgraded(), Then.TALK)) as server:
        async with WebSocket(server.url):
            pass
        await server.left.wait()
        assert server.said[0] == 0x80 | CLOSE


async def test_leaving_does_not_wait_for_ever_for_the_servers_good_bye(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients.websocket, "CLOSE_TIMEOUT_S", 0.01)
    async with peer(Answer(upgraded(), Then.HOLD)) as server, asyncio.timeout(20):
        async with WebSocket(server.url):
            pass
        await server.left.wait()
