"""Bare TCP: a line a message, no HTTP and no aiohttp. No transport to choose, but the floor under all the others."""

import asyncio
import socket
from types import TracebackType
from typing import NoReturn, Self
from urllib.parse import urlsplit

from clients.ends import SubscriptionEnded
from clients.sockets import SocketFactory
from clients.subscription import HandOver

HELLO, WELCOME = b"subscribe\n", b"subscribed\n"


class Tcp(asyncio.Protocol):
    """A reader of lines on one connection. It has no cursor, so it cannot resume."""

    cursor = None

    def __init__(self, url: str, *, socket_factory: SocketFactory | None = None) -> None:
        split = urlsplit(url)
        self._make = socket_factory or (lambda address: socket.socket(*address[:3]))
        self._host, self._port = split.hostname or "", split.port or 0
        self._rest = b""
        self._hand_over: HandOver | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._welcomed: asyncio.Future[None] = loop.create_future()
        self._ended: asyncio.Future[NoReturn] = loop.create_future()
        [address, *_] = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        connection = self._make(address)
        connection.setblocking(False)
        try:
            await loop.sock_connect(connection, address[4])
        except BaseException:
            connection.close()
            raise
        self._transport, _ = await loop.create_connection(lambda: self, sock=connection)
        self._transport.write(HELLO)
        await asyncio.wait((self._welcomed, self._ended), return_when=asyncio.FIRST_COMPLETED)
        if self._ended.done():
            self._ended.result()
        self._transport.pause_reading()  # until somebody wants the messages
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.abort()
        self._ended.cancel()

    async def receive(self, hand_over: HandOver) -> NoReturn:
        """See `clients.subscription.Subscription.receive`; one call of `hand_over` for each line."""
        self._hand_over = hand_over
        self.data_received(b"")
        self._transport.resume_reading()
        await self._ended
        raise AssertionError("it only ends with an exception")

    def data_received(self, data: bytes) -> None:
        """Hand over the lines that are whole; the first of all is the welcome."""
        if self._hand_over is None:
            self._rest += data
            if not self._welcomed.done() and self._rest.startswith(WELCOME):
                self._rest = self._rest[len(WELCOME) :]
                self._welcomed.set_result(None)
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._hand_over([line])

    def connection_lost(self, error: Exception | None) -> None:
        """The server closed it, or it broke."""
        if not self._ended.done():
            self._ended.set_exception(SubscriptionEnded(f"the connection ended: {error or 'the server closed it'}"))
