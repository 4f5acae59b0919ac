"""The publisher: every message, on schedule or as soon after as can be, and a refusal is no silence."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import pytest
from websockets.exceptions import ConnectionClosed

from pushbench import message, publisher
from pushbench.control import Channel, ChannelClosed, Switchboard
from pushbench.publisher import FOLLOW, WAYS, Feed, PublisherPlan, PublisherReport, PublishingFailed, publish
from pushbench.reach import PLAIN
from pushbench.schedule import Schedule
from tests.serving import Server, serving

MS = 1_000_000
NEVER_NS = 3600 * 10**9
HUNDRED_HZ = Schedule(rate_hz=100, warmup_s=0.02, measure_s=0.03)
"""Five messages, 10 ms apart."""


@dataclass(slots=True)
class Clock:
    """A clock that goes only when somebody sleeps, or takes time."""

    now_ns: int = 500 * MS
    slept_ns: list[int] = field(default_factory=list)

    def monotonic_ns(self) -> int:
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        self.slept_ns.append(round(seconds * 1e9))
        self.now_ns += self.slept_ns[-1]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(publisher, "time", made)
    return made


@dataclass(slots=True)
class Script:
    """An outlet whose messages and answers take as long as it is told."""

    clock: Clock
    sending_ms: dict[int, int] = field(default_factory=dict)
    answering_ms: dict[int, int] = field(default_factory=dict)
    stamps: list[message.Stamp] = field(default_factory=list)
    sizes: set[int] = field(default_factory=set)

    def send(self, data: bytes) -> None:
        self.stamps.append(message.decode(data))
        self.sizes.add(len(data))
        self.clock.now_ns += self.sending_ms.get(len(self.stamps) - 1, 0) * MS

    def settle(self, within_s: float) -> None:
        self.clock.now_ns += self.answering_ms.get(len(self.stamps) - 1, 0) * MS


def follow(pacing: str, clock: Clock, outlet: Script) -> tuple[list[float], list[float], list[float]]:
    """When the five messages were due and were sent, and their slips; all in ms after the start."""
    start_ns = clock.now_ns
    slip_ns: list[int] = []
    FOLLOW[pacing](Feed(HUNDRED_HZ, start_ns, start_ns + NEVER_NS, 100), outlet, slip_ns)
    assert [stamp.seq for stamp in outlet.stamps] == [0, 1, 2, 3, 4]
    assert outlet.sizes == {100}
    due, sent = ([(getattr(stamp, name) - start_ns) / MS for stamp in outlet.stamps] for name in ("due_ns", "sent_ns"))
    return due, sent, [slip / MS for slip in slip_ns]


@pytest.mark.parametrize("pacing", FOLLOW)
def test_every_message_is_sent_when_it_is_due(clock: Clock, pacing: str) -> None:
    due, sent, slips = follow(pacing, clock, Script(clock, answering_ms=dict.fromkeys(range(5), 3)))
    assert due == sent == [0, 10, 20, 30, 40]
    assert slips == [0] * 5


def test_it_sleeps_until_the_start(clock: Clock) -> None:
    start_ns = clock.now_ns + 7 * MS
    FOLLOW["open"](Feed(HUNDRED_HZ, start_ns, start_ns + NEVER_NS, 100), Script(clock), [])
    assert clock.slept_ns == [7 * MS] + [10 * MS] * 4


def test_what_is_overdue_is_sent_at_once_and_nothing_is_skipped(clock: Clock) -> None:
    due, sent, slips = follow("open", clock, Script(clock, sending_ms={0: 25}))
    assert due == [0, 10, 20, 30, 40]
    assert sent == [0, 25, 25, 30, 40]
    assert slips == [0, 15, 5, 0, 0]


@pytest.mark.parametrize("pacing", FOLLOW)
def test_what_cannot_be_published_in_time_is_left_out(clock: Clock, pacing: str) -> None:
    outlet = Script(clock, sending_ms=dict.fromkeys(range(5), 25))
    slip_ns: list[int] = []
    FOLLOW[pacing](Feed(HUNDRED_HZ, clock.now_ns, clock.now_ns + 60 * MS, 100), outlet, slip_ns)
    assert [stamp.seq for stamp in outlet.stamps] == [0, 1, 2]
    assert [slip / MS for slip in slip_ns] == [0, 15, 30]


def test_an_open_loop_waits_for_no_answer(clock: Clock) -> None:
    _, sent, _ = follow("open", clock, Script(clock, answering_ms={0: 25}))
    assert sent == [0, 10, 20, 30, 40]


def test_a_closed_loop_puts_off_all_that_comes_after_a_late_answer_and_its_messages_are_due_all_the_same(
    clock: Clock,
) -> None:
    due, sent, slips = follow("closed", clock, Script(clock, answering_ms={1: 25, 2: 9}))
    assert due == [0, 10, 20, 30, 40]
    assert sent == [0, 10, 35, 45, 55]
    assert slips == [0, 0, 15, 15, 15]


# Against a real server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(max_message_bytes=200) as running:
        yield running


OVER_HTTP = ("websocket", "post")


@pytest.mark.parametrize("way", OVER_HTTP)
async def test_what_is_published_either_way_reaches_a_subscriber(server: Server, way: str) -> None:
    sent = [message.encode(seq, 1, 2, 120) for seq in range(3)]

    def send_all() -> None:
        with WAYS[way](("127.0.0.1", server.port), "/publish") as outlet:
            for data in sent:
                outlet.send(data)
            outlet.settle(20)

    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(server.url("/websocket")) as subscriber,
    ):
        await asyncio.to_thread(send_all)
        assert [(await subscriber.receive()).data.encode() for _ in sent] == sent


def test_a_refused_post_is_told_with_status_and_reason(server: Server) -> None:
    with WAYS["post"](("127.0.0.1", server.port), "/publish") as outlet:
        with pytest.raises(PublishingFailed, match=r"POST /publish answered 413: message_too_large: .*200 bytes"):
            outlet.send(message.encode(0, 1, 2, 201))
        outlet.send(message.encode(0, 1, 2, 200))  # the connection has not suffered


def test_a_refusal_on_the_websocket_is_told_by_the_first_that_is_sent_after_it(server: Server) -> None:
    def send_twice() -> None:
        with WAYS["websocket"](("127.0.0.1", server.port), "/publish") as outlet:
            outlet.send(message.encode(0, 1, 2, 201))
            with suppress(ConnectionClosed):
                outlet._connection.recv(20)  # type: ignore[attr-defined]  # until the close frame is there
            outlet.send(message.encode(1, 1, 2, 200))

    with pytest.raises(PublishingFailed, match=r"closed the publisher's WebSocket: .*limit of 200 bytes"):
        send_twice()


def test_a_refusal_on_the_websocket_is_told_to_whoever_waits_for_the_answer(server: Server) -> None:
    def send_once() -> None:
        with WAYS["websocket"](("127.0.0.1", server.port), "/publish") as outlet:
            outlet.send(message.encode(0, 1, 2, 201))
            outlet.settle(20)

    with pytest.raises(PublishingFailed, match=r"closed the publisher's WebSocket: .*limit of 200 bytes"):
        send_once()


# As the process that it is: here in a thread, so that its conversation can be followed


@dataclass(frozen=True, slots=True)
class Conversation:
    channel: Channel
    report: asyncio.Future[PublisherReport]


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    async with Switchboard() as opened:
        yield opened


async def begin(board: Switchboard, **changes: Any) -> Conversation:
    plan = PublisherPlan(
        control=board.address,
        path="/publish",
        status_path="/status",
        reach=PLAIN,
        via="post",
        pacing="open",
        schedule=HUNDRED_HZ,
        give_up_s=1e9,  # long after the start that a test gives
        payload_bytes=100,
        payload="filler",
        cores=tuple(os.sched_getaffinity(0)),
    )
    report = asyncio.ensure_future(asyncio.to_thread(publish, replace(plan, **changes)))
    channel = await board.channel("publisher")
    assert await channel.receive() == {"ready": True, "pid": os.getpid()}
    return Conversation(channel, report)


@pytest.mark.parametrize("way", OVER_HTTP)
async def test_it_connects_waits_for_the_start_publishes_and_stays_until_dismissed(
    board: Switchboard, server: Server, way: str
) -> None:
    talk = await begin(board, via=way)
    talk.channel.send(host="127.0.0.1", port=server.port)
    assert await talk.channel.receive() == {"connected": True}
    async with aiohttp.ClientSession() as session, session.get(server.url("/polling")) as response:
        before = json.loads(response.headers["ETag"].strip('"'))
    talk.channel.send(start_ns=0)  # long ago: all is overdue
    assert await talk.channel.receive() == {"done": True}
    assert not talk.report.done()
    talk.channel.send(dismissed=True)
    assert len((await talk.report).slip_ns) == HUNDRED_HZ.count
    async with aiohttp.ClientSession() as session, session.get(server.url("/polling")) as response:
        assert json.loads(response.headers["ETag"].strip('"')) == before + HUNDRED_HZ.count


async def test_it_ends_when_the_run_has_gone(board: Switchboard) -> None:
    talk = await begin(board)
    async with talk.channel:
        pass
    with pytest.raises(ChannelClosed):
        await talk.report
