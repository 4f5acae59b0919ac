"""Every byte of HTTP/1.1 is told once, and told as `dissect` counts it, wherever the record ends."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from pushbench import dissect
from pushbench.anatomy import http
from pushbench.anatomy.explanations import EXPLAINED, explained
from tests.pushbench.anatomy.spoken import (
    ASK,
    EVENTS,
    NOTHING,
    STREAM,
    UPGRADE,
    UPGRADED,
    chunk,
    counted,
    dissected,
    frame,
    is_whole,
    named,
    published,
    whole,
)

EVENT = b"id: 4\r\ndata: " + published(4) + b"\r\n\r\n"
DOWN = {
    "polls": NOTHING + whole(published(3), published(4)) + NOTHING,
    "stream": STREAM
    + chunk(published(0) + b"\n")
    + chunk(b"\n")
    + chunk(published(1)[:50])
    + chunk(published(1)[50:] + b"\n"),
    "events": EVENTS
    + chunk(b"id: 0\n\n")
    + chunk(EVENT)
    + chunk(b": heartbeat\n\n")
    + chunk(EVENT[:30])
    + chunk(EVENT[30:]),
    "ended": STREAM + chunk(b"last words") + b"0\r\nDigest: x\r\n\r\n",
    "websocket": UPGRADED + frame(1, published(7)) + frame(9, b"abcd") + frame(8, b"\x03\xe8bye"),
    "until it closes": b"HTTP/1.0 200 OK\r\n\r\n" + published(1) + b"\n" + published(2) + b"\n",
}
UP = {
    "polls": ASK + ASK,
    "post": b"POST /publish HTTP/1.1\r\nContent-Length: 128\r\n\r\n" + published(9) + ASK,
    "websocket": UPGRADE + frame(10, b"abcd", key=b"\1\2\3\4") + frame(1, published(1), key=b"wxyz"),
}
texts = st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), max_size=300).map(str.encode)


@pytest.mark.parametrize("case", DOWN)
def test_an_answer_is_told_as_it_is_counted_wherever_it_is_cut(case: str) -> None:
    for end in range(len(DOWN[case]) + 1):
        found = http.answers(DOWN[case][:end])
        assert is_whole(found)
        assert counted(found) == dissected(dissect.answers, found.data)


@pytest.mark.parametrize("case", UP)
def test_a_request_is_told_as_it_is_counted_wherever_it_is_cut(case: str) -> None:
    for end in range(len(UP[case]) + 1):
        found = http.requests(UP[case][:end])
        assert is_whole(found)
        assert counted(found) == dissected(dissect.requests, found.data)


@given(st.lists(texts, max_size=5), st.lists(st.integers(0, 1500), max_size=6), st.booleans())
def test_lines_are_told_whatever_chunks_they_are_cut_into(said: list[bytes], cuts: list[int], events: bool) -> None:
    body = b"".join(b"data: " + one + b"\n\n" if events else one + b"\n" for one in said)
    places = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})
    chunks = b"".join(chunk(body[begin:end]) for begin, end in pairwise(places))
    found = http.answers((EVENTS if events else STREAM) + chunks)
    assert is_whole(found)
    assert counted(found) == dissected(dissect.answers, found.data)
    assert not [span for span in found.spans if span.name == "rest"]


@given(st.binary(max_size=400))
def test_whatever_comes_is_covered(data: bytes) -> None:
    for annotate in (http.answers, http.requests, http.lines):
        assert is_whole(annotate(data))


def test_what_is_no_http_is_said_to_be_none_and_what_is_cut_to_be_cut() -> None:
    [span] = http.answers(b"\x16\x03\x01\n").spans
    assert (span.name, span.value) == ("rest", http.NOT_HTTP)
    [span] = http.answers(b"HTTP/1.1 200 O").spans
    assert (span.name, span.value) == ("rest", http.CUT)


def test_a_request_is_told_word_by_word() -> None:
    assert named(http.requests(ASK)) == [
        ("request line: method", b"GET "),
        ("request line: target", b"/polling "),
        ("request line: version", b"HTTP/1.1\r\n"),
        ("header host", b"Host: x\r\n"),
        ("header if-none-match", b'If-None-Match: "3"\r\n'),
        ("end of head", b"\r\n"),
    ]


def test_a_message_that_lies_in_two_chunks_is_told_in_two_places() -> None:
    found = http.answers(STREAM + chunk(b"half ") + chunk(b"and half\n"))
    parts = [(span.value, found.bytes_of(span)) for span in found.spans if span.name == "message"]
    assert parts == [("half and half", b"half "), ("(continued)", b"and half")]


def test_what_was_published_is_told_by_its_fields() -> None:
    found = http.answers(whole(published(4)))
    told = {span.name: span.value for span in found.spans if span.name.startswith("message")}
    assert told["message seq"] == "message number 4"
    assert told["message sent_ns"] == "sent at 1002500000 ns: 2.500 ms after it was due"
    assert [event.text for event in found.events] == ["200 OK", "message 4"]


def test_a_refusal_is_told_in_the_servers_own_words() -> None:
    found = http.answers(b"HTTP/1.1 410 Gone\r\ncontent-length: 14\r\n\r\ncursor_too_old" + NOTHING)
    assert ("refusal", b"cursor_too_old") in named(found)
    assert [event.status for event in found.events] == [410, 304]


def test_a_compressed_body_is_told_as_one() -> None:
    found = http.answers(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\n\x1f\x8b\x08\0\0")
    assert named(found)[-1] == ("compressed payload", b"\x1f\x8b\x08\0\0")


def test_the_answer_to_a_key_is_computed_and_a_wrong_one_is_told() -> None:
    def told(accept: str) -> str:
        answer = f"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        found = http.answers(answer, http.key_of(UPGRADE))
        return next(span.value for span in found.spans if span.name == "header sec-websocket-accept")

    right = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert 'SHA-1("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11")' in told(right)
    assert told(right).endswith("as it must be")
    assert told("x").endswith("and not x, which was answered")


@pytest.mark.parametrize("data", [*DOWN.values(), *UP.values()])
def test_every_name_is_explained(data: bytes) -> None:
    spans = [*http.answers(data).spans, *http.requests(data).spans]
    assert {span.name for span in spans if not explained(span.name).means} == set()


def test_every_explanation_names_its_standard_by_section() -> None:
    odd = [one.source for one in EXPLAINED.values() if not re.search(r"^$|section \d|^pushbench: docs/", one.source)]
    assert odd == []
