"""Server-Sent Events: one endless response, a message an event, resumed by `Last-Event-ID`."""

from clients.endless import EndlessResponse
from clients.ends import CursorGone
from clients.eventstream import EventStreamParser

GONE = b"cursor_"
"""How the type of an event begins that says why the position is gone: it is the server's last."""


class ServerSentEvents(EndlessResponse):
    """A reader of one event stream. It does not reconnect by itself, as a browser's EventSource would."""

    _counts = False
    _id_alone = False
    """Whether there was an id without a message in what was read last, or an event that is none."""

    async def _connect(self) -> None:
        headers = {"Accept": "text/event-stream"}
        if self.cursor is not None:
            headers["Last-Event-ID"] = str(self.cursor)
        self._opened(await self._opener.get(self.url, 200, headers=headers))
        self._events = EventStreamParser()

    def _parse(self, data: bytes) -> bool:
        self._id_alone = False
        return super()._parse(data)

    def on_body(self, data: bytes) -> None:
        """httptools: a piece of the body, cut anywhere."""
        self._events.last_event_id = None
        events = self._events.feed(data)
        for event in events:
            if event.type.startswith(GONE):
                return self._end(CursorGone(f"{event.type.decode()}: {event.data.decode()}"))
            if event.type != b"message":  # something that nobody here listens to, as a browser without a listener for it
                self._id_alone = True
                continue
            self._deliver(event.data, None if event.id is None else event.id.decode())
        last_event_id = self._events.last_event_id
        if last_event_id is not None and last_event_id != (events[-1].id if events else None):
            self._id_alone = True
            self.cursor = last_event_id.decode()

    def _between(self) -> bool:
        return self._events.between and not self._id_alone
