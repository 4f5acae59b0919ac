"""Server-Sent Events: one endless response, a message an event, resumed by `Last-Event-ID`."""

from typing import NoReturn

import aiohttp

from clients.eventstream import EventStreamParser
from clients.subscription import CursorGone, HandOver, Subscription, SubscriptionEnded, check, position


class ServerSentEvents(Subscription):
    """A reader of one event stream. It does not reconnect by itself, as a browser's EventSource would."""

    _response: aiohttp.ClientResponse

    async def _connect(self) -> None:
        headers = {"Accept": "text/event-stream"}
        if self.cursor is not None:
            headers["Last-Event-ID"] = str(self.cursor)
        self._response = await self._session.get(self.url, headers=headers)
        await check(self._response, 200)
        if self.cursor is None:
            self.cursor = position(self._response.headers)

    async def receive(self, hand_over: HandOver) -> NoReturn:
        """See `Subscription.receive`; one call of `hand_over` for each event."""
        parser = EventStreamParser()
        while chunk := await self._response.content.readany():
            events = parser.feed(chunk)
            if parser.last_event_id is not None:
                self.cursor = int(parser.last_event_id)
            for event in events:
                if event.type != b"message":
                    raise CursorGone(f"{event.type.decode()}: {event.data.decode()}")
                hand_over([event.data])
        raise SubscriptionEnded("the server ended the response")

    async def _close(self) -> None:
        self._response.close()
