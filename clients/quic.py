"""A WebTransport session on a QUIC connection of its own: opened by an extended CONNECT, and read by who subscribes.

It reads its socket itself, so that nothing is read for somebody who does not want it yet, and what is read can be counted.
aioquic makes of packets what was said. The server's certificate is verified as on TCP.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from aioquic._buffer import Buffer, BufferReadError
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DatagramReceived, DataReceived, H3Event, HeadersReceived, WebTransportStreamDataReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, ProtocolNegotiated, QuicEvent
from yarl import URL

from clients.ends import CursorGone, SubscriptionEnded
from clients.sockets import CONNECT_TIMEOUT_S, SocketFactory

RECEIVE_BYTES = 4 * 1024 * 1024
"""What its socket is to hold (the kernel's rmem_max caps it): by default it is 256 small packets."""
DATAGRAM_BYTES = 65_536
READ_AT_ONCE = 64
"""So many packets are read before the event loop has its turn."""
IDLE_S = 86_400.0
"""That a peer is silent for too long is the server's to say."""
CLOSE_SESSION = 0x2843  # draft-ietf-webtrans-http3: the capsule that says good-bye
CLOSE_CURSOR_GONE = 4410  # what the server closes with when the position cannot be resumed

logging.getLogger("quic").setLevel(logging.CRITICAL)  # of aioquic: what goes wrong is told by errors


class Reader(Protocol):
    """Who is told what was said in a session."""

    def stream_data_received(self, stream: int, data: bytes, ended: bool) -> None:
        """More came on a stream of the server's, and perhaps its end."""

    def datagram_received(self, data: bytes) -> None:
        """A datagram came."""

    def session_ended(self, error: Exception) -> None:
        """Nothing comes any more."""


class Session:
    """One session. Open it, give it to a reader, close it."""

    def __init__(self, one: socket.socket, quic: QuicConnection, url: URL, headers: Mapping[str, str]) -> None:
        self._socket = one
        self._quic = quic
        self._url = url
        self._headers = headers
        self._http: H3Connection | None = None
        self._number = -1
        """Of the stream on which it was asked for."""
        self._loop = asyncio.get_running_loop()
        self._answered: asyncio.Future[dict[str, str]] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._reader: Reader | None = None
        self._kept: list[H3Event] = []  # what came before there was one
        self._reading = False
        self._refused = b""
        self._capsules = b""
        self._status = 0
        self._answer_headers: dict[str, str] = {}
        self._over: Exception | None = None

    async def open(self) -> tuple[int, dict[str, str], bytes]:
        """Connect and ask; the answer's status, its headers in lower case, and its body if it is not 200.

        Raises OSError, TimeoutError, or `SubscriptionEnded` if the connection ends before.
        """
        self._quic.connect(self._socket.getpeername(), now=self._loop.time())
        self._read()
        self._transmit()
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            headers = await self._answered
        return self._status, headers, self._refused

    def give_to(self, reader: Reader) -> None:
        """From now on what comes is told to it, with what has come already."""
        self._reader = reader
        kept, self._kept = self._kept, []
        for event in kept:
            self._take_of_http(event)
        if self._over:
            reader.session_ended(self._over)
        else:
            self._read()

    def close(self) -> None:
        """Say good-bye, and close the connection."""
        self._pause()
        if self._timer:
            self._timer.cancel()
        self._reader = None
        if not self._over:
            self._quic.close()
            self._transmit(last=True)
            self._over = SubscriptionEnded("it was closed here")
        self._socket.close()

    def _read(self) -> None:
        if not self._reading:
            self._reading = True
            self._loop.add_reader(self._socket, self._readable)

    def _pause(self) -> None:
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._socket)

    def _readable(self) -> None:
        peer = self._socket.getpeername()
        for _ in range(READ_AT_ONCE):
            try:
                data = self._socket.recv(DATAGRAM_BYTES)
            except BlockingIOError:
                break
            except OSError as error:  # nobody is there
                self._end(error)
                return
            self._quic.receive_datagram(data, peer, now=self._loop.time())
            self._hear()
            if not self._reading:
                break
        self._transmit()

    def _hear(self) -> None:
        """Take what has come of what was received."""
        while (event := self._quic.next_event()) is not None:
            self._take(event)

    def _transmit(self, *, last: bool = False) -> None:
        """Send what is to be sent, and be called when the connection wants to do something by itself."""
        if self._over:
            return
        for data, _ in self._quic.datagrams_to_send(now=self._loop.time()):
            try:
                self._socket.send(data)
            except OSError:  # as if it were lost on its way
                break
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if not last and (at := self._quic.get_timer()) is not None:
            self._timer = self._loop.call_at(at, self._alarm, at)

    def _alarm(self, at: float) -> None:
        self._timer = None
        self._quic.handle_timer(now=max(at, self._loop.time()))
        self._hear()
        self._transmit()

    def _take(self, event: QuicEvent) -> None:
        if isinstance(event, ProtocolNegotiated):
            self._http = H3Connection(self._quic, enable_webtransport=True)
            self._ask()
        elif isinstance(event, ConnectionTerminated):
            self._end(
                SubscriptionEnded(f"the connection ended with {event.error_code:#x}: {event.reason_phrase or 'no reason'}")
            )
        if self._http:
            for one in self._http.handle_event(event):
                self._take_of_http(one)

    def _ask(self) -> None:
        assert self._http
        self._number = self._quic.get_next_available_stream_id()
        origin = f"{self._url.scheme}://{self._url.authority}"
        head = {
            ":method": "CONNECT",
            ":protocol": "webtransport",
            ":scheme": "https",
            ":authority": self._url.authority,
            ":path": self._url.raw_path_qs,
            "sec-webtransport-http3-draft02": "1",
            "origin": origin,
            **{name.lower(): value for name, value in self._headers.items()},
        }
        self._http.send_headers(self._number, [(name.encode(), value.encode("latin-1")) for name, value in head.items()])

    def _take_of_http(self, event: H3Event) -> None:
        if isinstance(event, WebTransportStreamDataReceived | DatagramReceived) and self._reader is None:
            self._kept.append(event)
        elif isinstance(event, WebTransportStreamDataReceived):
            self._reader.stream_data_received(event.stream_id, event.data, event.stream_ended)  # type: ignore[union-attr]
        elif isinstance(event, DatagramReceived):
            self._reader.datagram_received(event.data)  # type: ignore[union-attr]
        elif isinstance(event, HeadersReceived) and event.stream_id == self._number and not self._status:
            headers = {name.decode(): value.decode("latin-1") for name, value in event.headers}
            self._status = int(headers.pop(":status"))
            self._answer_headers = headers
            if self._status == 200 or event.stream_ended:
                self._answer()
        elif isinstance(event, DataReceived) and event.stream_id == self._number:
            if self._status != 200:
                self._refused += event.data
                if event.stream_ended:
                    self._answer()
                return
            self._capsules += event.data
            self._end_by_capsule(ended=event.stream_ended)

    def _answer(self) -> None:
        if not self._answered.done():
            self._answered.set_result(self._answer_headers)
            self._pause()  # until somebody wants what comes

    def _end_by_capsule(self, *, ended: bool) -> None:
        """End if the server has said good-bye, or has nothing more to say."""
        buffer = Buffer(data=self._capsules)
        try:
            while not buffer.eof():
                kind, length = buffer.pull_uint_var(), buffer.pull_uint_var()
                value = buffer.pull_bytes(length)
                if kind == CLOSE_SESSION:
                    code, reason = int.from_bytes(value[:4]), value[4:].decode(errors="replace")
                    end = CursorGone if code == CLOSE_CURSOR_GONE else SubscriptionEnded
                    self._end(end(f"the server closed with {code}: {reason or 'no reason given'}"))
                    return
        except BufferReadError:
            pass  # the rest of it will come
        if ended:
            self._end(SubscriptionEnded("the server ended the session without a good-bye"))

    def _end(self, error: Exception) -> None:
        if self._over:
            return
        self._transmit(last=True)
        self._over = error
        self._pause()
        if not self._answered.done():
            self._answered.set_exception(error)
            self._answered.exception()  # it may be that nobody waits for it any more
        if self._reader:
            self._reader.session_ended(error)


class _KeyLog:
    """Appends to a file what opens the packets of a connection, in the format of NSS key logs; as TLS on TCP does."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, line: str) -> None:
        """A secret."""
        with self._path.open("a") as file:
            file.write(line)

    def flush(self) -> None:
        """Nothing is held back."""


async def session(
    url: str, headers: Mapping[str, str], socket_factory: SocketFactory | None, tls: ssl.SSLContext | None
) -> Session:
    """A session of that URL that is not opened yet. Raises OSError."""
    parts = URL(url)
    assert parts.host
    assert parts.port
    loop = asyncio.get_running_loop()
    info = (await loop.getaddrinfo(parts.host, parts.port, type=socket.SOCK_DGRAM))[0]
    one = socket_factory(info) if socket_factory else socket.socket(*info[:3])
    try:
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        one.connect(info[4])
        return Session(one, QuicConnection(configuration=_configuration(parts.host, tls)), parts, headers)
    except BaseException:
        one.close()
        raise


def _configuration(host: str, tls: ssl.SSLContext | None) -> QuicConfiguration:
    """aioquic's: TLS 1.3, and those are believed who are by the context; without one, those that certifi knows.

    Secrets are logged where the context says (`keylog_filename`), if it does.
    """
    told = QuicConfiguration(
        alpn_protocols=H3_ALPN,
        congestion_control_algorithm="reno",
        idle_timeout=IDLE_S,
        max_datagram_frame_size=DATAGRAM_BYTES,
        server_name=host,
    )
    if tls:
        authorities = tls.get_ca_certs(binary_form=True)
        told.load_verify_locations(cadata="".join(map(ssl.DER_cert_to_PEM_cert, authorities)).encode() or None)
        if tls.keylog_filename:
            told.secrets_log_file = _KeyLog(Path(tls.keylog_filename))  # type: ignore[assignment]
    return told
