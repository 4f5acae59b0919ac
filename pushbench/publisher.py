"""The publisher: a process that publishes the feed on schedule, and notes how late it was.

Open loop: a message that is overdue is sent at once, and none is ever skipped. It sleeps in the kernel and writes to a
blocking socket: an event loop's timers have a grain of 1 ms, which would be charged to every latency.

A server that is to be killed and to come back is asked what it has, and the feed goes on behind that: late, in order,
nothing twice.

The closed loop is there to show what it hides: it sends nothing before the last message was answered, and puts off all
that is still to come by what that took too long. Messages are due by the schedule all the same.
"""

import http.client
import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Protocol

import websockets.exceptions
import websockets.sync.client

from pushbench import message, padding
from pushbench.control import Address, BlockingChannel, Contact
from pushbench.reach import PLAIN, Reach
from pushbench.schedule import NS, Schedule

ANSWER_TIMEOUT_S = 20.0
"""How long a closed loop waits for an answer."""
STATUS_TIMEOUT_S = 1.0
ASK_EVERY_S = 0.01
"""How often it is asked whether a server that was gone is back."""
GOING = (1001, 1012)
"""The close codes of a server that goes: RFC 6455 section 7.4.1, and IANA's registry of them."""


class Outlet(Protocol):
    """Where messages go."""

    def send(self, data: bytes) -> None:
        """Send one. Raises `PublishingFailed` if it was refused, as far as that is known yet."""

    def settle(self, within_s: float) -> None:
        """Wait until the server has answered what was sent, or for so long. Raises likewise."""


class PublishingFailed(Exception):
    """The server did not take a message."""


class ServerGone(PublishingFailed):
    """It did not because it is not there, or not there any more."""


@dataclass(frozen=True, slots=True)
class PublisherPlan:
    """What a publisher is told when it is made."""

    control: Contact
    path: str
    status_path: str
    """What says how many messages the server has."""
    reach: Reach
    via: str
    """One of `WAYS`."""
    pacing: str
    """`open` or `closed`."""
    schedule: Schedule
    give_up_s: float
    """So long after the window's end it publishes no more, whatever is still due."""
    payload_bytes: int
    payload: str
    """What fills them: a key of `padding.KINDS`."""
    cores: tuple[int, ...]
    persists: bool = False
    """Whether it goes on when the server was gone and is back, with the log that it had."""


@dataclass(frozen=True, slots=True)
class PublisherReport:
    """What it has to say in the end."""

    slip_ns: tuple[int, ...]
    """For each message that was published, how much later than due it was sent."""
    held_up: tuple[int, ...] = ()
    """The numbers of those that were due while no server was there to take them, or had been sent to it in vain."""


def publish(plan: PublisherPlan) -> PublisherReport:
    """Connect, wait for the start, publish. Runs in a process of its own."""
    os.sched_setaffinity(0, plan.cores)
    with BlockingChannel(plan.control, "publisher") as channel:
        channel.send(ready=True, pid=os.getpid())
        server = channel.receive()
        address = (server["host"], server["port"])
        feed: Feed | None = None
        slip_ns: list[int] = []
        held_up: set[int] = set()
        done = False
        while not done:
            try:
                with WAYS[plan.via](address, plan.path, plan.reach) as outlet:
                    if feed is None:
                        channel.send(connected=True)
                        start_ns = channel.receive()["start_ns"]
                        until_ns = start_ns + plan.schedule.window_ns[1] + round(plan.give_up_s * NS)
                        pads = padding.pads(plan.payload, plan.payload_bytes - message.FRAME_BYTES)
                        feed = Feed(plan.schedule, start_ns, until_ns, plan.payload_bytes, pads)
                    else:
                        held_up.update(range(len(slip_ns), feed.schedule.due_by(time.monotonic_ns() - feed.start_ns)))
                    FOLLOW[plan.pacing](feed, outlet, slip_ns)
                    # A refusal of the last message is one too.
                    outlet.settle(max(0.0, (feed.until_ns - time.monotonic_ns()) / NS))
                    done = True
            except ServerGone:
                if feed is None or not plan.persists:
                    raise
                del slip_ns[_accepted(address, plan.status_path, plan.reach, feed.until_ns) :]
        channel.send(done=True)
        channel.receive()  # stay until dismissed, so that the CPU clock of this process can be read
    return PublisherReport(tuple(slip_ns), tuple(sorted(held_up)))


def _accepted(server: Address, path: str, reach: Reach, until_ns: int) -> int:
    """How many messages the server has that was gone, once it is back. Raises `ServerGone` if it never is."""
    while time.monotonic_ns() < until_ns:
        with closing(_connection(server, reach, STATUS_TIMEOUT_S)) as connection:
            try:
                connection.request("GET", path, headers=reach.headers)
                last_id: int = json.loads(connection.getresponse().read())["last_id"]
                return last_id  # ids begin with 1, the numbers of messages with 0
            except (OSError, http.client.HTTPException):
                time.sleep(ASK_EVERY_S)
    raise ServerGone("the server that had gone did not come back in time")


@dataclass(frozen=True, slots=True)
class Feed:
    """What is to be published from when until when; both moments are of CLOCK_MONOTONIC."""

    schedule: Schedule
    start_ns: int
    until_ns: int
    payload_bytes: int
    pads: tuple[bytes, ...] = ()


def _open_loop(feed: Feed, outlet: Outlet, slip_ns: list[int]) -> None:
    """Send every message at its time, or at once if that has passed; note each slip, in nanoseconds.

    It goes on behind those whose slips are noted.
    """
    for seq in range(len(slip_ns), feed.schedule.count):
        due_ns = feed.start_ns + feed.schedule.due_ns(seq)
        if not _send_at(due_ns, feed, seq, due_ns, outlet, slip_ns):
            return


def _closed_loop(feed: Feed, outlet: Outlet, slip_ns: list[int]) -> None:
    """Send every message once the last was answered, and put the others off by what that took too long."""
    put_off_ns = 0
    for seq in range(len(slip_ns), feed.schedule.count):
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
    slip_ns.append(sent_ns - due_ns)  # first, for a server may take it and end before it says so
    outlet.send(message.encode(seq, due_ns, sent_ns, feed.payload_bytes, feed.pads))
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
def _websocket(server: Address, path: str, reach: Reach = PLAIN) -> Iterator[Outlet]:
    host, port = server
    try:
        connection = websockets.sync.client.connect(
            f"{'wss' if reach.tls else 'ws'}://{host}:{port}{path}",
            ssl=reach.context(),
            additional_headers=reach.headers,
            compression=None,
            ping_interval=None,
            proxy=None,
        )
    except (OSError, EOFError, websockets.exceptions.InvalidMessage) as error:
        raise ServerGone(f"the publisher's WebSocket cannot connect: {error}") from None
    except websockets.exceptions.InvalidHandshake as error:
        raise PublishingFailed(f"the publisher's WebSocket at {path} was refused: {error}") from None
    try:
        with connection:
            yield _WebSocket(connection)
    except websockets.exceptions.ConnectionClosed as closed:
        kind = ServerGone if closed.rcvd is None or closed.rcvd.code in GOING else PublishingFailed
        raise kind(f"the server closed the publisher's WebSocket: {closed}") from None


class _Post:
    """It waits for each answer, so there is never anything to settle."""

    def __init__(self, connection: http.client.HTTPConnection, path: str, headers: Mapping[str, str]) -> None:
        self._connection, self._path, self._headers = connection, path, headers

    def send(self, data: bytes) -> None:
        try:
            self._connection.request("POST", self._path, data, self._headers)
            response = self._connection.getresponse()
            said = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ServerGone(f"POST {self._path} was not answered: {error or type(error).__name__}") from None
        if response.status >= 300:
            raise PublishingFailed(f"POST {self._path} answered {response.status}: {said.decode(errors='replace').strip()}")

    def settle(self, within_s: float) -> None:
        pass


@contextmanager
def _post(server: Address, path: str, reach: Reach = PLAIN) -> Iterator[Outlet]:
    with closing(_connection(server, reach)) as connection:
        yield _Post(connection, path, reach.headers)


def _connection(server: Address, reach: Reach, timeout_s: float | None = None) -> http.client.HTTPConnection:
    if context := reach.context():
        return http.client.HTTPSConnection(*server, timeout=timeout_s, context=context)
    return http.client.HTTPConnection(*server, timeout=timeout_s)


class _Lines:
    """It is not answered, so there is nothing to wait for."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, data: bytes) -> None:
        self._connection.sendall(data + b"\n")

    def settle(self, within_s: float) -> None:
        pass


@contextmanager
def _lines(server: Address, path: str, reach: Reach = PLAIN) -> Iterator[Outlet]:
    with socket.create_connection(server) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(b"publish\n")
        yield _Lines(connection)


WAYS = {"websocket": _websocket, "post": _post, "lines": _lines}
"""The ways to publish. A scenario chooses between the first two; the last is for bare TCP."""
