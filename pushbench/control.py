"""The control channel between a run and its load processes: lines of JSON over a TCP connection on loopback.

A load process connects, says which role it has, and then both sides send small dictionaries. It knows nothing of what
they mean. When the run's side goes away, the load process sees the end of the stream and must stop.
"""

import asyncio
import json
import socket
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

Address = tuple[str, int]
Note = dict[str, Any]


class ChannelClosed(Exception):
    """The other side has gone."""


class Channel:
    """One side of a control connection, for asyncio."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, **note: Any) -> None:
        """Send a note; it is small, so there is nothing to wait for."""
        self._writer.write(json.dumps(note).encode() + b"\n")

    async def receive(self) -> Note:
        """The next note. Raises `ChannelClosed` when the other side has gone."""
        try:
            line = await self._reader.readline()
        except ConnectionError:
            line = b""
        if not line:
            raise ChannelClosed("the other side of the control channel has gone")
        note: Note = json.loads(line)
        return note

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()


async def connect(address: Address, role: str) -> Channel:
    """A load process's channel to its run."""
    channel = Channel(*await asyncio.open_connection(*address))
    channel.send(role=role)
    return channel


class BlockingChannel:
    """A load process's channel, for code without an event loop."""

    def __init__(self, address: Address, role: str) -> None:
        self._socket = socket.create_connection(address)
        self._lines = self._socket.makefile("rb")
        self.send(role=role)

    def fileno(self) -> int:
        """The descriptor that is ready when a note has come, if every note is answered before the next is sent."""
        return self._socket.fileno()

    def send(self, **note: Any) -> None:
        """Send a note."""
        self._socket.sendall(json.dumps(note).encode() + b"\n")

    def receive(self) -> Note:
        """The next note. Raises `ChannelClosed` when the other side has gone."""
        line = self._lines.readline()
        if not line:
            raise ChannelClosed("the other side of the control channel has gone")
        note: Note = json.loads(line)
        return note

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._lines.close()
        self._socket.close()


class Switchboard:
    """The run's side: listens, and gives the channel of each role once it has called.

    When it is left every caller is let go, also one that it has not quite answered yet: asyncio's own server forgets
    a connection that comes in while it closes, and a load process would wait on it for ever.
    """

    def __init__(self) -> None:
        self._callers: dict[str, asyncio.Future[Channel]] = {}
        self._channels: list[Channel] = []
        self._answering: set[asyncio.Task[None]] = set()
        self._closed = False

    async def __aenter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        asyncio.get_running_loop().add_reader(self._listener, self._accept)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._listener)
        self._listener.close()
        self._closed = True
        for channel in self._channels:
            await channel.__aexit__(kind, error, trace)
        await asyncio.gather(*self._answering)

    @property
    def address(self) -> Address:
        """Where to call."""
        host, port = self._listener.getsockname()
        return host, port

    async def channel(self, role: str) -> Channel:
        """The channel of a role; waits until it calls."""
        return await self._caller(role)

    def _caller(self, role: str) -> asyncio.Future[Channel]:
        return self._callers.setdefault(role, asyncio.get_running_loop().create_future())

    def _accept(self) -> None:
        with suppress(BlockingIOError, ConnectionAbortedError):
            connection, _ = self._listener.accept()
            task = asyncio.create_task(self._answer(connection))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _answer(self, connection: socket.socket) -> None:
        channel = Channel(*await asyncio.open_connection(sock=connection))
        if self._closed:
            await channel.__aexit__(None, None, None)
            return
        self._channels.append(channel)
        with suppress(ChannelClosed):
            hello = await channel.receive()
            self._caller(hello["role"]).set_result(channel)
