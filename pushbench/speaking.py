"""Speaking: how one subscriber says something itself while it receives, and what of what it is told is a message.

When it says something, and what, is not known here (`acting`).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from clients.subscription import HandOver
from pushbench import envelope
from pushbench.rooms import Rooms

ROOM = "{room}"
"""In a URL, what stands for the number of a room."""


@dataclass(frozen=True, slots=True)
class Speaking:
    """How subscribers say something themselves."""

    rooms: Rooms
    answered: bool
    """Whether what one hears is the answer to what it said."""
    template: str = ""
    """What each thing said is, with a place for the message (`envelope`); empty: the message alone."""
    upstream: str = ""
    """Where they post it; empty if each says it by its own connection. `{room}` stands for the number of its room."""
    keep_connection: bool = True
    """Whether one that posts keeps the connection for that."""

    @property
    def waits(self) -> bool:
        """Whether one says nothing before the last was answered."""
        return self.answered or bool(self.upstream)


async def converse(
    subscriber: Any,
    poster: Any | None,
    sink: HandOver,
    appears: Callable[[], None],
    answered: Callable[[], None],
    *,
    by_what_it_hears: bool,
) -> NoReturn:
    """Have one receive, and the one by which it posts, if it does, until either ends.

    `appears` is called once it can be answered, `answered` for each answer; `by_what_it_hears`: what it receives is those.
    """
    asyncio.get_running_loop().call_soon(appears)  # behind what is awaited now, which is there to take answers then
    if poster is None:
        await subscriber.receive(_then(sink, answered) if by_what_it_hears else sink)
        raise AssertionError("it only ends with an exception")
    both = [asyncio.ensure_future(one) for one in (subscriber.receive(sink), poster.receive(lambda _: answered()))]
    try:
        done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        raise done.pop().exception() or AssertionError("both only end with an exception")
    finally:
        for one in both:
            one.cancel()
        await asyncio.gather(*both, return_exceptions=True)


def unwrapping(hand_over: HandOver, size_bytes: int, beginning: bytes) -> HandOver:
    """Hand over the messages that are inside of what came and begins so, and nothing of what has none."""
    latest: list[bytes] = []  # clients hand the same list to many
    latest_found: list[bytes] = []

    def inside(said: list[bytes]) -> None:
        nonlocal latest, latest_found
        if said is not latest:
            begun = (one for one in said if one.startswith(beginning))
            latest_found = [found for one in begun if (found := envelope.unwrapped(one, size_bytes)) is not None]
            latest = said
        if latest_found:
            hand_over(latest_found)

    return inside


def _then(hand_over: HandOver, heard: Callable[[], None]) -> HandOver:
    """Hand over, and then say that something was heard."""

    def both(messages: list[bytes]) -> None:
        hand_over(messages)
        heard()

    return both
