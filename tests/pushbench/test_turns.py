"""Turns: what is ready is called, what is due is called in order and never before its moment."""

import socket
import time
from collections.abc import Iterator
from select import EPOLLIN

import pytest

from pushbench.turns import Turns

MS = 1_000_000


@pytest.fixture
def turns() -> Iterator[Turns]:
    made = Turns()
    yield made
    made.close()


def test_calls_come_in_the_order_of_their_moments_and_those_of_one_moment_as_they_were_asked_for(turns: Turns) -> None:
    called: list[str] = []
    now_ns = time.monotonic_ns()
    for name, moment_ns in (("late", now_ns), ("first", now_ns - 2), ("second", now_ns - 2), ("third", now_ns - 1)):
        turns.at(moment_ns, lambda name=name: called.append(name))  # type: ignore[misc]
    turns.turn()
    assert called == ["first", "second", "third", "late"]


@pytest.mark.parametrize("wait_ns", [1, 100_000, 1_300_000, 20 * MS])
def test_no_call_comes_before_its_moment(turns: Turns, wait_ns: int) -> None:
    for _ in range(5):
        due_ns = time.monotonic_ns() + wait_ns
        called: list[int] = []
        turns.at(due_ns, lambda called=called: called.append(time.monotonic_ns()))  # type: ignore[misc]
        while not called:
            turns.turn()
        assert called[0] >= due_ns


def test_what_a_call_asks_for_at_once_comes_in_a_turn_of_its_own_at_the_latest(turns: Turns) -> None:
    called: list[str] = []
    turns.at(0, lambda: turns.at(0, lambda: called.append("again")))
    turns.turn()
    turns.at(0, lambda: None)
    turns.turn()
    assert called == ["again"]


def test_who_is_ready_is_called_and_who_was_forgotten_in_the_same_turn_is_not(turns: Turns) -> None:
    pairs = [socket.socketpair() for _ in range(2)]
    called: list[int] = []

    def only_one(number: int) -> None:
        called.append(number)
        turns.forget(pairs[1 - number][0].fileno())

    for number, (one, other) in enumerate(pairs):
        turns.watch(one.fileno(), EPOLLIN, lambda bits, number=number: only_one(number))  # type: ignore[misc]
        other.send(b"!")
    turns.turn()
    assert len(called) == 1
    for one in (*pairs[0], *pairs[1]):
        one.close()


def test_who_is_to_be_watched_for_nothing_is_not_called_until_that_changes(turns: Turns) -> None:
    one, other = socket.socketpair()
    with one, other:
        called: list[int] = []
        turns.watch(one.fileno(), EPOLLIN, called.append)
        turns.change(one.fileno(), 0)
        other.send(b"!")
        turns.at(0, lambda: None)
        turns.turn()
        assert called == []
        turns.change(one.fileno(), EPOLLIN)
        turns.turn()
        assert called == [EPOLLIN]
