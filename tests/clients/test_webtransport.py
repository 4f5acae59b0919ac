"""The three ways of a WebTransport reader: where a message ends, and where one stands, however it is cut and mixed."""

from concurrent.futures import Future
from itertools import pairwise
from typing import TypeVar

import pytest
from hypothesis import given, strategies as st

from clients.ends import SubscriptionEnded
from clients.webtransport import Datagrams, Reached, Streams, WebTransport
from servers.varint import varint

URL = "https://127.0.0.1:1/webtransport"
MESSAGES = [b"one", b"x" * 70, b"", b"y" * 20_000, b"last"]


Kind = TypeVar("Kind", WebTransport, Streams, Datagrams)


def reader(kind: type[Kind], after: object = None) -> tuple[Kind, list[bytes]]:
    """A subscription that somebody listens to, without a session, and what it has handed over."""
    taken: list[bytes] = []
    one = kind(URL, after=after)
    one._hand_over = taken.extend
    one._ended = Future()  # type: ignore[assignment]  # which needs no loop
    return one, taken


@given(st.lists(st.integers(0, 21_000), max_size=20))
def test_on_one_stream_messages_end_where_their_lengths_say_wherever_it_is_cut(cuts: list[int]) -> None:
    said = b"".join(varint(len(message)) + message for message in MESSAGES)
    one, taken = reader(WebTransport, after=7)
    for begin, end in pairwise([0, *sorted(cuts), len(said)]):
        one.stream_data_received(3, said[begin:end], ended=False)
    assert taken == MESSAGES
    assert one.cursor == 7 + len(MESSAGES)


def test_that_stream_has_no_end_of_its_own() -> None:
    one, _ = reader(WebTransport, after=0)
    one.stream_data_received(3, b"", ended=True)
    assert one._ended
    assert isinstance(one._ended.exception(), SubscriptionEnded)


@given(st.permutations([1, 2, 3, 4, 5]), st.integers(0, 5))
def test_streams_may_come_in_any_order_and_be_resumed_anywhere_and_nothing_comes_twice(order: list[int], kept: int) -> None:
    first, before = reader(Streams, after=0)
    for number in order[:kept]:
        first.stream_data_received(4 * number + 3, varint(number) + b"%d" % number, ended=True)
    second, after = reader(Streams, after=first.cursor)
    resumed_at = second._after() or 0
    for number in (number for number in order if number > resumed_at):  # as the server says all behind it again
        second.stream_data_received(4 * number + 3, varint(number) + b"%d" % number, ended=True)
    assert sorted(before + after) == [b"1", b"2", b"3", b"4", b"5"]
    assert second.cursor == Reached(5)


def test_a_stream_is_whole_when_it_has_ended() -> None:
    one, taken = reader(Streams, after=0)
    one.stream_data_received(3, varint(1) + b"be", ended=False)
    one.stream_data_received(7, varint(2), ended=False)
    one.stream_data_received(3, b"gin", ended=False)
    assert taken == []
    one.stream_data_received(3, b"", ended=True)
    one.stream_data_received(7, b"second", ended=True)
    assert taken == [b"begin", b"second"]
    assert one._begun == {}


def test_a_position_as_others_have_it_resumes_streams_too() -> None:
    one, _ = reader(Streams, after=12)
    assert one.cursor == Reached(12)
    assert one._after() == 12


def test_of_datagrams_the_highest_is_where_one_stands_and_what_was_lost_is_not_asked_for_again() -> None:
    one, taken = reader(Datagrams, after=4)
    for number in (5, 9, 7):
        one.datagram_received(varint(number) + b"%d" % number)
    assert taken == [b"5", b"9", b"7"]
    assert one.cursor == one._after() == 9


@pytest.mark.parametrize("said", [b"", b"\xc0\x01"])
def test_a_message_without_an_id_is_a_mistake_of_the_servers(said: bytes) -> None:
    streams, _ = reader(Streams, after=0)
    streams.stream_data_received(3, said, ended=True)
    datagrams, _ = reader(Datagrams, after=0)
    datagrams.datagram_received(said)
    for ended in (streams._ended, datagrams._ended):
        assert ended
        assert "without an id" in str(ended.exception())


def test_streams_of_a_server_that_has_not_said_where_it_begins_are_not_taken() -> None:
    one, taken = reader(Streams)
    one.stream_data_received(3, varint(1) + b"x", ended=True)
    assert one._ended
    assert "its answer has no ETag" in str(one._ended.exception())
    assert taken == []


def test_what_is_no_datagram_is_a_mistake_of_the_servers() -> None:
    one, _ = reader(Datagrams, after=0)
    one.stream_data_received(3, b"x", ended=True)
    assert one._ended
    assert isinstance(one._ended.exception(), SubscriptionEnded)


def test_what_goes_wrong_in_whom_it_was_handed_to_ends_the_subscription() -> None:
    one, _ = reader(WebTransport, after=0)

    def refuse(messages: list[bytes]) -> None:
        raise ZeroDivisionError

    one._hand_over = refuse
    one.stream_data_received(3, varint(1) + b"x", ended=False)
    assert one._ended
    with pytest.raises(ZeroDivisionError):
        one._ended.result()
