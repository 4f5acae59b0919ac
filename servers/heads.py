"""uvicorn's HTTP/1.1, with a limit to the head of a request, and a clear answer to who asks for another WebSocket.

httptools has no limit of its own: a head without an end would be collected for ever.
"""

from http import HTTPStatus
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

VERSION = b"13"
"""Of the one WebSocket protocol that is spoken: RFC 6455 section 4.1."""
OF_A_HEADER = 4
"""Bytes that stand between and behind a header's name and its value."""


class BoundedHeads(HttpToolsProtocol):
    """A head that is too large is answered 431, and the connection closed."""

    most_head_bytes: ClassVar[int] = 16_384
    """Of request line and headers, and of trailers."""

    __slots__ = ("_complete", "_incomplete", "_too_large")
    # uvicorn's attributes nearly fill the dictionary that CPython lets instances share: with three more each has its own

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._incomplete = 0
        """How much has come that is nothing whole yet: of a head, of a trailer, or of the size of a chunk."""
        self._complete = 0
        """How large those headers and trailers are that are whole."""
        self._too_large = False

    def data_received(self, data: bytes) -> None:
        """What came on the connection."""
        self._incomplete += len(data)
        super().data_received(data)
        if self._incomplete > self.most_head_bytes and not self.transport.is_closing():
            self._refuse_head()

    def on_message_begin(self) -> None:
        """httptools: a request begins."""
        super().on_message_begin()
        self._complete = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """httptools: a header, or a trailer."""
        self._complete += len(name) + len(value) + OF_A_HEADER
        self._check()
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """httptools: the head has ended."""
        self._complete += len(self.url)
        self._check()
        self._incomplete = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """httptools: a piece of the body."""
        self._incomplete = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """httptools: the request has ended."""
        self._incomplete = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request, or one whose head is too large."""
        if self._too_large:
            self._refuse_head()
        else:
            super().send_400_response(msg)

    def handle_websocket_upgrade(self) -> None:
        """Let it become a WebSocket, if it asks for the one that is spoken."""
        headers = dict(self.headers)
        if headers.get(b"sec-websocket-version") == VERSION:
            super().handle_websocket_upgrade()
            return
        asked = "without a version"
        if b"sec-websocket-key1" in headers:
            asked = "of the draft hixie-76 of 2010 (Sec-WebSocket-Key1 and Sec-WebSocket-Key2)"
        elif version := headers.get(b"sec-websocket-version"):
            asked = f"of version {version[:10].decode('latin-1')!a}"
        says = (
            f"websocket_version: that is a handshake {asked}, and only RFC 6455 is spoken: send Sec-WebSocket-Version: 13"
        )
        self._answer(426, says, b"upgrade: websocket\r\nsec-websocket-version: 13\r\n")

    def _check(self) -> None:
        if self._complete > self.most_head_bytes:
            self._too_large = True
            raise ValueError("the head is too large")  # httptools stops, and uvicorn answers

    def _refuse_head(self) -> None:
        says = f"head_too_large: the head of a request may have {self.most_head_bytes} bytes: send fewer or shorter headers"
        self._answer(431, says)

    def _answer(self, status: int, says: str, headers: bytes = b"") -> None:
        """Answer past the application, in one write, and close."""
        body = f"{says}\n".encode()
        name = says.partition(":")[0].encode()
        first = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
        self.transport.write(
            first + headers + b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nrefusal: %b\r\n"
            b"connection: close\r\n\r\n%b" % (len(body), name, body)
        )
        self.transport.close()
