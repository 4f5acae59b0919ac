"""`/rooms/ROOM`: a hub of its own for each name, on which one says and all hear."""

import json

import aiohttp
import pytest

from servers.hub import Hub
from servers.options import Options
from servers.rooms import RoomInvalid, Rooms, TooManyRooms
from tests.servers.conftest import Caller
from tests.serving import Server


def room(server: Server, name: str, path: str) -> str:
    return server.url(f"/rooms/{name}{path}")


async def test_what_a_websocket_says_in_its_room_all_of_it_hear_itself_included(ask: Caller) -> None:
    async with (
        ask.http.ws_connect(room(ask.server, "one", "/websocket")) as speaker,
        ask.http.ws_connect(room(ask.server, "one", "/websocket")) as hearer,
        ask.http.ws_connect(room(ask.server, "other", "/websocket")) as elsewhere,
    ):
        await speaker.send_str("first")
        await speaker.send_bytes(b"second")
        await elsewhere.send_str("of another room")
        assert [await speaker.receive_str() for _ in range(2)] == ["first", "second"]
        assert [await hearer.receive_str() for _ in range(2)] == ["first", "second"]
        assert await elsewhere.receive_str() == "of another room"


async def test_what_is_posted_in_a_room_is_heard_there_by_every_transport(ask: Caller) -> None:
    async with ask.http.ws_connect(room(ask.server, "posted", "/websocket")) as socket:
        async with ask.http.post(room(ask.server, "posted", "/publish"), data=b"hello") as answer:
            assert await answer.json() == {"id": 1}
        assert await socket.receive_str() == "hello"
    asked = {"If-None-Match": '"0"'}
    for path in ("/polling", "/longpoll"):
        async with ask.http.get(room(ask.server, "posted", path), headers=asked) as answer:
            assert await answer.text() == "hello\n"
    async with ask.http.get(room(ask.server, "posted", "/stream?after=0")) as answer:
        assert await anext(aiter(answer.content)) == b"hello\n"
    async with ask.http.get(room(ask.server, "posted", "/sse"), headers={"Last-Event-ID": "0"}) as answer:
        assert b"data: hello\r\n" in [await answer.content.readline() for _ in range(5)]


async def test_what_a_room_does_not_take_closes_the_socket_of_who_said_it(ask: Caller) -> None:
    async with ask.http.ws_connect(room(ask.server, "strict", "/websocket")) as socket:
        await socket.send_str("two\nlines")
        closed = await socket.receive()
        assert (closed.type, socket.close_code) == (aiohttp.WSMsgType.CLOSE, 4400)
        assert (closed.extra or "").startswith("message_refused: ")


async def test_on_the_feed_itself_a_subscriber_still_says_nothing(ask: Caller) -> None:
    async with ask.http.ws_connect(ask.server.url("/websocket")) as socket:
        await socket.send_str("hello")
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 1008


async def test_a_name_that_can_be_no_room_is_refused(ask: Caller) -> None:
    for name in ("%20", "a%20b", "a" * 65):
        async with ask.http.post(room(ask.server, name, "/publish"), data=b"x") as answer:
            assert (answer.status, answer.headers["refusal"]) == (400, "room_invalid")
    async with ask.http.post(
        room(ask.server, "a%2Fb%00", "/publish"), data=b"x"
    ) as answer:  # `b…` is no path of the room a
        assert (answer.status, answer.headers.get("refusal"), await answer.text()) == (404, None, "Not Found")


async def test_the_status_counts_rooms_and_who_is_in_them(ask: Caller) -> None:
    async def status() -> dict[str, int]:
        async with ask.http.get(ask.server.url("/status")) as answer:
            told: dict[str, int] = json.loads(await answer.text())
            return told

    before = await status()
    async with ask.http.ws_connect(room(ask.server, "counted", "/websocket")):
        now = await status()
        assert (now["rooms"], now["in_rooms"]) == (before["rooms"] + 1, before["in_rooms"] + 1)


def rooms(most: int) -> Rooms:
    return Rooms(Options(max_rooms=most), lambda hub, options: [])


async def test_a_new_room_begins_behind_the_id_that_it_is_told() -> None:
    there = Rooms(Options(), lambda hub, options: [], begin=lambda: 1000)
    there._room("new")
    assert [(hub.last_id, hub.before_oldest) for hub in there.hubs] == [(1000, 1000)]


async def test_beyond_the_most_the_empty_room_asked_for_longest_ago_makes_place() -> None:
    there = rooms(2)
    first, second = there._room("first"), there._room("second")
    assert there._room("first") is first
    there._room("third")
    assert there._room("first") is first
    assert there._room("second") is not second


async def test_a_room_with_somebody_in_it_makes_no_place() -> None:
    made: list[Hub] = []

    def routes(hub: Hub, options: Options) -> list[object]:
        assert options.duplex
        made.append(hub)
        return []

    there = Rooms(Options(max_rooms=1), routes)  # type: ignore[arg-type]
    there._room("taken")
    with made[0].cursor(), pytest.raises(TooManyRooms, match="1 rooms"):
        there._room("new")
    there._room("new")
    with pytest.raises(RoomInvalid):
        there._room("")


async def test_closing_the_rooms_ends_all_who_read_there() -> None:
    there = rooms(3)
    there._room("one")
    there._room("two")
    there.close()
    assert all(hub.closed for hub in there.hubs)
