"""The null floor: messages are handed over inside the swarm, without a network. What it measures the instrument adds.

The feed is the publisher's own loop, in a thread, so that a message wakes the swarm's event loop as a socket would.
"""

import asyncio
import threading
from types import TracebackType
from typing import NoReturn, Self

from clients.subscription import HandOver
from pushbench.publisher import FOLLOW, Feed


class Source:
    """Where messages come from, for everybody in this process who joined."""

    def __init__(self) -> None:
        self.subscribers: list[HandOver] = []
        self.slip_ns: list[int] = []
        """For each message that was due so far, how much later it was handed over to the loop."""
        self._loop = asyncio.get_running_loop()

    def start(self, feed: Feed) -> None:
        """Begin to publish, in a thread that nobody need wait for."""
        threading.Thread(target=FOLLOW["open"], args=(feed, self, self.slip_ns), daemon=True).start()

    def send(self, data: bytes) -> None:
        """Have the loop hand a message to everybody; called from the thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._fan_out, data)

    def settle(self, within_s: float) -> None:
        """Nobody answers."""

    def _fan_out(self, data: bytes) -> None:
        for hand_over in self.subscribers:
            hand_over([data])


class Null:
    """A subscriber of a feed in its own process."""

    cursor = None

    def __init__(self, url: str, *, source: Source) -> None:
        self._source = source

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    async def receive(self, hand_over: HandOver) -> NoReturn:
        """See `clients.subscription.Subscription.receive`."""
        self._source.subscribers.append(hand_over)
        try:
            while True:
                await asyncio.Event().wait()
        finally:
            self._source.subscribers.remove(hand_over)
