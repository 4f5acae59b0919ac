"""An event loop of sockets and moments, for a process whose timers must be exact: epoll, and a heap of what is due.

Timers of the usual loops count in milliseconds: asyncio's come 0.9 ms late (median), and uvloop's up to 1.2 ms early.
These come 0.1 to 0.2 ms late, and never early (docs/method.md). What is read, and why, is not known here.
"""

import select
import time
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

Ready = Callable[[int], None]
"""Called with epoll's bits of what a descriptor is ready for."""


class Turns:
    """The loop: in each turn those are called whose descriptor is ready, and then those whose moment has come."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._descriptor = [self._epoll.fileno()]
        self._ready: dict[int, Ready] = {}
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = count()  # those of one moment are called in the order in which they asked

    def watch(self, descriptor: int, bits: int, ready: Ready) -> None:
        """Call `ready` whenever the descriptor is ready for one of these, or has gone wrong."""
        self._ready[descriptor] = ready
        self._epoll.register(descriptor, bits)

    def change(self, descriptor: int, bits: int) -> None:
        """Watch it for others; without any it is still told when the descriptor has gone wrong."""
        self._epoll.modify(descriptor, bits)

    def forget(self, descriptor: int) -> None:
        """Watch it no more."""
        del self._ready[descriptor]
        self._epoll.unregister(descriptor)

    def at(self, moment_ns: int, call: Callable[[], None]) -> None:
        """Call it then, of CLOCK_MONOTONIC; or in this turn, if that has passed."""
        heappush(self._due, (moment_ns, next(self._numbers), call))

    def turn(self) -> None:
        """Wait until there is something to do, and do it."""
        # epoll itself waits for whole milliseconds, select for microseconds; and an epoll is a descriptor like others.
        if self._due:
            left_ns = self._due[0][0] - time.monotonic_ns()
            if left_ns > 0:
                select.select(self._descriptor, (), (), left_ns / 1e9)
        for descriptor, bits in self._epoll.poll(0 if self._due else None):
            if ready := self._ready.get(descriptor):  # else it was forgotten in this turn
                ready(bits)
        now_ns = time.monotonic_ns()
        while self._due and self._due[0][0] <= now_ns:
            heappop(self._due)[2]()

    def close(self) -> None:
        """Give the epoll back."""
        self._epoll.close()
