"""Those in step: whoever has room gets everything once and in order, whoever comes, is full, and leaves meanwhile."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings, strategies as st

from servers import hub as hubs, instep
from servers.hub import CursorTooOld, Hub, Message
from servers.pump import Pump

AT_ONCE = 2
LOG = 6


@pytest.fixture(autouse=True, scope="module")
def _few_at_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(instep, "CALLED_AT_ONCE", AT_ONCE)
        patch.setattr(hubs, "CALLED_AT_ONCE", AT_ONCE)
        yield


def numbers(messages: list[Message]) -> bytes:
    return b"".join(message.data + b" " for message in messages) or b"beat "


class Reader:
    """A connection that takes so many writes before it is full, and what it was written."""

    def __init__(self, hub: Hub, room: int = 1_000_000) -> None:
        self.hub = hub
        self.room = room
        self.first = 1
        self.written: list[bytes] = []
        self.end: BaseException | None = None
        self.task = asyncio.ensure_future(self._read())
        self.pump: Pump | None = None

    async def _read(self) -> None:
        with self.hub.cursor() as cursor:
            self.first = cursor.position + 1
            self.pump = Pump(cursor, numbers, self._write, full=False)
            cursor.follow(self.pump.look)
            self.pump.look()
            try:
                await self.pump.over
            except CursorTooOld as gone:
                self.end = gone
            finally:
                self.pump.stop()

    def _write(self, data: bytes) -> None:
        self.written.append(data)
        self.room -= 1
        if self.room <= 0:
            assert self.pump
            self.pump.pause()

    def make_room(self, room: int = 1_000_000) -> None:
        self.room = room
        if self.pump and not self.pump.over.done():
            self.pump.full = False
            self.pump.look()

    @property
    def got(self) -> list[int]:
        return [int(word) for word in b"".join(self.written).split() if word != b"beat"]


async def turns(count: int = 1) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def end(*readers: Reader) -> None:
    for reader in readers:
        reader.task.cancel()
    await asyncio.wait([reader.task for reader in readers])


async def test_they_share_one_cursor_and_each_is_written_to_once() -> None:
    hub = Hub()
    readers = [Reader(hub) for _ in range(5)]
    await turns()
    assert len(hub._followers) == 1
    hub.publish(b"1")
    hub.publish(b"2")
    await turns(4)
    assert [reader.written for reader in readers] == [[b"1 2 "]] * 5
    await end(*readers)
    assert not hub._followers


async def test_between_a_few_and_the_next_the_loop_has_its_turn_and_what_comes_meanwhile_waits() -> None:
    hub = Hub()
    readers = [Reader(hub) for _ in range(5)]
    await turns()
    hub.publish(b"1")
    told = []
    for _ in range(3):
        await turns()
        told.append(sum(bool(reader.written) for reader in readers))
        hub.publish(b"9")
    await turns(5)
    assert told == [2, 4, 5]
    assert [reader.written for reader in readers] == [[b"1 ", b"9 9 ", b"9 "]] * 5
    await end(*readers)


async def test_who_steps_out_in_the_middle_of_a_round_goes_on_from_where_it_is() -> None:
    hub = Hub()
    readers = [Reader(hub) for _ in range(5)]
    await turns()
    hub.publish(b"1")
    await turns()  # in which the first two are written to
    for reader in readers[1:4]:
        assert reader.pump
        reader.pump.pause()  # something else has filled it
    await turns(5)
    assert [reader.got for reader in readers] == [[1], [1], [], [], [1]]
    hub.publish(b"2")
    await turns(5)
    for reader in readers[1:4]:
        reader.make_room()
    assert [reader.got for reader in readers] == [[1, 2]] * 5
    hub.publish(b"3")
    await turns(5)
    assert [reader.got for reader in readers] == [[1, 2, 3]] * 5
    assert len(hub._followers) == 1  # all are in step again
    await end(*readers)


async def test_a_heartbeat_is_for_the_one_whose_time_it_is() -> None:
    hub = Hub()
    one, other = Reader(hub), Reader(hub)
    await turns()
    assert one.pump
    one.pump._cursor.wake()
    assert (one.written, other.written) == ([b"beat "], [])
    await end(one, other)


async def test_when_the_position_of_all_is_gone_each_is_told() -> None:
    hub = Hub()
    readers = [Reader(hub) for _ in range(3)]
    await turns()
    hub.forget(10)
    await turns(5)
    assert all(isinstance(reader.end, CursorTooOld) for reader in readers)


async def test_one_whose_connection_is_closed_keeps_nothing_from_the_others() -> None:
    hub = Hub()
    readers = [Reader(hub) for _ in range(3)]
    await turns()

    def closed(data: bytes) -> None:
        raise RuntimeError("the handler is closed")

    [group] = hub._together.values()
    assert isinstance(group, instep.InStep)
    group._members[next(iter(group._members))] = closed
    hub.publish(b"1")
    await turns(4)
    assert [reader.written for reader in readers] == [[], [b"1 "], [b"1 "]]
    await end(*readers)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.integers(1, 3)),
        st.tuples(st.just("turn"), st.integers(1, 3)),
        st.tuples(st.just("come"), st.integers(1, 4)),
        st.tuples(st.just("leave"), st.integers(0, 20)),
        st.tuples(st.just("room"), st.integers(0, 20)),
        st.tuples(st.just("beat"), st.integers(0, 20)),
        st.tuples(st.just("ping"), st.integers(0, 20)),
    ),
    max_size=40,
)


@settings(max_examples=150)
@given(STEPS)
def test_whatever_happens_everybody_gets_an_unbroken_sequence_or_is_told(steps: list[tuple[str, int]]) -> None:
    async def play() -> None:
        hub = Hub(log_messages=LOG)
        readers = [Reader(hub) for _ in range(3)]
        gone: list[Reader] = []
        for what, number in steps:
            chosen = readers[number % len(readers)] if readers else None
            if what == "publish":
                for _ in range(number):
                    hub.publish(b"%d" % (hub.last_id + 1))
            elif what == "turn":
                await turns(number)
            elif what == "come":
                readers.append(Reader(hub, room=number))
            elif chosen and what == "leave":
                readers.remove(chosen)
                gone.append(chosen)
                chosen.task.cancel()
            elif chosen and what == "room":
                chosen.make_room(number % 3 + 1)
            elif chosen and what == "beat" and chosen.pump and not chosen.pump.over.done():
                chosen.pump._cursor.wake()
            elif chosen and what == "ping" and chosen.pump and not chosen.pump.over.done():
                chosen.pump.pause()  # something else has filled it
        for reader in readers:
            reader.make_room()
        await turns(4 * len(readers) + 8)
        for reader in (*readers, *gone):
            assert reader.got == list(range(reader.first, reader.first + len(reader.got)))
        for reader in readers:
            assert reader.end or reader.first + len(reader.got) == hub.last_id + 1
        hub.close()
        await turns(4 * len(readers) + 8)
        assert all(reader.task.done() for reader in readers)
        for reader in gone:
            with suppress(asyncio.CancelledError):
                await reader.task
        assert not hub._followers
        assert hub.cursors == 0

    asyncio.run(play())
