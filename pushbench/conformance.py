"""Conformance: does a server keep what its contract claims? A suite of checks, each made of a running server.

It asks through the same clients and publishers as a trial does, so what passes here can be measured. What comes of it in
words is not known here.
"""

import asyncio
import importlib.util
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self
from urllib.parse import urljoin

from clients.ends import ENDS, CursorGone
from clients.subscription import Subscription
from pushbench import envelope, message
from pushbench.contract import Known
from pushbench.publisher import WAYS, PublishingFailed
from pushbench.scenario_keys import Load
from pushbench.tap import Tape, tapped
from pushbench.target import STOP_TIMEOUT_S, Running, Served, Target, TargetFailed, running
from pushbench.transports import HTTP2, POST, ROWS, Transport, load_class

POLL_INTERVAL_S = 0.02
WAIT_S = 10.0
"""So long a message may take; a conforming server takes a thousandth of it."""
QUIET_S = 2.5
HEARTBEAT_S, LONGPOLL_TIMEOUT_S = 1.0, 1.0
"""Of the server that is looked at, so that both happen in a time in which nothing is published."""
HELD_S = 0.5
ENDS_S = 1.0
"""So long a server may take to end a reader that it cannot serve."""
UNKNOWN = 10**12
"""A cursor that no server has come to."""
MESSAGES, TO_MANY, MANY, LARGE, TO_ANSWER = 100, 30, 50, 150, 5
SHORT_BYTES = 100
SHARING = 3
SHOWN = 60
"""So many characters of a message are told of at most."""
CHECK_S = 60.0
"""A check that takes longer has failed."""

SCRIPTS = (
    "plain",
    "  two leading spaces and a trailing one ",
    ": starts like a comment",
    "data: looks like a field",
    "Ελληνικά, кириллица, עברית, العربية, हिन्दी, ไทย, 中文, 日本語, 한국어",
    "emoji: 👩‍👩‍👧‍👦 🏳️‍🌈 🇺🇳, beyond the basic plane: 𝔸 𠜎",
    "combining: e\u0301, right to left \u202e mark, byte order mark \ufeff inside",
    "line ends that only Unicode knows: \x0b \x0c \x1c \x85 \u2028 \u2029",
    '{"json": "with \\n escapes", "tab": "\t"}',
    "%0A&amp;<script>",
)
"""Messages that a transport may take for something else."""


class Finding(StrEnum):
    """What came of a check."""

    PASSES = "passes"
    FAILS = "fails"
    NOT_CLAIMED = "not claimed"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one check of one transport."""

    check: str
    """A key of `SENTENCES`."""
    transport: str
    """Which, or empty if it is of the server as a whole."""
    finding: Finding
    why: str = ""
    """Why it fails, or is not claimed."""


class NotSo(Exception):
    """Something is not as it should be; the text says what."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A server that is ready, and one of its transports."""

    known: Known
    target: Target
    server: Running
    row: Transport
    served: Served
    http2: Any = None
    """Connections of HTTP/2 that all readers share; None: each has its own, of HTTP/1.1."""

    def reader(self, after: Any = None, tap: int = 0) -> "Reader":
        """A reader that has not connected yet; it resumes if it has a cursor, and goes through a tap if it has its port."""
        url = self.url(self.served.path)
        if tap:
            url = f"http://127.0.0.1:{tap}{self.target.path(self.served.path)}"
        options: dict[str, Any] = {"interval_s": POLL_INTERVAL_S} if self.row.polls else {}
        options |= {"headers": self.target.reach.headers, "tls": self.target.reach.context()}
        options |= {"http2": self.http2} if self.http2 else {}
        options |= {"drain": True} if self.row.polls and self.served.one_at_a_time else {}
        options |= {"start_url": urljoin(url, self.target.path(self.served.start))} if self.served.start else {}
        client: Subscription = load_class(self.row.client)(url, after=after, **options)
        return Reader(client, ordered=self.row.ordered, hello=self.served.hello, inside=self.served.inside)

    def url(self, path: str) -> str:
        """Where that is."""
        return f"{self.target.reach.scheme}://{self.server.host}:{self.server.port}{self.target.path(path)}"

    def room(self, number: int) -> "Bench":
        """The same in the room of that number."""
        below = self.target.room.format(room=number)
        served = replace(self.served, path=below + self.served.path)
        publish = {way: below + path for way, path in self.target.publish.items()}
        return replace(self, served=served, target=replace(self.target, publish=publish))

    def actor(self, way: str) -> "Reader":
        """One that acts by that way, and reads the answers."""
        options: dict[str, Any] = {"headers": self.target.reach.headers, "tls": self.target.reach.context()}
        options |= {"post": {"content_type": self.target.content_type}}.get(way, {})
        duplex = next(row for row in (self.row, *ROWS.values()) if row.duplex)
        client = load_class({"post": POST}.get(way, duplex.client))
        return Reader(client(self.url(self.target.acts[way]), **options), template=self.target.action)

    async def publish(self, *messages: bytes, way: str = "") -> None:
        """Publish them in this order, and return when the server has taken them."""
        await asyncio.to_thread(self._publish, messages, way or self.known.ways[-1])

    def _publish(self, messages: Sequence[bytes], way: str) -> None:
        path = self.target.path(self.target.publish[way])
        with WAYS[way]((self.server.host, self.server.port), path, self.target.reach) as outlet:
            for data in messages:
                outlet.send(data)
            outlet.settle(WAIT_S)


class Reader:
    """A subscriber, and what it has been handed so far. Enter it to connect."""

    def __init__(
        self, subscription: Subscription, *, ordered: bool = True, hello: str = "", inside: str = "", template: str = ""
    ) -> None:
        """`ordered`: whether it gets messages in the order in which they were published. With `hello`, which it says once
        it is connected, or a `template` of what it says, messages are inside of what comes and begins so (`envelope`)."""
        self.subscription = subscription
        self._hello = hello
        self._wrap = envelope.wrapping(template) if template else None
        self._wrapped = bool(hello or template)
        self._inside = inside.encode()
        self._ordered = ordered
        self.taken: list[bytes] = []
        self._came = asyncio.Event()
        self._reading: asyncio.Future[Any] | None = None

    async def __aenter__(self) -> Self:
        await self.subscription.__aenter__()
        if self._hello:
            self._say(self._hello.encode())
        return self

    async def __aexit__(self, *exception: Any) -> None:
        if self._reading:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        await self.subscription.__aexit__(*exception)

    def say(self, data: bytes) -> None:
        """Say something by its own connection."""
        self._say(self._wrap(data) if self._wrap else data)

    def _say(self, data: bytes) -> None:
        voice: Any = self.subscription
        voice.say(data)

    def read(self) -> None:
        """Have it read from now on; one that is not told to reads nothing."""
        if self._reading is None:
            self._reading = asyncio.ensure_future(self.subscription.receive(self._take))

    async def gets(self, messages: Sequence[bytes]) -> None:
        """Read until there are so many. Raises `NotSo` if they are not these, or do not come."""
        self.read()
        assert self._reading
        with suppress(TimeoutError):
            async with asyncio.timeout(WAIT_S):
                while len(self.taken) < len(messages) and not self._reading.done():
                    self._came.clear()
                    coming = asyncio.ensure_future(self._came.wait())
                    await asyncio.wait({coming, self._reading}, return_when=asyncio.FIRST_COMPLETED)
                    coming.cancel()
        if not self._ordered and sorted(self.taken) == sorted(messages):
            return
        if self.taken != list(messages):
            raise NotSo(self._difference(messages))

    async def ends(self) -> BaseException | None:
        """Read until it is ended, and return by what; None if it is not."""
        self.read()
        assert self._reading
        await asyncio.wait({self._reading}, timeout=ENDS_S)
        return self._reading.exception() if self._reading.done() else None

    def _take(self, messages: list[bytes]) -> None:
        if self._wrapped:
            begun = (one for one in messages if one.startswith(self._inside))
            messages = [found for one in begun if (found := envelope.unwrapped(one)) is not None]
        self.taken += messages
        self._came.set()

    def _difference(self, messages: Sequence[bytes]) -> str:
        """How what came differs from what was to come."""
        assert self._reading
        how = f"then it ended: {self._reading.exception()}" if self._reading.done() else f"no more within {WAIT_S:g} s"
        for nth, (came, sent) in enumerate(zip(self.taken, messages, strict=False), start=1):
            if came != sent:
                return f"message {nth} should be {_shown(sent)}, and is {_shown(came)}"
        more = f", and then {_shown(self.taken[len(messages)])}" if len(self.taken) > len(messages) else ""
        return f"{len(self.taken)} of {len(messages)} messages came{more}, {how}"


def _shown(data: bytes) -> str:
    text = repr(data.decode(errors="replace"))
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(data)} bytes)"


def _numbered(count: int) -> list[bytes]:
    stamp = time.monotonic_ns()  # so that no other check's messages are taken for these
    return [message.encode(nth, stamp, stamp, SHORT_BYTES) for nth in range(count)]


async def _to_each(bench: Bench, readers: int, messages: Sequence[bytes]) -> None:
    async with AsyncExitStack() as stack:
        there = [await stack.enter_async_context(bench.reader()) for _ in range(readers)]
        for reader in there:
            reader.read()
        await bench.publish(*messages)
        for reader in there:
            await reader.gets(messages)


async def to_one(bench: Bench) -> None:
    """one subscriber gets each message once and unchanged, and in order where the transport has one"""
    await _to_each(bench, 1, _numbered(MESSAGES))


async def to_many(bench: Bench) -> None:
    """so do fifty"""
    await _to_each(bench, MANY, _numbered(TO_MANY))


async def not_from_before(bench: Bench) -> None:
    """nobody gets what was published before it came"""
    before, after = _numbered(2)
    await bench.publish(before)
    await _to_each(bench, 1, [after])


async def text(bench: Bench) -> None:
    """text in several scripts, and what looks like framing, survives"""
    await _to_each(bench, 1, [each.encode() for each in SCRIPTS])


async def sizes(bench: Bench) -> None:
    """the smallest and the largest message of a scenario survive"""
    sizes = (message.MIN_BYTES, bench.row.most_bytes, message.MIN_BYTES)
    await _to_each(bench, 1, [message.encode(nth, nth, nth, size) for nth, size in enumerate(sizes)])


async def each_way(bench: Bench) -> None:
    """what is published by each way arrives"""
    messages = _numbered(len(bench.known.ways))
    async with bench.reader() as reader:
        reader.read()
        for way, one in zip(bench.known.ways, messages, strict=True):
            await bench.publish(one, way=way)
        await reader.gets(messages)


async def resumes(bench: Bench) -> None:
    """what was published while a subscriber was away arrives when it resumes"""
    messages = _numbered(6)
    async with bench.reader() as reader:
        reader.read()
        await bench.publish(*messages[:2])
        await reader.gets(messages[:2])
    await bench.publish(*messages[2:5])
    async with bench.reader(after=reader.subscription.cursor) as resumed:
        await bench.publish(messages[5])
        await resumed.gets(messages[2:])


async def resumes_unseen(bench: Bench) -> None:
    """also when it had seen nothing before"""
    async with bench.reader() as reader:
        pass
    messages = _numbered(2)
    await bench.publish(messages[0])
    async with bench.reader(after=reader.subscription.cursor) as resumed:
        await bench.publish(messages[1])
        await resumed.gets(messages)


async def tells_gone(bench: Bench) -> None:
    """who cannot resume is told so"""
    try:
        async with bench.reader(after=UNKNOWN) as reader:
            end = await reader.ends()
    except CursorGone:
        return
    if not isinstance(end, CursorGone):
        raise NotSo(f"a cursor that nobody has given was taken{f', and then {end}' if end else ''}")


async def quiet(bench: Bench) -> None:
    """heartbeats are no messages, and what follows them arrives"""
    async with bench.reader() as reader:
        reader.read()
        await asyncio.sleep(QUIET_S)
        if reader.taken:
            raise NotSo(f"nothing was published, and {_shown(reader.taken[0])} came")
        messages = _numbered(1)
        await bench.publish(*messages)
        await reader.gets(messages)


async def held(bench: Bench) -> None:
    """a request is held until there is something"""
    tape = Tape()
    tls = bench.target.reach.context()
    async with tapped(bench.server.host, bench.server.port, tape, tls) as port, bench.reader(tap=port) as reader:
        reader.read()
        await asyncio.sleep(HELD_S)
    asked = sum(piece.up for piece in tape.pieces) - 1  # the first says where it starts
    if asked > 1 + HELD_S / LONGPOLL_TIMEOUT_S:
        raise NotSo(f"{asked} requests were answered within {HELD_S:g} s in which nothing was published")


async def slow(bench: Bench) -> None:
    """a reader that does not read holds up no other"""
    messages = [message.encode(nth, nth, nth, bench.row.most_bytes) for nth in range(LARGE)]
    async with bench.reader(), bench.reader() as other:
        other.read()
        await bench.publish(*messages)
        await other.gets(messages)


async def answers(bench: Bench) -> None:
    """an action is answered with what it brought, by each way that is claimed"""
    for way in bench.target.acts:
        said = _numbered(TO_ANSWER)
        if not bench.target.action:  # where it is all that there is
            said += [each.encode() for each in SCRIPTS] + [message.encode(0, 0, 0, bench.row.most_bytes)]
        async with bench.actor(way) as actor:
            for nth, one in enumerate(said, start=1):
                actor.read()
                actor.say(one)
                await actor.gets(said[:nth])


async def in_rooms(bench: Bench) -> None:
    """what one says in a room all of it hear, who said it too, and nobody else"""
    here, elsewhere = bench.room(1), bench.room(2)
    *first, second = _numbered(4)
    async with here.reader() as speaker, here.reader() as hearer, elsewhere.reader() as other:
        for reader in (speaker, hearer, other):
            reader.read()

        async def say(who: Reader, room: Bench, data: bytes) -> None:
            if bench.row.duplex:
                who.say(data)
            else:
                await room.publish(data, way="post")

        await say(speaker, here, first[0])
        await hearer.gets(first[:1])
        await say(other, elsewhere, second)
        await other.gets([second])
        for one in first[1:]:  # behind which nothing of the other room can still be on its way
            await say(speaker, here, one)
        await speaker.gets(first)
        await hearer.gets(first)


async def over_http2(bench: Bench) -> None:
    """over HTTP/2 it is the same, for several on one connection"""
    shared = replace(bench, http2=load_class(HTTP2)(SHARING, socket_factory=None, tls=bench.target.reach.context()))
    await _to_each(shared, SHARING, _numbered(TO_MANY))
    if bench.served.resumes:
        await resumes(shared)


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a transport."""

    name: str
    make: Callable[[Bench], Awaitable[None]]
    not_claimed: Callable[[Bench], str] = lambda bench: ""
    """Why it need not pass; empty if it must."""
    long: bool = False
    """Whether it takes long, or moves much: what is looked at before a run does without."""

    @property
    def sentence(self) -> str:
        """What is to be."""
        assert self.make.__doc__
        return self.make.__doc__


def _no_http2(known: Known, row: Transport) -> str:
    if row.quic or not known.contract.http2:
        return "it goes over HTTP/3" if row.quic else "HTTP/2 is not claimed"
    return "" if importlib.util.find_spec("h2") else "the clients need the package h2: pip install 'pushbench[h2]'"


def _no_answers(bench: Bench) -> str:
    if not bench.target.acts:
        return "it answers no actions"
    names = [*bench.known.contract.transports]
    first = next((name for name in names if ROWS[name].duplex), names[0])
    return "" if bench.row.name == first else f"looked at with {first}"


def _no_rooms(bench: Bench) -> str:
    if not bench.target.room or bench.target.shares_log:
        return "rooms are of one process" if bench.target.shares_log else "it claims no rooms"
    can = not bench.row.quic and (bench.row.duplex or bool(bench.target.publish.get("post")))
    return "" if can else "nobody who reads by it says anything in a room"


CHECKS = (
    Check("one", to_one),
    Check("fifty", to_many),
    Check("before", not_from_before),
    Check("text", text, lambda bench: "what it takes is JSON" if bench.served.hello else ""),
    Check("sizes", sizes),
    Check("publishing", each_way),
    Check("held", held, lambda bench: "" if bench.row.asks == "again" and not bench.row.polls else "it holds no requests"),
    Check("resumes", resumes, lambda bench: "" if bench.served.resumes else "it names no cursor"),
    Check("unseen", resumes_unseen, lambda bench: "" if bench.served.resumes_unseen else "only messages name a cursor"),
    Check("gone", tells_gone, lambda bench: "" if bench.served.tells_gone else "it does not tell"),
    Check("answers", answers, _no_answers),
    Check("rooms", in_rooms, _no_rooms),
    Check("http2", over_http2, lambda bench: _no_http2(bench.known, bench.row)),
    Check("quiet", quiet, long=True),
    Check("slow", slow, lambda bench: "it sends nothing unasked" if bench.row.asks == "again" else "", long=True),
)
"""All checks of a transport, in the order in which they are made."""
STOPS, LIVES = "stops", "lives"
SENTENCES = {check.name: check.sentence for check in CHECKS} | {
    STOPS: f"it ends within {STOP_TIMEOUT_S:g} s of SIGTERM, whoever is connected",
    LIVES: "it does not end by itself",
}
"""What is to be, by the names of the checks."""


async def examined(
    known: Known,
    cores: Sequence[int],
    *,
    only: Collection[str] = (),
    long: bool = True,
    secured: Callable[[Target, Load], Target | None] = lambda target, load: target,
    tls: bool = False,
    tell: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Make the checks of all its transports, or only of these, on one server; `tell` hears of each result as it comes.

    Raises `TargetFailed` if the server does not become ready, or ends by itself.
    """
    results: list[Result] = []

    def note(check: str, transport: str, finding: Finding, why: str = "") -> None:
        results.append(Result(check, transport, finding, why))
        tell(results[-1])

    names = [name for name in ROWS if name in known.contract.transports and (not only or name in only)]
    asked = {"heartbeat_s": HEARTBEAT_S, "longpoll_timeout_s": LONGPOLL_TIMEOUT_S}
    asked = {key: value for key, value in asked.items() if key in known.taken}
    no_tls = known.refusal_of_tls()
    lacking = {name: why for name in names if (why := known.missing(name) or (no_tls if ROWS[name].quic else ""))}
    for name, why in lacking.items():
        note(CHECKS[0].name, name, Finding.NOT_CLAIMED, why)
    for quic in (False, True):  # what goes over QUIC needs TLS, and perhaps a server that is told so
        if not (some := [name for name in names if ROWS[name].quic == quic and name not in lacking]):
            continue
        load = Load(transport=some[0], subscribers=1).model_copy(update={**asked, "tls": tls or quic})
        target = secured(known.target(load), load) or known.target(load)
        with _unless_it_ends(results, note):
            await _examine(known, target, cores, some, long, note)
    return results


@contextmanager
def _unless_it_ends(results: Sequence[Result], note: Callable[[str, str, Finding, str], None]) -> Iterator[None]:
    """A server that ends in the middle fails on what it was asked last; one that never was ready has no result."""
    try:
        yield
    except TargetFailed as failed:
        if not results:
            raise
        note(LIVES, results[-1].transport, Finding.FAILS, str(failed))


async def _examine(
    known: Known,
    target: Target,
    cores: Sequence[int],
    names: Sequence[str],
    long: bool,
    note: Callable[[str, str, Finding, str], None],
) -> None:
    """Make the checks."""
    async with AsyncExitStack() as readers, AsyncExitStack() as stack:
        server = await stack.enter_async_context(running(target, cores))
        for name in names:
            bench = Bench(known, target, server, ROWS[name], target.serves[name])
            for check in CHECKS:
                if check.long and not long:
                    continue
                if why := check.not_claimed(bench):
                    note(check.name, name, Finding.NOT_CLAIMED, why)
                    continue
                finding, why = await _made(check, bench)
                note(check.name, name, finding, why)
        if long and not target.url:
            held_by = [name for name in names if ROWS[name].asks != "again"]
            for name in held_by:  # somebody is there when it is told to end
                reader = Bench(known, target, server, ROWS[name], target.serves[name]).reader()
                with suppress(*ENDS):
                    await readers.enter_async_context(reader)
                    reader.read()
            began = time.monotonic()
            await stack.aclose()
            took_s = time.monotonic() - began
            why = "" if took_s < STOP_TIMEOUT_S else f"it had to be killed after {took_s:.1f} s"
            note(STOPS, names[0] if ROWS[names[0]].quic else "", Finding.FAILS if why else Finding.PASSES, why)


async def _made(check: Check, bench: Bench) -> tuple[Finding, str]:
    try:
        async with asyncio.timeout(CHECK_S):
            await check.make(bench)
    except NotSo as error:
        return Finding.FAILS, str(error)
    except TimeoutError:
        return Finding.FAILS, f"it was not over after {CHECK_S:g} s"
    except (*ENDS, PublishingFailed) as error:
        return Finding.FAILS, f"{type(error).__name__}: {error}"
    return Finding.PASSES, ""


def plain_values(results: Sequence[Result]) -> list[dict[str, str]]:
    """Results as JSON has them."""
    return [
        {"check": one.check, "transport": one.transport, "finding": str(one.finding), "why": one.why} for one in results
    ]


def from_plain_values(values: Sequence[Mapping[str, str]]) -> list[Result]:
    """The results that these were made of."""
    return [Result(one["check"], one["transport"], Finding(one["finding"]), one["why"]) for one in values]
