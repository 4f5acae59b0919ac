"""The audience: the subscribers of a swarm, each a task from before it connects until it has left.

It knows how they connect, who joins late, who leaves and resumes, who comes back when it was ended, and why any ended.
What they receive goes into the recorder; what is made of it, and who tells the audience what to do, is not known here.

It may be a part of all subscribers. Which of these does what, and when, goes by their numbers among all; what is kept of
them here goes by their numbers among those that are here.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, NoReturn, Protocol, Self
from urllib.parse import urljoin

import numpy as np

from clients.ends import ENDS, CursorGone
from clients.subscription import HandOver
from pushbench import pings
from pushbench.acting import Acting
from pushbench.comeback import AWAY_S, Arrival, Backoff
from pushbench.part import ALL, Part
from pushbench.reach import PLAIN, Reach
from pushbench.recorder import Recorder
from pushbench.slow import Reading
from pushbench.speaking import ROOM, Speaking, converse, unwrapping
from pushbench.transports import HTTP2, POST, Transport, load_class
from pushbench.wire import Line, Meter, Traffic

ADDRESS_HOLDS = 10_000
"""So many connect from one address. It has ports for 28,000 connections to a server (ip_local_port_range), of which the
kernel tries one parity first: with 14,000 that are open it looks at them all each time, and connects a third as quickly."""
CONNECTING = 32
"""How many subscribers connect at the same time; of a part of them, its part of that, and at least one."""


class Subscriber(Protocol):
    """What a client is to the swarm; see `clients.subscription.Subscription`."""

    cursor: Any

    async def __aenter__(self) -> Self:
        """Connect."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""

    async def receive(self, hand_over: HandOver) -> NoReturn:
        """Hand over messages until cancelled, or until the server ends it."""

    def say(self, data: bytes) -> None:
        """Say something by the same connection, if it is duplex; also that of one that reads slowly is not."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What all subscribers of a trial have in common, and what some of them do."""

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
    churn_hz: float = 0.0
    """How many a second of the others leave in the window, in turn, and resume."""
    slow: int = 0
    """How many, the first ones, read slowly. They neither resume nor come back."""
    slow_bytes_per_s: int = 0
    """How fast they do; 0: not at all."""
    vanish: int = 0
    """How many, the first ones behind those, vanish without a word when the window begins."""
    reach: Reach = PLAIN
    """How the server is reached."""
    start_path: str = ""
    """Where those that poll ask from where to ask; empty: where they ask anyhow."""
    streams: int = 0
    """How many share a connection of HTTP/2; 0: each has one of its own, of HTTP/1.1."""
    spread: bool = True
    """Whether they may connect from other addresses of loopback than its first."""
    ping_s: float = 0.0
    """How often each pings the server in the window; 0: never."""
    hello: str = ""
    """What each says once it is connected; empty: nothing."""
    wrapped_bytes: int = 0
    """If messages are inside of something else, how long each is; 0: what comes is the message."""
    inside: bytes = b""
    """How that begins; anything else has none."""
    browser: bool = False
    """Whether they are a browser's."""
    speaking: Speaking | None = None
    """How they say something; None if they only listen."""
    backoff: Backoff | None = None
    """How one comes back that the peer or the line has ended; None if it does not, because that is not to happen."""


NEVER_NS = np.iinfo(np.int64).max
"""When one joins that never does."""
SLOW_CLIENT = "clients.raw:Raw"
SLOW_BUFFER_BYTES = 4096
"""What a slow reader's receive buffer is asked to hold, and the kernel makes twice that: little, so that the server soon
feels it."""


class Audience:
    """The subscribers of one swarm."""

    def __init__(
        self, habits: Habits, recorder: Recorder, part: Part = ALL, acting: Acting | None = None, **options: Any
    ) -> None:
        """`part`: which of all subscribers are here. `acting`: who has them speak, if they do. `options` are given to every
        client, beside those of its habits."""
        self._habits = habits
        self._acting = acting
        self._part = part
        self._numbers = part.numbers(habits.subscribers)
        self._recorder = recorder
        self._options = {**habits.options, **options}
        self._headers = {**habits.options.get("headers", {}), **habits.reach.headers}
        if self._headers:
            self._options["headers"] = self._headers
        if habits.ping_s:
            self._options["on_pong"] = self._pong
        if habits.reach.tls:
            self._options["tls"] = habits.reach.context()
        self._lives: list[asyncio.Task[None]] = []
        self._disturbing: list[asyncio.Task[None]] = []
        self._pausing: set[int] = set()  # who was told to leave and resume
        self._away: set[int] = set()  # who is about to connect again
        self._failures: Counter[int] = Counter()  # how often in a row each has been ended, or failed to connect
        self._gate = asyncio.Semaphore(max(1, part.count(CONNECTING)))
        self._url = ""
        self._open = False  # from when there is traffic: who connects then joins late
        self._random = random.Random(part.seed(habits.seed))
        self._client = load_class(habits.transport.client)
        self.meter = Meter(copies=habits.leave_early, sources=_sources(part, habits.subscribers) if habits.spread else [])
        """Counts what goes over the subscribers' sockets."""
        if habits.streams:
            shared = load_class(HTTP2)
            factory = self.meter.make
            self._options["http2"] = shared(habits.streams, socket_factory=factory, tls=self._options.get("tls"))
        self.connect_traffic = Traffic()
        """What went over them until those were connected that connected before the traffic."""
        self.leaving = False
        """From then on an end is no surprise."""
        self.ended: Counter[str] = Counter()
        """Why subscribers ended before they were told to, and how many for each reason."""
        self._vanishing: list[Any] = []
        self._there: dict[int, Any] = {}  # who is connected and may be told to ping
        self.pinged = 0
        """How many pings were sent in the window."""
        self.pongs: list[tuple[bytes, int]] = []
        """Their answers: payload, and when it came."""
        self.slow_readings = [Reading() for _ in part.numbers(habits.slow)]
        self.slow_ended: Counter[str] = Counter()
        """Why slow readers were ended, and how many for each reason."""
        self.arrivals: list[Arrival] = []
        """Who connected since there is traffic, in the order in which they did."""
        self.connect_ns: list[int] = []
        """For each that connected before the traffic, how long that took."""
        self.connecting_ns: list[int] = []
        """How long the connecting took in all, for each call of `connect`."""
        self.joined_ns = np.zeros(len(self._numbers), dtype=np.int64)
        """For each, when it joined: 0 for before the traffic; for one that failed to, when it was to begin; for one that
        reads slowly or vanishes never, for the ledger is the others'."""
        self.joined_ns[: part.count(habits.slow + habits.vanish)] = NEVER_NS

    @property
    def away(self) -> int:
        """How many are about to connect again."""
        return len(self._away)

    async def connect(self, total: int, url: str) -> None:
        """Have so many of all be connected, as far as they are here, or have failed to."""
        self._url = url
        began = time.monotonic_ns()
        settled = [self._begin_life() for _ in range(len(self._lives), self._part.count(total))]
        for event in settled:
            await event.wait()
        self.connecting_ns.append(time.monotonic_ns() - began)

    def open(self, window_ns: tuple[int, int]) -> None:
        """The traffic is about to begin: from now on who is to join late, or to pause, does so in the window's course."""
        self._open = True
        self._disturbing += [
            asyncio.create_task(self._join_late(window_ns)),
            asyncio.create_task(self._pause_and_resume(window_ns)),
            asyncio.create_task(self._churn(window_ns)),
            asyncio.create_task(self._vanish(window_ns[0])),
            *([asyncio.create_task(self._ping(window_ns))] if self._habits.ping_s else []),
        ]

    def one_more(self, url: str) -> Subscriber:
        """A client like those of the subscribers, with options of its own where theirs differ from each other."""
        client: Subscriber = self._client(url, **self._options_of_one(url))
        return client

    async def leave(self) -> None:
        """Have all disconnect."""
        self.leaving = True
        self.cancel()
        await asyncio.gather(*self._lives, return_exceptions=True)
        for failed in await asyncio.gather(*self._disturbing, return_exceptions=True):
            if isinstance(failed, Exception):  # what was to happen did not, and the trial is none of it
                self.ended[f"a disturbance failed: {type(failed).__name__}: {failed}"] += 1

    def cancel(self) -> None:
        """Tell all to end, and wait for none."""
        for task in (*self._disturbing, *self._lives):
            task.cancel()

    def _begin_life(self) -> asyncio.Event:
        settled, number = asyncio.Event(), len(self._lives)
        life = self._live_slowly if self._numbers[number] < self._habits.slow + self._habits.vanish else self._live
        self._lives.append(asyncio.create_task(life(number, settled)))
        return settled

    async def _live_slowly(self, number: int, settled: asyncio.Event) -> None:
        """The life of one that reads slowly, or not at all, or vanishes."""
        is_slow = self._numbers[number] < self._habits.slow
        reading = self.slow_readings[number] if is_slow else Reading()
        try:
            subscriber = load_class(SLOW_CLIENT)(
                self._url,
                asks=self._habits.transport.asks,
                bytes_per_s=self._habits.slow_bytes_per_s if is_slow else float("inf"),
                interval_s=self._habits.options.get("interval_s", 0.0),
                receive_buffer_bytes=SLOW_BUFFER_BYTES if is_slow else None,
                headers=self._habits.reach.headers,
            )
            if not is_slow:
                self._vanishing.append(subscriber)
            await self._subscribe(subscriber, number, reading.take, settled)
        except Exception as error:
            if not self.leaving and not (self._open and not is_slow):
                (self.slow_ended if settled.is_set() else self.ended)[reading.reason(error)] += 1
        finally:
            settled.set()

    async def _live(self, number: int, settled: asyncio.Event) -> None:
        """One subscriber's life. `settled` is set once it has connected, or has failed to."""
        url = self._in_its_room(self._url, number)
        options = self._options_of_one(url)
        line: Line | None = None
        if not (self._habits.transport.feeds_itself or self._habits.streams):
            line = Line(self.meter)
            options["socket_factory"] = line.socket
        sink = self._recorder.sink(number)
        if self._habits.wrapped_bytes:
            sink = unwrapping(sink, self._habits.wrapped_bytes, self._habits.inside)
        try:
            while True:
                subscriber: Subscriber = self._client(url, **options)
                try:
                    await self._subscribe(subscriber, number, sink, settled, line)
                except asyncio.CancelledError:
                    if self.leaving or number not in self._pausing:
                        raise
                    self._pausing.discard(number)
                    away_s = AWAY_S
                    options["after"] = subscriber.cursor
                except ENDS as error:
                    if self._habits.backoff is None or self.leaving or not self._open:
                        raise
                    if isinstance(error, CursorGone) and options.get("after") is not None:
                        away_s = 0.0  # the server has answered, and there is nothing to wait for
                        options["after"] = None
                    else:
                        away_s = self._habits.backoff.wait_s(self._failures[number], self._random.random())
                        self._failures[number] += 1
                        options["after"] = subscriber.cursor
                    if self._habits.transport.polls:
                        options["phase"] = 0.0  # what failed is asked again
                self._away.add(number)
                await asyncio.sleep(away_s)
        except Exception as error:  # whatever ends a subscriber is noted, and makes the trial's verdict
            if not self.leaving:
                self.ended[f"{type(error).__name__}: {error}"] += 1
        finally:
            self._away.discard(number)
            settled.set()

    def _options_of_one(self, url: str) -> dict[str, Any]:
        options = dict(self._options)
        if self._habits.start_path:
            options["start_url"] = urljoin(url, self._habits.start_path)
        if self._habits.transport.polls:
            options["phase"] = self._random.random()
        return options

    async def _subscribe(
        self, subscriber: Subscriber, number: int, sink: HandOver, settled: asyncio.Event, line: Line | None = None
    ) -> NoReturn:
        again = settled.is_set()  # to resume is not to join
        async with AsyncExitStack() as stack:
            # Who comes back waits for nobody: that all come at once may be what is looked at.
            async with nullcontext() if again else self._gate:
                began = time.monotonic_ns()
                await stack.enter_async_context(subscriber)
                poster = await stack.enter_async_context(self._poster(number, line)) if self._posts else None
                now = time.monotonic_ns()
            self._failures[number] = 0
            self._away.discard(number)
            settled.set()
            if not self._open:
                self.connect_ns.append(now - began)
                if line:
                    self.connect_traffic += line.traffic()
            else:
                self.arrivals.append(Arrival(number, began, now, again))
                if not again:
                    self.joined_ns[number] = now
            self._there[number] = subscriber
            if self._habits.hello:
                subscriber.say(self._habits.hello.encode())
            try:
                await (self._converse(subscriber, poster, number, sink) if self._acting else subscriber.receive(sink))
            finally:
                del self._there[number]

    async def _converse(self, subscriber: Any, poster: Any | None, number: int, sink: HandOver) -> NoReturn:
        """Have it speak while it receives, until either ends."""
        assert self._acting
        assert self._habits.speaking
        appears = partial(self._acting.appear, number, poster or subscriber)
        answered = partial(self._acting.answered, number)
        by_what_it_hears = self._habits.speaking.answered
        await converse(subscriber, poster, sink, appears, answered, by_what_it_hears=by_what_it_hears)

    @property
    def _posts(self) -> bool:
        """Whether each says what it has to say by another connection."""
        return bool(self._habits.speaking and self._habits.speaking.upstream)

    def _poster(self, number: int, line: Line | None) -> Any:
        """A client by which that one says what it has to say, on that line too."""
        speaking = self._habits.speaking
        assert speaking
        options = {name: value for name, value in self._options.items() if name in ("headers", "tls", "http2")}
        if line:
            options["socket_factory"] = line.socket
        url = self._in_its_room(urljoin(self._url, speaking.upstream), number)
        return load_class(POST)(url, keep_connection=speaking.keep_connection, **options)

    def _in_its_room(self, url: str, number: int) -> str:
        """The URL for that one, whose room is in it."""
        speaking = self._habits.speaking
        return url.replace(ROOM, str(speaking.rooms.room(self._numbers[number]))) if speaking else url

    async def _ping(self, window_ns: tuple[int, int]) -> None:
        """Have one after the other ping, each as often as it is to."""
        every_ns = self._habits.ping_s * 1e9 / max(1, len(self._numbers))
        for nth in range(int((window_ns[1] - window_ns[0]) / every_ns)):
            await _until(window_ns[0] + round(nth * every_ns))
            number = nth % len(self._numbers)
            others = self._numbers[number] < self._habits.slow + self._habits.vanish  # who do not ping
            if (subscriber := self._there.get(number)) and not others:
                subscriber.ping(pings.stamped(time.monotonic_ns()))
                self.pinged += 1

    def _pong(self, payload: bytes) -> None:
        self.pongs.append((payload, time.monotonic_ns()))

    async def _join_late(self, window_ns: tuple[int, int]) -> None:
        first = self._habits.subscribers - self._habits.join_late
        moments_ns = [
            at_ns for who, at_ns in enumerate(_spread(self._habits.join_late, window_ns), first) if self._part.has(who)
        ]
        if moments_ns:
            self.joined_ns[-len(moments_ns) :] = moments_ns
        for at_ns in moments_ns:
            await _until(at_ns)
            self._begin_life()

    async def _pause_and_resume(self, window_ns: tuple[int, int]) -> None:
        """Have them leave, each once."""
        for who, at_ns in enumerate(_spread(self._habits.resume, window_ns), self._habits.slow):
            if self._part.has(who):
                await _until(at_ns)
                self._pause(self._part.here(who))

    async def _churn(self, window_ns: tuple[int, int]) -> None:
        """Have those that do nothing else leave in turn, and resume."""
        habits = self._habits
        turns = range(habits.slow + habits.resume, habits.subscribers - habits.join_late)
        count = round(habits.churn_hz * (window_ns[1] - window_ns[0]) / 1e9)
        for nth, at_ns in enumerate(_spread(count, window_ns)):
            if self._part.has(who := turns[nth % len(turns)]):
                await _until(at_ns)
                self._pause(self._part.here(who))

    async def _vanish(self, at_ns: int) -> None:
        await _until(at_ns)
        for subscriber in self._vanishing:
            subscriber.vanish()

    def _pause(self, number: int) -> None:
        """Have it leave, unless it is away or has ended; its life resumes by itself."""
        if not self._lives[number].done() and number not in self._away:
            self._pausing.add(number)
            self._lives[number].cancel()


def _spread(count: int, window_ns: tuple[int, int]) -> list[int]:
    """So many moments, evenly over the window."""
    begin_ns, end_ns = window_ns
    return [begin_ns + round((nth + 0.5) / count * (end_ns - begin_ns)) for nth in range(count)]


async def _until(moment_ns: int) -> None:
    await asyncio.sleep(max(0.0, (moment_ns - time.monotonic_ns()) / 1e9))


def _sources(part: Part, subscribers: int) -> list[str]:
    """The addresses of loopback from which those of this process connect; none: the kernel's choice is as good."""
    count = -(-part.count(subscribers) // ADDRESS_HOLDS)
    return [f"127.0.{nth}.{part.number + 1}" for nth in range(count)] if part.number or count > 1 else []
