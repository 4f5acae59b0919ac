"""`/echo`: an action and its answer."""

import aiohttp

from tests.servers.conftest import Caller


async def test_a_post_is_answered_with_what_it_brought(ask: Caller) -> None:
    for body in (b"x", b"", "δύο\n".encode(), b"\x00\xff" * 1000):
        async with ask.http.post(ask.server.url("/echo"), data=body) as answer:
            assert (answer.status, await answer.read()) == (200, body)


async def test_a_body_that_is_too_long_is_refused(ask: Caller) -> None:
    async with ask.http.post(ask.server.url("/echo"), data=b"x" * 65_537) as answer:
        assert (answer.status, answer.headers["refusal"]) == (413, "message_too_large")


async def test_each_frame_is_answered_in_turn_and_in_its_own_kind(ask: Caller) -> None:
    async with ask.http.ws_connect(ask.server.url("/echo")) as socket:
        await socket.send_str("one")
        await socket.send_bytes(b"\x00two")
        await socket.send_str("")
        assert [(await socket.receive()).data for _ in range(3)] == ["one", b"\x00two", ""]


async def test_a_frame_that_is_too_long_closes_with_1009(ask: Caller) -> None:
    async with ask.http.ws_connect(ask.server.url("/echo")) as socket:
        await socket.send_str("x" * 65_537)
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 1009


async def test_nobody_else_hears_of_it(ask: Caller) -> None:
    last_id = await ask.publish(b"before")
    await ask.http.post(ask.server.url("/echo"), data=b"to nobody")
    assert await ask.publish(b"after") == last_id + 1
