"""Workers that ask each other what they hold."""

import os

from servers.options import Options
from servers.siblings import address, answering, ask

OPTIONS = Options(host=f"nobody's, but of the test in process {os.getpid()}")


async def test_one_is_told_what_the_other_holds_at_that_moment() -> None:
    at = address(OPTIONS, 1)
    held = {"cursors": 1}
    async with answering(at, lambda: held):
        assert await ask(at) == {"cursors": 1}
        held["cursors"] = 2
        assert await ask(at) == {"cursors": 2}
    assert await ask(at) is None


async def test_one_that_does_not_answer_is_none() -> None:
    assert await ask(address(OPTIONS, 2)) is None
