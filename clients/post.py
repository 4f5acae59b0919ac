"""Post: who acts by HTTP. Each thing said is a request of its own, POST with it as the body, and its answer is handed over.

One at a time: nothing may be said before the last was answered, so that what one says stays in order. On a connection that
is kept for as long as the server keeps it, on a new one each time, or on a stream of a shared one (HTTP/2).
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, cast

import aiohttp
from aiohttp.http import SERVER_SOFTWARE
from yarl import URL

from clients.coding import decoder
from clients.connecting import connected
from clients.ends import refusal
from clients.exchange import Exchange, Line
from clients.subscription import HandOver, Subscription

if TYPE_CHECKING:
    from clients.http2 import Connection, Stream


class _Opened(asyncio.Protocol):
    """A connection on which nothing was said yet."""

    head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by its bases

    def give_to(self, protocol: asyncio.Protocol) -> None:
        self.transport.set_protocol(protocol)


class _Asked(Exchange):
    """A connection whose answers are somebody's the moment they are whole."""

    def __init__(self, opened: Line, answered: Callable[["_Asked"], None], ended: Callable[[Exception], None]) -> None:
        super().__init__(opened)
        self._told, self._ended = answered, ended
        self.asking = False
        """Whether there is an answer to come."""

    def say(self, request: bytes) -> None:
        self.asking = True
        self._answered = self._expect()
        self._cut.transport.write(request)

    @property
    def closing(self) -> bool:
        return self._cut.transport.is_closing()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if self.status and self.asking:
            self.asking = False
            self._told(self)

    def _fail(self, error: Exception) -> None:
        super()._fail(error)
        if self.asking:
            self.asking = False
            self._ended(error)


class _Whole:
    """Who reads an answer on a stream, and hands it over the moment it is whole."""

    def __init__(
        self, stream: "Stream", answered: Callable[[int, str, bytes], None], ended: Callable[[Exception], None]
    ) -> None:
        self._stream, self._answered, self._ended = stream, answered, ended
        self._body = b""

    def data_received(self, data: bytes) -> None:
        self._body += data

    def connection_lost(self, error: Exception | None) -> None:
        if error or self._stream.headers is None:
            self._ended(error or aiohttp.ServerDisconnectedError("the stream ended without an answer"))
            return
        headers = self._stream.headers
        self._answered(int(headers[":status"]), headers.get("content-encoding", ""), self._body)


class Post(Subscription):
    """One that acts, and what it is handed are the answers."""

    cursor: None

    _asked: _Asked | None = None
    _shared: "Connection | None" = None
    """The connection of HTTP/2 on which it has its streams, if it has."""
    _opening: asyncio.Task[None] | None = None
    """Set while a connection is opened for what is to be said."""

    def __init__(self, url: str, *, keep_connection: bool = True, content_type: str = "text/plain", **options: Any) -> None:
        """`content_type` is what it says that it posts."""
        super().__init__(url, keep_connection=keep_connection, **options)
        self._keep_connection = keep_connection
        self._content_type = content_type
        self._options = options
        split = URL(url)
        self._path = split.raw_path_qs
        host = split.host_port_subcomponent or ""
        headers = {"Host": host, "Accept": "*/*", "User-Agent": SERVER_SOFTWARE, **(options.get("headers") or {})}
        headers |= {"Content-Type": content_type} | ({} if keep_connection else {"Connection": "close"})
        self._head = f"POST {self._path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._ended: asyncio.Future[NoReturn] | None = None
        self._over: Exception | None = None
        self._hand_over: HandOver | None = None

    async def _connect(self) -> None:
        if self._opener.http2:
            self._shared = await self._opener.share(self.url)
        elif self._keep_connection:
            await self._open()

    async def receive(self, hand_over: HandOver) -> NoReturn:
        """See `Subscription.receive`: the body of each answer."""
        if self._over:
            raise self._over
        self._hand_over = hand_over
        self._ended = asyncio.get_running_loop().create_future()
        await self._ended
        raise AssertionError("it only ends with an exception")

    def say(self, data: bytes) -> None:
        """Say it; its answer is handed over. Not before that of the last has been."""
        if self._shared and not self._shared.closed:
            self._say_on_a_stream(self._shared, data)
        elif self._opener.http2:
            self._opening = asyncio.ensure_future(self._share_and_say(data))
        elif self._asked and not self._asked.closing:
            self._asked.say(self._request(data))
        else:
            self._opening = asyncio.ensure_future(self._open_and_say(data))

    def _request(self, data: bytes) -> bytes:
        return f"{self._head}Content-Length: {len(data)}\r\n\r\n".encode() + data

    async def _open(self) -> None:
        opened = await connected(self.url, _Opened, self._options.get("socket_factory"), self._options.get("tls"))
        self._asked = _Asked(opened, self._answered, self._end)

    async def _open_and_say(self, data: bytes) -> None:
        try:
            await self._open()
            assert self._asked
            self._asked.say(self._request(data))
        except Exception as error:
            self._end(error)

    async def _share_and_say(self, data: bytes) -> None:
        try:
            self._shared = await self._opener.share(self.url)
            self._say_on_a_stream(self._shared, data)
        except Exception as error:
            self._end(error)

    def _say_on_a_stream(self, shared: "Connection", data: bytes) -> None:
        headers = {**(self._options.get("headers") or {}), "content-type": self._content_type}
        stream = shared.open(self._path, headers, body=data)
        stream.give_to(_Whole(stream, self._take, self._end))

    def _answered(self, asked: _Asked) -> None:
        """The answer is whole; an exchange has decoded it already."""
        if not self._keep_connection:  # before the answer is handed over, for the next thing may be said at once then
            asked.close()
        self._take(asked.status, "", asked.body)

    def _take(self, status: int, coding: str, body: bytes) -> None:
        if not 200 <= status < 300:
            said = body[:500].decode(errors="replace").strip()
            self._end(refusal(self._path.partition("?")[0], status, said))
            return
        try:
            decode = decoder(coding) if body else None
            if self._hand_over:
                self._hand_over([decode(body) if decode else body])
        except Exception as error:  # also of whom it was handed over to
            self._end(error)

    def _end(self, error: Exception) -> None:
        if self._ended is None:
            self._over = self._over or error
        elif not self._ended.done():
            self._ended.set_exception(error)

    async def _close(self) -> None:
        if self._opening:
            self._opening.cancel()
        if self._asked:
            self._asked.asking = False
            self._asked.close()
