"""QUIC, and HTTP/3 on it, as far as WebTransport needs that: each session is a request to an application, by ASGI.

A session begins with an extended CONNECT (RFC 9220, draft-ietf-webtrans-http3). The application gets it as a request of
that method, with the session among its scope's extensions (`servers/session.py`): it answers with a status, and if that is
200 it may say what it has on streams and in datagrams, until its answer ends, or the client leaves. So routing, tokens,
origins and refusals are the application's own, as on HTTP. Nothing but WebTransport is spoken here.

Source: RFC 9000 (QUIC), RFC 9114 (HTTP/3), RFC 9221 and RFC 9297 (datagrams).
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import unquote

from aioquic._buffer import Buffer, BufferReadError
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import QuicServer
from aioquic.h3.connection import H3_ALPN, ErrorCode, H3Connection
from aioquic.h3.events import DatagramReceived, DataReceived, H3Event, HeadersReceived, WebTransportStreamDataReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, ProtocolNegotiated, QuicEvent, StopSendingReceived, StreamReset
from starlette.types import ASGIApp, Message, Scope

from servers.options import Options
from servers.session import EXTENSION
from servers.varint import varint

MOST_BYTES = 64 * 1024
"""So much may be written to a connection and not be acknowledged before its sessions have to wait."""
MOST_STREAMS = 256
"""And so many streams may be there that are not finished."""
MOST_DATAGRAMS = 64
"""And so many datagrams that are not sent."""
UNI_STREAM, CLOSE_SESSION = 0x54, 0x2843  # the kind of a stream, and of a capsule: draft-ietf-webtrans-http3
SESSION_GONE = 0x170D7B68  # the error of a stream whose session has ended, likewise
DATAGRAM_BYTES = 65_536
DATAGRAM_DATA = 1150
"""What fits into a packet of 1,200 bytes beside the heads of packet, frame and session; more could never be sent."""
CLOSE_POLICY = 1008  # as on WebSocket
IDLE_S = 60.0
"""A peer of which nothing is heard for so long has gone, where no option says otherwise. Heartbeats ask for a sign."""
NEVER_S = 86_400.0
SILENT_S = 10.0
"""A connection on which nothing was asked for so long is closed."""
GRACE_S = 0.5
"""How long sessions may take to end by themselves when the server stops."""

log = logging.getLogger(__name__)
logging.getLogger("quic").setLevel(logging.CRITICAL)  # of aioquic: what a client does wrong is answered, and not told of


class _Request:
    """A request for a session, as ASGI has it."""

    def __init__(self, connection: "Connection", number: int) -> None:
        self._connection = connection
        self._number = number
        """Of the stream on which it was asked."""
        self._said = False
        self._over = asyncio.Event()
        self.last_words = b""
        """What is said before the answer ends."""
        self.capsules = b""
        """What has come on its stream and is not complete."""
        self.stopped = False
        """Whether the client takes no more on that stream."""

    def end(self) -> None:
        """The client has left, or said what it may not."""
        self._over.set()
        self._connection.look()

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._over.is_set()

    async def receive(self) -> Message:
        """ASGI: it has no body, and then nothing but its end comes."""
        if not self._said:
            self._said = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def send(self, event: Message) -> None:
        """ASGI."""
        if self._connection.over or self.stopped:
            return
        if event["type"] == "http.response.start":
            head = [(b":status", b"%d" % event["status"]), (b"sec-webtransport-http3-draft", b"draft02")]
            self._connection.http.send_headers(self._number, [*head, *event["headers"]])
        else:
            data, more = event.get("body", b""), event.get("more_body", False)
            last_words = b"" if more else self.last_words
            self._connection.http.send_data(self._number, data + last_words, end_stream=not more)
        self._connection.transmit()


class _Session:
    """A session; see `servers.session.Session`."""

    def __init__(self, connection: "Connection", number: int, request: _Request) -> None:
        self._connection = connection
        self._number = number
        self._request = request

    def open(self) -> int:
        """A stream of the server's own, in one direction."""
        stream = self._connection.quic.get_next_available_stream_id(is_unidirectional=True)
        self._connection.opened[stream] = self._number
        self.write(stream, varint(UNI_STREAM) + varint(self._number))
        return stream

    def write(self, stream: int, data: bytes, *, last: bool = False) -> None:
        """Say that on the stream, and perhaps nothing more."""
        if self._request.over:  # of which the application has perhaps not heard yet
            return
        self._connection.quic.send_stream_data(stream, data, end_stream=last)
        if last:
            del self._connection.opened[stream]

    def datagram(self, data: bytes) -> None:
        """See `servers.session.Session`."""
        if not self._request.over and len(data) <= DATAGRAM_DATA:
            self._connection.http.send_datagram(self._number, data)

    async def sent(self) -> None:
        """Send what was said, and wait until there is room for more."""
        self._connection.transmit()
        await self._connection.room(self._request)

    def close(self, code: int, reason: str) -> None:
        """Say good-bye, and why, when the answer ends."""
        says = code.to_bytes(4) + reason.encode()
        self._request.last_words = self._request.last_words or varint(CLOSE_SESSION) + varint(len(says)) + says


@dataclass(slots=True)
class _Endpoint:
    """What all connections have in common."""

    app: ASGIApp
    options: Options
    connections: set["Connection"] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    stopping: bool = False
    """Whether nobody waits for room any more."""


class Connection(QuicConnectionProtocol):
    """One client's connection; it may have several sessions."""

    def __init__(self, endpoint: _Endpoint, quic: QuicConnection, stream_handler: Any = None) -> None:
        super().__init__(quic, stream_handler)
        self.quic = quic
        self.over = False
        """Whether it has ended."""
        self.opened: dict[int, int] = {}
        """The server's own streams that have not ended, and of which session each is."""
        self._http: H3Connection | None = None  # until it is agreed on
        self._endpoint = endpoint
        endpoint.connections.add(self)
        self._requests: dict[int, _Request] = {}
        self._room = asyncio.Event()
        self._beat: asyncio.TimerHandle | None = None
        self._silent = self._loop.call_later(SILENT_S, self._give_up)

    @property
    def http(self) -> H3Connection:
        """HTTP/3 on it, which is agreed on before anything is asked."""
        assert self._http
        return self._http

    def _is_full(self) -> bool:
        # Of what waits aioquic tells in no other way; a test holds these names to it.
        streams = self.quic._streams
        if len(self.quic._datagrams_pending) > MOST_DATAGRAMS or len(streams) > MOST_STREAMS:
            return True
        return sum(len(stream.sender._buffer) for stream in streams.values()) > MOST_BYTES

    async def room(self, request: _Request) -> None:
        """Wait until so much has been sent and acknowledged that more may be said, or nobody wants it any more."""
        while not (self.over or request.over or self._endpoint.stopping) and self._is_full():
            self._room.clear()
            await self._room.wait()

    def look(self) -> None:
        """Have who waits look whether it still has to."""
        self._room.set()

    def transmit(self) -> None:
        """Send what is to be sent, which may make room."""
        super().transmit()
        self._room.set()

    def quic_event_received(self, event: QuicEvent) -> None:
        """aioquic: something has happened on the connection."""
        try:
            self._hear(event)
        except Exception as error:  # of what only this client can have done
            log.warning("a connection of QUIC is closed: %s: %s", type(error).__name__, error)
            self.quic.close(error_code=ErrorCode.H3_INTERNAL_ERROR)

    def _hear(self, event: QuicEvent) -> None:
        if isinstance(event, ProtocolNegotiated):
            self._http = H3Connection(self.quic, enable_webtransport=True)
            self._keep_alive()
        elif isinstance(event, ConnectionTerminated):
            self.end()
            return
        elif isinstance(event, StreamReset | StopSendingReceived):  # the client wants no more of a session, or its stream
            self._finish(self.opened.get(event.stream_id, event.stream_id))
            if isinstance(event, StopSendingReceived) and (request := self._requests.get(event.stream_id)):
                request.stopped = True
        if self._http:
            for one in self._http.handle_event(event):
                self._take(one)
            self._bound(self._http, getattr(event, "stream_id", None))

    def _bound(self, http: H3Connection, number: int | None) -> None:
        """Do not collect a head, or anything else, that has no end."""
        stream = http._stream.get(number) if number is not None else None
        if stream and len(stream.buffer) > 2 * self._endpoint.options.max_head_bytes:
            self.quic.close(error_code=ErrorCode.H3_EXCESSIVE_LOAD, reason_phrase="head_too_large")

    def _take(self, event: H3Event) -> None:
        if isinstance(event, HeadersReceived):
            if event.stream_id not in self._requests:  # else they are trailers
                self._ask(event)
            if event.stream_ended:
                self._finish(event.stream_id)
        elif isinstance(event, DataReceived):
            if event.stream_ended or self._says_good_bye(event):
                self._finish(event.stream_id)
        elif isinstance(event, WebTransportStreamDataReceived | DatagramReceived):
            number = event.session_id if isinstance(event, WebTransportStreamDataReceived) else event.stream_id
            if request := self._requests.get(number):
                _Session(self, number, request).close(CLOSE_POLICY, "a subscriber says nothing: publish at /publish")
                request.end()

    def _says_good_bye(self, event: DataReceived) -> bool:
        """What comes on the stream of a session is capsules. Those of no known kind are dropped (RFC 9297 section
        3.2): browsers send some of reserved kinds."""
        if (request := self._requests.get(event.stream_id)) is None:
            return False
        request.capsules += event.data
        buffer, whole = Buffer(data=request.capsules), 0
        try:
            while True:
                kind, length = buffer.pull_uint_var(), buffer.pull_uint_var()
                buffer.pull_bytes(length)
                if kind == CLOSE_SESSION:
                    return True
                whole = buffer.tell()
        except BufferReadError:  # the rest of it will come
            request.capsules = request.capsules[whole:]
        if len(request.capsules) > 2 * self._endpoint.options.max_head_bytes:
            self.quic.close(error_code=ErrorCode.H3_EXCESSIVE_LOAD, reason_phrase="capsule_too_large")
        return False

    def _finish(self, number: int) -> None:
        if request := self._requests.get(number):
            request.end()

    def _ask(self, event: HeadersReceived) -> None:
        """Have the application answer a request."""
        pseudo = {name: value for name, value in event.headers if name.startswith(b":")}
        headers = [(name, value) for name, value in event.headers if not name.startswith(b":") and name != b"host"]
        headers.append((b"host", pseudo.get(b":authority", b"")))
        number = event.stream_id
        size = sum(len(name) + len(value) for name, value in event.headers)
        if size > (most := self._endpoint.options.max_head_bytes):
            says = f"the head of a request may have {most} bytes: send fewer or shorter headers"
            return self._refuse(number, 431, "head_too_large", says)
        if (pseudo.get(b":method"), pseudo.get(b":protocol")) != (b"CONNECT", b"webtransport"):
            return self._refuse(number, 501, "not_webtransport", "only WebTransport is spoken here: ask by TCP")
        request = self._requests[number] = _Request(self, number)
        self._silent.cancel()
        path, _, query = pseudo.get(b":path", b"/").partition(b"?")
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "3",
            "method": "CONNECT",
            "scheme": "https",
            "path": unquote(path.decode("latin-1")),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": headers,
            "extensions": {EXTENSION: _Session(self, number, request)},
        }
        task = asyncio.create_task(self._run(scope, request, number))
        self._endpoint.tasks.add(task)
        task.add_done_callback(self._endpoint.tasks.discard)

    async def _run(self, scope: Scope, request: _Request, number: int) -> None:
        try:
            await self._endpoint.app(scope, request.receive, request.send)
        except Exception:
            log.exception("exception in the application")
        finally:
            del self._requests[number]
            for stream in [stream for stream, session in self.opened.items() if session == number]:
                del self.opened[stream]
                if not self.over:
                    self.quic.reset_stream(stream, SESSION_GONE)
            if not self.over:
                self.transmit()
                if not self._requests:
                    self._silent = self._loop.call_later(SILENT_S, self._give_up)

    def _refuse(self, number: int, status: int, name: str, says: str) -> None:
        """Answer past the application."""
        head = [(b":status", b"%d" % status), (b"refusal", name.encode())]
        self.http.send_headers(number, head)
        self.http.send_data(number, f"{name}: {says}\n".encode(), end_stream=True)

    def _give_up(self) -> None:
        """Nothing was asked for too long."""
        self.close(error_code=ErrorCode.H3_NO_ERROR, reason_phrase="nothing was asked")

    def _keep_alive(self) -> None:
        """Ask for a sign of life, now and again: by heartbeats, or to find out who answers nothing."""
        options = self._endpoint.options
        if options.heartbeat_s or options.drop_unanswered_s:
            every_s = min(options.heartbeat_s or NEVER_S, _idle_s(options) / 3)
            self._beat = self._loop.call_later(every_s, self._ping)

    def _ping(self) -> None:
        self.quic.send_ping(0)
        self.transmit()
        self._keep_alive()

    def end(self) -> None:
        """Nothing comes or goes any more."""
        self.over = True
        self._endpoint.connections.discard(self)
        for timer in (self._beat, self._silent):
            if timer:
                timer.cancel()
        for request in self._requests.values():
            request.end()
        self._room.set()


def _idle_s(options: Options) -> float:
    """How long a peer may be silent; without heartbeats it may have nothing to answer."""
    return options.drop_unanswered_s or (max(IDLE_S, 3 * options.heartbeat_s) if options.heartbeat_s else NEVER_S)


def configuration(options: Options) -> QuicConfiguration:
    """aioquic's configuration: TLS 1.3, as QUIC has no other; congestion control by Reno; datagrams."""
    told = QuicConfiguration(
        is_client=False,
        alpn_protocols=H3_ALPN,
        congestion_control_algorithm="reno",
        idle_timeout=_idle_s(options),
        max_datagram_frame_size=DATAGRAM_BYTES,
    )
    told.load_cert_chain(options.tls_certificate, options.tls_key)
    return told


@asynccontextmanager
async def answering(app: ASGIApp, at: socket.socket, options: Options) -> AsyncIterator[None]:
    """Have the application answer what comes to that socket, as long as it is entered."""
    endpoint = _Endpoint(app, options)
    server: QuicServer
    _, server = await asyncio.get_running_loop().create_datagram_endpoint(
        partial(QuicServer, configuration=configuration(options), create_protocol=partial(Connection, endpoint)), sock=at
    )
    try:
        yield
    finally:
        endpoint.stopping = True
        for connection in list(endpoint.connections):
            connection.look()
        if endpoint.tasks:
            await asyncio.wait(endpoint.tasks, timeout=GRACE_S)
        for connection in list(endpoint.connections):
            connection.end()
        server.close()
