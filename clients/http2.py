"""HTTP/2: connections that many subscribers share, each with streams of its own. What a stream carries is not known here.

Over TLS it is agreed on by ALPN, in the clear by prior knowledge. Source: RFC 9113; RFC 8441 for WebSockets on it.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, cast
from urllib.parse import urlsplit

import aiohttp
import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

from clients.connecting import connected
from clients.ends import RequestRefused
from clients.sockets import CONNECT_TIMEOUT_S, SocketFactory

WINDOW_BYTES = 16 * 2**20
"""How much the server may send on a stream before it was read. What is read is acknowledged at once."""
CONNECTION_WINDOW_BYTES = 2**30


class Reader(Protocol):
    """Who gets what comes on a stream."""

    def data_received(self, data: bytes) -> None:
        """Some of its body."""

    def connection_lost(self, error: Exception | None) -> None:
        """It has ended."""


class Http2:
    """Connections to one server, opened as they are needed. All of them are closed with the last of their streams."""

    def __init__(
        self, streams: int, *, socket_factory: SocketFactory | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        """Each connection has so many subscribers at most."""
        self._streams = streams
        self._socket_factory = socket_factory
        self._tls = tls
        self._connections: list[Connection] = []
        self._opening = asyncio.Lock()

    async def connection(self, url: str) -> "Connection":
        """One with room for another subscriber, who has to leave it. Raises OSError, and aiohttp.ClientError."""
        async with self._opening:
            self._connections = [one for one in self._connections if not one.closed]
            for one in self._connections:
                if one.subscribers < self._streams:
                    break
            else:
                one = await self._opened(url)
                self._connections.append(one)
            one.subscribers += 1
            return one

    async def _opened(self, url: str) -> "Connection":
        split = urlsplit(url)

        def make() -> Connection:
            return Connection(split.netloc, split.scheme)

        protocol = await connected(url, make, self._socket_factory, self._tls, alpn=["h2"])
        agreed = protocol.transport.get_extra_info("ssl_object")
        if agreed is not None and agreed.selected_alpn_protocol() != "h2":
            protocol.transport.close()
            raise aiohttp.ClientConnectionError(f"the server at {split.netloc} does not speak HTTP/2")
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            await protocol.settled()
        return protocol


class _Unsent(NamedTuple):
    """What is still to be sent on a stream."""

    data: bytes
    ends: bool
    """Whether the stream's own side ends behind it."""


class Connection(asyncio.Protocol):
    """One connection, and the streams on it."""

    def __init__(self, authority: str, scheme: str) -> None:
        self._authority = authority
        self._scheme = scheme
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self._h2.local_settings = h2.settings.Settings(
            client=True,
            initial_values={
                h2.settings.SettingCodes.ENABLE_PUSH: 0,
                h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: WINDOW_BYTES,
            },
        )
        self._streams: dict[int, Stream] = {}
        self._unsent: dict[int, _Unsent] = {}  # by stream, what there was no room for yet
        self._settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.subscribers = 0
        self.closed = False

    async def settled(self) -> None:
        """Wait for the server's settings, which say whether it takes WebSockets."""
        await self._settled

    def open(
        self, path: str, headers: Mapping[str, str], *, websocket: bool = False, body: bytes | None = None
    ) -> "Stream":
        """A new stream with a request on it: a GET, a WebSocket's, or with a body a POST.

        Raises `RequestRefused` if the server takes no WebSockets here.
        """
        if self.closed:
            raise aiohttp.ServerDisconnectedError("the connection is closed already")
        method = "CONNECT" if websocket else "GET" if body is None else "POST"
        pseudo = {":method": method, ":scheme": self._scheme, ":authority": self._authority}
        if websocket:
            if not self._h2.remote_settings.enable_connect_protocol:
                raise RequestRefused(f"{path}: the server takes no WebSockets over HTTP/2 (RFC 8441)")
            pseudo[":protocol"] = "websocket"
            headers = {**headers, "sec-websocket-version": "13"}
        number = self._h2.get_next_available_stream_id()
        lower = {name.lower(): value for name, value in headers.items()}
        whole = not websocket and not body
        self._h2.send_headers(number, [*pseudo.items(), (":path", path), *lower.items()], end_stream=whole)
        stream = self._streams[number] = Stream(self, number)
        if body:
            self._unsent[number] = _Unsent(body, ends=True)
            self._send_bodies()
        self.flush()
        return stream

    def leave(self) -> None:
        """One of its subscribers has no more streams."""
        self.subscribers -= 1
        if not self.subscribers:
            self.close()

    def close(self) -> None:
        """Close it."""
        if not self.closed:
            self.closed = True
            self._h2.close_connection()
            self.flush()
            self.transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by its bases
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(CONNECTION_WINDOW_BYTES)
        self.flush()

    def data_received(self, data: bytes) -> None:
        """What came on it, for any of its streams."""
        try:
            events = self._h2.receive_data(data)
        except h2.exceptions.ProtocolError as error:
            self._lost(aiohttp.ClientPayloadError(f"the server broke the protocol: {error}"))
            self.close()
            return
        for event in events:
            if isinstance(event, h2.events.DataReceived):
                if event.flow_controlled_length:
                    self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                if stream := self._streams.get(event.stream_id):
                    stream.feed(event.data)
            elif isinstance(event, h2.events.ResponseReceived):
                if stream := self._streams.get(event.stream_id):
                    stream.answered(event.headers)
            elif isinstance(event, h2.events.StreamEnded):
                if stream := self._streams.pop(event.stream_id, None):
                    stream.end(None)
            elif isinstance(event, h2.events.StreamReset):
                if stream := self._streams.pop(event.stream_id, None):
                    stream.end(aiohttp.ClientPayloadError(f"the server reset the stream: {event.error_code}"))
            elif isinstance(event, h2.events.WindowUpdated):
                self._send_bodies()
            elif isinstance(event, h2.events.RemoteSettingsChanged):
                if not self._settled.done():
                    self._settled.set_result(None)
            elif isinstance(event, h2.events.ConnectionTerminated):
                self._lost(aiohttp.ServerDisconnectedError(f"the server ended the connection: {event.error_code}"))
                self.close()
                return
        self.flush()

    def connection_lost(self, error: Exception | None) -> None:
        """It broke, or was closed."""
        self.closed = True
        self._lost(aiohttp.ServerDisconnectedError(f"the connection was lost: {error or 'the server closed it'}"))

    def send(self, number: int, data: bytes) -> None:
        """Say something on a stream that goes on; what there is no room for yet follows when there is."""
        self._unsent[number] = _Unsent(self._unsent[number].data + data if number in self._unsent else data, ends=False)
        self._send_bodies()
        self.flush()

    def reset(self, number: int) -> None:
        """End a stream that has not ended."""
        if self._streams.pop(number, None) and not self.closed:
            self._h2.reset_stream(number, h2.errors.ErrorCodes.CANCEL)
            self.flush()

    def flush(self) -> None:
        """Write what there is to be written."""
        if (data := self._h2.data_to_send()) and not self.transport.is_closing():
            self.transport.write(data)

    def _send_bodies(self) -> None:
        """As much of each as the server has room for."""
        for number, unsent in list(self._unsent.items()):
            if number not in self._streams:  # it was answered, or reset, before all was sent
                del self._unsent[number]
                continue
            data = unsent.data
            while data and (room := self._h2.local_flow_control_window(number)) > 0:
                part = data[: min(room, self._h2.max_outbound_frame_size)]
                data = data[len(part) :]
                self._h2.send_data(number, part, end_stream=unsent.ends and not data)
            if data:
                self._unsent[number] = _Unsent(data, unsent.ends)
            else:
                del self._unsent[number]

    def _lost(self, error: Exception) -> None:
        streams, self._streams = self._streams, {}
        for stream in streams.values():
            stream.end(error)
        if not self._settled.done():
            self._settled.set_exception(error)
            self._settled.exception()  # it may be that nobody waits for it


class Stream:
    """One stream. Like a connection of its own, it is given to who reads it, and written to."""

    def __init__(self, connection: Connection, number: int) -> None:
        self._connection = connection
        self._number = number
        self._reader: Reader | None = None
        self._waiting: deque[bytes] = deque()
        self._ended = False
        self._error: Exception | None = None
        self._answer: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def transport(self) -> "Stream":
        """What is written to."""
        return self

    async def head(self) -> tuple[int, dict[str, str]]:
        """Status and headers of the answer, names in lower case."""
        headers = await self._answer
        return int(headers[":status"]), {name: value for name, value in headers.items() if name[:1] != ":"}

    async def body(self) -> bytes:
        """All of the body."""
        await self._over
        return b"".join(self._waiting)

    def give_to(self, reader: Reader) -> None:
        """From now on what comes is that one's, with what came before."""
        self._reader = reader
        while self._waiting:
            reader.data_received(self._waiting.popleft())
        if self._ended:
            reader.connection_lost(self._error)

    def write(self, data: bytes) -> None:
        """Say something."""
        self._connection.send(self._number, data)

    def is_closing(self) -> bool:
        """Whether nothing can be said any more."""
        return self._ended or self._connection.closed

    def close(self) -> None:
        """Be done with it."""
        if not self._ended:
            self._ended = True
            self._connection.reset(self._number)

    @property
    def headers(self) -> dict[str, str] | None:
        """Those of the answer, the status among them as `:status`; None as long as they have not come."""
        there = self._answer.done() and not self._answer.cancelled() and not self._answer.exception()
        return self._answer.result() if there else None

    def answered(self, headers: Any) -> None:
        """The head of the answer has come."""
        if not self._answer.done():
            self._answer.set_result(dict(headers))

    def feed(self, data: bytes) -> None:
        """Some of the body has come."""
        if self._reader:
            self._reader.data_received(data)
        else:
            self._waiting.append(data)

    def end(self, error: Exception | None) -> None:
        """It has ended."""
        self._ended, self._error = True, error
        for waited in (self._answer, self._over):
            if not waited.done():
                if error or waited is self._answer:
                    waited.set_exception(error or aiohttp.ServerDisconnectedError("there was no answer"))
                    waited.exception()  # it may be that nobody waits for it
                else:
                    self._over.set_result(None)
        if self._reader:
            self._reader.connection_lost(error)
