"""Server-Sent Events: one endless response, a message an event, resumed by `Last-Event-ID`."""

from clients.endless import EndlessResponse
from clients.ends import CursorGone
from clients.eventstream import EventStreamParser


class ServerSentEvents(EndlessResponse):
    """A reader of one event stream. It does not reconnect by itself, as a browser's EventSource would."""

    async def _connect(self) -> None:
        headers = {"Accept": "text/event-stream"}
        if self.cursor is not None:
            headers["Last-Event-ID"] = str(self.cursor)
        self._opened(await self._opener.get(self.url, 200, headers=headers))
        self._events = EventStreamParser()

    def on_body(self, data: bytes) -> None:
        """httptools: a piece of the body, cut anywhere."""
        if not self._receiving:
            return
        events = self._events.feed(data)
        if self._events.last_event_id is not None:
            self.cursor = int(self._events.last_event_id)
        for event in events:
            if event.type != b"message":
                return self._end(CursorGone(f"{event.type.decode()}: {event.data.decode()}"))
            self._hand_over([event.data])
