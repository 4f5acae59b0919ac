"""Writing straight to a connection: when there is something, and room; and how it ends."""

import asyncio
from typing import Any

import pytest
from websockets.protocol import State
from websockets.server import ServerProtocol

from servers.hub import BATCH_BYTES, CursorTooOld, Hub, Message
from servers.pump import Pumping, PumpingHttp, PumpingWebSocket, once, pump_of


class Plain(asyncio.Protocol):
    """What a protocol of uvicorn does beside."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def pause_writing(self) -> None:
        self.heard.append("pause")

    def resume_writing(self) -> None:
        self.heard.append("resume")

    def connection_lost(self, error: Exception | None) -> None:
        self.heard.append("lost")


class Connection(Pumping, Plain):
    """A protocol whose transport is full when it has had enough."""

    def __init__(self, room: int = 10**9) -> None:
        super().__init__()
        self.room = room
        self.written: list[bytes] = []
        self.transport = self  # type: ignore[assignment]
        self.closing = False

    def is_closing(self) -> bool:
        return self.closing

    def write(self, data: bytes) -> None:
        self.written.append(data)
        self.room -= len(data)
        if self.room <= 0:
            self.pause_writing()


def lines(messages: list[Message]) -> bytes:
    return b"".join([message.data + b"\n" for message in messages]) or b"beat\n"


async def turns(count: int = 3) -> None:
    """Let the loop have its turn so often."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_what_is_published_is_written_at_once_in_one_piece_to_everybody() -> None:
    hub = Hub()
    connections = [Connection() for _ in range(3)]
    with hub.cursor() as one, hub.cursor() as two, hub.cursor() as three:
        running = [
            asyncio.ensure_future(connection.pump(cursor, lines))
            for connection, cursor in zip(connections, (one, two, three), strict=True)
        ]
        await turns()
        hub.publish(b"a")
        hub.publish(b"b")
        await turns()
        assert [connection.written for connection in connections] == [[b"a\nb\n"]] * 3
        for task in running:
            task.cancel()


async def test_what_is_there_already_is_written_first_in_pieces_of_bounded_size() -> None:
    hub = Hub()
    for _ in range(4):
        hub.publish(b"x" * (BATCH_BYTES // 2))
    connection = Connection()
    with hub.cursor(0) as cursor:
        running = asyncio.ensure_future(connection.pump(cursor, lines))
        await turns()
        assert [len(data) for data in connection.written] == [BATCH_BYTES + 2] * 2
        running.cancel()


async def test_who_has_no_room_is_not_written_to_and_gets_all_in_order_once_there_is() -> None:
    hub = Hub()
    connection = Connection(room=2)
    with hub.cursor() as cursor:
        running = asyncio.ensure_future(connection.pump(cursor, lines))
        await turns()
        for data in (b"a", b"b", b"c"):
            hub.publish(data)
            await turns()
        assert connection.written == [b"a\n"]
        connection.room = 100
        connection.resume_writing()
        assert connection.written == [b"a\n", b"b\nc\n"]
        assert connection.heard == ["pause", "resume"]
        running.cancel()


async def test_who_says_only_some_messages_gets_to_the_last_one_at_once_although_the_pieces_are_short() -> None:
    def short(messages: list[Message]) -> bytes:
        return lines([message for message in messages if len(message.data) == 1])

    hub = Hub()
    for _ in range(4):
        hub.publish(b"x" * (BATCH_BYTES // 2))
    hub.publish(b"a")
    connection = Connection()
    with hub.cursor(0) as cursor:
        running = asyncio.ensure_future(connection.pump(cursor, short))
        await turns()
        assert connection.written[-1] == b"a\n"
        running.cancel()


async def test_a_cursor_that_was_ended_says_up_to_where_was_written_also_of_those_who_went_together() -> None:
    hub = Hub()
    connections = [Connection() for _ in range(3)]
    with hub.cursor() as one, hub.cursor() as two, hub.cursor() as three:
        cursors = (one, two, three)
        running = [
            asyncio.ensure_future(connection.pump(cursor, lines))
            for connection, cursor in zip(connections, cursors, strict=True)
        ]
        await turns()
        hub.publish(b"a")
        await turns()
        hub.publish(b"b")  # which nobody has yet
        two.end()
        await asyncio.wait_for(running[1], 20)
        await turns()
        assert (connections[1].written, two.position) == ([b"a\n"], 1)
        assert connections[0].written == connections[2].written == [b"a\n", b"b\n"]
        for task in running:
            task.cancel()


async def test_what_readers_of_one_kind_have_together_is_gone_with_the_last_of_them() -> None:
    hub = Hub()
    for _ in range(2):
        with hub.cursor() as cursor:
            running = asyncio.ensure_future(Connection().pump(cursor, lines))
            await turns()
            assert len(hub._together) == 1
            cursor.end()
            await asyncio.wait_for(running, 20)
            del running  # which would keep it
        assert not hub._together


async def test_a_heartbeat_is_what_a_transport_says_of_no_messages() -> None:
    hub = Hub()
    connection = Connection()
    with hub.cursor() as cursor:
        running = asyncio.ensure_future(connection.pump(cursor, lines))
        await turns()
        cursor.wake()
        assert connection.written == [b"beat\n"]
        running.cancel()


@pytest.mark.parametrize("turns_between", [3, 0])
async def test_it_ends_when_the_hub_is_closed_but_not_before_all_is_written(turns_between: int) -> None:
    hub = Hub()
    connection = Connection()
    with hub.cursor() as cursor:
        running = asyncio.ensure_future(connection.pump(cursor, lines))
        await turns()
        hub.publish(b"a")
        await turns(turns_between)
        hub.close()
        await asyncio.wait_for(running, 20)
    assert connection.written == [b"a\n"]


async def test_it_does_not_begin_once_the_client_has_left() -> None:
    hub = Hub()
    connection = Connection()
    connection.closing = True
    connection.connection_lost(None)
    with hub.cursor() as cursor:
        await asyncio.wait_for(connection.pump(cursor, lines), 20)
    assert not hub._followers


async def test_it_ends_when_the_client_has_left() -> None:
    hub = Hub()
    connection = Connection()
    with hub.cursor() as cursor:
        running = asyncio.ensure_future(connection.pump(cursor, lines))
        await turns()
        connection.connection_lost(None)
        await asyncio.wait_for(running, 20)
        hub.publish(b"a")
        await turns()
    assert connection.written == []
    assert connection.heard == ["lost"]


async def test_a_position_that_is_gone_is_told_to_the_application() -> None:
    hub = Hub(log_messages=2)
    connection = Connection(room=0)
    connection.pause_writing()
    with hub.cursor() as cursor:
        running = asyncio.ensure_future(connection.pump(cursor, lines))
        for number in range(4):
            hub.publish(b"%d" % number)
            await turns()
        assert not running.done()  # it has no room, and so it is not told yet
        connection.resume_writing()
        with pytest.raises(CursorTooOld):
            await asyncio.wait_for(running, 20)
    assert hub.cursors == 0


async def test_who_was_cancelled_is_not_called_again() -> None:
    hub = Hub()
    connection = Connection()
    with hub.cursor() as cursor:
        running = asyncio.ensure_future(connection.pump(cursor, lines))
        await turns()
        running.cancel()
        await turns()
        hub.publish(b"a")
        await turns()
        connection.resume_writing()
    assert connection.written == []
    assert not hub._followers


def test_one_list_is_encoded_once_and_another_anew() -> None:
    said: list[list[Message]] = []

    @once
    def encode(messages: list[Message]) -> bytes:
        said.append(messages)
        return lines(messages)

    one, other = [Message(1, b"a", "a")], [Message(1, b"a", "a")]
    assert [encode(one), encode(one), encode(other), encode(one)] == [b"a\n"] * 4
    assert said == [one, other, one]


async def test_a_body_is_written_in_chunks_and_nothing_is_no_chunk() -> None:
    written: list[bytes] = []
    http: Any = PumpingHttp.__new__(PumpingHttp)
    http.transport = type("Transport", (), {"write": staticmethod(written.append), "is_closing": lambda self: False})()
    hub = Hub()

    def silent(messages: list[Message]) -> bytes:
        return b"".join(message.data for message in messages)

    with hub.cursor() as cursor:
        running = asyncio.ensure_future(http._pump_chunks(cursor, silent))
        await turns()
        cursor.wake()  # of which this transport says nothing; an empty chunk would be the last
        hub.publish(b"0123456789abcdef")
        await turns()
        running.cancel()
    assert b"".join(written) == b"10\r\n0123456789abcdef\r\n"


async def test_behind_a_close_frame_no_message_is_written() -> None:
    written: list[bytes] = []
    websocket: Any = PumpingWebSocket.__new__(PumpingWebSocket)
    transport = {"write": staticmethod(written.append), "is_closing": lambda self: False, "close": lambda self: None}
    websocket.transport = type("Transport", (), transport)()
    websocket.close_sent, websocket.queue = False, asyncio.Queue()
    websocket.conn = ServerProtocol(state=State.OPEN)
    hub = Hub()
    with hub.cursor() as cursor:
        running = asyncio.ensure_future(websocket.pump(cursor, lines))
        await turns()
        hub.publish(b"a")
        websocket.conn.receive_data(b"\x88\x82\0\0\0\0\x03\xe8")  # a close frame, masked by nothing: 1000
        [frame] = websocket.conn.events_received()
        websocket.handle_close(frame)
        await turns()
        assert written == [b"\x88\x02\x03\xe8"]
        await asyncio.wait_for(running, 20)


def test_a_server_that_has_no_pump_offers_none() -> None:
    assert pump_of({"type": "http"}) is None
    assert pump_of({"type": "websocket", "extensions": {"websocket.http.response": {}}}) is None
