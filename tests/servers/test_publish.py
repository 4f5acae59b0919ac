"""Publishing, by POST and by WebSocket. What is refused is in tests/conformance."""

import asyncio
from collections.abc import AsyncIterator

from tests.servers.conftest import MAX_MESSAGE_BYTES, Caller


async def test_a_post_is_answered_with_the_messages_id(ask: Caller) -> None:
    last_id = await ask.publish(b"1")
    async with ask.http.post(ask.server.url("/publish"), data=b"2") as response:
        assert response.status == 200
        assert await response.json() == {"id": last_id + 1}


async def test_a_get_is_not_allowed(ask: Caller) -> None:
    async with ask.get("/publish") as response:
        assert response.status == 405


async def test_a_message_may_come_in_chunks(ask: Caller) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"in "
        yield b"parts"

    async with ask.http.post(ask.server.url("/publish"), data=chunks()) as response:
        last_id = (await response.json())["id"]
    async with ask.get("/polling", if_none_match=f'"{last_id - 1}"') as response:
        assert await response.read() == b"in parts\n"


async def test_a_message_that_is_too_long_is_refused_before_all_of_it_has_come(ask: Caller) -> None:
    """Whoever sends without end must not fill the memory: the answer comes while the body still lacks its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", ask.server.port)
    size = MAX_MESSAGE_BYTES + 1
    writer.write(
        b"POST /publish HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (size, b"x" * size)
    )
    async with asyncio.timeout(20):
        assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
    writer.close()
    await writer.wait_closed()


async def test_a_websocket_keeps_what_it_published_before_a_refusal(ask: Caller) -> None:
    last_id = await ask.publish(b"before")
    async with ask.http.ws_connect(ask.server.url("/publish")) as socket:
        for message in (b"1", b"2", b"", b"3"):
            await socket.send_bytes(message)
        frame = await socket.receive()  # nothing was answered to the others
        assert (frame.data, frame.extra) == (
            4400,
            "message_refused: the message is empty; an empty line is a heartbeat: send at least one byte",
        )
    async with ask.get("/polling", if_none_match=f'"{last_id}"') as response:
        assert await response.read() == b"1\n2\n"
