"""The parser of event streams, held to the HTML standard, section 9.2.6."""

import itertools

import pytest
from hypothesis import example, given, strategies as st

from clients.eventstream import BOM, Event, EventStreamParser


def parse(*chunks: bytes) -> list[Event]:
    parser = EventStreamParser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


def messages(*data: bytes) -> list[Event]:
    return [Event(each, b"message") for each in data]


LINE = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=8).map(str.encode)


@st.composite
def blocks(draw: st.DrawFn) -> tuple[list[bytes], Event]:
    """The lines of one event as a server may write them, and the event."""
    data = draw(st.lists(LINE, min_size=1, max_size=3))
    lines = [b"data" if not each and draw(st.booleans()) else b"data: " + each for each in data]
    kind = draw(LINE)
    if kind:
        lines.insert(draw(st.integers(0, len(lines))), b"event: " + kind)
    for other in draw(
        st.lists(st.sampled_from([b": a comment", b":", b"unknown: x", b"id: 7", b"retry: 5", b"x"]), max_size=3)
    ):
        lines.insert(draw(st.integers(0, len(lines))), other)
    return lines, Event(b"\n".join(data), kind or b"message", b"7" if b"id: 7" in lines else None)


@given(
    st.lists(blocks(), max_size=5),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
    st.booleans(),
    st.lists(st.integers(0, 400), max_size=20),
)
@example([([b"data: 1"], Event(b"1", b"message"))] * 2, b"\r\n", True, list(range(400)))
@example([([b"data: 1"], Event(b"1", b"message"))] * 2, b"\r", False, list(range(400)))
def test_the_events_are_the_same_however_lines_end_and_wherever_the_bytes_are_cut(
    written: list[tuple[list[bytes], Event]], end: bytes, marked: bool, cuts: list[int]
) -> None:
    stream = (BOM if marked else b"") + b"".join(line + end for lines, _ in written for line in (*lines, b""))
    edges = [0, *sorted(cuts), len(stream)]
    assert parse(*[stream[a:b] for a, b in itertools.pairwise(edges)]) == [event for _, event in written]


def test_an_event_is_there_as_soon_as_its_blank_line_ends() -> None:
    assert parse(b"data: 1\n\n") == messages(b"1")
    assert parse(b"data: 1\r\r") == messages(b"1")
    assert parse(b"data: 1\r\n\r") == messages(b"1")


def test_a_crlf_that_is_cut_in_two_is_one_line_end() -> None:
    assert parse(b"data: 1\r", b"", b"\ndata: 2\r", b"\n\r", b"\n") == messages(b"1\n2")


def test_what_ends_without_a_blank_line_is_not_dispatched() -> None:
    assert parse(b"data: 1\n\ndata: 2\n") == messages(b"1")
    assert parse(b"data: 1\n\ndata: 2") == messages(b"1")


def test_data_of_several_lines_is_joined_by_newlines() -> None:
    assert parse(b"data: a\ndata:\ndata: b\n\n") == messages(b"a\n\nb")


@pytest.mark.parametrize(
    ("line", "data"),
    [
        (b"data:x", b"x"),
        (b"data: x", b"x"),
        (b"data:  x ", b" x "),
        (b"data:", b""),
        (b"data", b""),
        (b"data: a:b", b"a:b"),
        (b"data:: comment?", b": comment?"),
    ],
)
def test_a_field_is_what_follows_the_first_colon_without_one_space(line: bytes, data: bytes) -> None:
    assert parse(line + b"\n\n") == messages(data)


@pytest.mark.parametrize("line", [b": data: x", b"Data: x", b" data: x", b"dat", b"data x", b"unknown: x", b"event: x"])
def test_a_line_that_is_no_data_makes_no_event(line: bytes) -> None:
    assert parse(line + b"\n\n") == []


def test_an_events_type_is_its_own() -> None:
    stream = (
        b"event: add\ndata: 1\n\ndata: 2\n\nevent: lost\n\ndata: 3\n\nevent: a\nevent: b\ndata: 4\n\nevent:\ndata: 5\n\n"
    )
    assert [event.type for event in parse(stream)] == [b"add", b"message", b"message", b"b", b"message"]


def test_a_byte_order_mark_counts_only_at_the_very_beginning() -> None:
    assert parse(BOM + b"data: 1\n\n") == messages(b"1")
    assert parse(b"\xef", b"\xbb", b"\xbf", b"data: 1\n\n") == messages(b"1")
    assert parse(BOM + BOM + b"data: 1\n\n") == []
    assert parse(b"data: 1\n\n" + BOM + b"data: 2\n\n") == messages(b"1")
    assert parse(b"data: " + BOM + b"\n\n") == messages(BOM)


def test_the_last_id_is_that_of_the_last_complete_block() -> None:
    parser = EventStreamParser()
    assert parser.last_event_id is None
    parser.feed(b"id: 1\n")
    assert parser.last_event_id is None
    parser.feed(b"data: x\n\n")
    assert parser.last_event_id == b"1"
    parser.feed(b"data: an event without an id\n\n")
    assert parser.last_event_id == b"1"


def test_a_block_with_an_id_alone_sets_it_without_an_event() -> None:
    parser = EventStreamParser()
    assert parser.feed(b"id: 41\n\n") == []
    assert parser.last_event_id == b"41"


@pytest.mark.parametrize("rest", [b"\n", b"data: x\n\n"], ids=["without an event", "with an event"])
def test_an_id_with_a_nul_is_ignored(rest: bytes) -> None:
    parser = EventStreamParser()
    parser.feed(b"id: 1\n\n")
    parser.feed(b"id: 2\0\n" + rest)
    assert parser.last_event_id == b"1"


ID = st.sampled_from([b"id: 7", b"id: 8", b"id: 9\0", b"id:9", b"id", b": id: 9"])
DATA = st.sampled_from([b"data: x", b"data:y", b"data", b"event: lost", b"retry: 5"])


@given(
    st.lists(st.one_of(st.tuples(ID, DATA), st.tuples(DATA), st.tuples(DATA, ID), st.tuples(ID))),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
)
def test_events_and_the_last_id_are_the_same_in_one_piece_block_by_block_and_line_by_line(
    written: list[tuple[bytes, ...]], end: bytes
) -> None:
    blocks = [b"".join(line + end for line in (*block, b"")) for block in written]
    seen = []
    for pieces in ([b"".join(blocks)], blocks, b"".join(blocks).splitlines(keepends=True)):
        parser = EventStreamParser()
        seen.append(([event for piece in pieces for event in parser.feed(piece)], parser.last_event_id))
    assert seen[0] == seen[1] == seen[2]


def test_an_empty_id_resets_it() -> None:
    parser = EventStreamParser()
    parser.feed(b"id: 1\n\nid\n\n")
    assert parser.last_event_id == b""


@pytest.mark.parametrize(
    ("line", "retry_ms"),
    [
        (b"retry: 1500", 1500),
        (b"retry:0", 0),
        (b"retry: 1.5", None),
        (b"retry: -1", None),
        (b"retry", None),
        (b"retry: 5 ", None),
    ],
)
def test_a_reconnection_time_is_digits_only(line: bytes, retry_ms: int | None) -> None:
    parser = EventStreamParser()
    parser.feed(line + b"\n")
    assert parser.retry_ms == retry_ms
