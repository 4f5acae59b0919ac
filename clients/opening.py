"""Opening a connection: aiohttp connects, asks, follows redirects and reads the head of the answer; then it lets go.

What comes behind the head is read by the subscription itself, as the protocol of the connection: aiohttp's own way from the
socket to a message (parser, buffer, future, task) costs more than the load side of a benchmark may (docs/method.md). An
answer that is not wanted stays aiohttp's to its end.
"""

import asyncio
import ssl
from collections.abc import Container, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from clients.answers import Answered
from clients.ends import refusal
from clients.sockets import CONNECT_TIMEOUT_S, SocketFactory

if TYPE_CHECKING:
    from clients.http2 import Connection, Http2
    from clients.quic import Session

HEAD_END = b"\r\n\r\n"


class Cut(asyncio.Protocol):
    """Between a transport and aiohttp's protocol: passes the head of the answer on, and keeps what follows."""

    def __init__(self, transport: asyncio.Transport, aiohttps: ResponseHandler) -> None:
        self.transport = transport
        self.head = b""
        """The head of the answer, or as much of it as has come."""
        self.complete = False
        """Whether all of it has."""
        self._aiohttps: ResponseHandler | None = aiohttps  # None once it was taken from it
        self._rest = b""
        self._lost = False
        self._error: Exception | None = None

    def data_received(self, data: bytes) -> None:
        """Pass on what belongs to the head; behind it, read no more until it is known who shall have it."""
        while data and not self.complete:
            before = len(self.head)
            self.head += data
            end = self.head.find(HEAD_END, max(0, before - len(HEAD_END) + 1))
            assert self._aiohttps is not None
            if end < 0:
                self._aiohttps.data_received(data)
                return
            cut = end + len(HEAD_END) - before
            self.head = self.head[: end + len(HEAD_END)]
            self._aiohttps.data_received(data[:cut])
            data = data[cut:]
            if self._announces():
                self.head = b""
            else:
                self.complete = True
                self.transport.pause_reading()
        self._rest += data

    def _announces(self) -> bool:
        """Whether another head follows this one: it says so, or is nothing but empty lines."""
        words = self.head.split(None, 2)
        return not words or (len(words) > 1 and words[1][:1] == b"1" and words[1] != b"101")

    def connection_lost(self, error: Exception | None) -> None:
        """Note it for whoever shall have the connection; as long as that may be aiohttp, it has to know."""
        self._lost, self._error = True, error
        if self._aiohttps is not None:  # which may be of length 0
            if self._rest:
                self._aiohttps.data_received(self._rest)
            self._aiohttps.connection_lost(error)

    def give_back(self) -> None:
        """All else is aiohttp's too."""
        if self._aiohttps is not None and not self._lost:
            self.give_to(self._aiohttps)

    def take(self) -> None:
        """From aiohttp: to it the connection is as if lost."""
        aiohttps, self._aiohttps = self._aiohttps, None
        if aiohttps is not None and not self._lost:
            aiohttps.transport = None  # else the end of an answer that ends with its connection would close it
            aiohttps.connection_lost(None)

    def give_to(self, protocol: asyncio.Protocol) -> None:
        """From now on the connection is another's, with what was kept for it."""
        self.transport.set_protocol(protocol)
        rest, self._rest = self._rest, b""
        if rest:
            protocol.data_received(rest)
        if self._lost:
            protocol.connection_lost(self._error)
        elif not self.transport.is_closing():
            self.transport.resume_reading()


class Answer(aiohttp.ClientResponse):
    """An answer to the end of its head."""

    cut: Cut

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        """As aiohttp begins with an answer, once its request was sent and before any of it can have come."""
        self.cut = Cut(connection.transport, connection.protocol)
        connection.transport.set_protocol(self.cut)
        await super().start(connection)
        if not self.cut.complete:
            raise aiohttp.ClientPayloadError("the head of the answer does not end with an empty line")
        if 300 <= self.status < 400 and self.status != 304:  # a redirect is followed
            self.cut.give_back()
        return self

    async def wanted(self, session: aiohttp.ClientSession, *statuses: int) -> "Answer":
        """Take it from aiohttp, whose session ends, if it has one of these statuses; else raises `CursorGone` or
        `RequestRefused`."""
        if self.status not in statuses:
            self.cut.give_back()
            said = (await self.text(errors="replace"))[:500].strip() or self.reason or ""
            raise refusal(self.url.path, self.status, said)
        self.cut.take()
        self.close()
        try:
            await session.close()  # which may take a while
        except BaseException:
            self.cut.transport.close()
            raise
        return self


class Opener:
    """How a subscription's connections are opened: with these headers, on sockets of this kind."""

    def __init__(
        self,
        headers: Mapping[str, str] | None,
        socket_factory: SocketFactory | None,
        tls: ssl.SSLContext | None = None,
        http2: "Http2 | None" = None,
        *,
        keep_connection: bool = True,
    ) -> None:
        self._headers = headers
        self._socket_factory = socket_factory
        self._tls = tls
        self.http2 = http2
        """The connections that are shared with others; None for one of its own, over HTTP/1.1."""
        self._shared: Connection | None = None
        self._keep_connection = keep_connection

    async def get(
        self, url: str, *statuses: int, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer | Answered:
        """Ask, and have an answer with one of these statuses. Raises `SubscriptionEnded` or aiohttp.ClientError."""
        if self.http2:
            return await self._on_a_stream(url, statuses, params, headers)
        async with self._session() as session:
            answer = await session.get(url, params=params, headers=headers)
            assert isinstance(answer, Answer)
            return await answer.wanted(session, *statuses)

    async def share(self, url: str) -> "Connection":
        """The one that there is, or another."""
        assert self.http2
        if self._shared is None or self._shared.closed:
            self._shared = await self.http2.connection(url)
        return self._shared

    async def upgrade(
        self, url: str, *, params: Mapping[str, str] | None = None, window_bits: int = 0
    ) -> tuple[Answer | Answered, bool]:
        """Ask for a WebSocket; the answer, and whether messages may be compressed. Raises as `get` does."""
        if self.http2:  # where no compression is asked for
            return await self._on_a_stream(url, (200,), params, None, websocket=True), False
        seen = list[Answer]()

        async def note(
            session: aiohttp.ClientSession, context: SimpleNamespace, parameters: aiohttp.TraceRequestEndParams
        ) -> None:
            assert isinstance(parameters.response, Answer)
            seen.append(parameters.response)

        trace = aiohttp.TraceConfig()
        trace.on_request_end.append(note)
        async with self._session(trace) as session:
            try:
                opened = await session.ws_connect(url, params=params, compress=window_bits)
            except aiohttp.WSServerHandshakeError as error:
                said = error.headers.get("refusal", error.message) if error.headers else error.message
                raise refusal(error.request_info.url.path, error.status, said) from None
            return await seen[-1].wanted(session, 101), bool(opened.compress)

    async def _on_a_stream(
        self,
        url: str,
        statuses: Container[int],
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        *,
        websocket: bool = False,
    ) -> Answered:
        shared = await self.share(url)
        path = URL(url).update_query(params or {}).raw_path_qs
        stream = shared.open(path, {**(self._headers or {}), **(headers or {})}, websocket=websocket)
        try:
            status, answered = await stream.head()
            if status not in statuses:
                said = (await stream.body())[:500].decode(errors="replace").strip()
                raise refusal(URL(url).path, status, answered.get("refusal", "") if websocket else said)
        except BaseException:
            stream.close()
            raise
        return Answered(status, answered, stream)

    async def session(self, url: str, *, params: Mapping[str, str] | None = None) -> "Session":
        """A session of WebTransport that is not opened yet. Raises OSError."""
        from clients.quic import session  # which needs a package that is not installed for TCP alone

        asked = str(URL(url).update_query(params or {}))
        return await session(asked, self._headers or {}, self._socket_factory, self._tls)

    def leave(self) -> None:
        """Be done with what is shared."""
        shared, self._shared = self._shared, None
        if shared:
            shared.leave()

    def _session(self, *traces: aiohttp.TraceConfig) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                socket_factory=self._socket_factory, ssl=self._tls or True, force_close=not self._keep_connection
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._headers,
            skip_auto_headers=("Accept-Encoding",),  # no compression is asked for
            response_class=Answer,
            trace_configs=list(traces),
        )


def until_closed(status: int, headers: Container[str]) -> bool:
    """Whether a response's body ends with its connection, because nothing else says where; RFC 9112 section 6.3.

    Names of headers are in lower case, or of no case.
    """
    return status not in (204, 304) and "content-length" not in headers and "transfer-encoding" not in headers


def position(headers: Mapping[str, str]) -> int | None:
    """The position that a response's `ETag` names, or None without one that is a number. Names are in lower case, or of no
    case."""
    digits = headers.get("etag", "").removeprefix("W/").strip('"')
    return int(digits) if digits.isascii() and digits.isdigit() else None
