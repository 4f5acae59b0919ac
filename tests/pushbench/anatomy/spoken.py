"""What servers and clients say, made by hand for tests; and what must be true of any annotation."""

from pushbench import message
from pushbench.anatomy.spans import Annotated, Kind, sums
from pushbench.dissect import Dissector, Parts, Reading

ASK = b'GET /polling HTTP/1.1\r\nHost: x\r\nIf-None-Match: "3"\r\n\r\n'
NOTHING = b'HTTP/1.1 304 Not Modified\r\netag: "3"\r\n\r\n'
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n"
EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
UPGRADE = b"GET /websocket HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


def published(seq: int, size_bytes: int = 128) -> bytes:
    return message.encode(seq, 1_000_000_000, 1_002_500_000, size_bytes)


def whole(*messages: bytes) -> bytes:
    """An answer to a poll."""
    body = b"".join(one + b"\n" for one in messages)
    head = f'HTTP/1.1 200 OK\r\netag: "4"\r\ncontent-length: {len(body)}\r\ncontent-type: text/plain\r\n\r\n'
    return head.encode() + body


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def frame(opcode: int, payload: bytes, *, final: bool = True, key: bytes = b"") -> bytes:
    """A WebSocket frame, masked if there is a key; written here anew, so that nothing is held to itself."""
    size = len(payload)
    length = bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2) if size < 65_536 else b"\x7f" + size.to_bytes(8)
    masked = bytes(byte ^ key[place % 4] for place, byte in enumerate(payload)) if key else payload
    return bytes([final << 7 | opcode, length[0] | (0x80 if key else 0)]) + length[1:] + key + masked


def is_whole(found: Annotated) -> bool:
    """Whether every byte is in exactly one span, in order."""
    at = 0
    for span in found.spans:
        if span.offset != at or span.length < 1:
            return False
        at = span.end
    return at == len(found.data)


def counted(found: Annotated) -> tuple[int, int, int]:
    """Bytes of HTTP, framing and payload."""
    of = sums(found.spans)
    return of.get(Kind.HTTP, 0), of.get(Kind.FRAMING, 0), of.get(Kind.PAYLOAD, 0)


def dissected(reading: "type[Reading] | object", data: bytes) -> tuple[int, int, int]:
    """Those as `dissect` counts them."""
    dissector = Dissector(reading)  # type: ignore[arg-type]
    dissector.feed(data)
    parts: Parts = dissector.parts
    return parts.http, parts.framing, parts.payload


def named(found: Annotated) -> list[tuple[str, bytes]]:
    return [(span.name, found.bytes_of(span)) for span in found.spans]
