"""The witness: one more subscriber, whose bytes pass through a tap, so that it is known what the bytes of the others are.

It is a subscriber like the others, of the same kind and with the same options, and counts in no ledger. How the bytes are
taken apart is `dissect`'s; what they cost in all is counted on the others' own sockets (`wire`).
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pushbench import dissect
from pushbench.dissect import Dissector, Incomprehensible, Parts
from pushbench.reach import PLAIN, Reach
from pushbench.tap import Piece, Tape, tapped

AMONG = 10
"""From so many subscribers on there is a witness: to fewer it would be too large a share of the load."""
CONNECT_S = 10.0
"""If it takes longer to connect, there is no witness."""


@dataclass(frozen=True, slots=True)
class Account:
    """What the bytes of one subscriber were in the measured window, or as far as the tape went."""

    down: Parts
    up: Parts

    def __add__(self, other: "Account") -> "Account":
        return Account(self.down + other.down, self.up + other.up)


class Witness:
    """One subscriber behind a tap. Whatever goes wrong with it is no concern of the trial: then it has no account."""

    def __init__(self, make: Callable[[str], Any], reach: Reach = PLAIN, *, bare: bool = False) -> None:
        """`make` makes a client for a URL of HTTP; the tap speaks TLS, if need be. `bare`: it speaks no HTTP."""
        self._reach = reach
        self._make = make
        self._readings = (dissect.lines, dissect.lines) if bare else (dissect.requests, dissect.answers)
        self._tape = Tape()
        self._life: asyncio.Task[None] | None = None
        self.deliveries = 0

    async def begin(self, host: str, port: int, path: str) -> None:
        """Connect, if that can be done."""
        connected = asyncio.Event()
        self._life = asyncio.create_task(self._live(host, port, path, connected))
        done = asyncio.create_task(connected.wait())
        await asyncio.wait({self._life, done}, timeout=CONNECT_S, return_when=asyncio.FIRST_COMPLETED)
        done.cancel()

    async def leave(self) -> None:
        """Disconnect."""
        if self._life:
            self._life.cancel()
            await asyncio.gather(self._life, return_exceptions=True)

    def account(self, window_ns: tuple[int, int]) -> Account | None:
        """What passed in that time; None if it cannot be said."""
        try:
            return account_of(self._tape, window_ns, *self._readings)
        except (Incomprehensible, ValueError, IndexError):  # the latter of a number that is none
            return None

    async def _live(self, host: str, port: int, path: str, connected: asyncio.Event) -> None:
        with suppress(Exception):
            async with (
                tapped(host, port, self._tape, self._reach.context()) as tap,
                self._make(f"http://127.0.0.1:{tap}{path}") as client,
            ):
                connected.set()
                await client.receive(self._note)

    def _note(self, messages: list[bytes]) -> None:
        self.deliveries += len(messages)


def account_of(
    tape: Tape,
    window_ns: tuple[int, int],
    up: Callable[[Dissector], dissect.Reading],
    down: Callable[[Dissector], dissect.Reading],
) -> Account | None:
    """Take a tape apart. None if nothing of the window is on it. Raises Incomprehensible.

    All before the window is read too, because what a byte is depends on those before it.
    """
    begin_ns, end_ns = window_ns
    if tape.full_ns is not None and tape.full_ns <= begin_ns:
        return None
    dissectors: dict[tuple[int, bool], Dissector] = {}

    def feed(piece: Piece) -> None:
        side = (piece.connection, piece.up)
        if side not in dissectors:
            dissectors[side] = Dissector(up if piece.up else down)
        dissectors[side].feed(piece.data)

    def so_far(is_up: bool) -> Parts:
        return sum((one.parts for (_, up), one in dissectors.items() if up is is_up), Parts())

    before: tuple[Parts, Parts] | None = None
    for piece in tape.pieces:
        if piece.at_ns >= end_ns:
            break
        if before is None and piece.at_ns >= begin_ns:
            before = so_far(False), so_far(True)
        feed(piece)
    if before is None:
        return Account(Parts(), Parts())
    return Account(so_far(False) - before[0], so_far(True) - before[1])
