"""The conditional request that both kinds of polling make: what is new since the validator of the last answer?

Source: RFC 9110 section 13.1.2, If-None-Match.
"""

from typing import Any

from clients.subscription import HandOver, Subscription, check, position


class ConditionalRequests(Subscription):
    """A subscriber that asks again and again, on one connection that is kept alive."""

    _by_validator = True
    """Otherwise by a query, which is answered 200 whatever there is."""

    async def _connect(self) -> None:
        async with self._session.get(self.url) as response:
            await check(response, 204)
            if self.cursor is None:
                self.cursor = position(response.headers)

    async def _ask(self, hand_over: HandOver) -> None:
        """Make one request, and hand over the messages of its answer, if it has any."""
        how: dict[str, Any] = {"params": {"after": str(self.cursor)}}
        if self._by_validator:
            how = {"headers": {"If-None-Match": f'"{self.cursor}"'}}
        async with self._session.get(self.url, **how) as response:
            await check(response, 200, 304)
            if response.status == 200 and (messages := (await response.read()).split(b"\n")[:-1]):
                self.cursor = position(response.headers)
                hand_over(messages)
