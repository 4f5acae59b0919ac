"""Short polling: asks every interval."""

import asyncio
import math
from collections.abc import Mapping
from typing import NoReturn

from clients.conditional import ConditionalRequests
from clients.subscription import HandOver


class Polling(ConditionalRequests):
    """A poller whose requests are `interval_s` apart. One that is due while an answer is awaited is left out.

    `phase` in [0, 1) is the part of an interval after which the first request follows the call of `receive`: pollers
    that started in step would ask in step for ever.
    """

    def __init__(
        self,
        url: str,
        *,
        interval_s: float,
        phase: float = 0.0,
        after: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(url, after=after, headers=headers)
        self._interval_s = interval_s
        self._phase = phase

    async def receive(self, hand_over: HandOver) -> NoReturn:
        """See `Subscription.receive`; one call of `hand_over` for each answer that has messages."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self._phase * self._interval_s
        while True:
            await asyncio.sleep(due - loop.time())
            await self._ask(hand_over)
            due += self._interval_s
            if due < loop.time() and self._interval_s:
                due += math.ceil((loop.time() - due) / self._interval_s) * self._interval_s
