"""The ledger: it counts what a slow and obvious reckoning counts."""

import numpy as np
import pytest
from hypothesis import example, given

from pushbench.ledger import Ledger, reckon
from tests.pushbench.streams import Stream, streams


def plainly(stream: Stream) -> Ledger:
    """One delivery after the other, by the words of the definition."""
    delivered = duplicated = reordered = 0
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
    return Ledger(expected, delivered, expected - delivered, duplicated, reordered)


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
        ([(0, 0), (0, 2), (1, 0), (1, 1), (1, 2)], Ledger(expected=6, delivered=5, lost=1)),
        ([(0, 0), (0, 0), (0, 0)], Ledger(expected=6, delivered=1, lost=5, duplicated=2)),
        ([(0, 2), (0, 0), (0, 1)], Ledger(expected=6, delivered=3, lost=3, reordered=2)),
        # A late duplicate of an old message is a duplicate, not a reordering.
        ([(0, 0), (0, 1), (0, 0)], Ledger(expected=6, delivered=2, lost=4, duplicated=1)),
        # One subscriber is ahead of the other: nobody got anything out of order.
        ([(1, 2), (0, 0), (0, 1)], Ledger(expected=6, delivered=3, lost=3)),
        ([], Ledger(expected=6, lost=6)),
    ],
)
def test_what_each_column_counts(deliveries: list[tuple[int, int]], ledger: Ledger) -> None:
    assert ledger_of(stream_of(*deliveries)) == ledger


def test_coalesced_is_taken_as_it_was_counted() -> None:
    assert ledger_of(stream_of((0, 0)), coalesced=7).coalesced == 7


def test_ledgers_are_added_column_by_column() -> None:
    assert Ledger(1, 2, 3, 4, 5, 6) + Ledger(10, 20, 30, 40, 50, 60) == Ledger(11, 22, 33, 44, 55, 66)


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
