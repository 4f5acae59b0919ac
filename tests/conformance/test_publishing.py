"""What may be published, by both ways, and what is refused with which words."""

import aiohttp
import pytest

from tests.conformance.conftest import MAX_MESSAGE_BYTES, Feed
from tests.serving import Server


@pytest.mark.parametrize(
    ("data", "status", "says"),
    [
        (b"two\nlines", 400, "a newline at byte 3"),
        (b"two\rlines", 400, "a carriage return at byte 3"),
        (b"nul\0", 400, "a NUL at byte 3"),
        (b"", 400, "empty"),
        (b"\xff\xfe", 400, "byte 0 of the message is not UTF-8"),
        (b"x" * (MAX_MESSAGE_BYTES + 1), 413, f"{MAX_MESSAGE_BYTES} bytes"),
    ],
    ids=["newline", "carriage return", "nul", "empty", "not utf-8", "oversized"],
)
async def test_what_cannot_be_a_message_is_refused_with_its_reason(
    server: Server, feed: Feed, data: bytes, status: int, says: str
) -> None:
    last_id = (await feed.status())["last_id"]
    async with feed.http.post(server.url("/publish"), data=data) as response:
        assert response.status == status
        assert says in await response.text()
    assert (await feed.status())["last_id"] == last_id


async def test_the_longest_message_is_taken(server: Server, feed: Feed) -> None:
    await feed.publish(b"x" * MAX_MESSAGE_BYTES)


async def test_a_websocket_publishes_each_frame(server: Server, feed: Feed) -> None:
    last_id = (await feed.status())["last_id"]
    async with feed.http.ws_connect(server.url("/publish")) as socket:
        await socket.send_str("as text")
        await socket.send_bytes(b"as bytes")
    assert (await feed.status())["last_id"] == last_id + 2


@pytest.mark.parametrize(
    ("data", "code"), [(b"two\nlines", 4400), (b"x" * (MAX_MESSAGE_BYTES + 1), 1009)], ids=["newline", "oversized"]
)
async def test_a_websocket_is_closed_with_the_reason_for_a_refusal(
    server: Server, feed: Feed, data: bytes, code: int
) -> None:
    async with feed.http.ws_connect(server.url("/publish")) as socket:
        await socket.send_bytes(data)
        frame = await socket.receive()
        assert frame.type is aiohttp.WSMsgType.CLOSE
        assert frame.data == code
        assert frame.extra


@pytest.mark.parametrize("after", ["x", "-1", "1.5", ""])
async def test_a_cursor_that_is_no_number_is_refused(server: Server, feed: Feed, after: str) -> None:
    async with feed.http.get(server.url(f"/stream?after={after}")) as response:
        assert response.status == 400
        assert "cursor_invalid" in await response.text()
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await feed.http.ws_connect(server.url(f"/websocket?after={after}"))
    assert caught.value.status == 400
    assert caught.value.headers is not None
    assert caught.value.headers["refusal"] == "cursor_invalid"  # aiohttp does not show the body of such an answer


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("/polling", "If-None-Match"),
        ("/longpoll", "If-None-Match"),
        ("/sse", "Last-Event-ID"),
        ("/sse_plain", "Last-Event-ID"),
    ],
)
async def test_a_header_that_is_no_cursor_is_refused(server: Server, feed: Feed, path: str, header: str) -> None:
    async with feed.http.get(server.url(path), headers={header: '"yesterday"'}) as response:
        assert response.status == 400
        assert "cursor_invalid" in await response.text()
