"""WebSocket: a message a frame."""

import asyncio
from collections.abc import Callable
from typing import Any

from websockets.frames import Frame, Opcode

from clients.ends import CursorGone, SubscriptionEnded
from clients.frames import BINARY, BROKEN, CLOSE, PING, PONG, TEXT, Frames, masked
from clients.pushed import Pushed

CLOSE_NORMAL = 1000
CLOSE_NO_STATUS, CLOSE_ABNORMAL = 1005, 1006  # RFC 6455 section 7.1.5: what no frame says
CLOSE_CURSOR_GONE = 4410  # what the server closes with when the position cannot be resumed
CLOSE_TIMEOUT_S = 2.0  # how long leaving waits for the server's half of the closing handshake


class WebSocket(Pushed):
    """A reader of one WebSocket. Its cursor is the position that the handshake named plus the frames since.

    With `deflate` it asks for permessage-deflate (RFC 7692).
    """

    _parting: asyncio.Future[None] | None = None
    """Set while it waits for the server's half of the closing handshake."""

    def __init__(
        self, url: str, *, deflate: bool = False, on_pong: Callable[[bytes], None] | None = None, **options: Any
    ) -> None:
        """`on_pong` is called with the payload of every pong that comes."""
        super().__init__(url, **options)
        self._on_pong = on_pong
        self._window_bits = 15 if deflate else 0

    async def _connect(self) -> None:
        params = None if self.cursor is None else {"after": str(self.cursor)}
        answer, compressed = await self._opener.upgrade(self.url, params=params, window_bits=self._window_bits)
        self._opened(answer)
        self._compressed = compressed
        self._frames = Frames(compressed=compressed)

    def _parse(self, data: bytes) -> bool:
        only_messages = not self._compressed  # of which each depends on those before
        for opcode, payload in self._frames.feed(data):
            if opcode in (TEXT, BINARY):
                self._deliver(payload)
                continue
            only_messages = False
            if opcode == PING:
                if not self._parting:  # a server may have forgotten one that has said good-bye, and take it amiss
                    self._say(PONG, payload)
            elif opcode == PONG:
                if self._on_pong:
                    self._on_pong(payload)
            elif opcode == CLOSE:
                self._close_came(payload)
            elif opcode == BROKEN:
                self._end(SubscriptionEnded(f"the server broke the protocol: {payload.decode()}"))
        return only_messages and self._frames.between

    def ping(self, payload: bytes) -> None:
        """Ask for a pong with that payload, of 125 bytes at most."""
        self._say(PING, payload)

    def say(self, data: bytes) -> None:
        """Say something on the same socket: a text frame, masked as a client's must be. Nothing answers it by itself."""
        assert self._cut
        if not self._cut.transport.is_closing():
            self._cut.transport.write(Frame(Opcode.TEXT, data).serialize(mask=True))

    def connection_lost(self, error: Exception | None) -> None:
        """The connection broke, or was closed without a good-bye."""
        self._parted()
        self._end(SubscriptionEnded(f"the server closed with {CLOSE_ABNORMAL}: {error or 'no reason given'}"))

    def _close_came(self, payload: bytes) -> None:
        """The server says good-bye, or answers ours."""
        if self._receiving:
            self._say(CLOSE, payload[:2])
        self._parted()
        code = int.from_bytes(payload[:2]) if payload else CLOSE_NO_STATUS
        kind = CursorGone if code == CLOSE_CURSOR_GONE else SubscriptionEnded
        self._end(kind(f"the server closed with {code}: {payload[2:].decode(errors='replace') or 'no reason given'}"))

    def _parted(self) -> None:
        if self._parting and not self._parting.done():
            self._parting.set_result(None)

    def _say(self, opcode: int, payload: bytes) -> None:
        assert self._cut
        if not self._cut.transport.is_closing():
            self._cut.transport.write(masked(opcode, payload))

    async def _close(self) -> None:
        ended_by_server = self._ended and self._ended.done() and not self._ended.cancelled()
        try:
            if self._cut and not ended_by_server and not self._cut.transport.is_closing():
                self._parting = asyncio.get_running_loop().create_future()
                self._say(CLOSE, CLOSE_NORMAL.to_bytes(2))
                if self._ended is None:
                    self._cut.give_to(self)  # who has read nothing so far must read now
                await asyncio.wait({self._parting}, timeout=CLOSE_TIMEOUT_S)
        finally:
            await super()._close()
