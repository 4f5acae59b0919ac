"""What the head of a request may be, and which WebSocket is spoken: seen from a raw socket."""

import asyncio
import socket
from collections.abc import Iterator

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from servers.heads import BoundedHeads
from tests.serving import Server, serving

KEY, ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
"""The example of RFC 6455 section 1.3."""


@pytest.fixture(scope="module", params=["direct", "asgi"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serving(max_head_bytes=1000, writes=request.param) as running:
        yield running


def said(server: Server, *pieces: bytes, until: bytes = b"") -> bytes:
    """All that it answers until it closes, or until that has come."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
        except OSError:
            pass  # it may have closed already
        answer = b""
        try:
            while (data := connection.recv(65_536)) and not (until and until in answer):
                answer += data
                if until and until in answer:
                    break
        except ConnectionResetError:
            pass
        return answer


def handshake(*lines: str) -> bytes:
    head = ["GET /websocket HTTP/1.1", "Host: push.example", "Connection: Upgrade", "Upgrade: websocket", *lines]
    return "\r\n".join([*head, "", ""]).encode()


def test_the_example_key_of_the_rfc_has_its_example_answer(server: Server) -> None:
    head = said(server, handshake("Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {KEY}"), until=b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    assert f"sec-websocket-accept: {ACCEPT}".encode() in head.lower().replace(ACCEPT.lower().encode(), ACCEPT.encode())


HIXIE_76 = (
    b"GET /websocket HTTP/1.1\r\n"
    b"Upgrade: WebSocket\r\n"
    b"Connection: Upgrade\r\n"
    b"Host: push.example\r\n"
    b"Origin: http://push.example\r\n"
    b"Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\n"
    b"Sec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n"
    b"\r\n"
    b"^n:ds[4U"
)


def test_a_hixie_76_handshake_is_told_apart_and_gets_426_with_the_version_that_is_spoken(server: Server) -> None:
    head, _, body = said(server, HIXIE_76).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 426 Upgrade Required\r\n")
    assert b"\r\nsec-websocket-version: 13\r\n" in head
    assert b"\r\nupgrade: websocket\r\n" in head
    assert b"hixie-76" in body
    assert b"Sec-WebSocket-Key1" in body
    assert b"RFC 6455" in body


@pytest.mark.parametrize(
    ("version", "told"), [("8", b"of version '8'"), ("", b"without a version"), ("1" * 50, b"'1111111111'")]
)
def test_any_other_version_gets_426_too(server: Server, version: str, told: bytes) -> None:
    lines = [f"Sec-WebSocket-Version: {version}"] if version else []
    answer = said(server, handshake(*lines, f"Sec-WebSocket-Key: {KEY}"))
    assert answer.startswith(b"HTTP/1.1 426 ")
    assert told in answer


GET = b"GET /polling HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /publish HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    "pieces",
    [
        [GET + b"Cookie: " + b"x" * 2000 + b"\r\n\r\n"],
        [GET, b"Cookie: " + b"x" * 1500, b"x" * 1500],  # it never ends
        [GET + b"X: y\r\n" * 500 + b"\r\n"],
        [b"GET /" + b"x" * 2000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"],
        [b"GET /" + b"x" * 70_000],
        [GET + b"\r\n", GET + b"Cookie: " + b"x" * 2000 + b"\r\n\r\n"],  # behind one that is well
        [
            b"POST /publish HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            b"T: " + b"x" * 2000 + b"\r\n\r\n",
        ],
        [
            b"POST /publish HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            b"T: " + b"x" * 400_000,  # more than is read at once
            b"x" * 400_000,
        ],
    ],
    ids=[
        "one line",
        "no end",
        "many lines",
        "the path",
        "a path without end",
        "the second",
        "a trailer",
        "a trailer without end",
    ],
)
def test_a_head_that_is_too_large_is_refused_and_the_connection_closed(server: Server, pieces: list[bytes]) -> None:
    answer = said(server, *pieces)
    assert b"HTTP/1.1 431 Request Header Fields Too Large\r\n" in answer
    assert b"head_too_large: the head of a request may have 1000 bytes" in answer


def test_a_head_of_any_allowed_size_and_requests_without_number_are_taken(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        for _ in range(50):
            connection.sendall(GET + b"Cookie: " + b"x" * 900 + b"\r\n\r\n")
            assert connection.recv(65_536).startswith(b"HTTP/1.1 204 ")


def test_a_body_is_no_head(server: Server) -> None:
    body = b"y" * 50_000
    head = b"POST /publish HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert said(server, head, body[:20_000], body[20_000:], until=b'{"id"').startswith(b"HTTP/1.1 200 ")


def test_the_limit_adds_nothing_to_the_dictionary_that_connections_share() -> None:
    """uvicorn's attributes nearly fill what CPython lets instances share: beyond, each connection has one of its own."""
    loop = asyncio.new_event_loop()
    try:
        config = uvicorn.Config(lambda: None, http="httptools", interface="asgi3", log_config=None)
        config.load()
        usual, bounded = (kind(config, ServerState(), {}, loop) for kind in (HttpToolsProtocol, BoundedHeads))
        for connection in (usual, bounded):
            connection.data_received(b"GET / HTTP/1.1\r\nhost: push.example\r\nx: y\r\n")
        assert vars(bounded).keys() == vars(usual).keys()
    finally:
        loop.close()
