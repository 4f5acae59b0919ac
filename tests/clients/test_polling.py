"""When a poller asks. What it asks, and how it reads the answers, is in test_conditional."""

import asyncio
from typing import Any

import pytest

from clients.polling import Polling
from clients.subscription import HandOver
from tests import virtualtime


class Asking(Polling):
    """A poller without a server, that notes when it asks."""

    def __init__(self, *, answers_take_s: list[float], **options: Any) -> None:
        super().__init__("http://nobody", **options)
        self.answers_take_s = answers_take_s
        self.asked_at_s: list[float] = []

    async def _connect(self) -> None:
        await asyncio.sleep(100)  # a phase counts from `receive`, however long the connecting took

    async def _ask(self, hand_over: HandOver) -> bool:
        self.asked_at_s.append(asyncio.get_running_loop().time() - 100)
        if not self.answers_take_s:
            raise EOFError
        await asyncio.sleep(self.answers_take_s.pop(0))
        return False


def asked_at_s(interval_s: float, phase: float, answers_take_s: list[float]) -> list[float]:
    async def ask() -> list[float]:
        async with Asking(interval_s=interval_s, phase=phase, answers_take_s=answers_take_s) as poller:
            with pytest.raises(EOFError):
                await poller.receive(lambda messages: None)
        return poller.asked_at_s

    return virtualtime.run(ask())


def test_its_requests_are_one_interval_apart_as_long_as_answers_take_less() -> None:
    assert asked_at_s(1, 0, [0, 0.25, 0.5, 0.75]) == pytest.approx([0, 1, 2, 3, 4])


@pytest.mark.parametrize("phase", [0.25, 0.5, 0.875])
def test_its_phase_is_the_part_of_an_interval_after_which_it_begins(phase: float) -> None:
    assert asked_at_s(2, phase, [0, 0]) == pytest.approx([2 * phase, 2 * phase + 2, 2 * phase + 4])


def test_a_request_that_is_due_while_an_answer_is_awaited_is_left_out_and_it_stays_in_step() -> None:
    assert asked_at_s(1, 0, [1.5, 0, 0]) == pytest.approx([0, 2, 3, 4])
    assert asked_at_s(1, 0.5, [3.25, 0, 0]) == pytest.approx([0.5, 4.5, 5.5, 6.5])


def test_one_that_drains_asks_again_at_once_until_there_is_nothing_more() -> None:
    class Draining(Asking):
        there = 2

        async def _ask(self, hand_over: HandOver) -> bool:
            await super()._ask(hand_over)
            self.there -= 1
            return self.there >= 0

    async def ask() -> list[float]:
        async with Draining(interval_s=1, phase=0, answers_take_s=[0.1] * 5, drain=True) as poller:
            with pytest.raises(EOFError):
                await poller.receive(lambda messages: None)
        return poller.asked_at_s

    assert virtualtime.run(ask()) == pytest.approx([0, 0.1, 0.2, 1, 2, 3])
