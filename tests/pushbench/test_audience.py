"""The audience: who is ended comes back if that is to happen, from its cursor, and everybody else's end is told."""

import asyncio
import time
from typing import ClassVar, Self

import pytest

from clients.ends import CursorGone, SubscriptionEnded
from clients.subscription import HandOver
from pushbench import audience, message
from pushbench.audience import Audience, Habits
from pushbench.comeback import Backoff
from pushbench.part import Part
from pushbench.recorder import Recorder
from pushbench.transports import Transport


class Cut:
    """A subscriber whose connections end one after the other as the script has it, and which then stays."""

    script: ClassVar[list[Exception | None]] = []
    """With what each connection ends; None: it cannot be made."""
    after: ClassVar[list[int | None]] = []
    """The cursor with which each was begun."""
    stays: ClassVar[asyncio.Event]

    def __init__(self, url: str, *, after: int | None = None, **options: object) -> None:
        self.cursor = after

    async def __aenter__(self) -> Self:
        self.after.append(self.cursor)
        if self.script and self.script[0] is None:
            self.script.pop(0)
            raise ConnectionRefusedError("nobody is there")
        return self

    async def __aexit__(self, *exception: object) -> None:
        pass

    async def receive(self, hand_over: HandOver) -> None:
        self.cursor = (self.cursor or 0) + 1
        due_ns = time.monotonic_ns()
        hand_over([message.encode(self.cursor, due_ns, due_ns, 100)])
        if self.script:
            end = self.script.pop(0)
            assert end is not None
            raise end
        self.stays.set()
        await asyncio.Event().wait()


async def lives(script: list[Exception | None], *, backoff: Backoff | None = None) -> Audience:
    """An audience of one that has lived through that, in traffic."""
    Cut.script, Cut.after, Cut.stays = [], [], asyncio.Event()
    habits = Habits(
        Transport("cut", f"{__name__}:Cut", "/", "ends"), 1, {}, 0, 0, leave_early=True, seed=1, backoff=backoff
    )
    audience = Audience(habits, Recorder())
    Cut.script = script
    audience.open((time.monotonic_ns(), time.monotonic_ns() + 1))
    await audience.connect(1, "http://nowhere")
    settled = asyncio.create_task(Cut.stays.wait())
    await asyncio.wait((settled, *audience._lives), return_when=asyncio.FIRST_COMPLETED)
    settled.cancel()
    await audience.leave()
    return audience


AT_ONCE = Backoff(0.0, jitter=False)


async def test_who_is_ended_comes_back_from_its_cursor() -> None:
    audience = await lives([SubscriptionEnded("bye"), ConnectionResetError("cut")], backoff=AT_ONCE)
    assert Cut.after == [None, 1, 2]
    assert dict(audience.ended) == {}
    assert [arrival.again for arrival in audience.arrivals] == [False, True, True]


async def test_who_is_told_that_its_cursor_is_gone_starts_again_without_one() -> None:
    await lives([SubscriptionEnded("bye"), CursorGone("too old")], backoff=AT_ONCE)
    assert Cut.after == [None, 1, None]


async def test_who_cannot_connect_tries_again_with_the_cursor_that_it_had(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[int] = []

    def noting(self: Backoff, failures: int, draw: float) -> float:
        waits.append(failures)
        return 0.0

    monkeypatch.setattr(Backoff, "wait_s", noting)
    audience = await lives([SubscriptionEnded("bye"), None, None, SubscriptionEnded("bye")], backoff=AT_ONCE)
    assert Cut.after == [None, 1, 1, 1, 2]
    assert waits == [0, 1, 2, 0]  # a connection that was made ends the row of failures
    assert len(audience.arrivals) == 3


@pytest.mark.parametrize(
    ("end", "backoff"), [(SubscriptionEnded("bye"), None), (ValueError("a foreign message"), AT_ONCE)], ids=str
)
async def test_an_end_that_is_not_to_happen_is_the_end(end: Exception, backoff: Backoff | None) -> None:
    audience = await lives([end], backoff=backoff)
    assert Cut.after == [None]
    assert dict(audience.ended) == {f"{type(end).__name__}: {end}": 1}


@pytest.mark.parametrize(
    ("part", "subscribers", "expected"),
    [
        (Part(), 10_000, []),
        (Part(), 10_001, ["127.0.0.1", "127.0.1.1"]),
        (Part(0, 2), 20_000, []),
        (Part(1, 2), 20_000, ["127.0.0.2"]),
        (Part(5, 6), 100_000, ["127.0.0.6", "127.0.1.6"]),
    ],
)
def test_no_address_has_more_subscribers_than_it_has_ports_that_are_found_quickly(
    part: Part, subscribers: int, expected: list[str]
) -> None:
    assert audience._sources(part, subscribers) == expected
