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

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from servers.heads import BoundedHeads
from servers.hub import Cursor, Message
from servers.instep import InStep

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


class Pump:
    """What is written to one connection, and when.

    An object of its own with slots, and no part of the protocol, whose forty attributes are in a dictionary: of what
    thousands of connections have each of their own, and use in turn, nothing is in a cache, and so the least is best.
    """

    __slots__ = ("_cursor", "_encode", "_in_step", "_others", "_write", "full", "over")

    def __init__(self, cursor: Cursor, encode: Encode, write: Callable[[bytes], None], *, full: bool) -> None:
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when nothing more is to be written."""
        self.full = full
        """Whether the transport has as much to write as it takes."""
        self._cursor = cursor
        self._encode = encode
        self._write = write
        self._others = cursor.together(encode, lambda hub: InStep(hub, encode))
        self._in_step = False

    def look(self) -> None:
        """Write what there is, as far as there is room; then join the others."""
        try:
            if self._in_step:  # a heartbeat is due, or nothing more is wanted
                if self._cursor.closed:
                    self.stop()
                else:
                    self._write(self._encode([]))
                return
            # Not only until a piece is short: who says only some of the messages may have more behind it.
            while not self.full and (messages := self._cursor.take()) is not None:
                self._write(self._encode(messages))
            if self._cursor.closed:
                self.stop()
            else:
                self.meet()
        except Exception as error:
            self.stop(error)

    def meet(self) -> None:
        """Join the others, if this one is where they are."""
        if not self.full and self._others.join(self, self._cursor.position, self._write):
            self._in_step = True
            self._cursor.stand_by()

    def step_out(self, position: int) -> None:
        """Read alone again, from there."""
        self._in_step = False
        self._cursor.position = position
        self._cursor.follow(self.look)
        self.look()

    def pause(self) -> None:
        """There is no room."""
        self.full = True
        if self._in_step:
            self.step_out(self._others.leave(self))

    def stop(self, error: Exception | None = None) -> None:
        """It is over."""
        if self._in_step:
            self._in_step = False
            self._cursor.position = self._others.leave(self)
        self._others.forget(self)
        self._cursor.follow(None)
        self.full = True
        if self.over.done():
            return
        if error:
            self.over.set_exception(error)
        else:
            self.over.set_result(None)


class Pumping(asyncio.Protocol):
    """What both protocols share: a connection that is called when there is something to write."""

    transport: asyncio.Transport
    _pump: Pump | None = None
    _full = False
    """Whether the transport has as much to write as it takes."""

    async def pump(self, cursor: Cursor, encode: Encode) -> None:
        """See `Run`."""
        if self.transport.is_closing():  # the client has left before it began, and nobody will say so again
            return
        self._pump = pump = Pump(cursor, encode, self.transport.write, full=self._full)
        cursor.follow(pump.look)
        pump.look()
        try:
            await pump.over
        finally:
            self._pump = None
            pump.stop()

    def pause_writing(self) -> None:
        """The transport is full."""
        self._full = True
        if self._pump:
            self._pump.pause()
        super().pause_writing()

    def resume_writing(self) -> None:
        """There is room again."""
        self._full = False
        super().resume_writing()
        if self._pump and not self._pump.over.done():
            self._pump.full = False
            self._pump.look()

    def connection_lost(self, error: Exception | None) -> None:
        """The client has left."""
        super().connection_lost(error)
        if self._pump:
            self._pump.stop()


class PumpingHttp(Pumping, BoundedHeads):
    """uvicorn's HTTP/1.1. A body that is pumped is in chunks; its head must have named no length."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
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

    def handle_close(self, event: Frame) -> None:
        """A Close frame has come, and is answered: behind that nothing may be written (RFC 6455 section 5.5.1)."""
        super().handle_close(event)
        if self._pump:
            self._pump.stop()
