"""The message: what goes in comes out, and whatever its size it is valid JSON of that size."""

import json

import pytest
from hypothesis import given, settings, strategies as st

from pushbench import message, padding
from pushbench.message import FRAME_BYTES, MAX_NS, MAX_SEQ, MIN_BYTES, Stamp

SEQS = st.integers(0, MAX_SEQ)
TIMES_NS = st.integers(0, MAX_NS)
SIZES = st.integers(MIN_BYTES, 70_000)


@given(SEQS, TIMES_NS, TIMES_NS, SIZES)
def test_what_is_encoded_is_decoded_whatever_the_size(seq: int, due_ns: int, sent_ns: int, size_bytes: int) -> None:
    data = message.encode(seq, due_ns, sent_ns, size_bytes)
    assert len(data) == size_bytes
    assert message.decode(data) == Stamp(seq, due_ns, sent_ns)


@given(SEQS, TIMES_NS, TIMES_NS, SIZES)
def test_a_message_is_one_line_of_json_with_the_same_numbers(seq: int, due_ns: int, sent_ns: int, size_bytes: int) -> None:
    data = message.encode(seq, due_ns, sent_ns, size_bytes)
    said = json.loads(data)
    assert list(said) == ["seq", "due_ns", "sent_ns", "pad"]
    assert (said["seq"], said["due_ns"], said["sent_ns"]) == (seq, due_ns, sent_ns)
    assert data.decode("ascii").isprintable()


@pytest.mark.parametrize("kind", padding.KINDS)
@pytest.mark.parametrize("size_bytes", [MIN_BYTES, 100, 128, 1024, 65_536])
@settings(max_examples=20)
@given(seq=SEQS)
def test_whatever_fills_it_a_message_is_json_of_its_size(kind: str, seq: int, size_bytes: int) -> None:
    data = message.encode(seq, 1, 2, size_bytes, padding.pads(kind, size_bytes - FRAME_BYTES))
    assert len(data) == size_bytes
    assert message.decode(data) == Stamp(seq, 1, 2)
    assert json.loads(data)["seq"] == seq
    assert data.decode("ascii").isprintable()


def test_the_smallest_message_has_no_padding() -> None:
    assert json.loads(message.encode(1, 2, 3, MIN_BYTES))["pad"] == ""


def test_the_numbers_stand_at_the_same_place_whatever_they_are() -> None:
    small, large = message.encode(0, 0, 0, 100), message.encode(MAX_SEQ, MAX_NS, MAX_NS, 100)
    assert [at for at, byte in enumerate(small) if byte == ord(",")] == [
        at for at, byte in enumerate(large) if byte == ord(",")
    ]


def test_a_size_without_room_for_the_numbers_is_refused_with_the_one_that_has() -> None:
    with pytest.raises(ValueError, match=f"82 bytes .* needs {MIN_BYTES}"):
        message.encode(1, 2, 3, MIN_BYTES - 1)


@pytest.mark.parametrize(
    ("seq", "due_ns", "sent_ns"),
    [(-1, 0, 0), (0, -1, 0), (0, 0, -1), (MAX_SEQ + 1, 0, 0), (0, MAX_NS + 1, 0), (0, 0, MAX_NS + 1)],
)
def test_a_number_that_its_field_cannot_hold_is_refused(seq: int, due_ns: int, sent_ns: int) -> None:
    with pytest.raises(ValueError, match="negative or too large"):
        message.encode(seq, due_ns, sent_ns, 200)


LEGAL = {"seq": SEQS, "due_ns": TIMES_NS, "sent_ns": TIMES_NS, "size_bytes": SIZES}
ILLEGAL = {
    "seq": st.integers(max_value=-1) | st.integers(min_value=MAX_SEQ + 1),
    "due_ns": st.integers(max_value=-1) | st.integers(min_value=MAX_NS + 1),
    "sent_ns": st.integers(max_value=-1) | st.integers(min_value=MAX_NS + 1),
    "size_bytes": st.integers(max_value=MIN_BYTES - 1),
}


@pytest.mark.parametrize("wrong", ILLEGAL)
@given(st.data())
def test_whatever_is_illegal_is_refused_and_no_message_comes_of_it(wrong: str, data: st.DataObject) -> None:
    values = {name: data.draw((ILLEGAL if name == wrong else LEGAL)[name]) for name in LEGAL}
    with pytest.raises(ValueError, match=r"has no room for its numbers|negative or too large"):
        message.encode(values["seq"], values["due_ns"], values["sent_ns"], values["size_bytes"])


@given(st.binary(max_size=200) | SIZES.map(lambda size: message.encode(1, 2, 3, size)[: size // 2]))
def test_foreign_bytes_are_a_stamp_or_a_value_error_and_nothing_else(data: bytes) -> None:
    try:
        message.decode(data)
    except ValueError:
        return
    assert len(data) > 55  # there was something in each field


@pytest.mark.parametrize("data", [b"", b"hello", b'{"seq":', b"x" * 200])
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        message.decode(data)
