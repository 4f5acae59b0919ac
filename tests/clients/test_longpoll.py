"""A long poller asks again at once. What it asks, and how it reads the answers, is in test_conditional."""

import pytest

from clients.longpoll import LongPoll
from clients.subscription import HandOver
from tests import virtualtime


class Asking(LongPoll):
    """A long poller without a server."""

    asked = 0

    async def _connect(self) -> None:
        pass

    async def _ask(self, hand_over: HandOver) -> bool:
        self.asked += 1
        if self.asked == 3:
            raise EOFError
        return False


def test_it_waits_for_nothing_between_an_answer_and_the_next_request() -> None:
    async def ask() -> int:
        async with Asking("http://nobody") as poller:
            with pytest.raises(EOFError):  # a wait would find no timer, and say so
                await poller.receive(lambda messages: None)
        return poller.asked

    assert virtualtime.run(ask()) == 3
