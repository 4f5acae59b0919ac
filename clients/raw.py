"""A subscriber on a bare socket that reads as slowly as it is told, and can vanish. It speaks for every transport.

Where the others read as fast as they can, this one leaves what it does not read in the kernel: its receive buffer is small,
so the TCP window closes soon, and the server feels it. It hands over bytes as they come, whatever they mean.
"""

import asyncio
import ctypes
import re
import socket
import struct
from collections.abc import Mapping
from types import TracebackType
from typing import NoReturn, Self
from urllib.parse import urlsplit

from clients.ends import CursorGone, RequestRefused, SubscriptionEnded
from clients.frames import BROKEN, PING, PONG, Frames, masked
from clients.subscription import HandOver

READ_BYTES = 4096
LOOK_EVERY_S = 0.1
"""How often one that reads nothing looks whether it was ended."""
ASK_EVERY_S = 1
"""How often its kernel asks the server's whether there still is a connection: a server that gives up on a peer without room
says nothing to it, and one that reads nothing sends nothing by which it would hear of that."""
HEAD_BYTES = 65_536

ASK = {
    "once": "",
    "again": "",
    "upgrade": "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",  # the example of RFC 6455 section 1.3
}
"""What a request has beside the usual, by how a transport asks: once, again and again, or for a WebSocket."""

SO_ATTACH_FILTER = 26  # of Linux; Python's socket module does not name it


class Raw:
    """One reader, as `clients.subscription.Subscription` but for `cursor`: it resumes nowhere."""

    cursor = None

    def __init__(
        self,
        url: str,
        *,
        asks: str,
        bytes_per_s: float,
        interval_s: float = 0.0,
        receive_buffer_bytes: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`asks` is a key of `ASK`. `bytes_per_s` may be 0, for none, and infinite."""
        split = urlsplit(url)
        self._host, self._port, self._path = split.hostname or "", split.port or 0, split.path
        self._asks = asks
        self._bytes_per_s = bytes_per_s
        self._interval_s = interval_s
        self._receive_buffer_bytes = receive_buffer_bytes
        self._headers_of_all = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        self._rest = b""
        self._vanished = False

    async def __aenter__(self) -> Self:
        self._socket = socket.socket()
        try:
            if self._receive_buffer_bytes:  # before connecting, for the window's scale is settled then
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer_bytes)
            if not self._bytes_per_s:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, ASK_EVERY_S)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, ASK_EVERY_S)
            self._socket.setblocking(False)
            await asyncio.get_running_loop().sock_connect(self._socket, (self._host, self._port))
            status, self._headers = await self._answered(ASK[self._asks])
            if status not in (101, 200, 204):
                raise RequestRefused(f"{self._path} answered {status}")
        except BaseException:
            self._socket.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    async def receive(self, hand_over: HandOver) -> NoReturn:
        """Hand over bytes at its pace until cancelled. Raises `SubscriptionEnded`, or OSError, if the server ends it."""
        while self._asks == "again":
            await self._one_answer(hand_over)
            await asyncio.sleep(self._interval_s)
        frames = Frames()
        while True:
            data = await self._read_some(READ_BYTES)
            for opcode, payload in frames.feed(data) if self._asks == "upgrade" else ():
                if opcode == PING:
                    await asyncio.get_running_loop().sock_sendall(self._socket, masked(PONG, payload))
                elif opcode == BROKEN:
                    raise SubscriptionEnded(f"the server broke the protocol: {payload.decode()}")
            hand_over([data])

    def vanish(self) -> None:
        """Be gone as if the line were cut: from now on the kernel drops what comes, and neither acknowledges nor resets.

        The socket must stay open for that: `close` would say good-bye.
        """
        drop_all = struct.pack("HBBI", 0x06, 0, 0, 0)  # classic BPF: return 0, keep nothing of the packet
        program = ctypes.create_string_buffer(drop_all)
        filter_ = struct.pack("HxxxxxxP", 1, ctypes.addressof(program))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, filter_)
        self._vanished = True

    async def _one_answer(self, hand_over: HandOver) -> None:
        status, headers = await self._answered(f"If-None-Match: {self._headers.get('etag', '')}\r\n", self._bytes_per_s)
        left = int(headers.get("content-length", 0)) if status != 304 else 0
        while left > 0:
            data = await self._read_some(min(left, READ_BYTES))
            left -= len(data)
            hand_over([data])
        if status == 410:
            raise CursorGone(headers.get("refusal", "410"))
        self._headers = headers

    async def _answered(self, more: str, bytes_per_s: float = float("inf")) -> tuple[int, dict[str, str]]:
        """Ask, and return status and headers of the answer; its head is read at that pace."""
        request = f"GET {self._path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n{self._headers_of_all}{more}\r\n"
        await asyncio.get_running_loop().sock_sendall(self._socket, request.encode())
        head = b""
        while (end := head.find(b"\r\n\r\n")) < 0:
            head += await self._read_some(READ_BYTES, bytes_per_s)
            if len(head) > HEAD_BYTES:
                raise SubscriptionEnded("the head of the answer has no end")
        self._rest = head[end + 4 :]
        first, *lines = head[:end].decode(errors="replace").split("\r\n")
        found = re.match(r"HTTP/1\.1 (\d{3})", first)
        if not found:
            raise SubscriptionEnded(f"this is no answer: {first[:80]}")
        headers = dict(line.split(":", 1) for line in lines if ":" in line)
        return int(found[1]), {name.lower(): value.strip() for name, value in headers.items()}

    async def _read_some(self, most: int, bytes_per_s: float | None = None) -> bytes:
        """Some bytes, and the pause that reading them slowly takes."""
        per_s = self._bytes_per_s if bytes_per_s is None else bytes_per_s
        if not per_s or self._vanished:
            await self._look_until_ended()
        if per_s < float("inf"):
            most = max(1, min(most, round(per_s / 10)))
        if self._rest:
            data, self._rest = self._rest[:most], self._rest[most:]
        else:
            data = await asyncio.get_running_loop().sock_recv(self._socket, most)
        if not data:
            raise SubscriptionEnded("the server ended the connection")
        if per_s < float("inf"):
            await asyncio.sleep(len(data) / per_s)
        return data

    async def _look_until_ended(self) -> NoReturn:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if code := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(code, "the connection was reset")
