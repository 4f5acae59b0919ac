"""Shaping: bytes leave a line in order, not before they may, and not faster than its bandwidth."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, strategies as st

from pushbench.schedule import NS
from pushbench.shaping import HELD_BYTES, SEGMENT_BYTES, Line, Way, handshake

MS = 1_000_000

LINES = st.builds(
    Line,
    round_trip_ns=st.integers(0, 300 * MS),
    jitter_ns=st.integers(0, 150 * MS),
    bit_per_s=st.sampled_from([0, 64_000, 1_000_000, 100_000_000]),
)
ARRIVALS = st.lists(st.tuples(st.integers(0, 100 * MS), st.binary(max_size=5_000)), max_size=30)
"""Each so long after the one before, and what arrives."""


@pytest.mark.parametrize(
    ("line", "arrivals", "leaves"),
    [
        (Line(), [(5, 100), (5, 100), (9, 1)], [5, 5, 9]),
        (Line(round_trip_ns=100), [(0, 1000), (7, 1)], [50, 57]),
        # 8 kbit/s are a byte a millisecond: the second waits for the first, the third finds the line free.
        (Line(bit_per_s=8_000), [(0, 3), (1 * MS, 2), (9 * MS, 1)], [3 * MS, 5 * MS, 10 * MS]),
        # The delay comes behind the bandwidth, so that both pieces are on the way at the same time.
        (Line(round_trip_ns=20 * MS, bit_per_s=8_000), [(0, 3), (0, 3)], [13 * MS, 16 * MS]),
        (Line(bit_per_s=8_000), [(4 * MS, 0)], [4 * MS]),  # an end has no bytes
    ],
)
def test_what_arrives_leaves_when_bandwidth_and_delay_have_it(
    line: Line, arrivals: list[tuple[int, int]], leaves: list[int]
) -> None:
    way = Way(line, Random(1))
    assert [way.leaves_ns(at_ns, size) for at_ns, size in arrivals] == leaves


def test_a_new_connection_pays_a_round_trip_before_its_first_transit() -> None:
    there, back = handshake(Line(round_trip_ns=100), 1000, Random(1))
    assert there.leaves_ns(1001, 10) == 1000 + 100 + 50
    assert there.leaves_ns(1200, 10) == 1200 + 50  # once paid, it is paid
    assert back.leaves_ns(1001, 0) == 1000 + 50 + 50  # a refusal is back after one round trip, and not sooner
    assert back.leaves_ns(1150, 10) == 1150 + 50


def test_a_line_of_no_length_charges_nothing_for_a_new_connection() -> None:
    for way in handshake(Line(), 1000, Random(1)):
        assert way.leaves_ns(1001, 10) == 1001


def test_a_line_that_is_stretched_delays_what_comes_later_and_shortened_lets_nothing_overtake() -> None:
    way = Way(Line(round_trip_ns=20), Random(0))
    assert way.leaves_ns(0, 1) == 10
    way.stretch(Line(round_trip_ns=200))
    assert way.leaves_ns(1, 1) == 101
    way.stretch(Line())
    assert [way.leaves_ns(at_ns, 1) for at_ns in (2, 102)] == [101, 102]


def test_jitter_lengthens_each_transit_by_a_part_that_the_seed_draws() -> None:
    def drawn(seed: int) -> list[int]:
        way = Way(Line(round_trip_ns=100 * MS, jitter_ns=10 * MS), Random(seed))
        return [way.leaves_ns(nth * NS, 1) - nth * NS for nth in range(100)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 50 * MS <= min(drawn(1)) < 51 * MS < 59 * MS < max(drawn(1)) <= 60 * MS


@given(LINES, ARRIVALS, st.integers(0, 2**32))
def test_order_is_kept_nothing_is_early_and_nothing_changes(
    line: Line, arrivals: list[tuple[int, bytes]], seed: int
) -> None:
    way, now_ns = Way(line, Random(seed)), 0
    came: list[tuple[int, bytes]] = []
    for after_ns, data in arrivals:
        now_ns += after_ns
        pieces = way.pieces(now_ns, data)
        assert min(leaves_ns for leaves_ns, _ in pieces) >= now_ns + line.transit_ns
        came += pieces
    assert b"".join(data for _, data in came) == b"".join(data for _, data in arrivals)
    assert all(earlier <= later for (earlier, _), (later, _) in pairwise(came))


@given(LINES, ARRIVALS, st.integers(0, 2**32))
def test_no_moment_has_more_bytes_behind_it_than_the_bandwidth_lets_through(
    line: Line, arrivals: list[tuple[int, bytes]], seed: int
) -> None:
    way, now_ns, total = Way(line, Random(seed)), 0, 0
    for after_ns, data in arrivals:
        now_ns += after_ns
        for leaves_ns, piece in way.pieces(now_ns, data):
            total += len(piece)
            if line.bit_per_s:
                # A nanosecond of rounding for each piece.
                assert total * 8 * NS / line.bit_per_s <= leaves_ns - line.transit_ns + total
                assert len(piece) <= line.piece_bytes


@pytest.mark.parametrize(
    ("line", "piece_bytes"),
    [
        (Line(), 0),
        (Line(round_trip_ns=NS), 0),
        (Line(bit_per_s=1_000_000), SEGMENT_BYTES),
        (Line(bit_per_s=1_000_000_000), 125_000),  # what comes in a millisecond
    ],
)
def test_pieces_are_segments_but_not_finer_than_a_millisecond(line: Line, piece_bytes: int) -> None:
    assert line.piece_bytes == piece_bytes


@pytest.mark.parametrize(
    ("line", "capacity_bytes"),
    [
        (Line(), HELD_BYTES),
        (Line(round_trip_ns=200 * MS, bit_per_s=8_000_000), HELD_BYTES + 100_000),
        (Line(round_trip_ns=100 * MS, jitter_ns=50 * MS, bit_per_s=8_000_000), HELD_BYTES + 100_000),
        (Line(round_trip_ns=200 * MS), HELD_BYTES + 1_250_000),
    ],
)
def test_a_line_holds_bandwidth_times_delay_and_a_constant(line: Line, capacity_bytes: int) -> None:
    assert line.capacity_bytes == capacity_bytes
