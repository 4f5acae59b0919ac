"""A subscriber to whom messages come on one connection without being asked for: what stream, SSE and WebSocket share."""

import asyncio
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import aiohttp

from clients.answers import Answered
from clients.opening import Answer, Cut, position
from clients.subscription import Cursor, HandOver, Subscription

if TYPE_CHECKING:
    from clients.http2 import Stream

KNOWN_READS, KNOWN_BYTES = 256, 16_384
"""How many reads are remembered, and how long they may be."""


class Pushed(Subscription, asyncio.Protocol):
    """The protocol of its connection once it receives: between the event loop and `hand_over` there is nothing else.

    Until then nothing is read. A transport says in `_parse` where a message begins and ends. In a broadcast all subscribers
    of a process read the same bytes, so what was taken apart for one is remembered for the others: to look it up takes a
    third of what a parser does, and as long for every transport (docs/method.md).
    """

    cursor: Any
    _all_known: ClassVar[dict[bytes, list[tuple[list[bytes], Cursor | None]]]]
    """What reads that were whole messages came to: each message, as it is handed over, with the cursor that it names, if
    so. Each transport has its own, for the same bytes are something else on another."""
    _counts: ClassVar[bool] = True
    """Whether a message that names no cursor is one further, where the answer has said from where."""
    _step = 0
    """How far it moves the cursor."""

    _cut: "Cut | Stream | None" = None
    """The connection, or the stream."""
    _ended: asyncio.Future[NoReturn] | None = None
    """Set from when it receives."""
    _over: Exception | None = None
    """How it has ended before it receives, if so."""
    _receiving = False
    """Whether somebody wants what comes."""
    _fresh = False
    """Whether somebody does, and the next byte begins a message."""

    def __init_subclass__(cls) -> None:
        cls._all_known = {}

    async def receive(self, hand_over: HandOver) -> NoReturn:
        """See `Subscription.receive`; one call of `hand_over` for each message."""
        assert self._cut
        if self._over:
            raise self._over
        self._hand_over = hand_over
        self._ended = asyncio.get_running_loop().create_future()
        self._receiving = True
        self._cut.give_to(self)
        try:
            await self._ended
        finally:
            self._receiving = self._fresh = False
        raise AssertionError("it only ends with an exception")

    def data_received(self, data: bytes) -> None:
        """What came on the connection."""
        try:
            known = self._known.get(data) if self._fresh else None
            if known is None:
                self._take_apart(data)
                return
            for message, cursor in known:
                if cursor is not None:
                    self.cursor = cursor
                elif self._step:
                    self.cursor += self._step
                self._hand_over(message)
        except Exception as error:  # also of whom it was handed over to
            self._end(error)

    def connection_lost(self, error: Exception | None) -> None:
        """The connection broke, or was closed before the answer was complete."""
        self._end(aiohttp.ClientPayloadError(f"the connection was lost: {error or 'it was closed within the answer'}"))

    @abstractmethod
    def _parse(self, data: bytes) -> bool:
        """Take apart what came, and `_deliver` the messages.

        Returns whether the next byte begins a message, and what came was messages and nothing else, so that the same bytes
        come to the same again.
        """

    def _deliver(self, message: bytes, cursor: Cursor | None = None) -> None:
        """Hand a message over, if somebody wants it; behind it is the cursor, or one step further without one."""
        if not self._receiving:
            return
        if cursor is not None:
            self.cursor = cursor
        elif self._step:
            self.cursor += self._step
        handed = [message]
        self._came.append((handed, cursor))
        self._hand_over(handed)

    def _take_apart(self, data: bytes) -> None:
        self._came: list[tuple[list[bytes], Cursor | None]] = []
        was_fresh = self._fresh
        self._fresh = self._parse(data) and self._receiving
        if was_fresh and self._fresh and self._came and len(data) <= KNOWN_BYTES:
            if len(self._known) >= KNOWN_READS:
                self._known.clear()
            self._known[data] = self._came

    def _opened(self, answer: Answer | Answered) -> None:
        self._cut = answer.cut
        self._known = self._all_known  # an attribute of its own is found in half the time
        if self.cursor is None:
            self.cursor = position(answer.headers)
        self._step = int(self._counts and self.cursor is not None)

    def _end(self, error: Exception) -> None:
        self._receiving = self._fresh = False
        if self._ended is None:
            self._over = error
        elif not self._ended.done():
            self._ended.set_exception(error)

    async def _close(self) -> None:
        if self._cut:
            self._cut.transport.close()
