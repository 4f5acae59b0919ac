"""A WebSocket whose pings and close are answered once all that came before is done, and whose messages come together.

uvicorn answers a ping, and a close, as soon as they are read, although the application may not have taken what was sent
before them. Where taking a message in means to wait for another process, a publisher would be told too much by that. Here
they stand in line with the messages, and are answered when the application asks for what is next.

What has come meanwhile is one event: `websocket.receive` has one more key, `batch`, with what each frame said, as text or
bytes.

Source: RFC 6455 section 5.5.2, which asks for a pong as soon as is practical.
"""

from typing import Any

from websockets.frames import Frame

from servers.closing import said
from servers.pump import PumpingWebSocket

BATCH_MESSAGES = 1000
"""The most messages of one event."""
PONG, CLOSE = "inorder.pong", "inorder.close"


class InOrder(PumpingWebSocket):
    """uvicorn's protocol, in order."""

    def handle_ping(self) -> None:
        """The pong is made, but it is not sent yet."""
        self.queue.put_nowait({"type": PONG, "data": b"".join(self.conn.data_to_send())})  # type: ignore[arg-type]

    def handle_close(self, event: Frame) -> None:
        """The peer closes; if it answers our own close there is nothing to wait for."""
        if self.close_sent:
            super().handle_close(event)
            return
        self.stop_keepalive()  # a ping would be behind the close
        self.queue.put_nowait({"type": CLOSE, "frame": event})  # type: ignore[arg-type]

    async def receive(self) -> Any:
        """ASGI's `receive`."""
        while (event := await super().receive())["type"] in (PONG, CLOSE):
            self._answer(event)
        if event["type"] != "websocket.receive":
            return event
        batch = [said(event)]
        while len(batch) < BATCH_MESSAGES and self._next_is_a_message():
            batch.append(said(await super().receive()))
        return event | {"batch": batch}

    def _answer(self, event: Any) -> None:
        if event["type"] == CLOSE:
            super().handle_close(event["frame"])
        elif not self.transport.is_closing():
            self.transport.write(event["data"])

    def _next_is_a_message(self) -> bool:
        waiting = self.queue._queue  # type: ignore[attr-defined]  # a queue cannot be looked into otherwise
        return bool(waiting) and waiting[0]["type"] == "websocket.receive"
