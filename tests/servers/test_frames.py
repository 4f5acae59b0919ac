"""Frames that are encoded once for all subscribers, and written as they are."""

import asyncio
import socket
from collections.abc import Generator

import aiohttp
import pytest
import uvicorn
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from servers.app import create_app
from servers.frames import frame, text_frames
from servers.hub import Message
from servers.options import Options
from tests.serving import serving


def read(data: bytes) -> Frame:
    """The one frame that the bytes are, by another library."""
    stream = StreamReader()
    stream.feed_data(data)
    parsing: Generator[None, None, Frame] = Frame.parse(stream.read_exact, mask=False)
    with pytest.raises(StopIteration) as parsed:
        next(parsing)
    assert not stream.buffer
    found: Frame = parsed.value.value
    return found


@pytest.mark.parametrize("size", [1, 125, 126, 65_535, 65_536])
def test_a_frame_is_a_whole_unmasked_text_whatever_its_length(size: int) -> None:
    data = b"x" * size
    found = read(frame(data))
    assert (found.opcode, found.data, found.fin) == (Opcode.TEXT, data, True)
    assert (found.rsv1, found.rsv2, found.rsv3) == (False, False, False)


def test_messages_are_encoded_once_for_all_who_are_given_the_same_list() -> None:
    messages = [Message(1, b"x", "x"), Message(2, b"y", "y")]
    assert text_frames(messages) == frame(b"x") + frame(b"y")
    assert text_frames(messages) is text_frames(messages)


MESSAGES = [f"message {number}" for number in range(20)]


async def received(port: int, compress: int = 0) -> list[str]:
    """What one subscriber is sent of messages that are published at once."""
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http,
        http.ws_connect("/websocket", compress=compress) as websocket,
        http.ws_connect("/publish") as feed,
    ):
        for message in MESSAGES:
            await feed.send_str(message)
        return [await asyncio.wait_for(websocket.receive_str(), 20) for _ in MESSAGES]


@pytest.mark.parametrize("compression", ["none", "permessage-deflate"])
@pytest.mark.parametrize("window_bits", [0, 15])
async def test_what_is_published_together_arrives_message_by_message_compressed_or_not(
    compression: str, window_bits: int
) -> None:
    with serving(compression=compression) as server:
        assert await received(server.port, compress=window_bits) == MESSAGES


async def test_under_uvicorns_own_protocol_messages_go_one_by_one() -> None:
    server = uvicorn.Server(
        uvicorn.Config(create_app(Options()), ws="websockets-sansio", lifespan="off", log_level="warning")
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:  # it listens already, so that a client may come at once
        running = asyncio.create_task(server.serve([listener]))
        assert await received(listener.getsockname()[1]) == MESSAGES
        server.should_exit = True
        await running
