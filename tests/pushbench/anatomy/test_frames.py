"""WebSocket frames, by the examples of RFC 6455 itself, and by any others."""

import pytest
from hypothesis import given, strategies as st

from pushbench import dissect
from pushbench.anatomy import http
from pushbench.anatomy.examples import ACCEPT, FRAMES, KEY, RFC_6455
from pushbench.anatomy.frames import accept_of, accept_told, unmasked
from pushbench.anatomy.shape import view
from pushbench.anatomy.spans import Annotated, Kind
from tests.pushbench.anatomy.spoken import UPGRADE, UPGRADED, counted, dissected, frame, is_whole

payloads = st.one_of(
    st.binary(max_size=200),
    st.tuples(st.sampled_from([125, 126, 127, 65_535, 65_536, 70_000]), st.binary(min_size=1, max_size=1)).map(
        lambda pair: pair[0] * pair[1]
    ),
)
frames = st.tuples(
    st.sampled_from([0, 1, 2, 8, 9, 10]), payloads, st.booleans(), st.just(b"") | st.binary(min_size=4, max_size=4)
)


def framed(data: bytes) -> Annotated:
    """The frames alone."""
    found = http.answers(UPGRADED + data)
    base = len(UPGRADED)
    return Annotated(found.data, [span for span in found.spans if span.offset >= base], found.events)


def test_the_key_of_the_standard_is_answered_as_the_standard_says() -> None:
    assert accept_of(KEY) == ACCEPT == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert "b37a4f2cc0624f1690f64606cf385945b2bec4ea" in accept_told(KEY)  # the hash that section 1.3 has


@pytest.mark.parametrize(
    ("number", "first", "second", "payload"),
    [
        (0, "1 000 0001: FIN=1, RSV1-3=000, opcode=0x1 (text)", "0 0000101: MASK=0, 5 bytes", b"Hello"),
        (1, "1 000 0001: FIN=1, RSV1-3=000, opcode=0x1 (text)", "1 0000101: MASK=1, 5 bytes", b"Hello"),
        (2, "0 000 0001: FIN=0, RSV1-3=000, opcode=0x1 (text)", "0 0000011: MASK=0, 3 bytes", b"Hel"),
        (3, "1 000 0000: FIN=1, RSV1-3=000, opcode=0x0 (continuation)", "0 0000010: MASK=0, 2 bytes", b"lo"),
        (4, "1 000 1001: FIN=1, RSV1-3=000, opcode=0x9 (ping)", "0 0000101: MASK=0, 5 bytes", b"Hello"),
        (5, "1 000 1010: FIN=1, RSV1-3=000, opcode=0xa (pong)", "1 0000101: MASK=1, 5 bytes", b"Hello"),
        (6, "1 000 0010: FIN=1, RSV1-3=000, opcode=0x2 (binary)", "126: the next 2 bytes are the length", bytes(256)),
        (7, "1 000 0010: FIN=1, RSV1-3=000, opcode=0x2 (binary)", "127: the next 8 bytes are the length", bytes(65_536)),
    ],
)
def test_the_frames_of_the_standard_are_told_bit_by_bit(number: int, first: str, second: str, payload: bytes) -> None:
    found = framed(FRAMES[number][2])
    spans = found.spans
    assert spans[0].value == first
    assert spans[1].value.endswith(second)
    last = spans[-1]
    assert (last.plain if last.plain is not None else found.bytes_of(last)) == payload
    assert [span.value for span in spans if "bit length" in span.name] == [f"{len(payload)} bytes"] * (len(payload) > 125)


def test_the_masked_hello_of_the_standard_is_unmasked_by_its_key() -> None:
    assert unmasked(bytes.fromhex("7f 9f 4d 51 58"), bytes.fromhex("37 fa 21 3d")) == b"Hello"


def test_all_examples_of_the_standard_are_covered_with_nothing_untold() -> None:
    made = view(RFC_6455)
    assert all(is_whole(one) for one in made.directions.values())
    assert Kind.REST not in made.sums
    assert sum(made.sums.values()) == made.size


@given(st.lists(frames, max_size=4), st.integers(0, 300_000))
def test_any_frames_are_told_as_they_are_counted_wherever_they_are_cut(
    made: list[tuple[int, bytes, bool, bytes]], end: int
) -> None:
    data = b"".join(frame(opcode, payload, final=final, key=key) for opcode, payload, final, key in made)[:end]
    for annotate, head, reading in ((http.answers, UPGRADED, dissect.answers), (http.requests, UPGRADE, dissect.requests)):
        found = annotate(head + data)
        assert is_whole(found)
        assert counted(found) == dissected(reading, found.data)


@given(payloads, st.binary(min_size=4, max_size=4))
def test_what_is_masked_is_told_in_the_clear(payload: bytes, key: bytes) -> None:
    found = framed(frame(2, payload, key=key))
    clear = b"".join(span.plain or b"" for span in found.spans if span.kind is Kind.PAYLOAD)
    assert clear == payload


def test_a_close_is_told_with_its_code_and_reason() -> None:
    found = framed(frame(8, (4410).to_bytes(2) + b"cursor_too_old", key=b"abcd"))
    told = {span.name: span.value for span in found.spans}
    assert told["close code"] == "4410, the application’s own"
    assert told["close reason"] == "cursor_too_old"
    assert found.events[-1].text == "close 4410, the application’s own"
    assert framed(frame(8, b"")).events[-1].text == "close without a code"


def test_a_compressed_message_is_said_to_be_one() -> None:
    data = bytearray(frame(1, b"xyz"))
    data[0] |= 0x40
    assert framed(bytes(data)).spans[-1].name == "compressed payload"
