"""Buffering: streams are held until enough is there, and nothing else is."""

import pytest
from hypothesis import given, strategies as st

from pushbench.buffering import Buffering

STREAM = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
POLLED = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
NOTHING_NEW = b'HTTP/1.1 304 Not Modified\r\netag: "7"\r\n\r\n'
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n"
CHUNK = b"5\r\nhello\r\n"
LAST = b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("come", "passed"),
    [
        ([POLLED, NOTHING_NEW, EMPTY, POLLED], [POLLED, NOTHING_NEW, EMPTY, POLLED]),
        ([POLLED + NOTHING_NEW + POLLED], [POLLED + NOTHING_NEW + POLLED]),
        ([POLLED[:50], POLLED[50:]], [POLLED[:50], POLLED[50:]]),
        ([SWITCHED, b"\x81\x05hello"], [SWITCHED, b"\x81\x05hello"]),
        ([SWITCHED + b"\x81\x05hello", b"\x00"], [SWITCHED + b"\x81\x05hello", b"\x00"]),
        ([b"subscribed\n\r\n\r\n", b"more"], [b"subscribed\n\r\n\r\n", b"more"]),  # it is no HTTP
        ([STREAM], [STREAM]),
        ([STREAM + CHUNK, CHUNK, CHUNK, CHUNK], [STREAM, b"", 3 * CHUNK, b""]),
        ([STREAM, CHUNK + LAST, NOTHING_NEW], [STREAM, CHUNK + LAST, NOTHING_NEW]),
        ([STREAM, 3 * CHUNK, LAST, EMPTY], [STREAM, 3 * CHUNK, LAST, EMPTY]),
        ([STREAM[:20], STREAM[20:]], [b"", STREAM]),
    ],
)
def test_what_passes_when_something_comes(come: list[bytes], passed: list[bytes]) -> None:
    buffering = Buffering(25)
    assert [buffering.through(data) for data in come] == passed


def test_what_is_held_comes_when_the_connection_ends_and_only_once() -> None:
    buffering = Buffering(1000)
    assert buffering.through(STREAM + CHUNK) == STREAM
    assert buffering.rest() == CHUNK
    assert buffering.rest() == b""


@given(st.lists(st.sampled_from([POLLED, NOTHING_NEW, EMPTY, STREAM + CHUNK + LAST])), st.integers(1, 100), st.data())
def test_however_the_bytes_are_cut_they_come_out_as_they_went_in(
    parts: list[bytes], size: int, data: st.DataObject
) -> None:
    whole = b"".join(parts)
    buffering, passed = Buffering(size), b""
    while whole:
        cut = data.draw(st.integers(1, len(whole)))
        passed += buffering.through(whole[:cut])
        whole = whole[cut:]
    assert passed + buffering.rest() == b"".join(parts)
