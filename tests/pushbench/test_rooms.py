"""Rooms: who says which message, who hears it, and the ledger of that."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pushbench.ledger import Ledger
from pushbench.part import ALL, Part
from pushbench.rooms import Rooms, reckon


def reckoned(deliveries: list[tuple[int, int]], rooms: Rooms, messages: int, part: Part = ALL) -> tuple[Ledger, int]:
    subscriber = np.array([who for who, _ in deliveries], dtype=np.int64)
    seq = np.array([seq for _, seq in deliveries], dtype=np.int64)
    return reckon(subscriber, seq, rooms=rooms, part=part, messages=messages)


def everything(rooms: Rooms, messages: int, part: Part = ALL) -> list[tuple[int, int]]:
    """Every message to each of its room."""
    return [
        (part.here(who), seq)
        for seq in range(messages)
        for who in part.numbers(rooms.subscribers)
        if rooms.room(who) == seq % rooms.rooms
    ]


shapes = st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(0, 60)).map(
    lambda shape: (Rooms(shape[0] * shape[1], shape[1]), shape[2])
)


@given(shapes, st.integers(1, 3))
def test_what_all_of_a_room_hear_is_all_that_is_expected_however_they_are_divided(
    shape: tuple[Rooms, int], parts: int
) -> None:
    rooms, messages = shape
    found = Ledger()
    for number in range(parts):
        part = Part(number, parts)
        if not part.count(rooms.subscribers):
            continue
        one, strays = reckoned(everything(rooms, messages, part), rooms, messages, part)
        assert strays == 0
        found += one
    assert found == Ledger(expected=messages * rooms.size, delivered=messages * rooms.size)


@given(shapes, st.data())
def test_what_is_missing_or_there_twice_is_counted(shape: tuple[Rooms, int], data: st.DataObject) -> None:
    rooms, messages = shape
    whole = everything(rooms, messages)
    gone = data.draw(st.sets(st.sampled_from(whole)) if whole else st.just(set()))
    twice = data.draw(st.sets(st.sampled_from(whole)) if whole else st.just(set()))
    came = [one for one in whole if one not in gone] + [one for one in whole if one in twice - gone]
    found, strays = reckoned(came, rooms, messages)
    assert (found.lost, found.duplicated, strays) == (len(gone), len(twice - gone), 0)


def test_each_message_is_said_by_one_in_turn_and_all_are_said() -> None:
    rooms = Rooms(6, 2)
    assert [list(rooms.said_by(who, 14)) for who in range(6)] == [[0, 6, 12], [1, 7, 13], [2, 8], [3, 9], [4, 10], [5, 11]]
    assert sorted(seq for number in range(4) for seq in rooms.in_turn(Part(number, 4), 14)) == list(range(14))
    assert list(rooms.in_turn(Part(1, 2), 8)) == [1, 3, 5, 7]


@given(shapes, st.data())
def test_what_was_never_said_is_expected_of_nobody(shape: tuple[Rooms, int], data: st.DataObject) -> None:
    rooms, messages = shape
    unsaid = {who: data.draw(st.integers(0, len(rooms.said_by(who, messages)))) for who in range(rooms.subscribers)}
    said = {seq for who, count in unsaid.items() for seq in list(rooms.said_by(who, messages))[: -count or None]}
    said -= {seq for who, count in unsaid.items() if count for seq in list(rooms.said_by(who, messages))[-count:]}
    came = [(who, seq) for who, seq in everything(rooms, messages) if seq in said]
    subscriber = np.array([who for who, _ in came], dtype=np.int64)
    seq = np.array([seq for _, seq in came], dtype=np.int64)
    found, strays = reckon(subscriber, seq, rooms=rooms, part=ALL, messages=messages, unsaid=unsaid)
    assert found == Ledger(expected=len(said) * rooms.size, delivered=len(said) * rooms.size)
    assert strays == 0


def test_of_one_speaker_the_order_is_kept_and_between_two_there_is_none() -> None:
    rooms = Rooms(2, 1)  # even messages are the first one's, odd ones the other's
    others = [(1, seq) for seq in range(4)]
    in_another_order, _ = reckoned([(0, 1), (0, 0), (0, 3), (0, 2), *others], rooms, 4)
    assert (in_another_order.lost, in_another_order.reordered) == (0, 0)
    out_of_order, _ = reckoned([(0, 2), (0, 0), (0, 1), (0, 3), *others], rooms, 4)
    assert (out_of_order.lost, out_of_order.reordered) == (0, 1)


def test_what_another_room_has_said_is_a_stray_and_no_delivery() -> None:
    found, strays = reckoned([(0, 0), (1, 1), (0, 1)], Rooms(2, 2), 2)
    assert (found.expected, found.delivered, found.lost, strays) == (2, 2, 0, 1)


def test_rooms_that_are_not_equally_large_are_refused() -> None:
    with pytest.raises(ValueError, match="7 subscribers cannot be divided among 2 rooms"):
        Rooms(7, 2)
