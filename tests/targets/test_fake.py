"""The fake: it does what its plan says, on every transport, and tells what it did."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import fields
from typing import Any

import aiohttp
import pytest

from clients.ends import CursorGone, RequestRefused
from clients.subscription import Subscription
from pushbench.transports import OVER_TCP, Transport
from targets.plan import Distortion, draw
from tests.conformance.conftest import client_of
from tests.serving import END_S, Server, ended

ROWS = list(OVER_TCP.values())
PLAIN = Distortion(subscribers=len(ROWS), messages=3)
DISTORTED = Distortion(
    seed=3, subscribers=len(ROWS), messages=40, rate_hz=1000, drop=0.2, duplicate=0.2, delay_ms=1, delay_max_ms=100
)


def command(distortion: Distortion) -> list[str]:
    flags = [f"--{option.name.replace('_', '-')}={getattr(distortion, option.name)}" for option in fields(distortion)]
    return [sys.executable, "-m", "targets.fake", *flags]


@contextmanager
def faking(distortion: Distortion) -> Iterator[Server]:
    process = subprocess.Popen(command(distortion), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with ended(process):
        assert process.stdout is not None
        yield Server(process, json.loads(process.stdout.readline())["port"])


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def subscriber(row: Transport, server: Server, **options: Any) -> Subscription:
    if row.polls:
        options["interval_s"] = 0.01
    subscription: Subscription = client_of(row)(server.url(row.path), **options)
    return subscription


async def publish(server: Server, http: aiohttp.ClientSession, seq: int) -> int:
    """Publish a message that is due now; returns when that is."""
    due_ns = time.monotonic_ns()
    async with http.post(server.url("/publish"), json={"seq": seq, "due_ns": due_ns}) as response:
        assert (response.status, await response.json()) == (200, {"id": seq})
    return due_ns


async def truth(server: Server, http: aiohttp.ClientSession) -> dict[str, int]:
    async with http.get(server.url("/truth")) as response:
        told: dict[str, int] = await response.json()
        return told


async def test_every_subscriber_gets_its_part_of_the_plan_in_its_order_and_never_earlier(
    http: aiohttp.ClientSession,
) -> None:
    plan = draw(DISTORTED)
    got: list[list[tuple[int, int]]] = [[] for _ in ROWS]  # for each subscriber: message, when
    coalesced = 0
    with faking(DISTORTED) as server:
        async with AsyncExitStack() as stack:

            async def listen(number: int, subscription: Subscription) -> None:
                def note(messages: list[bytes]) -> None:
                    nonlocal coalesced
                    got[number] += [(json.loads(data)["seq"], time.monotonic_ns()) for data in messages]
                    coalesced += len(messages) - 1

                await subscription.receive(note)

            # One after the other, so that the n-th row is the plan's n-th subscriber.
            connected = [await stack.enter_async_context(subscriber(row, server)) for row in ROWS]
            listening = [asyncio.ensure_future(listen(*pair)) for pair in enumerate(connected)]
            # The last comes first: the order of the deliveries must be the plan's all the same.
            due_ns = {seq: await publish(server, http, seq) for seq in reversed(range(DISTORTED.messages))}
            async with asyncio.timeout(END_S):
                while sum(map(len, got)) < sum(map(len, plan.deliveries)):
                    await asyncio.wait(listening, timeout=0.01)
            told = await truth(server, http)
            for task in listening:
                task.cancel()
    assert [[seq for seq, _ in mine] for mine in got] == [[one.seq for one in mine] for mine in plan.deliveries]
    for mine, planned in zip(got, plan.deliveries, strict=True):
        assert all(at_ns >= due_ns[seq] + one.delay_ns for (seq, at_ns), one in zip(mine, planned, strict=True))
    assert told.pop("late_max_ns") > 0
    assert told == {
        "subscribers": len(ROWS),
        "messages": DISTORTED.messages,
        "deliveries": sum(map(len, got)),
        "coalesced": coalesced,
    }


async def test_it_stops_when_it_is_told_to_though_everybody_waits(http: aiohttp.ClientSession) -> None:
    with faking(PLAIN) as server:
        async with AsyncExitStack() as stack:
            first = asyncio.Event()
            listening = []
            for row in ROWS:
                subscription = await stack.enter_async_context(subscriber(row, server))
                listening.append(asyncio.ensure_future(subscription.receive(lambda messages: first.set())))
            await publish(server, http, 0)
            await asyncio.wait_for(first.wait(), END_S)
            server.process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(server.process.wait, END_S) == -signal.SIGTERM
            assert server.process.stderr is not None
            assert server.process.stderr.read() == ""  # nothing had to be cut off
            await asyncio.gather(*listening, return_exceptions=True)


async def test_one_subscriber_more_than_planned_is_refused_on_every_transport() -> None:
    with faking(Distortion(subscribers=1)) as server:
        async with subscriber(ROWS[0], server):
            for row in ROWS:
                with pytest.raises(RequestRefused, match="subscriber 2 is not in the plan, which has 1"):
                    await subscriber(row, server).__aenter__()


@pytest.mark.parametrize("row", [row for row in ROWS if row.name not in ("polling", "longpoll")], ids=lambda row: row.name)
async def test_nobody_resumes_a_stream(row: Transport) -> None:
    with faking(PLAIN) as server, pytest.raises(CursorGone, match="'1' is the cursor of a connection that is over"):
        await subscriber(row, server, after=1).__aenter__()


@pytest.mark.parametrize("path", ["/polling", "/longpoll"])
async def test_a_poller_is_known_by_its_connection(path: str, http: aiohttp.ClientSession) -> None:
    with faking(PLAIN) as server:
        async with http.get(server.url(path), headers={"If-None-Match": '"0"'}) as response:
            assert response.status == 410
        async with http.get(server.url(path)) as response:
            assert (response.status, response.headers["etag"]) == (204, '"0"')
        async with http.get(server.url(path), headers={"If-None-Match": "x"}) as response:
            assert (response.status, await response.text()) == (400, "'x' is no cursor: send the ETag of the last answer\n")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"hello", "b'hello' is no message: send JSON with the numbers seq and due_ns"),
        (b'{"seq": 3, "due_ns": 0}', "message 3 is not in the plan, which has 3: raise --messages"),
        (b'{"seq": 0, "due_ns": 0}', "message 0 has been published before: each is taken once"),
    ],
)
async def test_a_message_that_is_not_in_the_plan_is_refused(data: bytes, says: str, http: aiohttp.ClientSession) -> None:
    with faking(PLAIN) as server:
        await publish(server, http, 0)
        async with http.post(server.url("/publish"), data=data) as response:
            assert (response.status, await response.text()) == (400, f"{says}\n")
        async with http.ws_connect(server.url("/publish")) as feed:
            await feed.send_bytes(data)
            closed = await feed.receive()
            assert (closed.data, closed.extra) == (4400, says)


def test_a_flag_that_cannot_be_is_told_without_a_traceback() -> None:
    wrong = [*command(PLAIN), "--drop=2"]
    refused = subprocess.run(wrong, capture_output=True, text=True, timeout=END_S, check=False)
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1] == "python -m targets.fake: error: drop is 2.0: it must be from 0 to 1"
