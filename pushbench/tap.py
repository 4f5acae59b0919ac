"""A tap: a listener through which one subscriber reaches the server, which keeps what passes, with the time.

It changes nothing, and does not know what passes; `dissect` does.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import NamedTuple, cast

KEEP_BYTES = 16 * 1024 * 1024
"""How much is kept at most. What comes after that passes as before."""
READ_BYTES = 65_536


class Piece(NamedTuple):
    """Some bytes that passed in one piece."""

    at_ns: int
    """When, by CLOCK_MONOTONIC."""
    connection: int
    """On which connection, counted from 0; datagrams are all of the first."""
    up: bool
    """To the server."""
    data: bytes


@dataclass(slots=True)
class Tape:
    """All that passed, in order."""

    pieces: list[Piece] = field(default_factory=list)
    size_bytes: int = 0
    full_ns: int | None = None
    """When it was full; None if it never was."""

    def keep(self, piece: Piece) -> None:
        """Keep it if there is room."""
        if self.full_ns is not None:
            return
        if self.size_bytes + len(piece.data) > KEEP_BYTES:
            self.full_ns = piece.at_ns
            return
        self.size_bytes += len(piece.data)
        self.pieces.append(piece)


@asynccontextmanager
async def tapped(host: str, port: int, tape: Tape, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Listen on a port of loopback, and pass on what comes to a server, over TLS if so told; gives the port."""
    connections = 0
    passing: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        number, connections = connections, connections + 1
        task = asyncio.current_task()
        assert task
        passing.add(task)
        task.add_done_callback(passing.discard)
        try:
            there = await asyncio.open_connection(host, port, ssl=tls)
        except OSError:  # which a certificate that is not believed is too
            writer.close()
            return
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pass(reader, there[1], number, True, tape))
                both.create_task(_pass(there[0], writer, number, False, tape))
        except* (ConnectionError, asyncio.CancelledError):  # one end has gone, or nobody listens any more
            pass
        finally:
            there[1].close()
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in [*passing]:
            task.cancel()
        await asyncio.gather(*passing, return_exceptions=True)


async def _pass(source: asyncio.StreamReader, sink: asyncio.StreamWriter, connection: int, up: bool, tape: Tape) -> None:
    while data := await source.read(READ_BYTES):
        tape.keep(Piece(time.monotonic_ns(), connection, up, data))
        sink.write(data)
        await sink.drain()
    with suppress(OSError):
        if sink.can_write_eof():
            sink.write_eof()
        else:
            sink.close()


@asynccontextmanager
async def tapped_datagrams(host: str, port: int, tape: Tape) -> AsyncIterator[int]:
    """The same for the datagrams of one client: the first that comes."""
    loop = asyncio.get_running_loop()
    far, up = await loop.create_datagram_endpoint(lambda: _Datagrams(tape, False), remote_addr=(host, port))
    near, down = await loop.create_datagram_endpoint(lambda: _Datagrams(tape, True), local_addr=("127.0.0.1", 0))
    up.other, down.other = down, up
    try:
        yield near.get_extra_info("sockname")[1]
        for _ in range(2):  # a last word that has come already is read in the next turn of the loop
            await asyncio.sleep(0)
    finally:
        near.close()
        far.close()


class _Datagrams(asyncio.DatagramProtocol):
    """One of the two sockets: what comes to it goes out by the other."""

    other: "_Datagrams"

    def __init__(self, tape: Tape, up: bool) -> None:
        self._tape, self._up = tape, up
        self._peer: tuple[str, int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        if self._up:
            self._peer = self._peer or peer
            if peer != self._peer:
                return
        self._tape.keep(Piece(time.monotonic_ns(), 0, self._up, data))
        self.other.send(data)

    def send(self, data: bytes) -> None:
        """Send it to whom this socket speaks with."""
        self._transport.sendto(data, self._peer)
