"""The chat: its rooms are the server's, and who comes later reads what was said before, by any transport."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from pushbench.transports import OVER_TCP, Transport
from tests.conformance.conftest import client_of
from tests.serving import Server

WITHIN_S = 30


def message(sender: str, text: str) -> bytes:
    return json.dumps({"from": sender, "text": text, "sent": 0}).encode()


async def history(server: Server, http: aiohttp.ClientSession, room: str) -> dict[str, int]:
    async with http.get(server.url(f"/rooms/{room}/history")) as answer:
        assert answer.headers["cache-control"] == "no-store"
        told: dict[str, int] = await answer.json()
        return told


async def post(server: Server, http: aiohttp.ClientSession, room: str, *messages: bytes) -> None:
    for data in messages:
        async with http.post(server.url(f"/rooms/{room}/publish"), data=data) as answer:
            assert answer.status == 200


async def heard(server: Server, row: Transport, room: str, after: int, count: int) -> tuple[list[bytes], Any]:
    """So many messages behind that position, and the cursor of who has heard them."""
    messages: list[bytes] = []
    enough = asyncio.Event()

    def hear(more: list[bytes]) -> None:
        messages.extend(more)
        if len(messages) >= count:
            enough.set()

    options: dict[str, Any] = {"interval_s": 0.01} if row.polls else {}
    async with client_of(row)(server.url(f"/rooms/{room}{row.path}"), after=after, **options) as subscription:
        hearing = asyncio.ensure_future(subscription.receive(hear))
        await asyncio.wait_for(enough.wait(), WITHIN_S)
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
    return messages, subscription.cursor


@pytest.mark.parametrize("row", OVER_TCP.values(), ids=list(OVER_TCP))
async def test_who_comes_later_hears_the_whole_room_and_after_a_break_goes_on_without_loss_or_repeats(
    server: Server, http: aiohttp.ClientSession, row: Transport
) -> None:
    room = f"history-{row.name}"
    first, second, third = [message("Anna", f"{number}") for number in range(3)]
    await post(server, http, room, first, second)
    place = await history(server, http, room)
    assert place["last"] - place["after"] == 2
    messages, cursor = await heard(server, row, room, place["after"], 2)
    assert messages == [first, second]
    await post(server, http, room, third)  # while nobody listens
    messages, _ = await heard(server, row, room, cursor, 1)
    assert messages == [third]


async def test_what_one_says_by_its_socket_it_hears_back_and_so_does_who_listens_otherwise(
    server: Server, http: aiohttp.ClientSession
) -> None:
    said = message("Ben", "<script>alert(1)</script>")
    async with http.ws_connect(server.url("/rooms/both/websocket")) as socket:
        place = await history(server, http, "both")
        await socket.send_str(said.decode())
        assert await socket.receive_str() == said.decode()
    for row in OVER_TCP.values():
        assert (await heard(server, row, "both", place["after"], 1))[0] == [said]


async def test_the_history_of_a_room_that_has_forgotten_begins_with_the_oldest_that_it_has(
    server: Server, http: aiohttp.ClientSession
) -> None:
    await post(server, http, "forgetful", *[b"%d" % number for number in range(5)])
    place = await history(server, http, "forgetful")
    assert (await heard(server, OVER_TCP["stream"], "forgetful", place["after"], 3))[0] == [b"2", b"3", b"4"]
    async with http.get(server.url(f"/rooms/forgetful/stream?after={place['after'] - 1}")) as answer:
        assert (answer.status, answer.headers["refusal"]) == (410, "cursor_too_old")


async def test_a_cursor_of_a_room_of_an_earlier_life_is_refused_however_long_the_new_room_is(
    server: Server, later_server: Server, http: aiohttp.ClientSession
) -> None:
    await post(server, http, "reborn", b"said")
    cursor = (await history(server, http, "reborn"))["last"]
    await http.get(later_server.url("/rooms/reborn/history"))
    await post(later_server, http, "reborn", *[b"%d" % number for number in range(5)])
    async with http.get(later_server.url(f"/rooms/reborn/stream?after={cursor}")) as answer:
        assert answer.status == 410
