from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from pushbench.dissect import Dissector, Incomprehensible, Parts, answers, lines, requests

MESSAGE = b'{"seq":1}'  # nine bytes

POLL = b'GET /polling HTTP/1.1\r\nHost: a\r\nIf-None-Match: "4"\r\n\r\n'
NOTHING_NEW = b'HTTP/1.1 304 Not Modified\r\netag: "4"\r\n\r\n'
NEW = b'HTTP/1.1 200 OK\r\netag: "6"\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 20\r\n\r\n'
ENDLESS = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n"
EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
UPGRADE = b"GET /websocket HTTP/1.1\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\r\n"
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"

EXCHANGES = {
    "two polls": (requests, POLL + POLL, Parts(http=2 * len(POLL), heads=2)),
    "an answer with two messages, and one with none": (
        answers,
        NEW + MESSAGE + b"\n" + MESSAGE + b"\n" + NOTHING_NEW,
        Parts(http=len(NEW) + len(NOTHING_NEW), framing=2, payload=18, messages=2, heads=2),
    ),
    "a stream: a message, two in a chunk, one over two chunks, a heartbeat, the end": (
        answers,
        ENDLESS
        + b"a\r\n" + MESSAGE + b"\n\r\n"
        + b"14\r\n" + MESSAGE + b"\n" + MESSAGE + b"\n\r\n"
        + b"4\r\n" + MESSAGE[:4] + b"\r\n" + b"6\r\n" + MESSAGE[4:] + b"\n\r\n"
        + b"1\r\n\n\r\n"
        + b"0\r\n\r\n",
        Parts(
            http=len(ENDLESS),
            framing=(3 + 1 + 2) + (4 + 2 + 2) + (3 + 2) + (3 + 1 + 2) + (3 + 1 + 2) + 5,
            payload=4 * 9,
            messages=4,
            heads=1,
        ),
    ),
    "events: an id alone, a message, a heartbeat": (
        answers,
        EVENTS
        + b"9\r\nid: 7\r\n\r\n\r\n"
        + b"1a\r\nid: 8\r\ndata: " + MESSAGE + b"\r\n\r\n\r\n"
        + b"f\r\n: heartbeat\r\n\r\n\r\n",
        Parts(
            http=len(EVENTS),
            framing=(3 + 9 + 2) + (4 + 7 + 6 + 4 + 2) + (3 + 15 + 2),
            payload=9,
            messages=1,
            heads=1,
        ),
    ),
    "a WebSocket's side of the server: a message, a long one, a ping": (
        answers,
        SWITCHING + b"\x81\x09" + MESSAGE + b"\x81\x7e\x01\x00" + b"x" * 256 + b"\x89\x04ping",
        Parts(http=len(SWITCHING), framing=2 + 4 + 6, payload=9 + 256, messages=2, heads=1),
    ),
    "a WebSocket's side of the client: a pong and a close, masked": (
        requests,
        UPGRADE + b"\x8a\x84maskping" + b"\x88\x82mask\x03\xe8",
        Parts(http=len(UPGRADE), framing=(2 + 4 + 4) + (2 + 4 + 2), heads=1),
    ),
    "a huge frame, and a message in two frames": (
        answers,
        SWITCHING + b"\x82\x7f" + (70_000).to_bytes(8) + bytes(70_000) + b"\x01\x02ab" + b"\x80\x01c",
        Parts(http=len(SWITCHING), framing=10 + 2 + 2, payload=70_003, messages=2, heads=1),
    ),
    "bare lines": (lines, MESSAGE + b"\n" + MESSAGE + b"\n", Parts(framing=2, payload=18, messages=2)),
}  # fmt: skip


@pytest.mark.parametrize("name", EXCHANGES)
def test_every_byte_is_what_it_was_counted_to_be_by_hand(name: str) -> None:
    reading, data, counted = EXCHANGES[name]
    dissector = Dissector(reading)
    dissector.feed(data)
    assert dissector.parts == counted
    assert dissector.parts.total == len(data)


@given(st.sampled_from(sorted(EXCHANGES)), st.lists(st.integers(0, 400), max_size=12))
def test_it_does_not_matter_where_the_bytes_are_cut(name: str, cuts: list[int]) -> None:
    reading, data, counted = EXCHANGES[name]
    dissector = Dissector(reading)
    places = sorted({0, *(cut for cut in cuts if cut < len(data)), len(data)})
    for begin, end in pairwise(places):
        dissector.feed(data[begin:end])
    assert dissector.parts == counted


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\n",
        b"HTTP/1.1 410 Gone\r\ncontent-length: 3\r\n\r\n",
    ],
)
def test_what_it_does_not_know_it_does_not_guess(data: bytes) -> None:
    with pytest.raises(Incomprehensible):
        Dissector(answers).feed(data)


def test_parts_can_be_added_and_taken_away() -> None:
    one, other = Parts(1, 2, 3, 4, 5), Parts(10, 20, 30, 40, 50)
    assert one + other == Parts(11, 22, 33, 44, 55)
    assert one + other - one == other


@pytest.mark.parametrize(
    ("data", "counted"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nfirst\n\nsecond\nthi", Parts(http=19, framing=3, payload=11, messages=2, heads=1)),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nfirst\nend",
            Parts(http=38, framing=1, payload=8, messages=2, heads=1),
        ),
        (
            b"HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: 3\r\n\r\nend",
            Parts(http=78, framing=0, payload=3, messages=1, heads=1),
        ),
    ],
    ids=["a body that ends with its connection", "a last line without an end", "a message alone, of any type"],
)
def test_bodies_of_other_servers_are_messages_in_lines_too(data: bytes, counted: Parts) -> None:
    dissector = Dissector(answers)
    dissector.feed(data)
    assert dissector.parts == counted
