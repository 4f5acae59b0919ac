"""Long polling (Comet): asks, is held until there is something, and asks again at once."""

from typing import NoReturn

from clients.conditional import ConditionalRequests
from clients.subscription import HandOver


class LongPoll(ConditionalRequests):
    """A long poller."""

    async def receive(self, hand_over: HandOver) -> NoReturn:
        """See `Subscription.receive`; one call of `hand_over` for each answer that has messages."""
        while True:
            await self._ask(hand_over)
