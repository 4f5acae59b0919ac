"""One suite for every transport and variant: the servers' options, and each row of the table with its client.

All of it is asked of a server that is one process, and of one that is two workers with their log in Redis; but of what goes
over QUIC, of one process with TLS.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import count
from typing import Any

import aiohttp
import pytest

from clients.conditional import ConditionalRequests
from clients.subscription import Subscription
from pushbench import certificates
from pushbench.transports import TRANSPORTS, Transport
from tests.rediserver import redis_server
from tests.serving import Server, serving, serving_quic

LOG_MESSAGES = 50
MAX_MESSAGE_BYTES = 4096
POLL_INTERVAL_S = 0.02


Serve = Callable[..., AbstractContextManager[Server]]


QUIC = "quic"


SLOW_OF_WORKERS = ("test_a_slow_reader", "test_a_client_that_vanishes")
"""What takes seconds, and is of `make test-slow` where there are several workers."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What goes over QUIC is asked of a server that speaks it, and all else of the others."""

    def fits(item: pytest.Item) -> bool:
        chosen = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        if "serve" not in chosen:
            return True
        rows = [value for value in chosen.values() if isinstance(value, Transport)]
        return (chosen["serve"] == QUIC) == any(row.quic for row in rows)

    unfit = [item for item in items if not fits(item)]
    config.hook.pytest_deselected(items=unfit)
    for item in items:
        if "workers" in item.name and item.name.startswith(SLOW_OF_WORKERS):
            item.add_marker(pytest.mark.slow)
    items[:] = [item for item in items if fits(item)]


@pytest.fixture(scope="session", params=["alone", "workers", QUIC])
def serve(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Starts a server with these options."""
    if request.param == "alone":
        yield serving
        return
    if request.param == QUIC:
        yield partial(serving_quic, certificates.made(tmp_path_factory.mktemp("certificates")))
        return
    with redis_server(tmp_path_factory.mktemp("redis")) as redis:
        keys = count()
        yield lambda **options: serving(workers=2, redis=redis.url, redis_key=f"log{next(keys)}", **options)


@pytest.fixture(scope="session")
def server(serve: Serve) -> Iterator[Server]:
    with serve(longpoll_timeout_s=0.2, heartbeat_s=0.1, max_message_bytes=MAX_MESSAGE_BYTES) as running:
        yield running


@pytest.fixture(scope="session")
def forgetful_server(serve: Serve) -> Iterator[Server]:
    """It keeps few messages, so that a reader can fall off its log."""
    with serve(log_messages=LOG_MESSAGES) as running:
        yield running


@pytest.fixture(scope="session")
def patient_server(serve: Serve) -> Iterator[Server]:
    """It holds long polls, and beats no heart, for longer than any test takes: nothing ends by time, or is found out by a
    write that fails. Over QUIC nobody says that a process was killed, so there it has to ask."""
    quic = isinstance(serve, partial)
    options = {"heartbeat_s": 0.1, "drop_unanswered_s": 4} if quic else {"heartbeat_s": 0}
    with serve(longpoll_timeout_s=3600, **options) as running:
        yield running


@pytest.fixture(params=TRANSPORTS.values(), ids=list(TRANSPORTS))
def transport(request: pytest.FixtureRequest) -> Transport:
    row: Transport = request.param
    return row


def client_of(row: Transport) -> type[Subscription]:
    module, _, name = row.client.partition(":")
    client: type[Subscription] = getattr(import_module(module), name)
    return client


RELIABLE = [row for row in TRANSPORTS.values() if row.reliable]


@pytest.fixture(params=RELIABLE, ids=[row.name for row in RELIABLE])
def reliable_transport(request: pytest.FixtureRequest) -> Transport:
    """The transports on which nothing may be lost."""
    row: Transport = request.param
    return row


HELD = [row for row in TRANSPORTS.values() if not row.polls]


@pytest.fixture(params=HELD, ids=[row.name for row in HELD])
def held_transport(request: pytest.FixtureRequest) -> Transport:
    """The transports that hold a request or a connection open while nothing happens."""
    row: Transport = request.param
    return row


ENDLESS = [row for row in HELD if not issubclass(client_of(row), ConditionalRequests)]


@pytest.fixture(params=ENDLESS, ids=[row.name for row in ENDLESS])
def endless_transport(request: pytest.FixtureRequest) -> Transport:
    """The transports that answer once, without end."""
    row: Transport = request.param
    return row


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@dataclass(frozen=True, slots=True)
class Feed:
    """The publishing side of one server."""

    server: Server
    http: aiohttp.ClientSession

    async def publish(self, *messages: bytes) -> None:
        """Returns when every worker has them: one that lags a moment has not forgotten yet what another has."""
        tls = self.server.tls or True
        for data in messages:
            async with self.http.post(self.server.url("/publish"), data=data, ssl=tls) as response:
                assert response.status == 200, await response.text()
                last_id: int = (await response.json())["id"]
        while self.server.pids and min(each["last_id"] for each in (await self.status())["workers"]) < last_id:
            pass

    async def status(self) -> dict[str, Any]:
        async with self.http.get(self.server.url("/status"), ssl=self.server.tls or True) as response:
            status: dict[str, Any] = await response.json()
            return status


@pytest.fixture
def feed(server: Server, http: aiohttp.ClientSession) -> Feed:
    return Feed(server, http)


def subscriber(row: Transport, server: Server, after: int | None = None) -> Subscription:
    options: dict[str, Any] = {"interval_s": POLL_INTERVAL_S} if row.polls else {}
    return client_of(row)(server.url(row.path), after=after, tls=server.tls, **options)


def in_order(row: Transport, taken: list[bytes]) -> list[bytes]:
    """What was taken, brought into order where the transport has none."""
    return taken if row.ordered else sorted(taken)


async def take(subscription: Subscription, count: int, into: list[bytes] | None = None) -> list[bytes]:
    """Receive until there are `count` messages."""
    taken: list[bytes] = [] if into is None else into
    enough = asyncio.Event()

    def hand_over(messages: list[bytes]) -> None:
        taken.extend(messages)
        if len(taken) >= count:
            enough.set()

    async with asyncio.timeout(20):
        receiving = asyncio.ensure_future(subscription.receive(hand_over))
        waiting = asyncio.ensure_future(enough.wait())
        try:
            await asyncio.wait({receiving, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if receiving.done():
                receiving.result()
        finally:
            for task in (receiving, waiting):
                task.cancel()
            await asyncio.gather(receiving, waiting, return_exceptions=True)
    return taken
