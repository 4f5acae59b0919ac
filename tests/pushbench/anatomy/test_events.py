"""Event streams, by what the HTML standard says of them in section 9.2."""

import pytest
from hypothesis import given, strategies as st

from pushbench.anatomy import http
from pushbench.anatomy.spans import Annotated
from tests.pushbench.anatomy.spoken import EVENTS, chunk, is_whole, named, published

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"


def streamed(*pieces: bytes) -> Annotated:
    """Without an end."""
    return http.answers(EVENTS + b"".join(chunk(piece) for piece in pieces))


def said(found: Annotated) -> list[tuple[str, str]]:
    return [(event.what, event.text) for event in found.events[1:]]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_a_line_ends_in_any_of_three_ways(ending: bytes) -> None:
    found = streamed(b"id: 4" + ending + b"data: " + published(4) + ending + ending + b": here" + ending)
    assert said(found) == [("message", "message 4"), ("heartbeat", "heartbeat (the comment “here”)")]
    assert "rest" not in {span.name for span in found.spans}


def test_a_line_feed_in_the_next_piece_belongs_to_the_carriage_return() -> None:
    found = streamed(b"data: x\r", b"\n\r", b"\ndata: y\r\n\r\n")
    assert said(found) == [("message", "“x”"), ("message", "“y”")]
    assert is_whole(found)


def test_several_lines_of_data_are_one_event_and_a_bare_one_is_an_empty_line() -> None:
    found = streamed(b"data: a\ndata:b\n\n", b"data\n\n", b"data:\ndata\n\n")
    assert [event.what for event in found.events[1:]] == ["message"] * 3
    assert ("event: data", b"data") in named(found)
    assert [data for name, data in named(found) if name == "message"] == [b"a", b"b"]


def test_a_message_is_handed_over_at_the_empty_line() -> None:
    assert said(streamed(b"data: " + published(1) + b"\n")) == []
    found = streamed(b"data: " + published(1) + b"\n", b"\n")
    assert [(event.what, event.seq) for event in found.events[1:]] == [("message", 1)]
    assert found.events[-1].end == len(found.data) - 2


def test_an_event_that_is_not_finished_when_the_body_ends_is_discarded() -> None:
    body = b"data: " + published(1) + b"\n"
    found = http.answers(HEAD + b"content-length: %d\r\n\r\n" % len(body) + body)
    assert said(found) == [("said", "an event that is not finished: discarded")]


def test_what_has_no_data_is_not_dispatched() -> None:
    found = streamed(b"id: 7\n\n", b": here\n\n", b"id: 8\ndata: x\n\n")
    names = [span.name for span in found.spans if "dispatch" in span.name]
    assert names == ["event: nothing to dispatch", "event: nothing to dispatch", "event: dispatch"]
    assert said(found)[0] == ("said", "an event with nothing but the id 7, which is not handed over")


@given(st.lists(st.lists(st.sampled_from([b"data", b"data: x", b":", b"id: 1", b"\r", b"\n", b"\r\n"])).map(b"".join)))
def test_any_stream_is_told_whole_wherever_it_is_cut(pieces: list[bytes]) -> None:
    pieces = [piece for piece in pieces if piece]
    cut, joined = streamed(*pieces), streamed(*([whole] if (whole := b"".join(pieces)) else []))
    assert is_whole(cut)
    assert said(cut) == said(joined)
