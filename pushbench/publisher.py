"""The publisher: a process that publishes the feed on schedule, and notes how late it was.

Open loop: a message that is overdue is sent at once, and none is ever skipped. It sleeps in the kernel and writes to a
blocking socket: an event loop's timers have a grain of 1 ms, which would be charged to every latency.
"""

import http.client
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import websockets.exceptions
import websockets.sync.client

from pushbench import message
from pushbench.control import Address, BlockingChannel
from pushbench.schedule import Schedule

Send = Callable[[bytes], None]


class PublishingFailed(Exception):
    """The server did not take a message."""


@dataclass(frozen=True, slots=True)
class PublisherPlan:
    """What a publisher is told when it is made."""

    control: Address
    path: str
    via: str
    """`websocket` or `post`."""
    schedule: Schedule
    payload_bytes: int
    cores: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PublisherReport:
    """What it has to say in the end."""

    slip_ns: tuple[int, ...]
    """For each message, how much later than due it was sent."""


def publish(plan: PublisherPlan) -> PublisherReport:
    """Connect, wait for the start, publish. Runs in a process of its own."""
    os.sched_setaffinity(0, plan.cores)
    with BlockingChannel(plan.control, "publisher") as channel:
        channel.send(ready=True, pid=os.getpid())
        server = channel.receive()
        with WAYS[plan.via]((server["host"], server["port"]), plan.path) as send:
            channel.send(connected=True)
            start_ns = channel.receive()["start_ns"]
            slip_ns = follow(plan.schedule, start_ns, plan.payload_bytes, send)
            channel.send(done=True)
            channel.receive()  # stay until dismissed, so that the CPU clock of this process can be read
    return PublisherReport(tuple(slip_ns))


def follow(schedule: Schedule, start_ns: int, payload_bytes: int, send: Send) -> list[int]:
    """Send every message at its time, or at once if that has passed; returns the slips in nanoseconds."""
    slips: list[int] = []
    for seq in range(schedule.count):
        due_ns = start_ns + schedule.due_ns(seq)
        wait_ns = due_ns - time.monotonic_ns()
        if wait_ns > 0:
            time.sleep(wait_ns / 1e9)
        sent_ns = time.monotonic_ns()
        send(message.encode(seq, due_ns, sent_ns, payload_bytes))
        slips.append(sent_ns - due_ns)
    return slips


@contextmanager
def _websocket(server: Address, path: str) -> Iterator[Send]:
    host, port = server
    try:
        with websockets.sync.client.connect(
            f"ws://{host}:{port}{path}", compression=None, ping_interval=None, proxy=None
        ) as socket:
            yield socket.send
    except websockets.exceptions.ConnectionClosed as closed:
        raise PublishingFailed(f"the server closed the publisher's WebSocket: {closed}") from None


@contextmanager
def _post(server: Address, path: str) -> Iterator[Send]:
    connection = http.client.HTTPConnection(*server)

    def send(data: bytes) -> None:
        connection.request("POST", path, data)
        response = connection.getresponse()
        said = response.read()
        if response.status >= 300:
            raise PublishingFailed(f"POST {path} answered {response.status}: {said.decode(errors='replace').strip()}")

    try:
        yield send
    finally:
        connection.close()


WAYS = {"websocket": _websocket, "post": _post}
"""The ways to publish, by the name that a scenario gives them."""
