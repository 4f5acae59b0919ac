"""What stream, SSE and WebSocket share: reads that are taken apart once for all subscribers."""

import asyncio
import itertools
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, strategies as st

import clients.pushed
from clients.eventstream import EventStreamParser
from clients.frames import Frames
from clients.pushed import KNOWN_READS, Pushed
from clients.sse import ServerSentEvents
from clients.stream import Stream
from clients.websocket import WebSocket
from tests.clients.peer import frame

TEXT, CONTINUATION, PING = 0x1, 0x0, 0x9
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

Handed = list[tuple[bytes, int | None]]


class Connection:
    """No connection at all, but for what is said on it."""

    def __init__(self) -> None:
        self.said: list[bytes] = []
        self.write = self.said.append
        self.transport = self
        self.head = HEAD

    def give_to(self, protocol: object) -> None:
        """It is the subscription's already."""

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass


class Reader:
    """A subscription that is told what has come."""

    def __init__(self, kind: type[Pushed], *, compressed: bool = False) -> None:
        self.connection = Connection()
        self.handed: Handed = []
        self.subscription = kind("http://127.0.0.1/", after=7)
        if isinstance(self.subscription, WebSocket):
            self.subscription._compressed = compressed
            self.subscription._frames = Frames(compressed=compressed)
        if isinstance(self.subscription, ServerSentEvents):
            self.subscription._events = EventStreamParser()
        answer: Any = SimpleNamespace(cut=self.connection, status=200, headers={"transfer-encoding": "chunked"})
        self.subscription._opened(answer)
        self.receiving = asyncio.ensure_future(self.subscription.receive(self.take))

    def take(self, messages: list[bytes]) -> None:
        [message] = messages
        self.handed.append((message, self.subscription.cursor))

    async def read(self, *data: bytes) -> "Reader":
        await asyncio.sleep(0)
        for one in data:
            self.subscription.data_received(one)
        return self


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    kinds = (Stream, ServerSentEvents, WebSocket)
    for kind in kinds:
        kind._all_known.clear()
    yield
    for kind in kinds:
        kind._all_known.clear()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


WRITTEN: dict[type[Pushed], list[bytes]] = {
    Stream: [chunk(b"one\n"), chunk(b"two\nthree\n"), chunk(b"\n"), chunk(b"ha") + chunk(b"lf\n"), chunk(b"four\n")],
    ServerSentEvents: [
        chunk(b"id: 20\ndata: one\n\n"),
        chunk(b"data: no id\n\n"),
        chunk(b"id: 30\n\n"),
        chunk(b": heartbeat\n\n"),
        chunk(b"id: 21\r\ndata: a\r\ndata: b\r\n\r\nid: 22\ndata: c\n\n"),
        chunk(b"data: x\n\nid: 40\n\n"),
        chunk(b"id: 23\n") + chunk(b"data: d\n\n"),
    ],
    WebSocket: [
        frame(TEXT, b"one"),
        frame(TEXT, b"two") + frame(TEXT, b"three"),
        frame(PING, b"?"),
        frame(TEXT, b"four") + frame(PING, b"!"),
        bytes([TEXT, 2]) + b"ha" + bytes([0x80 | CONTINUATION, 2]) + b"lf",
    ],
}
"""What a server may write, each ending where a message ends."""


@pytest.mark.parametrize("kind", WRITTEN)
@given(st.data())
async def test_what_is_handed_over_is_the_same_whether_or_not_others_have_read_it_before(
    kind: type[Pushed], data: st.DataObject
) -> None:
    reads = data.draw(st.lists(st.sampled_from(WRITTEN[kind]), max_size=12))
    whole = b"".join(reads)
    cuts = sorted({0, len(whole), *data.draw(st.lists(st.integers(0, len(whole)), max_size=6))})
    others = [whole[begin:end] for begin, end in itertools.pairwise(cuts)]
    alone = await byte_by_byte(kind, whole)  # of which nothing can be known, but for single bytes that are no messages
    for _ in range(3):
        for cut in (reads, others):
            reader = await Reader(kind).read(*cut)
            assert (reader.handed, reader.subscription.cursor) == (alone.handed, alone.subscription.cursor)
            assert reader.connection.said == alone.connection.said
            reader.receiving.cancel()


async def byte_by_byte(kind: type[Pushed], whole: bytes) -> Reader:
    reader = await Reader(kind).read(*(whole[at : at + 1] for at in range(len(whole))))
    reader.receiving.cancel()
    return reader


@pytest.mark.parametrize("kind", WRITTEN)
async def test_what_one_has_read_no_other_takes_apart(kind: type[Pushed], monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = WRITTEN[kind][:2]
    await Reader(kind).read(first, second, first, second)
    other = await Reader(kind).read(first)  # with which it knows that it is between messages
    monkeypatch.setattr(kind, "_parse", never)
    await other.read(second, second)
    assert [message for message, _ in other.handed[1:]] == [b"two", b"three"] * 2 or kind is ServerSentEvents
    assert not other.receiving.done()


def never(*arguments: object) -> bool:
    raise AssertionError("it was taken apart again")


def refuse(messages: list[bytes]) -> None:
    raise AssertionError("not wanted")


async def test_messages_that_are_compressed_are_taken_apart_by_everybody() -> None:
    await Reader(WebSocket, compressed=True).read(frame(TEXT, b"one"), frame(TEXT, b"two"))
    assert not WebSocket._all_known


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (frame(PING, b"?"), "a ping, which is to be answered"),
        (frame(TEXT, b"one")[:3], "a part of a message"),
        (frame(TEXT, b"x" * 100) * 200, "more bytes than are worth keeping"),
    ],
)
async def test_only_short_reads_that_are_messages_and_nothing_else_are_remembered(data: bytes, what: str) -> None:
    known = frame(TEXT, b"known")
    await Reader(WebSocket).read(frame(TEXT, b"first"), known, data)
    assert list(WebSocket._all_known) == [known], what


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients.pushed, "KNOWN_READS", 3)
    reader = await Reader(WebSocket).read(*(frame(TEXT, b"%d" % number) for number in range(10)))
    assert len(reader.handed) == 10
    assert 0 < len(WebSocket._all_known) <= 3 < KNOWN_READS


async def test_an_error_of_whom_it_is_handed_to_ends_the_subscription_also_for_what_is_known() -> None:
    one = frame(TEXT, b"one")
    await Reader(WebSocket).read(one, one)
    reader = await Reader(WebSocket).read(one)
    reader.subscription._hand_over = refuse
    await reader.read(one)
    with pytest.raises(AssertionError, match="not wanted"):
        await reader.receiving


async def test_nothing_is_handed_over_once_nobody_receives() -> None:
    one = frame(TEXT, b"one")
    reader = await Reader(WebSocket).read(one, one)
    reader.receiving.cancel()
    await asyncio.wait({reader.receiving})
    await reader.read(one)
    assert len(reader.handed) == 2
