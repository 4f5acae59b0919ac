"""The examples of RFC 6455 as an exchange: the handshake of section 1.2 and the frames of section 5.7, byte by byte."""

from pushbench.anatomy.exchange import Exchange, Piece

KEY, ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
"""Section 1.3."""
REQUEST = (
    "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Key: {KEY}\r\nOrigin: http://example.com\r\nSec-WebSocket-Protocol: chat, superchat\r\n"
    "Sec-WebSocket-Version: 13\r\n\r\n"
).encode()
ANSWER = (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Accept: {ACCEPT}\r\nSec-WebSocket-Protocol: chat\r\n\r\n"
).encode()
FRAMES: tuple[tuple[str, bool, bytes], ...] = (
    ("a single-frame unmasked text message", False, bytes.fromhex("81 05 48 65 6c 6c 6f")),
    ("a single-frame masked text message", True, bytes.fromhex("81 85 37 fa 21 3d 7f 9f 4d 51 58")),
    ("a fragmented unmasked text message, its first frame", False, bytes.fromhex("01 03 48 65 6c")),
    ("and its last", False, bytes.fromhex("80 02 6c 6f")),
    ("an unmasked ping", False, bytes.fromhex("89 05 48 65 6c 6c 6f")),
    ("the masked pong to it", True, bytes.fromhex("8a 85 37 fa 21 3d 7f 9f 4d 51 58")),
    ("256 bytes of binary data in a single unmasked frame", False, bytes.fromhex("82 7e 01 00") + bytes(256)),
    (
        "64 KiB of binary data in a single unmasked frame",
        False,
        bytes.fromhex("82 7f 00 00 00 00 00 01 00 00") + bytes(65_536),
    ),
)
"""Section 5.7: what each is, whether the client sends it, and its bytes."""

RFC_6455 = Exchange(
    "websocket",
    "RFC 6455",
    "the examples of the standard: the handshake of its section 1.2, and the frames of its section 5.7",
    "",
    tuple(
        Piece(0, 0, up, data) for up, data in ((True, REQUEST), (False, ANSWER), *((up, data) for _, up, data in FRAMES))
    ),
    note="Nothing was captured: these bytes are in the standard. Of the last two it says only how long their data is; "
    "here it is zeros.",
    timed=False,
)
