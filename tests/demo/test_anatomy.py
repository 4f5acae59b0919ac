"""What the bytes of an exchange are."""

import base64
from typing import Any

from pushbench.demo.anatomy import parts

UP = b"GET /websocket HTTP/1.1\r\nhost: x\r\n\r\n"
DOWN = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n"


def exchange(kind: str, up: bytes, down: bytes) -> dict[str, Any]:
    def way(data: bytes) -> dict[str, Any]:
        return {"first": base64.b64encode(data).decode(), "size": len(data)}

    return {"kind": kind, "up": way(up), "down": way(down)}


def test_a_head_and_two_frames_are_taken_apart() -> None:
    told = parts(exchange("GET 101", UP, DOWN + b"\x81\x02hi\x81\x03you"))
    assert told["up"] == {"http": len(UP), "framing": 0, "payload": 0, "messages": 0}
    assert told["down"] == {"http": len(DOWN), "framing": 4, "payload": 5, "messages": 2}


def test_of_what_is_encrypted_or_makes_no_sense_nothing_is_said() -> None:
    assert parts(exchange("QUIC", b"\xc0\x00", b"\x40")) == {"up": None, "down": None}
    assert parts(exchange("GET 200", b"nonsense\r\n\r\n", b"HTTP/1.1 500 Oh\r\n\r\n")) == {"up": None, "down": None}
