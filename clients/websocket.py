"""WebSocket: a message a frame."""

from types import SimpleNamespace
from typing import Any, NoReturn

import aiohttp

from clients.subscription import (
    CursorGone,
    HandOver,
    RequestRefused,
    Subscription,
    SubscriptionEnded,
    position,
)

CLOSE_CURSOR_GONE = 4410  # what the server closes with when the position cannot be resumed
CLOSE_TIMEOUT_S = 2.0  # how long leaving waits for the server's half of the closing handshake


class WebSocket(Subscription):
    """A reader of one WebSocket. Its cursor is the position that the handshake named plus the frames since.

    With `deflate` it asks for permessage-deflate (RFC 7692).
    """

    _socket: aiohttp.ClientWebSocketResponse[bool]

    def __init__(self, url: str, *, deflate: bool = False, **options: Any) -> None:
        super().__init__(url, **options)
        self._window_bits = 15 if deflate else 0

    async def _connect(self) -> None:
        resuming = self.cursor is not None
        if not resuming:
            self._session.trace_configs.append(self._watch_handshake())
        try:
            self._socket = await self._session.ws_connect(
                self.url,
                params={"after": str(self.cursor)} if resuming else None,
                compress=self._window_bits,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
                decode_text=False,  # the bytes are handed over as they are
            )
        except aiohttp.WSServerHandshakeError as error:
            kind = CursorGone if error.status == 410 else RequestRefused
            said = error.headers.get("refusal", error.message) if error.headers else error.message
            raise kind(f"{error.request_info.url.path} answered {error.status}: {said}") from None

    def _watch_handshake(self) -> aiohttp.TraceConfig:
        """aiohttp shows the headers of a handshake's answer only to a trace."""

        async def note_position(
            session: aiohttp.ClientSession, context: SimpleNamespace, parameters: aiohttp.TraceRequestEndParams
        ) -> None:
            self.cursor = position(parameters.response.headers)

        trace = aiohttp.TraceConfig()
        trace.on_request_end.append(note_position)
        trace.freeze()
        return trace

    async def receive(self, hand_over: HandOver) -> NoReturn:
        """See `Subscription.receive`; one call of `hand_over` for each frame."""
        receive = self._socket.receive
        cursor = self.cursor
        while True:
            frame = await receive()
            if frame.type is aiohttp.WSMsgType.TEXT or frame.type is aiohttp.WSMsgType.BINARY:
                if cursor is not None:
                    self.cursor = cursor = cursor + 1
                hand_over([frame.data])
            elif frame.type is aiohttp.WSMsgType.ERROR:
                raise SubscriptionEnded(f"the server broke the protocol: {frame.data}") from frame.data
            else:
                code = self._socket.close_code
                kind = CursorGone if code == CLOSE_CURSOR_GONE else SubscriptionEnded
                raise kind(f"the server closed with {code}: {frame.extra or 'no reason given'}")

    async def _close(self) -> None:
        await self._socket.close()
