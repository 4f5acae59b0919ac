"""The control channel between a run and its load processes: lines of JSON over a TCP connection.

A load process connects, says which role it has, and then both sides send small dictionaries. It knows nothing of what
they mean. When the run's side goes away, the load process sees the end of the stream and must stop; a host that has gone
without a word is noticed by the kernel.

Who calls must know the token of the switchboard, which only the plans of its load processes have: any user of this host,
and of others if it listens for them, can reach its port.
"""

import asyncio
import hmac
import json
import secrets
import socket
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple, Self

Address = tuple[str, int]
Note = dict[str, Any]

SILENT_S = 5
"""After so long without a sign of the other host the kernel asks for one,"""
ASKED = 5
"""so many times, a second apart; then the channel is closed."""


class Contact(NamedTuple):
    """How a switchboard is reached."""

    host: str
    port: int
    token: str
    """What it wants to hear of who calls."""


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


async def connect(contact: Contact, role: str) -> Channel:
    """A load process's channel to its run."""
    reader, writer = await asyncio.open_connection(contact.host, contact.port)
    _notice_who_goes(writer.get_extra_info("socket"))
    channel = Channel(reader, writer)
    channel.send(role=role, token=contact.token)
    return channel


def _notice_who_goes(connection: socket.socket) -> None:
    """Have the kernel end a connection whose other side has gone without a word (tcp(7), keepalive)."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, SILENT_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, ASKED)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, (SILENT_S + ASKED) * 1000)  # if there is data


class BlockingChannel:
    """A load process's channel, for code without an event loop."""

    def __init__(self, contact: Contact, role: str) -> None:
        self._socket = socket.create_connection((contact.host, contact.port))
        self._lines = self._socket.makefile("rb")
        self.send(role=role, token=contact.token)

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
    """The run's side: listens at an address of this host, and gives the channel of each role once it has called.

    When it is left every caller is let go, also one that it has not quite answered yet: asyncio's own server forgets
    a connection that comes in while it closes, and a load process would wait on it for ever.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._host = host
        self._token = secrets.token_hex(16)
        self._callers: dict[str, asyncio.Future[Channel]] = {}
        self._channels: list[Channel] = []
        self._answering: set[asyncio.Task[None]] = set()
        self._closed = False

    async def __aenter__(self) -> Self:
        self._listener = socket.create_server((self._host, 0))
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
    def address(self) -> Contact:
        """Where to call, and what to say."""
        host, port = self._listener.getsockname()
        return Contact(host, port, self._token)

    async def channel(self, role: str) -> Channel:
        """The channel of a role; waits until it calls."""
        return await self._caller(role)

    def _caller(self, role: str) -> asyncio.Future[Channel]:
        return self._callers.setdefault(role, asyncio.get_running_loop().create_future())

    def _accept(self) -> None:
        with suppress(BlockingIOError, ConnectionAbortedError):
            connection, _ = self._listener.accept()
            _notice_who_goes(connection)
            task = asyncio.create_task(self._answer(connection))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _answer(self, connection: socket.socket) -> None:
        channel = Channel(*await asyncio.open_connection(sock=connection))
        if self._closed:
            await channel.__aexit__(None, None, None)
            return
        self._channels.append(channel)
        hello: object = None
        with suppress(ChannelClosed, ValueError):  # what is no line of JSON, or has no end
            hello = await channel.receive()
        role, token = (hello.get("role"), hello.get("token")) if isinstance(hello, dict) else (None, None)
        known = isinstance(token, str) and hmac.compare_digest(token.encode(), self._token.encode())
        if not known or not isinstance(role, str) or self._caller(role).done():
            await channel.__aexit__(None, None, None)
            return
        self._caller(role).set_result(channel)
