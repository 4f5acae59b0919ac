"""A subscriber to whom messages come on one connection without being asked for: what stream, SSE and WebSocket share."""

import asyncio
from typing import NoReturn

import aiohttp

from clients.opening import Answer, Cut, position
from clients.subscription import HandOver, Subscription


class Pushed(Subscription, asyncio.Protocol):
    """The protocol of its connection once it receives: between the event loop and `hand_over` there is nothing else.

    Until then nothing is read. A transport says in `data_received` where a message begins and ends.
    """

    _cut: Cut | None = None
    """The connection."""
    _ended: asyncio.Future[NoReturn] | None = None
    """Set from when it receives."""
    _over: Exception | None = None
    """How it has ended before it receives, if so."""
    _receiving = False
    """Whether somebody wants what comes."""

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
            self._receiving = False
        raise AssertionError("it only ends with an exception")

    def connection_lost(self, error: Exception | None) -> None:
        """The connection broke, or was closed before the answer was complete."""
        self._end(aiohttp.ClientPayloadError(f"the connection was lost: {error or 'it was closed within the answer'}"))

    def _opened(self, answer: Answer) -> None:
        self._cut = answer.cut
        if self.cursor is None:
            self.cursor = position(answer.headers)

    def _end(self, error: Exception) -> None:
        self._receiving = False
        if self._ended is None:
            self._over = error
        elif not self._ended.done():
            self._ended.set_exception(error)

    async def _close(self) -> None:
        if self._cut:
            self._cut.transport.close()
