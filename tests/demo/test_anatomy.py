"""What the bytes of an exchange are."""

import base64
from typing import Any

from pushbench.anatomy.page import page
from pushbench.demo.anatomy import as_exchange, parts

UP = b"GET /websocket HTTP/1.1\r\nhost: x\r\n\r\n"
DOWN = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n"


def exchange(kind: str, up: bytes, down: bytes) -> dict[str, Any]:
    def way(data: bytes) -> dict[str, Any]:
        return {"first": base64.b64encode(data).decode(), "size": len(data)}

    last = [{"at_ns": 8, "up": False, "data": base64.b64encode(down).decode(), "size": len(down)}]
    return {"kind": kind, "begun_ns": 5, "up": way(up), "down": way(down), "last": last}


def test_a_head_and_two_frames_are_taken_apart() -> None:
    told = parts(exchange("GET 101", UP, DOWN + b"\x81\x02hi\x81\x03you"))
    assert told["up"] == {"http": len(UP), "framing": 0, "payload": 0, "messages": 0}
    assert told["down"] == {"http": len(DOWN), "framing": 4, "payload": 5, "messages": 2}


def test_of_what_is_encrypted_or_makes_no_sense_nothing_is_said() -> None:
    assert parts(exchange("QUIC", b"\xc0\x00", b"\x40")) == {"up": None, "down": None}
    assert parts(exchange("GET 200", b"nonsense\r\n\r\n", b"HTTP 500 Oh\r\n\r\n")) == {"up": None, "down": None}


def test_a_refusal_and_what_has_not_come_yet_are_counted_as_what_they_are() -> None:
    refused = b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno"
    told = parts(exchange("GET 404", UP, refused))
    assert told["down"] == {"http": len(refused), "framing": 0, "payload": 0, "messages": 0}
    assert parts(exchange("GET 200", UP, b""))["down"] == {"http": 0, "framing": 0, "payload": 0, "messages": 0}


def test_the_page_says_whether_all_is_there_and_where_a_record_ends() -> None:
    whole = exchange("GET 101", UP, DOWN + b"\x81\x02hi")
    assert "All of it is here so far" in page(as_exchange("websocket", whole))
    whole["down"]["size"] = 9000
    assert f"of 9,000 down the first {len(DOWN) + 4:,}" in page(as_exchange("websocket", whole))


def test_of_what_is_encrypted_the_page_says_so() -> None:
    html = page(as_exchange("webtransport", exchange("QUIC", b"\xc0\x00", b"\x40\x01\x02")))
    assert "which the browser keeps" in html
    assert "quic: protected" in html
