"""The audience: the subscribers of a swarm, each a task from before it connects until it has left.

It knows how they connect, who joins late, who leaves and resumes, and why any ended. What they receive goes into the
recorder; what is made of it, and who tells the audience what to do, is not known here.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib import import_module
from types import TracebackType
from typing import Any, NoReturn, Protocol, Self

import numpy as np

from clients.subscription import HandOver
from pushbench.recorder import Recorder
from pushbench.transports import Transport
from pushbench.wire import Line, Meter, Traffic

CONNECTING = 32
"""How many subscribers connect at the same time."""
AWAY_S = 0.5
"""How long a subscriber that is to resume stays away."""


class Subscriber(Protocol):
    """What a client is to the swarm; see `clients.subscription.Subscription`."""

    cursor: int | None

    async def __aenter__(self) -> Self:
        """Connect."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""

    async def receive(self, hand_over: HandOver) -> NoReturn:
        """Hand over messages until cancelled, or until the server ends it."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What the subscribers of one audience have in common, and what some of them do."""

    transport: Transport
    subscribers: int
    options: Mapping[str, Any]
    """What each client is told beside its URL."""
    join_late: int
    """How many, the last ones, connect only in the course of the window, one after the other."""
    resume: int
    """How many, the first ones, leave once in the window, one after the other, and resume from their cursors."""
    leave_early: bool
    """Whether connections end inside the window on purpose."""
    seed: int


class Audience:
    """The subscribers of one swarm."""

    def __init__(self, habits: Habits, recorder: Recorder, **options: Any) -> None:
        """`options` are given to every client, beside those of its habits."""
        self._habits = habits
        self._recorder = recorder
        self._options = {**habits.options, **options}
        self._lives: list[asyncio.Task[None]] = []
        self._disturbing: list[asyncio.Task[None]] = []
        self._pausing: set[int] = set()  # who was told to leave and resume
        self._gate = asyncio.Semaphore(CONNECTING)
        self._url = ""
        self._open = False  # from when there is traffic: who connects then joins late
        self._random = random.Random(habits.seed)
        module, _, name = habits.transport.client.partition(":")
        self._client = getattr(import_module(module), name)
        self.meter = Meter(copies=habits.leave_early)
        """Counts what goes over the subscribers' sockets."""
        self.connect_traffic = Traffic()
        """What went over them until those were connected that connected before the traffic."""
        self.leaving = False
        """From then on an end is no surprise."""
        self.ended: Counter[str] = Counter()
        """Why subscribers ended before they were told to, and how many for each reason."""
        self.connect_ns: list[int] = []
        """For each that connected before the traffic, how long that took."""
        self.connecting_ns = 0
        """How long the connecting took in all, pauses between calls of `connect` not counted."""
        self.joined_ns = np.zeros(habits.subscribers, dtype=np.int64)
        """For each, when it joined: 0 for before the traffic; for one that failed to, when it was to begin."""

    async def connect(self, total: int, url: str) -> None:
        """Have so many be connected, or have failed to."""
        self._url = url
        began = time.monotonic_ns()
        settled = [self._begin_life() for _ in range(len(self._lives), total)]
        for event in settled:
            await event.wait()
        self.connecting_ns += time.monotonic_ns() - began

    def open(self, window_ns: tuple[int, int]) -> None:
        """The traffic is about to begin: from now on who is to join late, or to pause, does so in the window's course."""
        self._open = True
        self._disturbing += [
            asyncio.create_task(self._join_late(window_ns)),
            asyncio.create_task(self._pause_and_resume(window_ns)),
        ]

    def one_more(self, url: str) -> Subscriber:
        """A client like those of the subscribers, with options of its own where theirs differ from each other."""
        client: Subscriber = self._client(url, **self._options_of_one())
        return client

    async def leave(self) -> None:
        """Have all disconnect."""
        self.leaving = True
        self.cancel()
        await asyncio.gather(*self._lives, return_exceptions=True)

    def cancel(self) -> None:
        """Tell all to end, and wait for none."""
        for task in (*self._disturbing, *self._lives):
            task.cancel()

    def _begin_life(self) -> asyncio.Event:
        settled = asyncio.Event()
        self._lives.append(asyncio.create_task(self._live(len(self._lives), settled)))
        return settled

    async def _live(self, number: int, settled: asyncio.Event) -> None:
        """One subscriber's life. `settled` is set once it has connected, or has failed to."""
        options = self._options_of_one()
        line: Line | None = None
        if self._habits.transport.server:
            line = Line(self.meter)
            options["socket_factory"] = line.socket
        sink = self._recorder.sink(number)
        try:
            while True:
                subscriber: Subscriber = self._client(self._url, **options)
                try:
                    await self._subscribe(subscriber, number, sink, settled, line)
                except asyncio.CancelledError:
                    if self.leaving or number not in self._pausing:
                        raise
                self._pausing.discard(number)
                await asyncio.sleep(AWAY_S)
                options["after"] = subscriber.cursor
        except Exception as error:  # whatever ends a subscriber is noted, and makes the trial's verdict
            if not self.leaving:
                self.ended[f"{type(error).__name__}: {error}"] += 1
        finally:
            settled.set()

    def _options_of_one(self) -> dict[str, Any]:
        options = dict(self._options)
        if self._habits.transport.polls:
            options["phase"] = self._random.random()
        return options

    async def _subscribe(
        self, subscriber: Subscriber, number: int, sink: HandOver, settled: asyncio.Event, line: Line | None
    ) -> NoReturn:
        async with AsyncExitStack() as stack:
            async with self._gate:
                began = time.monotonic_ns()
                await stack.enter_async_context(subscriber)
                now = time.monotonic_ns()
            if not settled.is_set():  # to resume is not to join
                settled.set()
                if self._open:
                    self.joined_ns[number] = now
                else:
                    self.connect_ns.append(now - began)
                    if line:
                        self.connect_traffic += line.traffic()
            await subscriber.receive(sink)

    async def _join_late(self, window_ns: tuple[int, int]) -> None:
        moments_ns = _spread(self._habits.join_late, window_ns)
        if moments_ns:
            self.joined_ns[-len(moments_ns) :] = moments_ns
        for at_ns in moments_ns:
            await _until(at_ns)
            self._begin_life()

    async def _pause_and_resume(self, window_ns: tuple[int, int]) -> None:
        """Have them leave; each life resumes by itself."""
        for number, at_ns in enumerate(_spread(self._habits.resume, window_ns)):
            await _until(at_ns)
            if not self._lives[number].done():
                self._pausing.add(number)
                self._lives[number].cancel()


def _spread(count: int, window_ns: tuple[int, int]) -> list[int]:
    """So many moments, evenly over the window."""
    begin_ns, end_ns = window_ns
    return [begin_ns + round((nth + 0.5) / count * (end_ns - begin_ns)) for nth in range(count)]


async def _until(moment_ns: int) -> None:
    await asyncio.sleep(max(0.0, (moment_ns - time.monotonic_ns()) / 1e9))
