"""A kept connection on which requests are asked and answered in turn: bytes written, answers read, nothing else."""

import asyncio
from typing import Protocol

import aiohttp
import httptools

from clients.coding import decoder
from clients.opening import until_closed


class Line(Protocol):
    """A connection that is about to be somebody's, with what has come on it: see `clients.opening.Cut`."""

    transport: asyncio.Transport
    head: bytes

    def give_to(self, protocol: asyncio.Protocol) -> None:
        """From now on it is that one's."""


class Exchange(asyncio.Protocol):
    """One connection, from the first answer on it. Of an answer it has status, headers and body until the next one."""

    body: bytes

    def __init__(self, cut: Line) -> None:
        self._cut = cut
        self._parser = httptools.HttpResponseParser(self)
        self._answered = self._expect()
        self.data_received(cut.head)
        cut.give_to(self)

    async def ask(self, request: bytes) -> None:
        """Send a request and have all of its answer. Raises aiohttp.ServerDisconnectedError if there is none."""
        self._answered = self._expect()
        if self._cut.transport.is_closing():
            raise aiohttp.ServerDisconnectedError("the connection is closed already")
        self._cut.transport.write(request)
        await self._answered

    async def answer(self) -> None:
        """Have all of the first answer."""
        await self._answered

    def close(self) -> None:
        """Close the connection."""
        self._cut.transport.close()

    def data_received(self, data: bytes) -> None:
        """What came on the connection; httptools takes it apart, and calls what follows here."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(aiohttp.ClientPayloadError(f"the server broke the protocol: {error}"))

    def on_header(self, name: bytes, value: bytes) -> None:
        """httptools: a header."""
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """httptools: the head of an answer has ended."""
        self._until_closed = until_closed(self._parser.get_status_code(), self.headers)

    def on_body(self, data: bytes) -> None:
        """httptools: a piece of the body."""
        self.body += data

    def on_message_complete(self) -> None:
        """httptools: the answer has ended."""
        status = self._parser.get_status_code()
        if status < 200 and status != 101:  # which announces another answer
            self.headers.clear()
            return
        try:
            if decode := decoder(self.headers.get("content-encoding", "")) if self.body else None:
                self.body = decode(self.body)
        except Exception as error:  # of a library's own kind
            self._fail(aiohttp.ClientPayloadError(f"the body cannot be decoded: {error}"))
            return
        self.status = status
        if not self._parser.should_keep_alive():
            self._cut.transport.close()
        if not self._answered.done():
            self._answered.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is closed, or broke."""
        if self._until_closed and error is None:
            self.on_message_complete()
        self._fail(aiohttp.ServerDisconnectedError(f"the connection was lost: {error or 'the server closed it'}"))

    def _expect(self) -> asyncio.Future[None]:
        self.status = 0
        self._until_closed = False
        self.headers: dict[str, str] = {}  # names in lower case
        self.body = b""
        return asyncio.get_running_loop().create_future()

    def _fail(self, error: Exception) -> None:
        if not self._answered.done():
            self._answered.set_exception(error)
            self._answered.exception()  # it may be that nobody waits for it any more
