"""Numbers of QUIC's: as the RFC writes them, and as the clients read them."""

import pytest
from hypothesis import given, strategies as st

from clients.webtransport import varint as read
from servers.varint import varint


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (151_288_809_941_952_652, "c2197c5eff14e88c"),
        (494_878_333, "9d7f3e7d"),
        (15_293, "7bbd"),
        (37, "25"),
        (0, "00"),
        (63, "3f"),
        (64, "4040"),
        (2**62 - 1, "ffffffffffffffff"),
    ],
)
def test_a_number_is_written_as_in_the_rfc(number: int, written: str) -> None:
    """RFC 9000, appendix A.1, and the edges."""
    assert varint(number) == bytes.fromhex(written)


def test_what_is_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="beyond"):
        varint(2**62)


@given(st.integers(0, 2**62 - 1), st.binary(max_size=4))
def test_what_was_written_is_read_whatever_follows(number: int, more: bytes) -> None:
    assert read(varint(number) + more) == (number, len(varint(number)))


@given(st.integers(0, 2**62 - 1), st.integers(1, 7))
def test_of_an_incomplete_one_it_is_known_that_more_is_to_come(number: int, kept: int) -> None:
    written = varint(number)
    if kept < len(written):
        assert read(written[:kept])[1] > kept
