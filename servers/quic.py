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

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import QuicServer
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DatagramReceived, DataReceived, H3Event, HeadersReceived, WebTransportStreamDataReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, ProtocolNegotiated, QuicEvent, StopSendingReceived, StreamReset
from starlette.types import ASGIApp, Message, Scope

from servers.options import Options
from servers.session import EXTENSION
from servers.varint import varint

MOST_BYTES = 64 * 1024
"""So much may be written to a connection and not be acknowledged before its session has to wait."""
MOST_DATAGRAMS = 256
"""So many datagrams may wait to be sent; what comes then is dropped, as a network would."""
UNI_STREAM, CLOSE_SESSION = 0x54, 0x2843  # the kind of a stream, and of a capsule: draft-ietf-webtrans-http3
DATAGRAM_BYTES = 65_536
DATAGRAM_DATA = 1150
"""What fits into a packet of 1,200 bytes beside the heads of packet, frame and session; more is dropped too, for it could
never be sent."""
CLOSE_POLICY = 1008  # as on WebSocket
IDLE_S = 60.0
"""A peer of which nothing is heard for so long has gone, where no option says otherwise. Heartbeats ask for a sign."""
NEVER_S = 86_400.0
GRACE_S = 0.5
"""How long sessions may take to end by themselves when the server stops."""

log = logging.getLogger(__name__)
logging.getLogger("quic").setLevel(logging.CRITICAL)  # of aioquic: what a client does wrong is answered, and not told of


class _Session:
    """A session; see `servers.session.Session`."""

    def __init__(self, connection: "Connection", number: int, request: "_Request") -> None:
        self._connection = connection
        self._number = number
        """Of the stream that asked for it."""
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
        waiting = len(self._connection.quic._datagrams_pending)  # of which aioquic tells in no other way
        if waiting < MOST_DATAGRAMS and len(data) <= DATAGRAM_DATA:
            self._connection.http.send_datagram(self._number, data)

    async def sent(self) -> None:
        """Send what was said, and wait until there is room for more."""
        self._connection.transmit()
        await self._connection.room()

    def close(self, code: int, reason: str) -> None:
        """Say good-bye, and why."""
        says = code.to_bytes(4) + reason.encode()
        capsule = varint(CLOSE_SESSION) + varint(len(says)) + says
        if not self._request.over:
            self._connection.http.send_data(self._number, capsule, end_stream=False)


class _Request:
    """A request for a session, as ASGI has it."""

    def __init__(self, connection: "Connection", number: int) -> None:
        self._connection = connection
        self._number = number
        self._said = False
        self._over = asyncio.Event()
        self.stopped = False
        """Whether the client takes no more on the stream on which it asked."""

    def end(self) -> None:
        """The client has left, or said what it may not."""
        self._over.set()

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
        http = self._connection.http
        if event["type"] == "http.response.start":
            head = [(b":status", b"%d" % event["status"]), (b"sec-webtransport-http3-draft", b"draft02")]
            http.send_headers(self._number, [*head, *event["headers"]])
        else:
            http.send_data(self._number, event.get("body", b""), end_stream=not event.get("more_body", False))
        self._connection.transmit()


@dataclass(slots=True)
class _Endpoint:
    """What all connections have in common."""

    app: ASGIApp
    options: Options
    connections: set["Connection"] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


class Connection(QuicConnectionProtocol):
    """One client's connection; it may have several sessions."""

    http: H3Connection
    """Set from when it is agreed on, which is before anything is asked."""

    def __init__(self, endpoint: _Endpoint, quic: QuicConnection, stream_handler: Any = None) -> None:
        super().__init__(quic, stream_handler)
        self.quic = quic
        self.over = False
        """Whether it has ended."""
        self.opened: dict[int, int] = {}
        """The server's own streams that have not ended, and of which session each is."""
        self._endpoint = endpoint
        endpoint.connections.add(self)
        self._requests: dict[int, _Request] = {}
        self._room = asyncio.Event()
        self._beat: asyncio.TimerHandle | None = None

    def _bytes_waiting(self) -> int:
        """How much was written and has not been acknowledged."""
        return sum(
            len(stream.sender._buffer) for stream in self.quic._streams.values()
        )  # of which it tells in no other way

    async def room(self) -> None:
        """Wait until so much has been acknowledged that more may be written, or nobody is there any more."""
        while not self.over and self._bytes_waiting() > MOST_BYTES:
            self._room.clear()
            await self._room.wait()

    def datagram_received(self, data: bytes | str, addr: Any) -> None:
        """What came from the client: it may acknowledge something."""
        super().datagram_received(data, addr)
        self._room.set()

    def quic_event_received(self, event: QuicEvent) -> None:
        """aioquic: something has happened on the connection."""
        if isinstance(event, ProtocolNegotiated):
            self.http = H3Connection(self.quic, enable_webtransport=True)
            self._keep_alive()
        elif isinstance(event, ConnectionTerminated):
            self.end()
            return
        if isinstance(event, StreamReset | StopSendingReceived):  # the client wants no more of a session, or of its stream
            self._finish(self.opened.get(event.stream_id, event.stream_id))
            if isinstance(event, StopSendingReceived) and (request := self._requests.get(event.stream_id)):
                request.stopped = True
        if hasattr(self, "http"):
            for one in self.http.handle_event(event):
                self._take(one)

    def _take(self, event: H3Event) -> None:
        if isinstance(event, HeadersReceived):
            self._ask(event)
        elif isinstance(event, DataReceived):
            # What comes on the stream of a session is capsules, of which those that say good-bye are the only ones.
            self._finish(event.stream_id)
        elif isinstance(event, WebTransportStreamDataReceived | DatagramReceived):
            number = event.session_id if isinstance(event, WebTransportStreamDataReceived) else event.stream_id
            if request := self._requests.get(number):
                _Session(self, number, request).close(CLOSE_POLICY, "a subscriber says nothing: publish at /publish")
                request.end()

    def _finish(self, number: int) -> None:
        if request := self._requests.get(number):
            request.end()

    def _ask(self, event: HeadersReceived) -> None:
        """Have the application answer a request."""
        pseudo = {name: value for name, value in event.headers if name.startswith(b":")}
        headers = [(name, value) for name, value in event.headers if not name.startswith(b":")]
        headers.append((b"host", pseudo.get(b":authority", b"")))
        number = event.stream_id
        request = _Request(self, number)
        size = sum(len(name) + len(value) for name, value in event.headers)
        if size > (most := self._endpoint.options.max_head_bytes):
            says = f"the head of a request may have {most} bytes: send fewer or shorter headers"
            return self._refuse(number, 431, "head_too_large", says)
        if (pseudo.get(b":method"), pseudo.get(b":protocol")) != (b"CONNECT", b"webtransport"):
            return self._refuse(number, 501, "not_webtransport", "only WebTransport is spoken here: ask by TCP")
        path, _, query = pseudo.get(b":path", b"/").partition(b"?")
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "3",
            "method": "CONNECT",
            "scheme": "https",
            "path": path.decode("latin-1"),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": headers,
            "extensions": {EXTENSION: _Session(self, number, request)},
        }
        self._requests[number] = request
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

    def _refuse(self, number: int, status: int, name: str, says: str) -> None:
        """Answer past the application."""
        head = [(b":status", b"%d" % status), (b"refusal", name.encode())]
        self.http.send_headers(number, head)
        self.http.send_data(number, f"{name}: {says}\n".encode(), end_stream=True)

    def _keep_alive(self) -> None:
        """Ask for a sign of life, now and again."""
        if every_s := self._endpoint.options.heartbeat_s:
            every_s = min(every_s, _idle_s(self._endpoint.options) / 3)
            self._beat = asyncio.get_running_loop().call_later(every_s, self._ping)

    def _ping(self) -> None:
        self.quic.send_ping(0)
        self.transmit()
        self._keep_alive()

    def end(self) -> None:
        """Nothing comes or goes any more."""
        self.over = True
        self._endpoint.connections.discard(self)
        self._room.set()
        if self._beat:
            self._beat.cancel()
        for request in self._requests.values():
            request.end()


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
        if endpoint.tasks:
            await asyncio.wait(endpoint.tasks, timeout=GRACE_S)
        for connection in list(endpoint.connections):
            connection.end()
        server.close()
