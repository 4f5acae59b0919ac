"""An endless HTTP response: what a cursor reads, in the form that a transport gives it. What stream and plain SSE share."""

from collections.abc import Callable, Mapping

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from servers.coding import coder, told
from servers.hub import Cursor, CursorGone
from servers.pump import Encode, Run, pump_of


class EndlessResponse(StreamingResponse):
    """Begins with `first`, says what the cursor reads by `encode`, and ends with `last` if its position is gone."""

    _pump: Run | None = None
    """The server's, if it has one."""

    def __init__(
        self,
        cursor: Cursor,
        encode: Encode,
        last: Callable[[CursorGone], bytes],
        *,
        first: bytes = b"",
        coding: str = "",
        media_type: str,
        headers: Mapping[str, str],
    ) -> None:
        self.status_code = 200
        self.media_type = media_type
        self.background = None
        self.init_headers({**headers, **told(coding)})
        self._coder = coder(coding)
        self._cursor = cursor
        self._encode = encode
        self._first = first
        self._last = last

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        self._pump = None if self._coder else pump_of(scope)  # each has its own compressor, and nothing is said to all
        if self._pump:  # it sees by itself that the client has left: a second task for that took 4 KiB
            await self.stream_response(send)
        else:
            await super().__call__(scope, receive, send)

    async def stream_response(self, send: Send) -> None:
        """Send all of it."""

        async def say(body: bytes, *, more: bool = True) -> None:
            if self._coder:
                body = self._coder.say(body) if more else self._coder.end()
            await send({"type": "http.response.body", "body": body, "more_body": more})

        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        with self._cursor as cursor:
            try:
                # A server may hold the head back until there is a body.
                if first := self._first or (b"" if self._pump else self._encode([])):
                    await say(first)
                if self._pump:
                    await self._pump(cursor, self._encode)
                else:
                    async for messages in cursor:
                        await say(self._encode(messages))
            except CursorGone as gone:
                await say(self._last(gone))
        await say(b"", more=False)
