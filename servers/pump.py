"""Writing what a cursor reads straight to its connection, and the uvicorn protocols that offer it to applications.

Through ASGI a delivery is a future, a task, a generator and some five calls of `send`: two thirds of what a server of this
kind spends on it. Here the hub calls the connection, and the connection writes. What that bought is in docs/method.md.

An application finds it among its scope's extensions (`pump_of`), and awaits it in place of a loop of `send`; all else (the
head, the first and the last words) goes through ASGI as ever. Where there is none (another server, h11, a compressed
WebSocket) it sends by itself. A reader without room is not written to; its cursor waits, and is read again when there is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from servers.hub import BATCH_BYTES, Cursor, Message

Encode = Callable[[list[Message]], bytes]
"""The bytes by which a transport says these messages; of none, its heartbeat, if it has any."""
Run = Callable[[Cursor, Encode], Awaitable[None]]
"""Write what the cursor reads until the hub is closed or the client has left. Raises `CursorGone` as iterating would."""

EXTENSION = "pump"


def pump_of(scope: Mapping[str, Any]) -> Run | None:
    """The pump that the server offers for this connection, if it does."""
    offered: dict[str, Run] = (scope.get("extensions") or {}).get(EXTENSION, {})
    return offered.get("run")


def once(encode: Encode) -> Encode:
    """The same, remembering what it said last: readers at one place are given one list, so it is encoded once for all.

    Encoding a message of 100 bytes anew for each took 1 to 2 µs of a delivery.
    """
    latest: list[Message] | None = None
    said = b""

    def encoded(messages: list[Message]) -> bytes:
        nonlocal latest, said
        if messages is not latest:
            said = encode(messages)
            latest = messages
        return said

    return encoded


@cache
def _chunked(encode: Encode) -> Encode:
    """The same as a chunk of an HTTP/1.1 body (RFC 9112 section 7.1); none for nothing, for an empty one is the last."""

    def chunk(messages: list[Message]) -> bytes:
        data = encode(messages)
        return b"%x\r\n%b\r\n" % (len(data), data) if data else b""

    return once(chunk)


class Pumping(asyncio.Protocol):
    """What both protocols share: a connection that is called when there is something to write."""

    transport: asyncio.Transport
    _full = False
    """Whether the transport has as much to write as it takes."""
    _over: asyncio.Future[None] | None = None
    """Set while it pumps."""
    _cursor: Cursor
    _encode: Encode

    async def pump(self, cursor: Cursor, encode: Encode) -> None:
        """See `Run`."""
        self._cursor, self._encode = cursor, encode
        self._over = over = asyncio.get_running_loop().create_future()
        cursor.follow(self._look)
        self._look()
        try:
            await over
        finally:
            self._over = None
            cursor.follow(None)

    def pause_writing(self) -> None:
        """The transport is full."""
        self._full = True
        super().pause_writing()

    def resume_writing(self) -> None:
        """There is room again."""
        self._full = False
        super().resume_writing()
        self._look()

    def connection_lost(self, error: Exception | None) -> None:
        """The client has left."""
        super().connection_lost(error)
        self._stop()

    def _look(self) -> None:
        """Write what there is, as far as there is room."""
        if self._full or self._over is None:
            return
        try:
            while (messages := self._cursor.take()) is not None:
                data = self._encode(messages)
                self.transport.write(data)
                if len(data) < BATCH_BYTES or self._full:  # else there may be more
                    return
            if self._cursor.closed:
                self._stop()
        except Exception as error:
            self._stop(error)

    def _stop(self, error: Exception | None = None) -> None:
        """It is over."""
        over, self._over = self._over, None
        if over is None or over.done():
            return
        if error:
            over.set_exception(error)
        else:
            over.set_result(None)


class PumpingHttp(Pumping, HttpToolsProtocol):
    """uvicorn's HTTP/1.1. A body that is pumped is in chunks; its head must have named no length."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        cycle.scope["extensions"] = {EXTENSION: {"run": self._pump_chunks}}
        super()._start_asgi_task(cycle, app)

    def _pump_chunks(self, cursor: Cursor, encode: Encode) -> Awaitable[None]:
        return self.pump(cursor, _chunked(encode))


class PumpingWebSocket(Pumping, WebSocketsSansIOProtocol):
    """uvicorn's WebSocket. What is pumped is whole frames, so none is offered where extensions change them."""

    async def run_asgi(self) -> None:
        """Run the application."""
        if not self.conn.extensions:
            self.scope["extensions"][EXTENSION] = {"run": self.pump}
        await super().run_asgi()
