"""The ticker's protocol: ops and their answers, errors that keep the connection, and numbers without a gap."""

import asyncio
import json
import socket as sockets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from apps.ticker.book import Book
from clients.frames import TEXT, Frames, masked
from tests.apps.conftest import MAX_MESSAGE_BYTES
from tests.serving import Server, serving

WITHIN_S = 30
BTC, ETH = "trades.BTC-EUR", "trades.ETH-EUR"


class Client:
    """What says ops and hears messages."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, **op: Any) -> None:
        await self.socket.send_str(json.dumps(op))

    async def text(self) -> str:
        return await self.socket.receive_str(timeout=WITHIN_S)

    async def hear(self) -> Any:
        return json.loads(await self.text())

    async def subscribe(self, *channels: str) -> list[Any]:
        """Returns the snapshots."""
        await self.say(op="subscribe", channels=channels)
        while (message := await self.hear())["type"] == "update":
            pass
        assert message == {"type": "subscribed", "channels": list(channels)}
        return [await self.hear() for _ in channels]

    async def until(self, kind: str) -> tuple[list[Any], Any]:
        """The messages before the first of that type, and that one."""
        before = []
        while (message := await self.hear())["type"] != kind:
            before.append(message)
        return before, message


@asynccontextmanager
async def connected(server: Server, http: aiohttp.ClientSession) -> AsyncIterator[Client]:
    async with http.ws_connect(server.url("/ticker/socket")) as socket:
        yield Client(socket)


@pytest.fixture
async def client(server: Server, http: aiohttp.ClientSession) -> AsyncIterator[Client]:
    async with connected(server, http) as one:
        yield one


@pytest.fixture(scope="session", params=["direct", "asgi"])
def busy(request: pytest.FixtureRequest) -> Iterator[Server]:
    """It trades fast, and writes directly or as any application does."""
    with serving(program="apps", ticker_hz=1000, ticker_symbols=3, writes=request.param) as running:
        yield running


async def publish(server: Server, http: aiohttp.ClientSession, *messages: bytes) -> int:
    for data in messages:
        async with http.post(server.url("/ticker/publish"), data=data) as answer:
            assert answer.status == 200, await answer.text()
            number: int = (await answer.json())["id"]
    return number


# --- ops


@pytest.mark.parametrize("number", [7, "seven", 0, None])
async def test_a_ping_is_answered_with_its_id(client: Client, number: object) -> None:
    await client.say(op="ping", id=number)
    assert await client.hear() == {"type": "pong"} | ({} if number is None else {"id": number})


async def test_a_subscription_is_confirmed_then_comes_a_snapshot_of_each_channel(client: Client) -> None:
    snapshots = await client.subscribe(BTC, "bench")
    assert snapshots[0] == {"type": "snapshot", "channel": BTC, "seq": 0, "data": None}
    assert (snapshots[1]["type"], snapshots[1]["channel"]) == ("snapshot", "bench")


async def test_what_is_published_is_the_next_update_of_bench_byte_for_byte(
    server: Server, http: aiohttp.ClientSession, client: Client
) -> None:
    [snapshot] = await client.subscribe("bench")
    data = '{ "seq":      123,"b": 1.50e0, "ä":"\\u00e4", "same": 1, "same": 2 }'
    number = await publish(server, http, data.encode())
    assert number == snapshot["seq"] + 1
    assert await client.text() == f'{{"type":"update","channel":"bench","seq":{number},"data":{data}}}'
    await client.say(op="resync", channel="bench")
    assert await client.text() == f'{{"type":"snapshot","channel":"bench","seq":{number},"data":{data}}}'


async def test_what_is_published_by_socket_is_heard_too_and_the_longest_message_is_taken(
    server: Server, http: aiohttp.ClientSession, client: Client
) -> None:
    [snapshot] = await client.subscribe("bench")
    longest = '"' + "x" * (MAX_MESSAGE_BYTES - 2) + '"'
    async with http.ws_connect(server.url("/ticker/publish")) as publisher:
        for data in ("1", "[]", longest):
            await publisher.send_str(data)
        updates = [await client.hear() for _ in range(3)]
    assert [update["data"] for update in updates] == [1, [], longest.strip('"')]
    assert [update["seq"] - snapshot["seq"] for update in updates] == [1, 2, 3]


@pytest.mark.parametrize("data", [b"", b"{", b"1, 2", b'1},"x":{', b"[1,\n2]", b"\xff", b"NaN", b'"\0"', b"[" * 4000])
async def test_what_is_no_json_or_no_message_is_not_published(
    server: Server, http: aiohttp.ClientSession, data: bytes
) -> None:
    async with http.post(server.url("/ticker/publish"), data=data) as answer:
        assert (answer.status, answer.headers["refusal"]) == (400, "message_refused")
    async with http.post(server.url("/ticker/publish"), data=b"1" * (MAX_MESSAGE_BYTES + 1)) as answer:
        assert (answer.status, answer.headers["refusal"]) == (413, "message_too_large")


async def test_who_has_unsubscribed_hears_no_more_of_that_channel_and_all_of_the_others(
    server: Server, http: aiohttp.ClientSession, client: Client
) -> None:
    await client.subscribe("bench", BTC)
    first = await publish(server, http, b"1")
    await client.say(op="unsubscribe", channels=["bench"])
    before, told = await client.until("unsubscribed")
    assert [update["seq"] for update in before] == [first]
    assert told == {"type": "unsubscribed", "channels": ["bench"]}
    await publish(server, http, b"2")
    await client.say(op="ping", id=1)
    assert await client.hear() == {"type": "pong", "id": 1}
    [snapshot] = await client.subscribe("bench")
    assert (snapshot["seq"], snapshot["data"]) == (first + 1, 2)


async def test_what_is_followed_already_is_confirmed_without_another_snapshot(client: Client) -> None:
    await client.subscribe(BTC)
    await client.say(op="subscribe", channels=[BTC, BTC])
    assert await client.hear() == {"type": "subscribed", "channels": [BTC]}
    await client.say(op="ping")
    assert await client.hear() == {"type": "pong"}


async def test_the_channels_can_be_asked_for(server: Server, http: aiohttp.ClientSession) -> None:
    async with http.get(server.url("/ticker/channels")) as answer:
        told = await answer.json()
    assert told["channels"][0] == BTC
    assert told["channels"][-1] == "bench"
    assert told["at_most"] == 4


# --- errors

ERRORS = [
    ("", "json_invalid"),
    ("ping", "json_invalid"),
    ("[" * 9000, "json_invalid"),
    ("[]", "type_wrong"),
    ("1", "type_wrong"),
    ("{}", "key_missing"),
    ('{"op":"buy"}', "op_unknown"),
    ('{"op":null}', "op_unknown"),
    ('{"op":{}}', "op_unknown"),
    ('{"op":"ping","ID":1}', "key_unknown"),
    ('{"op":"ping","id":{}}', "type_wrong"),
    ('{"op":"ping","id":true}', "type_wrong"),
    ('{"op":"ping","id":"%s"}' % ("x" * 65), "id_invalid"),
    ('{"op":"subscribe"}', "key_missing"),
    ('{"op":"subscribe","channels":"bench"}', "type_wrong"),
    ('{"op":"subscribe","channels":[]}', "type_wrong"),
    ('{"op":"subscribe","channels":[1]}', "type_wrong"),
    ('{"op":"subscribe","channels":["bench","trades.XAU-EUR"]}', "channel_unknown"),
    (
        json.dumps({"op": "subscribe", "channels": ["bench", BTC, ETH, "trades.SOL-EUR", "trades.XRP-EUR"]}),
        "too_many_channels",
    ),
    ('{"op":"unsubscribe","channels":["bench"]}', "not_subscribed"),
    ('{"op":"resync","channel":"bench"}', "not_subscribed"),
    ('{"op":"resync","channels":["bench"]}', "key_unknown"),
    ('{"op":"resync","channel":"gold"}', "channel_unknown"),
    ('{"op":"ping","id":"%s"}' % ("x" * 4050), "id_invalid"),
]


@pytest.mark.parametrize(("text", "name"), ERRORS)
async def test_an_op_that_is_refused_is_an_error_and_the_connection_goes_on_as_before(
    client: Client, text: str, name: str
) -> None:
    await client.socket.send_str(text[:MAX_MESSAGE_BYTES])
    error = await client.hear()
    assert error.keys() == {"type", "name", "says"}
    assert (error["type"], error["name"]) == ("error", name)
    await client.say(op="unsubscribe", channels=["bench"])  # nothing of it was done
    assert (await client.hear())["name"] == "not_subscribed"


async def test_an_op_that_is_too_long_is_an_error(http: aiohttp.ClientSession, busy: Server) -> None:
    async with connected(busy, http) as client:
        await client.socket.send_str(" " * 20_000)
        assert (await client.hear())["name"] == "op_too_large"


# --- numbers


async def test_behind_a_snapshot_come_the_updates_without_a_gap_or_a_repeat_whenever_one_subscribes(
    busy: Server, http: aiohttp.ClientSession
) -> None:
    """While a thousand updates a second are made, and channels change on the same connection."""
    async with connected(busy, http) as client:
        book, other = Book(BTC), Book(ETH)
        await client.say(op="subscribe", channels=[BTC])
        updates = {BTC: 0, ETH: 0}
        while updates[ETH] < 100:
            message = await client.hear()
            for each in (book, other):
                if message.get("channel") == each.channel:
                    assert each.take(message) is None
            if message["type"] != "update":
                continue
            updates[message["channel"]] += 1
            if updates[BTC] % 20 == 0:
                await client.say(op="ping")
            if updates[BTC] == 50:
                await client.say(op="subscribe", channels=[ETH])
        assert (book.gaps, book.repeats, other.gaps, other.repeats) == (0, 0, 0, 0)
        await client.say(op="resync", channel=BTC)
        before, snapshot = await client.until("snapshot")
        for message in before:
            if message.get("channel") == BTC:
                assert book.take(message) is None
        assert (book.seq, book.state) == (snapshot["seq"], snapshot["data"])


async def test_all_who_follow_the_same_hear_the_same_and_who_changes_takes_nothing_from_them(
    busy: Server, http: aiohttp.ClientSession
) -> None:
    async def follow(restless: bool) -> Book:
        async with connected(busy, http) as client:
            book = Book(BTC)
            await client.say(op="subscribe", channels=[BTC])
            while book.seq < first + 400:
                message = await client.hear()
                if message.get("channel") == BTC:
                    assert book.take(message) is None
                    if restless and book.seq % 7 == 0:
                        op = "unsubscribe" if book.seq % 2 else "subscribe"
                        await client.say(op=op, channels=[ETH])
            return book

    async with connected(busy, http) as client:
        first = (await client.subscribe(BTC))[0]["seq"]
    books = await asyncio.wait_for(asyncio.gather(*(follow(number % 2 == 1) for number in range(6))), WITHIN_S)
    assert {book.gaps + book.repeats for book in books} == {0}


async def test_a_client_that_is_made_to_miss_updates_has_the_servers_state_after_each_resync(
    http: aiohttp.ClientSession,
) -> None:
    with serving(program="apps", ticker_hz=1000, ticker_symbols=1, ticker_gap_every=50) as leaky:
        async with connected(leaky, http) as client:
            book = Book(BTC)
            await client.say(op="subscribe", channels=[BTC])
            async with asyncio.timeout(WITHIN_S):
                while book.gaps < 5 or not book.in_sync:
                    message = await client.hear()
                    if op := book.take(message) if "channel" in message else None:
                        await client.say(**op)
            await client.say(op="resync", channel=BTC)
            before, snapshot = await client.until("snapshot")
            for message in before:
                book.take(message)
            if book.in_sync:  # else one more is missing just now
                assert (book.seq, book.state) == (snapshot["seq"], snapshot["data"])
            book.take(snapshot)
            assert book.repeats == 0
            assert book.state["trades"] == book.seq  # of which not one was left out, or counted twice


@pytest.mark.parametrize("writes", ["direct", "asgi"])
async def test_who_reads_too_slowly_for_the_log_is_told_of_the_gap_and_gets_back_by_a_resync(
    http: aiohttp.ClientSession, writes: str
) -> None:
    with serving(program="apps", ticker_hz=0, log_messages=20, writes=writes) as small:
        slow = sockets.socket()
        slow.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", small.port))
        reader, writer = await asyncio.open_connection(sock=slow, limit=4096)
        writer.write(
            b"GET /ticker/socket HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        writer.write(masked(TEXT, b'{"op":"subscribe","channels":["bench"]}'))
        frames, book = Frames(compressed=False), Book("bench")

        async def hear() -> list[Any]:
            data = await asyncio.wait_for(reader.read(65_536), WITHIN_S)
            assert data, "the server has ended it"
            return [json.loads(payload) for opcode, payload in frames.feed(data) if opcode == TEXT]

        while not book.in_sync:
            for message in await hear():
                book.take(message)
        async with http.ws_connect(small.url("/ticker/publish")) as publisher:
            for number in range(200):  # 12 MB: more than any buffer on the way has room for
                await publisher.send_json({"number": number, "pad": "x" * 60_000})
            await publisher.send_str('"the last"')
        seen = []
        while not (book.in_sync and book.seq == 201):
            for message in await hear():
                seen.append(message["type"])
                if op := book.take(message):
                    writer.write(masked(TEXT, json.dumps(op).encode()))
        assert "gap" in seen
        assert (book.state, book.gaps, book.repeats) == ("the last", 1, 0)
        writer.close()
