"""`GET /websocket`, as any WebSocket client sees it."""

import aiohttp
import pytest

from tests.servers.conftest import Caller


async def test_the_handshake_names_the_start_and_agrees_on_no_compression(ask: Caller) -> None:
    last_id = await ask.publish(b"before")
    async with ask.http.ws_connect(ask.server.url("/websocket"), compress=15) as socket:
        assert socket._response.headers["etag"] == f'"{last_id}"'
        assert socket.compress == 0


async def test_each_message_is_one_text_frame_from_where_it_is_asked_to_start(ask: Caller) -> None:
    last_id = await ask.publish(b"old", b"1", "δύο".encode())
    async with ask.http.ws_connect(ask.server.url(f"/websocket?after={last_id - 2}")) as socket:
        await ask.publish(b"3")
        assert [await socket.receive_str() for _ in range(3)] == ["1", "δύο", "3"]


async def test_a_heartbeat_is_a_ping_frame(ask: Caller) -> None:
    async with ask.http.ws_connect(ask.server.url("/websocket"), autoping=False) as socket:
        assert (await socket.receive()).type is aiohttp.WSMsgType.PING


@pytest.mark.parametrize(
    ("after", "status", "refusal"),
    [("1.5", 400, "cursor_invalid"), ("", 400, "cursor_invalid"), ("999999999", 410, "cursor_unknown")],
)
async def test_a_cursor_that_cannot_be_resumed_is_refused_in_place_of_the_handshake(
    ask: Caller, after: str, status: int, refusal: str
) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await ask.http.ws_connect(ask.server.url(f"/websocket?after={after}"))
    assert caught.value.status == status
    assert caught.value.headers is not None
    assert caught.value.headers["refusal"] == refusal
