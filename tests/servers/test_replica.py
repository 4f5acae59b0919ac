"""The replica: what it copies, who waits for it, and what it says when what it copies is gone, or another."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from servers.hub import CursorTooOld, CursorUnknown, MessageRefused
from servers.replica import GROUP_MESSAGES, BackplaneLost, BackplaneUnavailable, Head, Replica
from tests import virtualtime

LOG_MESSAGES = 5


class Shared:
    """A shared log in memory, whose answers can be held back, and which can be lost."""

    name = "memory"

    def __init__(self) -> None:
        self.life = b"first"
        self.messages: list[tuple[int, bytes]] = []
        self.last_id = 0
        self.lost = False
        self.commits: list[list[bytes]] = []
        self.answering = asyncio.Event()  # commits are answered
        self.answering.set()
        self.showing = asyncio.Event()  # readers are shown what there is
        self.showing.set()

    def add(self, *messages: bytes) -> None:
        for data in messages:
            self.last_id += 1
            self.messages.append((self.last_id, data))

    def begin_anew(self, life: bytes, last_id: int) -> None:
        self.life, self.last_id, self.messages = life, last_id, []

    def _look(self) -> None:
        if self.lost:
            raise BackplaneLost("gone")

    async def join(self, life: bytes, last_id: int) -> Head:
        self._look()
        return Head(self.life, self.last_id)

    async def commit(self, life: bytes, messages: Sequence[bytes]) -> int:
        self.commits.append(list(messages))
        await self.answering.wait()
        self._look()
        if life != self.life:
            raise BackplaneLost("another life")
        self.add(*messages)
        return self.last_id

    async def read(self, after: int, *, wait: bool) -> list[tuple[int, bytes]]:
        if wait:
            await self.showing.wait()
            await asyncio.sleep(0.001)
        self._look()
        return [each for each in self.messages if each[0] > after]

    async def close(self) -> None:
        pass


@asynccontextmanager
async def replica_of(shared: Shared, said: list[str] | None = None) -> AsyncIterator[Replica]:
    said = [] if said is None else said
    replica = Replica(shared, said.append, log_messages=LOG_MESSAGES, log_bytes=1000, max_message_bytes=100)
    async with replica.following():
        yield replica


async def until_it_has(replica: Replica, last_id: int) -> None:
    while replica.last_id != last_id:  # noqa: ASYNC110  # in virtual time
        await asyncio.sleep(0.001)


# --- copying


def test_it_begins_with_the_end_of_the_shared_log() -> None:
    async def play() -> None:
        shared = Shared()
        shared.add(*[b"%d" % i for i in range(1, 9)])
        async with replica_of(shared) as replica:
            assert [message.id for message in replica.after(3)] == [4, 5, 6, 7, 8]
            with pytest.raises(CursorTooOld):
                await replica.start(2)

    virtualtime.run(play())


def test_what_is_published_comes_back_to_it_and_wakes_readers() -> None:
    async def play() -> None:
        async with replica_of(Shared()) as replica:
            with replica.cursor() as cursor:
                assert await replica.accept(b"1", b"2") == 2
                got = await anext(cursor)
                while len(got) < 2:
                    got += await anext(cursor)
                assert [(message.id, message.data) for message in got] == [(1, b"1"), (2, b"2")]

    virtualtime.run(play())


def test_readers_are_not_woken_as_long_as_nothing_comes() -> None:
    async def play() -> None:
        async with replica_of(Shared()) as replica:
            with replica.cursor() as one, replica.cursor() as other:
                calls: list[int] = []
                one.follow(lambda: calls.append(replica.last_id))
                waiting = asyncio.ensure_future(anext(other))
                await asyncio.sleep(0.01)  # in which the shared log has told ten times that there is nothing
                [woken_by] = replica._waiting
                await asyncio.sleep(0.01)
                assert (list(replica._waiting), calls) == ([woken_by], [])
                await replica.accept(b"1")
                assert [message.id for message in await waiting] == [1]
                await asyncio.sleep(0.01)
                assert calls == [1]

    virtualtime.run(play())


def test_if_what_comes_back_cannot_be_read_nothing_is_published_on_top_of_it() -> None:
    async def play() -> None:
        shared, said = Shared(), list[str]()
        async with replica_of(shared, said) as replica:
            shared.add(b"\xff")
            await asyncio.sleep(0.01)
            with pytest.raises(BackplaneUnavailable):
                await replica.accept(b"1")
            [told] = said
            assert told.startswith(
                "the backplane memory is lost, and nothing is published until it is back: UnicodeDecodeError"
            )
            shared.messages[0] = (1, b"good")
            await asyncio.sleep(1)
            assert replica.last_id == 1
            assert said[1:] == ["the backplane memory is back"]

    virtualtime.run(play())


def test_what_is_published_while_the_shared_log_is_asked_goes_there_together_and_in_order() -> None:
    async def play() -> None:
        shared = Shared()
        async with replica_of(shared) as replica:
            shared.answering.clear()
            first = asyncio.ensure_future(replica.accept(b"1", b"and"))
            await asyncio.sleep(1)
            publishing = [asyncio.ensure_future(replica.accept(b"%d" % i, b"and")) for i in range(2, 5)]
            asking = asyncio.ensure_future(replica.newest())
            await asyncio.sleep(1)
            shared.answering.set()
            assert await asyncio.gather(first, *publishing) == [2, 4, 6, 8]
            assert await asking == 8
            assert shared.commits == [[b"1", b"and"], [b"2", b"and", b"3", b"and", b"4", b"and"]]

    virtualtime.run(play())


def test_a_group_is_bounded() -> None:
    async def play() -> None:
        shared = Shared()
        async with replica_of(shared) as replica:
            await asyncio.gather(*[replica.accept(b"x") for _ in range(GROUP_MESSAGES + 5)])
            assert [len(commit) for commit in shared.commits] == [GROUP_MESSAGES, 5]

    virtualtime.run(play())


def test_what_cannot_be_a_message_is_refused_unasked_and_what_came_before_it_is_published() -> None:
    async def play() -> None:
        shared = Shared()
        async with replica_of(shared) as replica:
            with pytest.raises(MessageRefused, match="empty"):
                await replica.accept(b"")
            assert shared.commits == []
            with pytest.raises(MessageRefused, match="a newline"):
                await replica.accept(b"1", b"\n", b"3")
            assert shared.commits == [[b"1"]]

    virtualtime.run(play())


# --- lagging


def test_a_reader_ahead_of_a_replica_that_lags_waits_for_it_and_loses_nothing() -> None:
    async def play() -> None:
        shared = Shared()
        async with replica_of(shared) as replica:
            shared.showing.clear()
            await asyncio.sleep(1)
            shared.add(b"1", b"2", b"3")  # by another process, whose reader comes here with what it was given there
            starting = asyncio.ensure_future(replica.start(2))
            await asyncio.sleep(1)
            assert not starting.done()
            shared.showing.set()
            assert await starting == 2
            assert [message.data for message in replica.after(2)] == [b"3"]

    virtualtime.run(play())


def test_who_wants_what_comes_now_gets_nothing_that_was_accepted_before() -> None:
    async def play() -> None:
        shared = Shared()
        async with replica_of(shared) as replica:
            shared.showing.clear()
            await asyncio.sleep(1)
            shared.add(b"1")
            starting = asyncio.ensure_future(replica.start(None))
            await asyncio.sleep(1)
            shared.showing.set()
            assert await starting == 1

    virtualtime.run(play())


def test_a_position_that_nobody_has_given_out_is_unknown() -> None:
    async def play() -> None:
        shared = Shared()
        shared.add(b"1")
        async with replica_of(shared) as replica:
            with pytest.raises(CursorUnknown, match="the cursor is 2 but the newest message is 1"):
                await replica.start(2)

    virtualtime.run(play())


def test_a_replica_that_lags_too_long_says_that_it_does_and_not_that_the_position_is_unknown() -> None:
    async def play() -> None:
        shared = Shared()
        async with replica_of(shared) as replica:
            shared.showing.clear()
            await asyncio.sleep(1)
            shared.add(b"1")
            with pytest.raises(BackplaneUnavailable, match="message 1 has been published but is not here yet"):
                await replica.start(1)

    virtualtime.run(play())


# --- losing


def test_a_loss_is_told_once_and_a_return_once_and_reading_goes_on_where_it_was() -> None:
    async def play() -> None:
        shared = Shared()
        said: list[str] = []
        async with replica_of(shared, said) as replica:
            with replica.cursor() as cursor:
                await replica.accept(b"1")
                assert [message.data for message in await anext(cursor)] == [b"1"]
                shared.lost = True
                await asyncio.sleep(10)
                assert not replica.joined
                with pytest.raises(BackplaneUnavailable):
                    await replica.accept(b"refused")
                assert await replica.start(None) == 1  # for what is here nobody has to be asked
                with pytest.raises(BackplaneUnavailable):  # and not: unknown
                    await replica.start(2)
                assert await replica.newest() == 1
                shared.add(b"2")
                shared.lost = False
                assert [message.data for message in await anext(cursor)] == [b"2"]
                assert await replica.accept(b"3") == 3
        assert said == [
            "the backplane memory is lost, and nothing is published until it is back: gone",
            "the backplane memory is back",
        ]

    virtualtime.run(play())


def test_what_waits_behind_a_message_that_was_not_taken_is_not_taken_either() -> None:
    async def play() -> None:
        shared = Shared()
        async with replica_of(shared) as replica:
            shared.answering.clear()
            publishing = [asyncio.ensure_future(replica.accept(b"%d" % i)) for i in range(3)]
            await asyncio.sleep(0.01)
            shared.lost = True
            shared.answering.set()
            ends = await asyncio.gather(*publishing, return_exceptions=True)
            assert [type(end) for end in ends] == [BackplaneUnavailable] * 3
            shared.lost = False
            await asyncio.sleep(1)
            assert replica.joined
            assert shared.messages == []

    virtualtime.run(play())


@pytest.mark.parametrize(
    ("noticed", "new"),
    [("by losing it", []), ("by losing it", [b"new"]), ("by a gap", [b"new"]), ("by publishing", [])],
)
def test_another_life_is_told_and_ends_the_readers_of_the_one_before(noticed: str, new: list[bytes]) -> None:
    async def play() -> None:
        shared = Shared()
        said: list[str] = []
        async with replica_of(shared, said) as replica:
            await replica.accept(b"old")
            await until_it_has(replica, 1)
            with replica.cursor() as cursor:
                reading = asyncio.ensure_future(anext(cursor))
                await asyncio.sleep(0.01)
                if noticed == "by losing it":
                    shared.lost = True
                    await asyncio.sleep(1)
                shared.begin_anew(b"second", 1000)
                shared.add(*new)
                shared.lost = False
                if noticed == "by publishing":
                    with pytest.raises(BackplaneUnavailable):
                        await replica.accept(b"anything")
                with pytest.raises(CursorTooOld):
                    await reading
            await until_it_has(replica, shared.last_id)
            assert any("has lost messages that it had taken" in line for line in said)
            with pytest.raises(CursorTooOld):
                await replica.start(1)
            last_id = await replica.accept(b"next")
            await until_it_has(replica, last_id)
            assert replica.after(last_id - 1)[0].data == b"next"

    virtualtime.run(play())


def test_one_that_was_asleep_while_messages_were_forgotten_goes_on_behind_them() -> None:
    async def play() -> None:
        shared = Shared()
        said: list[str] = []
        async with replica_of(shared, said) as replica:
            await replica.accept(b"1")
            await until_it_has(replica, 1)
            shared.showing.clear()
            await asyncio.sleep(1)
            shared.add(*[b"x"] * 20)
            del shared.messages[:18]
            shared.showing.set()
            await until_it_has(replica, 21)
            assert [message.id for message in replica.after(18)] == [19, 20, 21]
            with pytest.raises(CursorTooOld):
                await replica.start(1)
        assert said == []

    virtualtime.run(play())


def test_closing_ends_whoever_waits_for_it_without_calling_a_position_unknown() -> None:
    async def play() -> None:
        shared = Shared()
        async with replica_of(shared) as replica:
            shared.showing.clear()
            await asyncio.sleep(1)
            shared.add(b"1")
            starting = asyncio.ensure_future(replica.start(1))
            await asyncio.sleep(0.1)
            replica.close()
            with pytest.raises(BackplaneUnavailable):
                await starting

    virtualtime.run(play())
