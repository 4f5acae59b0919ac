"""The ledger: it counts what a slow and obvious reckoning counts."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given, strategies as st

from pushbench.columns import LEDGER
from pushbench.ledger import Ledger, first_expected, reckon
from tests.pushbench.streams import Stream, streams


def plainly(stream: Stream) -> Ledger:
    """One delivery after the other, by the words of the definition."""
    delivered = duplicated = reordered = 0
    gaps: list[int] = []
    had: dict[int, list[int]] = {who: [] for who in range(stream.subscribers)}
    for who, seq, _ in stream.deliveries:
        if seq in had[who]:
            duplicated += 1
            continue
        delivered += 1
        if had[who] and seq < max(had[who]):
            reordered += 1
        had[who].append(seq)
    expected = stream.subscribers * stream.messages
    for got in had.values():
        marks = "".join("." if seq in got else "x" for seq in range(stream.messages))
        gaps += [len(gap) for gap in marks.split(".") if gap]
    return Ledger(expected, delivered, expected - delivered, duplicated, reordered, 0, lengths(*gaps))


def lengths(*gaps: int) -> tuple[tuple[int, int], ...]:
    return tuple(sorted(Counter(gaps).items()))


def ledger_of(stream: Stream, coalesced: int = 0) -> Ledger:
    return reckon(
        stream.subscriber, stream.seq, subscribers=stream.subscribers, messages=stream.messages, coalesced=coalesced
    )


def stream_of(*deliveries: tuple[int, int], subscribers: int = 2, messages: int = 3) -> Stream:
    return Stream(subscribers, messages, [(who, seq, at) for at, (who, seq) in enumerate(deliveries)])


@given(streams())
@example(Stream(2, 3, []))
def test_the_ledger_is_that_of_a_plain_reckoning(stream: Stream) -> None:
    assert ledger_of(stream) == plainly(stream)


@pytest.mark.parametrize(
    ("deliveries", "ledger"),
    [
        ([(0, 0), (1, 0), (1, 1), (0, 1), (0, 2), (1, 2)], Ledger(expected=6, delivered=6)),
        ([(0, 0), (0, 2), (1, 0), (1, 1), (1, 2)], Ledger(expected=6, delivered=5, lost=1, gap_lengths=lengths(1))),
        ([(0, 0), (0, 0), (0, 0)], Ledger(expected=6, delivered=1, lost=5, duplicated=2, gap_lengths=lengths(2, 3))),
        ([(0, 2), (0, 0), (0, 1)], Ledger(expected=6, delivered=3, lost=3, reordered=2, gap_lengths=lengths(3))),
        # A late duplicate of an old message is a duplicate, not a reordering.
        ([(0, 0), (0, 1), (0, 0)], Ledger(expected=6, delivered=2, lost=4, duplicated=1, gap_lengths=lengths(1, 3))),
        # One subscriber is ahead of the other: nobody got anything out of order.
        ([(1, 2), (0, 0), (0, 1)], Ledger(expected=6, delivered=3, lost=3, gap_lengths=lengths(1, 2))),
        ([], Ledger(expected=6, lost=6, gap_lengths=lengths(3, 3))),
    ],
)
def test_what_each_column_counts(deliveries: list[tuple[int, int]], ledger: Ledger) -> None:
    assert ledger_of(stream_of(*deliveries)) == ledger


def test_coalesced_is_taken_as_it_was_counted() -> None:
    assert ledger_of(stream_of((0, 0)), coalesced=7).coalesced == 7


def test_ledgers_are_added_column_by_column() -> None:
    one, other = Ledger(1, 2, 3, 4, 5, 6, ((1, 4), (7, 1))), Ledger(10, 20, 30, 40, 50, 60, ((1, 1), (3, 2)))
    assert one + other == Ledger(11, 22, 33, 44, 55, 66, ((1, 5), (3, 2), (7, 1)))


def test_a_ledger_has_a_column_for_each_of_its_counts() -> None:
    made = Ledger(11, 22, 33, 44, 55, 66, ((1, 5), (3, 2), (7, 1)))
    assert made.columns == dict(zip(LEDGER, (11, 22, 33, 44, 55, 66, 8, 7), strict=True))
    assert (Ledger().gaps, Ledger().gap_longest) == (0, 0)


# Subscribers that join late


def test_of_one_that_joined_late_only_what_came_since_is_expected() -> None:
    stream = stream_of((0, 0), (0, 1), (0, 2), (0, 3), (1, 3), messages=4)
    since = np.array([0, 2])
    made = reckon(stream.subscriber, stream.seq, subscribers=2, messages=4, first_expected=since)
    assert made == Ledger(expected=6, delivered=5, lost=1, gap_lengths=lengths(1))


def test_what_it_got_from_before_is_neither_delivered_nor_lost() -> None:
    stream = stream_of((0, 0), (0, 3), subscribers=1, messages=4)
    made = reckon(stream.subscriber, stream.seq, subscribers=1, messages=4, first_expected=np.array([2]))
    assert made == Ledger(expected=2, delivered=1, lost=1, gap_lengths=lengths(1))


PUBLISHED_NS = np.array([100, 200, 300, 400])


@pytest.mark.parametrize(
    ("joined_ns", "got", "first"),
    [
        (0, [], 0),
        (150, [1, 2, 3], 1),
        (200, [1, 2, 3], 1),
        (250, [], 2),
        # Message 1 was published while it joined. Who gets it must get all that follow.
        (250, [1, 3], 1),
        (250, [2, 3], 2),
        (250, [3], 2),
        (500, [], 4),
    ],
)
def test_the_first_message_that_is_expected_is_the_first_after_it_joined_or_the_earliest_that_it_got(
    joined_ns: int, got: list[int], first: int
) -> None:
    seq = np.array(got, dtype=np.int64)
    found = first_expected(np.array([0, joined_ns]), PUBLISHED_NS, np.ones_like(seq), seq)
    assert found.tolist() == [0, first]


@given(streams(), st.data())
def test_late_joiners_are_reckoned_like_a_feed_that_begins_with_their_first_message(
    stream: Stream, data: st.DataObject
) -> None:
    since = data.draw(st.integers(0, stream.messages - 1))
    later = Stream(
        stream.subscribers,
        stream.messages - since,
        [(who, seq - since, at) for who, seq, at in stream.deliveries if seq >= since],
    )
    made = reckon(
        later.subscriber,
        later.seq + since,
        subscribers=stream.subscribers,
        messages=stream.messages,
        first_expected=np.full(stream.subscribers, since),
    )
    assert made == plainly(later)


@given(streams(), streams())
def test_the_ledger_of_two_swarms_is_the_sum_of_theirs(one: Stream, other: Stream) -> None:
    messages = max(one.messages, other.messages)
    both = Stream(
        one.subscribers + other.subscribers,
        messages,
        sorted(
            one.deliveries + [(who + one.subscribers, seq, at) for who, seq, at in other.deliveries],
            key=lambda delivery: delivery[2],
        ),
    )
    apart = [
        reckon(stream.subscriber, stream.seq, subscribers=stream.subscribers, messages=messages) for stream in (one, other)
    ]
    assert ledger_of(both) == apart[0] + apart[1]


@pytest.mark.parametrize(("who", "seq"), [(0, 3), (0, -1), (2, 0)])
def test_a_delivery_that_nobody_expects_is_refused(who: int, seq: int) -> None:
    with pytest.raises(ValueError, match=r"only 0\.\.2 were published"):
        reckon(np.array([0, who]), np.array([0, seq]), subscribers=2, messages=3)
