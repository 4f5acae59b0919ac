"""The publisher: a process that publishes the feed on schedule, and notes how late it was.

Open loop: a message that is overdue is sent at once, and none is ever skipped. It sleeps in the kernel and writes to a
blocking socket: an event loop's timers have a grain of 1 ms, which would be charged to every latency.

The closed loop is there to show what it hides: it sends nothing before the last message was answered, and puts off all
that is still to come by what that took too long. Messages are due by the schedule all the same.
"""

import http.client
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Protocol

import websockets.exceptions
import websockets.sync.client

from pushbench import message
from pushbench.control import Address, BlockingChannel
from pushbench.schedule import NS, Schedule

ANSWER_TIMEOUT_S = 20.0
"""How long a closed loop waits for an answer."""


class Outlet(Protocol):
    """Where messages go."""

    def send(self, data: bytes) -> None:
        """Send one. Raises `PublishingFailed` if it was refused, as far as that is known yet."""

    def settle(self, within_s: float) -> None:
        """Wait until the server has answered what was sent, or for so long. Raises likewise."""


class PublishingFailed(Exception):
    """The server did not take a message."""


@dataclass(frozen=True, slots=True)
class PublisherPlan:
    """What a publisher is told when it is made."""

    control: Address
    path: str
    via: str
    """`websocket` or `post`."""
    pacing: str
    """`open` or `closed`."""
    schedule: Schedule
    give_up_s: float
    """So long after the window's end it publishes no more, whatever is still due."""
    payload_bytes: int
    cores: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PublisherReport:
    """What it has to say in the end."""

    slip_ns: tuple[int, ...]
    """For each message that was published, how much later than due it was sent."""


def publish(plan: PublisherPlan) -> PublisherReport:
    """Connect, wait for the start, publish. Runs in a process of its own."""
    os.sched_setaffinity(0, plan.cores)
    with BlockingChannel(plan.control, "publisher") as channel:
        channel.send(ready=True, pid=os.getpid())
        server = channel.receive()
        with WAYS[plan.via]((server["host"], server["port"]), plan.path) as outlet:
            channel.send(connected=True)
            start_ns = channel.receive()["start_ns"]
            until_ns = start_ns + plan.schedule.window_ns[1] + round(plan.give_up_s * NS)
            slip_ns: list[int] = []
            FOLLOW[plan.pacing](Feed(plan.schedule, start_ns, until_ns, plan.payload_bytes), outlet, slip_ns)
            outlet.settle(max(0.0, (until_ns - time.monotonic_ns()) / NS))  # a refusal of the last message is one too
            channel.send(done=True)
            channel.receive()  # stay until dismissed, so that the CPU clock of this process can be read
    return PublisherReport(tuple(slip_ns))


@dataclass(frozen=True, slots=True)
class Feed:
    """What is to be published from when until when; both moments are of CLOCK_MONOTONIC."""

    schedule: Schedule
    start_ns: int
    until_ns: int
    payload_bytes: int


def _open_loop(feed: Feed, outlet: Outlet, slip_ns: list[int]) -> None:
    """Send every message at its time, or at once if that has passed; note each slip, in nanoseconds."""
    for seq in range(feed.schedule.count):
        due_ns = feed.start_ns + feed.schedule.due_ns(seq)
        if not _send_at(due_ns, feed, seq, due_ns, outlet, slip_ns):
            return


def _closed_loop(feed: Feed, outlet: Outlet, slip_ns: list[int]) -> None:
    """Send every message once the last was answered, and put the others off by what that took too long."""
    put_off_ns = 0
    for seq in range(feed.schedule.count):
        due_ns = feed.start_ns + feed.schedule.due_ns(seq)
        if seq:
            outlet.settle(ANSWER_TIMEOUT_S)
            put_off_ns = max(put_off_ns, time.monotonic_ns() - due_ns)
        if not _send_at(due_ns + put_off_ns, feed, seq, due_ns, outlet, slip_ns):
            return


def _send_at(at_ns: int, feed: Feed, seq: int, due_ns: int, outlet: Outlet, slip_ns: list[int]) -> bool:
    """Send a message then, or at once; False if it is too late to publish at all."""
    wait_ns = at_ns - time.monotonic_ns()
    if wait_ns > 0:
        time.sleep(wait_ns / 1e9)
    sent_ns = time.monotonic_ns()
    if sent_ns > feed.until_ns:
        return False
    outlet.send(message.encode(seq, due_ns, sent_ns, feed.payload_bytes))
    slip_ns.append(sent_ns - due_ns)
    return True


FOLLOW = {"open": _open_loop, "closed": _closed_loop}
"""The ways to pace the feed, by the name that a scenario gives them."""


class _WebSocket:
    def __init__(self, connection: websockets.sync.client.ClientConnection) -> None:
        self._connection = connection
        self.send: Callable[[bytes], None] = connection.send

    def settle(self, within_s: float) -> None:
        """Nothing is answered on it but pings, which come after what was sent before."""
        self._connection.ping(ack_on_close=True).wait(within_s)
        if closed := self._connection.protocol.close_exc if self._connection.close_code else None:
            raise closed


@contextmanager
def _websocket(server: Address, path: str) -> Iterator[Outlet]:
    host, port = server
    try:
        with websockets.sync.client.connect(
            f"ws://{host}:{port}{path}", compression=None, ping_interval=None, proxy=None
        ) as connection:
            yield _WebSocket(connection)
    except websockets.exceptions.ConnectionClosed as closed:
        raise PublishingFailed(f"the server closed the publisher's WebSocket: {closed}") from None


class _Post:
    """It waits for each answer, so there is never anything to settle."""

    def __init__(self, connection: http.client.HTTPConnection, path: str) -> None:
        self._connection, self._path = connection, path

    def send(self, data: bytes) -> None:
        self._connection.request("POST", self._path, data)
        response = self._connection.getresponse()
        said = response.read()
        if response.status >= 300:
            raise PublishingFailed(f"POST {self._path} answered {response.status}: {said.decode(errors='replace').strip()}")

    def settle(self, within_s: float) -> None:
        pass


@contextmanager
def _post(server: Address, path: str) -> Iterator[Outlet]:
    with closing(http.client.HTTPConnection(*server)) as connection:
        yield _Post(connection, path)


class _Lines:
    """It is not answered, so there is nothing to wait for."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, data: bytes) -> None:
        self._connection.sendall(data + b"\n")

    def settle(self, within_s: float) -> None:
        pass


@contextmanager
def _lines(server: Address, path: str) -> Iterator[Outlet]:
    with socket.create_connection(server) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(b"publish\n")
        yield _Lines(connection)


WAYS = {"websocket": _websocket, "post": _post, "lines": _lines}
"""The ways to publish. A scenario chooses between the first two; the last is for bare TCP."""
