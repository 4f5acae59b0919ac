"""Carrying out a plan: messages come in, and each subscriber's deliveries are released at their time, in their order.

It knows the plan, the clock and waiting; nothing of HTTP or WebSocket.

A delivery is released at due + delay, where due is what the message says of itself. It is never released earlier, and
never before one that is planned before it, even if the loop is late or a message has not come yet: the order is the plan's,
whatever the machine does.
"""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import NamedTuple

from targets.plan import Delivery, Plan


class Refused(Exception):
    """Something that the plan has no place for; the text says what."""


class Gone(Refused):
    """A cursor of a subscriber that is not known: nobody can resume."""


class Published(NamedTuple):
    """A message."""

    data: bytes
    due_ns: int
    """When it is due by its own word; CLOCK_MONOTONIC."""


@dataclass(slots=True)
class Truth:
    """What the fake did, by its own evidence."""

    subscribers: int = 0
    messages: int = 0
    deliveries: int = 0
    late_max_ns: int = 0
    """The most that a delivery was released later than planned."""
    coalesced: int = 0
    """Deliveries that were put behind another one in one answer."""


class Fake:
    """The feed and its subscribers. All methods belong to one event loop's thread."""

    def __init__(self, plan: Plan) -> None:
        self.truth = Truth()
        self._plan = plan
        self._published: dict[int, asyncio.Future[Published]] = {}  # by seq; a future from when it is first asked for
        self._subscribers: list[Subscriber] = []

    def publish(self, data: bytes) -> int:
        """Take a message, and return its number. Raises `Refused` for what is no message of the plan."""
        try:
            message = json.loads(data)
            seq, due_ns = int(message["seq"]), int(message["due_ns"])
        except (ValueError, TypeError, KeyError):
            raise Refused(f"{data[:40]!r} is no message: send JSON with the numbers seq and due_ns") from None
        if not 0 <= seq < self._plan.messages:
            raise Refused(f"message {seq} is not in the plan, which has {self._plan.messages}: raise --messages")
        if (coming := self.coming(seq)).done():
            raise Refused(f"message {seq} has been published before: each is taken once")
        coming.set_result(Published(data, due_ns))
        self.truth.messages += 1
        return seq

    def coming(self, seq: int) -> asyncio.Future[Published]:
        """Message `seq`, as soon as it has been published."""
        if seq not in self._published:
            self._published[seq] = asyncio.get_running_loop().create_future()
        return self._published[seq]

    def subscribe(self) -> "Subscriber":
        """The next subscriber of the plan. Raises `Refused` if it has no more."""
        number = len(self._subscribers)
        if number >= len(self._plan.deliveries):
            raise Refused(f"subscriber {number + 1} is not in the plan, which has {number}: raise --subscribers")
        self._subscribers.append(Subscriber(self, self._plan.deliveries[number]))
        self.truth.subscribers += 1
        return self._subscribers[-1]

    def close(self) -> None:
        """End every subscriber."""
        for subscriber in self._subscribers:
            subscriber.close()


class Subscriber:
    """One subscriber, from when it connects. A position is how many deliveries have been released to it before."""

    def __init__(self, fake: Fake, planned: tuple[Delivery, ...]) -> None:
        self.closed = False
        self._fake = fake
        self._released: list[bytes] = []
        self._news = asyncio.Event()
        self._releasing = asyncio.create_task(self._release(planned))

    async def _release(self, planned: tuple[Delivery, ...]) -> None:
        truth = self._fake.truth
        for delivery in planned:
            message = await asyncio.shield(self._fake.coming(delivery.seq))  # which others await too
            at_ns = message.due_ns + delivery.delay_ns
            while (wait_ns := at_ns - time.monotonic_ns()) > 0:  # noqa: ASYNC110  # a timer may come a bit early
                await asyncio.sleep(wait_ns / 1e9)
            truth.deliveries += 1
            truth.late_max_ns = max(truth.late_max_ns, -wait_ns)
            self._released.append(message.data)
            self._news.set()

    def after(self, position: int) -> list[bytes]:
        """What has been released after this position; it may be nothing."""
        return self._released[position:]

    async def wait(self, position: int) -> list[bytes]:
        """The same, but wait until there is something; nothing only if the subscriber is closed."""
        while not self.closed and len(self._released) <= position:
            self._news.clear()
            await self._news.wait()
        return [] if self.closed else self.after(position)

    def close(self) -> None:
        """Release nothing more, and let who waits go."""
        self.closed = True
        self._releasing.cancel()
        self._news.set()
