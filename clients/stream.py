"""HTTP streaming (Comet): one endless response, a message a line."""

from typing import NoReturn

import aiohttp

from clients.subscription import CursorGone, HandOver, Subscription, SubscriptionEnded, check, position


class Stream(Subscription):
    """A reader of one endless response. Its cursor is where the response began plus the lines since."""

    _response: aiohttp.ClientResponse

    async def _connect(self) -> None:
        parameters = {} if self.cursor is None else {"after": str(self.cursor)}
        self._response = await self._session.get(self.url, params=parameters)
        await check(self._response, 200)
        if self.cursor is None:
            self.cursor = position(self._response.headers)

    async def receive(self, hand_over: HandOver) -> NoReturn:
        """See `Subscription.receive`; one call of `hand_over` for each line."""
        rest = b""
        cursor = self.cursor
        while chunk := await self._response.content.readany():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if not line:  # a heartbeat
                    continue
                if line[0] == 0:
                    raise CursorGone(line[1:].decode())
                if cursor is not None:
                    self.cursor = cursor = cursor + 1
                hand_over([line])
        raise SubscriptionEnded("the server ended the response")

    async def _close(self) -> None:
        self._response.close()
