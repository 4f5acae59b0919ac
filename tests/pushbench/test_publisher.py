"""The publisher: every message, on schedule or as soon after as can be, and a refusal is no silence."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import pytest

from pushbench import message, publisher
from pushbench.control import Channel, ChannelClosed, Switchboard
from pushbench.publisher import WAYS, PublisherPlan, PublisherReport, PublishingFailed, follow, publish
from pushbench.schedule import Schedule
from tests.serving import Server, serving

MS = 1_000_000
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


def test_every_message_is_sent_when_it_is_due(clock: Clock) -> None:
    sent: list[bytes] = []
    start_ns = clock.now_ns + 7 * MS
    slips = follow(HUNDRED_HZ, start_ns, 100, sent.append)
    assert slips == [0] * 5
    assert [message.decode(data) for data in sent] == [
        (seq, start_ns + seq * 10 * MS, start_ns + seq * 10 * MS) for seq in range(5)
    ]
    assert {len(data) for data in sent} == {100}
    assert clock.slept_ns == [7 * MS] + [10 * MS] * 4


def test_what_is_overdue_is_sent_at_once_and_nothing_is_skipped(clock: Clock) -> None:
    start_ns = clock.now_ns
    stamps: list[message.Stamp] = []

    def stalls_once(data: bytes) -> None:
        stamps.append(message.decode(data))
        if len(stamps) == 1:
            clock.now_ns += 25 * MS

    slips = follow(HUNDRED_HZ, start_ns, 83, stalls_once)
    assert [stamp.seq for stamp in stamps] == [0, 1, 2, 3, 4]
    assert [(stamp.due_ns - start_ns) / MS for stamp in stamps] == [0, 10, 20, 30, 40]
    assert [(stamp.sent_ns - start_ns) / MS for stamp in stamps] == [0, 25, 25, 30, 40]
    assert slips == [0, 15 * MS, 5 * MS, 0, 0]


# Against a real server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(max_message_bytes=200) as running:
        yield running


@pytest.mark.parametrize("way", WAYS)
async def test_what_is_published_either_way_reaches_a_subscriber(server: Server, way: str) -> None:
    sent = [message.encode(seq, 1, 2, 120) for seq in range(3)]

    def send_all() -> None:
        with WAYS[way](("127.0.0.1", server.port), "/publish") as send:
            for data in sent:
                send(data)

    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(server.url("/websocket")) as subscriber,
    ):
        await asyncio.to_thread(send_all)
        assert [(await subscriber.receive()).data.encode() for _ in sent] == sent


def test_a_refused_post_is_told_with_status_and_reason(server: Server) -> None:
    with WAYS["post"](("127.0.0.1", server.port), "/publish") as send:
        with pytest.raises(PublishingFailed, match=r"POST /publish answered 413: message_too_large: .*200 bytes"):
            send(message.encode(0, 1, 2, 201))
        send(message.encode(0, 1, 2, 200))  # the connection has not suffered


def test_a_refusal_on_the_websocket_is_told_by_the_first_that_is_sent_after_it(server: Server) -> None:
    def send_for_ever() -> None:
        with WAYS["websocket"](("127.0.0.1", server.port), "/publish") as send:
            while True:
                send(message.encode(0, 1, 2, 201))

    with pytest.raises(PublishingFailed, match=r"closed the publisher's WebSocket: .*limit of 200 bytes"):
        send_for_ever()


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
        via="post",
        schedule=HUNDRED_HZ,
        payload_bytes=100,
        cores=tuple(os.sched_getaffinity(0)),
    )
    report = asyncio.ensure_future(asyncio.to_thread(publish, replace(plan, **changes)))
    channel = await board.channel("publisher")
    assert await channel.receive() == {"ready": True, "pid": os.getpid()}
    return Conversation(channel, report)


@pytest.mark.parametrize("way", WAYS)
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
