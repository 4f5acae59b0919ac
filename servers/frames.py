"""WebSocket frames that are encoded once for all subscribers, and a uvicorn protocol that writes them as they are.

uvicorn encodes each message anew for each connection, and writes each by itself. The protocol offers its applications one
more key of `websocket.send`, `frames`: bytes that are whole frames already, as many as there are. Where it is not the
protocol (`uvicorn servers.app:app`) or messages are compressed, each connection with a window of its own, the scope has
no extension, and messages go one by one.

Source: RFC 6455 section 5.2.
"""

from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from servers.hub import Message

EXTENSION = "websocket.frames"
"""The key of the scope's extensions by which an application knows that it may send `frames`."""
FIN_TEXT = 0x81
SHORT, LONG = 125, 65_535
"""The longest payloads whose lengths are in the frame's second byte, and in two more."""


@lru_cache(maxsize=1024)
def frame(message: Message) -> bytes:
    """The one text frame of a message, from a server: whole and unmasked."""
    size = len(message.data)
    if size <= SHORT:
        return bytes((FIN_TEXT, size)) + message.data
    if size <= LONG:
        return bytes((FIN_TEXT, 126)) + size.to_bytes(2) + message.data
    return bytes((FIN_TEXT, 127)) + size.to_bytes(8) + message.data


class FrameWriter(WebSocketsSansIOProtocol):
    """uvicorn's protocol, with `frames`."""

    async def run_asgi(self) -> None:
        """Run the application; it is told of the extension if nothing was negotiated that changes frames."""
        if not self.conn.extensions:
            self.scope["extensions"][EXTENSION] = {}
        await super().run_asgi()

    async def send(self, event: MutableMapping[str, Any]) -> None:  # type: ignore[override]
        """ASGI's `send`."""
        frames = event.get("frames")
        if frames is None:
            await super().send(event)  # type: ignore[arg-type]
            return
        if not self.writable.is_set():
            await self.writable.wait()
        if self.close_sent or self.transport.is_closing():
            raise ClientDisconnected
        self.transport.write(frames)
