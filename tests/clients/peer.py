"""A server that says byte for byte what a test has written down, and keeps what it was asked."""

import asyncio
import base64
import hashlib
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
RESET = struct.pack("ii", 1, 0)  # SO_LINGER for no time at all makes close() a reset


class Then(Enum):
    """What becomes of the connection after an answer."""

    NEXT = "the next request is answered"
    HOLD = "it is held until the client closes it"
    TALK = "the same, as WebSocket: a close frame is answered"
    END = "it is closed"
    RESET = "it is broken off"


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes of one answer, and what then. `%ACCEPT%` in it becomes the key of a WebSocket's handshake."""

    data: bytes
    then: Then = Then.NEXT


@dataclass(slots=True)
class Peer:
    """What the server has seen."""

    port: int
    answers: list[Answer]
    """Still to be given, one a request, whatever its connection. When there are none left, the connection is ended."""
    requests: list[bytes] = field(default_factory=list)
    """The heads of all requests, up to and with the empty line."""
    connections: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client has closed its connection."""
    said: bytes = b""
    """What a client sent on a connection that is held."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/feed"

    def header(self, name: str, request: int = -1) -> str | None:
        """The value of a request's header; None if it was not sent."""
        for line in self.requests[request].decode().split("\r\n")[1:]:
            key, _, value = line.partition(": ")
            if key.lower() == name:
                return value
        return None

    def target(self, request: int = -1) -> str:
        """The path and query of a request."""
        return self.requests[request].decode().split(" ")[1]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while self.answers:
                request = await reader.readuntil(b"\r\n\r\n")
                self.requests.append(request)
                answer = self.answers.pop(0)
                key = (self.header("sec-websocket-key") or "").encode()
                accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
                writer.write(answer.data.replace(b"%ACCEPT%", accept))
                await writer.drain()
                if answer.then is Then.HOLD:
                    self.said += await reader.read()
                    self.left.set()
                    return
                if answer.then is Then.TALK:
                    await self._talk(reader, writer)
                if answer.then is Then.RESET:
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    writer.transport.abort()
                if answer.then is not Then.NEXT:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            self.left.set()
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readexactly(2)
            mask_and_payload = await reader.readexactly(4 + (head[1] & 0x7F))
            self.said += head + mask_and_payload
            if head[0] == 0x88:
                writer.write(closing(1000))


@asynccontextmanager
async def peer(*answers: Answer) -> AsyncIterator[Peer]:
    """Serve these answers, in this order."""
    seen = Peer(0, list(answers))
    async with await asyncio.start_server(seen.serve, "127.0.0.1", 0, backlog=1000) as server:
        seen.port = server.sockets[0].getsockname()[1]
        yield seen


def response(status: str, body: bytes = b"", *headers: str) -> bytes:
    """A whole HTTP response."""
    lines = [f"HTTP/1.1 {status}", *headers]
    if not status.startswith(("204", "304")):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def endless(*chunks: bytes, etag: str | None = '"7"', last: bool = False) -> bytes:
    """The beginning of a chunked response, or all of it."""
    head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + (f"ETag: {etag}\r\n" if etag else "") + "\r\n"
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return head.encode() + body + (b"0\r\n\r\n" if last else b"")


def upgraded(*frames: bytes, etag: str | None = '"7"') -> bytes:
    """The answer to a WebSocket's handshake, and what follows on it."""
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Accept: %ACCEPT%",
    ]
    lines += [f"ETag: {etag}"] if etag else []
    return "\r\n".join([*lines, "", ""]).encode() + b"".join(frames)


def frame(opcode: int, payload: bytes) -> bytes:
    """A short, whole WebSocket frame of a server; RFC 6455 section 5.2."""
    assert len(payload) < 126
    return bytes([0x80 | opcode, len(payload)]) + payload


def closing(code: int, reason: bytes = b"") -> bytes:
    """A close frame."""
    return frame(0x8, code.to_bytes(2, "big") + reason)
