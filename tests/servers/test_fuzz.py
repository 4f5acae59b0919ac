"""Ten thousand malformed requests and frames, drawn from a seed: the server still serves, and holds no more than before."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.serving import serving

pytestmark = pytest.mark.slow

SEED = 20_261_128
COUNT, WARM_UP = 10_000, 5_000
"""So many are thrown before, so that what is only made once is there."""
AT_ONCE = 32
PATIENCE_S = 0.05
"""So long an answer is waited for; what is malformed may well get none."""
MAY_GROW_BYTES = 4 * 2**20
"""Four arenas of Python's allocator, in which it takes memory; of half a KiB kept for each it would be more."""

METHODS = [b"GET", b"POST", b"HEAD", b"PUT", b"", b"G\x00T", b"get", b"OPTIONS", b"PRI", b"\xff\xfe"]
PATHS = [
    b"/polling", b"/longpoll", b"/stream", b"/sse", b"/sse_plain", b"/websocket", b"/publish", b"/status", b"/", b"*", b"",
    b"/%ff%00", b"/stream?after=" + b"9" * 40, b"/websocket?after=x", b"//", b"/\xc3\x28", b"http://x/stream",
    b"/?" + b"a=&" * 200,
]  # fmt: skip
VERSIONS = [b"HTTP/1.1", b"HTTP/1.0", b"HTTP/9.9", b"HTTP/1.1 x", b"", b"HTCPCP/1.0"]
HEADERS = [
    b"Host: x", b"Host:", b"Content-Length: -1", b"Content-Length: 1e9", b"Content-Length: 5\r\nContent-Length: 6",
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Content-Length: 3\r\nTransfer-Encoding: chunked",
    b"If-None-Match: yesterday", b'If-None-Match: "1" , "2"', b"Last-Event-ID: \xff", b"Connection: close, Upgrade",
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13",
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short",
    b"Connection: Upgrade\r\nUpgrade: h2c", b"Upgrade: websocket\r\nSec-WebSocket-Key1: 1 2", b"Expect: 100-continue",
    b"Authorization: Bearer", b"Origin: null", b": nameless", b"No colon here", b"A\x00B: c", b"X: " + b"y" * 9000,
    b"Sec-WebSocket-Protocol: ,,,", b"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99",
    b"Accept-Encoding: \xf0\x9f\x92\xa9",
]  # fmt: skip
BODIES = [b"", b"x", b"\n\n", b"zz\r\n", b"5\r\nabc", b"ffffffffffffffff\r\n", b"0\r\n\r\n", b"\x00" * 50, b"-1\r\n\r\n"]
HANDSHAKE = (
    b"GET /%b HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def request(draw: random.Random) -> bytes:
    """Something like a request."""
    lines = [b" ".join((draw.choice(METHODS), draw.choice(PATHS), draw.choice(VERSIONS)))]
    lines += draw.choices(HEADERS, k=draw.randrange(5))
    end = draw.choice([b"\r\n\r\n", b"\n\n", b"\r\n", b"", b"\r\r\n\n"])
    return b"\r\n".join(lines) + end + draw.choice(BODIES)


def mutated(draw: random.Random) -> bytes:
    """A request that is well, with some of its bytes changed, left out or doubled."""
    data = bytearray(b"GET " + draw.choice(PATHS) + b' HTTP/1.1\r\nHost: x\r\nIf-None-Match: "0"\r\n\r\n')
    for _ in range(draw.randrange(1, 6)):
        at = draw.randrange(len(data))
        how = draw.randrange(3)
        data[at : at + 1] = (bytes([draw.randrange(256)]), b"", data[at : at + 1] * 2)[how]
    return bytes(data)


def frames(draw: random.Random) -> bytes:
    """A handshake, and behind it something like frames."""
    data = HANDSHAKE % draw.choice([b"websocket", b"publish", b"websocket?after=0"])
    for _ in range(draw.randrange(1, 5)):
        first, second = draw.randrange(256), draw.choice([draw.randrange(256), 0x80 | draw.randrange(126)])
        data += bytes((first, second)) + draw.randbytes(draw.choice([0, 2, 4, 8, 30, 200]))
    return data


def noise(draw: random.Random) -> bytes:
    """Anything."""
    return draw.randbytes(draw.randrange(1, 400))


KINDS: list[Callable[[random.Random], bytes]] = [request, mutated, frames, noise]


async def throw(port: int, data: bytes) -> bytes:
    """Say it in one or two pieces; returns the beginning of what is answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    try:
        half = len(data) // 2
        for piece in (data[:half], data[half:]):
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(PATIENCE_S):
            answer = await reader.read(4096)
            answer += await reader.read(4096)
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.transport.abort()
    return answer


async def throw_all(port: int, things: list[bytes]) -> list[bytes]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(data: bytes) -> bytes:
        async with gate:
            return await throw(port, data)

    return await asyncio.gather(*map(one, things))


def user_bytes(pid: int) -> int:
    found: int = psutil.Process(pid).memory_full_info().uss
    return found


async def test_what_is_malformed_neither_ends_the_server_nor_fills_it_nor_shows_its_insides(tmp_path: Path) -> None:
    draw = random.Random(SEED)
    things = [draw.choice(KINDS)(draw) for _ in range(WARM_UP + COUNT)]
    with (tmp_path / "stderr").open("w+") as said, serving(stderr=said.fileno(), max_message_bytes=4096) as server:
        answers = await throw_all(server.port, things[:WARM_UP])
        before = user_bytes(server.process.pid)
        answers += await throw_all(server.port, things[WARM_UP:])
        grown = user_bytes(server.process.pid) - before
        assert sum(map(bool, answers)) > COUNT / 4, "it answers"
        assert [answer for answer in answers if b"Traceback" in answer or b'File "' in answer] == []
        assert grown < MAY_GROW_BYTES
        well = await throw(server.port, b"GET /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert well.startswith(b"HTTP/1.1 200 ")
        assert b'"cursors":0' in well
        said.seek(0)
        assert "Traceback" not in said.read()
