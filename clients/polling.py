"""Short polling: asks every interval."""

import asyncio
import math
from typing import Any, NoReturn

from clients.conditional import ConditionalRequests
from clients.subscription import HandOver


class Polling(ConditionalRequests):
    """A poller whose requests are `interval_s` apart. One that is due while an answer is awaited is left out.

    `phase` in [0, 1) is the part of an interval after which the first request follows the call of `receive`: pollers
    that started in step would ask in step for ever. With `drain` it asks again at once after an answer that had something,
    for a server that gives one message at a time.

    Two ways in which pollers are worse: `keep_connection=False` makes a new connection for each request, and
    `validators=False` asks by `?after=`, which is answered 200 also when there is nothing new.
    """

    def __init__(self, url: str, *, interval_s: float, phase: float = 0.0, drain: bool = False, **options: Any) -> None:
        super().__init__(url, **options)
        self._interval_s = interval_s
        self._phase = phase
        self._drain = drain

    async def receive(self, hand_over: HandOver) -> NoReturn:
        """See `Subscription.receive`; one call of `hand_over` for each answer that has messages."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self._phase * self._interval_s
        while True:
            await asyncio.sleep(due - loop.time())
            while await self._ask(hand_over) and self._drain:
                pass
            due += self._interval_s
            if due < loop.time() and self._interval_s:
                due += math.ceil((loop.time() - due) / self._interval_s) * self._interval_s
