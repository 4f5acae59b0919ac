"""The hub: its bounds, its cursors, and who is woken when."""

import asyncio
import gc
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest
from hypothesis import given, strategies as st

from servers.hub import (
    BATCH_BYTES,
    CALLED_AT_ONCE,
    Cursor,
    CursorGone,
    CursorInvalid,
    CursorTooOld,
    CursorUnknown,
    Hub,
    Message,
    MessageRefused,
    MessageTooLarge,
    parse_position,
)
from tests import virtualtime

LOG_MESSAGES = 5
LOG_BYTES = 40
MESSAGE_BYTES = 16


def small_hub() -> Hub:
    return Hub(log_messages=LOG_MESSAGES, log_bytes=LOG_BYTES, max_message_bytes=MESSAGE_BYTES)


def data(messages: list[Message]) -> list[bytes]:
    return [message.data for message in messages]


# --- publishing


def test_ids_start_at_1_and_are_consecutive() -> None:
    hub = Hub()
    assert hub.last_id == 0
    assert [hub.publish(b"x") for _ in range(3)] == [1, 2, 3]
    assert hub.last_id == 3


def test_a_message_has_its_bytes_and_its_text() -> None:
    hub = Hub()
    hub.publish("Ελλάδα 👋".encode())
    (message,) = hub.after(0)
    assert (message.id, message.data, message.text) == (1, "Ελλάδα 👋".encode(), "Ελλάδα 👋")


@pytest.mark.parametrize(
    ("refused", "kind", "says"),
    [
        (b"", MessageRefused, "empty"),
        (b"ab\ncd", MessageRefused, "a newline at byte 2"),
        (b"ab\rcd", MessageRefused, "a carriage return at byte 2"),
        (b"ab\0cd", MessageRefused, "a NUL at byte 2"),
        (b"ab\xff", MessageRefused, "byte 2 of the message is not UTF-8"),
        (b"\xed\xa0\x80", MessageRefused, "byte 0 of the message is not UTF-8"),  # a surrogate
        (b"x" * (MESSAGE_BYTES + 1), MessageTooLarge, "17 bytes; at most 16"),
    ],
)
def test_what_is_refused_says_why_and_takes_no_id(refused: bytes, kind: type[MessageRefused], says: str) -> None:
    hub = small_hub()
    with pytest.raises(kind, match=says):
        hub.publish(refused)
    assert hub.last_id == 0
    assert hub.publish(b"x" * MESSAGE_BYTES) == 1


async def test_messages_are_accepted_in_their_order_up_to_the_one_that_is_refused() -> None:
    hub = small_hub()
    assert await hub.accept(b"1", b"2") == 2
    with pytest.raises(MessageRefused, match="empty"):
        await hub.accept(b"3", b"", b"5")
    assert data(hub.after(0)) == [b"1", b"2", b"3"]
    assert await hub.newest() == 3


@pytest.mark.parametrize("bounds", [{"log_messages": 0}, {"log_bytes": 99, "max_message_bytes": 100}])
def test_a_log_that_cannot_hold_one_message_is_refused(bounds: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must hold at least one message"):
        Hub(**bounds)


# --- the log's bounds


def test_the_log_is_bounded_by_messages() -> None:
    hub = small_hub()
    for i in range(LOG_MESSAGES + 1):
        hub.publish(b"%d" % i)
    assert data(hub.after(1)) == [b"1", b"2", b"3", b"4", b"5"]
    with pytest.raises(CursorTooOld, match="message 1 is no longer kept, the oldest kept is 2"):
        hub.after(0)


def test_the_log_is_bounded_by_bytes() -> None:
    hub = small_hub()
    for size in (15, 15, 10):
        hub.publish(b"x" * size)
    assert len(hub.after(0)) == 3  # 40 bytes: just room enough
    hub.publish(b"y")
    assert data(hub.after(1)) == [b"x" * 15, b"x" * 10, b"y"]
    with pytest.raises(CursorTooOld):
        hub.after(0)


def test_readers_that_do_not_read_keep_no_message_alive() -> None:
    """A connection costs a cursor, not a queue: however far it lags, the log is all that is held."""

    def alive() -> int:
        gc.collect()
        return sum(isinstance(each, Message) for each in gc.get_objects())

    before = alive()
    hub = Hub(log_messages=10)
    cursors = [hub.cursor() for _ in range(20)]
    for cursor in cursors:
        cursor.__enter__()
    for _ in range(1000):
        hub.publish(b"x")
    assert alive() - before == 10
    for cursor in cursors:
        cursor.__exit__(None, None, None)


def test_a_batch_ends_with_the_message_that_reaches_its_limit() -> None:
    hub = Hub()
    for _ in range(5):
        hub.publish(b"x" * 10)
    assert len(hub.after(0, limit_bytes=20)) == 2
    assert len(hub.after(0, limit_bytes=21)) == 3
    assert len(hub.after(0, limit_bytes=1)) == 1  # never none, or a reader would not get on


async def test_a_reader_that_is_late_gets_batches_of_limited_size() -> None:
    hub = Hub(max_message_bytes=BATCH_BYTES)
    with hub.cursor() as cursor:
        for size in (BATCH_BYTES - 1, 1, 1):
            hub.publish(b"x" * size)
        assert [len(message.data) for message in await anext(cursor)] == [BATCH_BYTES - 1, 1]
        assert [len(message.data) for message in await anext(cursor)] == [1]


# --- cursors


async def test_a_cursor_without_a_position_starts_with_the_next_message() -> None:
    hub = Hub()
    hub.publish(b"before")
    with hub.cursor() as cursor:
        hub.publish(b"after")
        assert data(await anext(cursor)) == [b"after"]
        assert cursor.position == 2


async def test_a_cursor_with_a_position_starts_after_it() -> None:
    hub = Hub()
    for each in (b"1", b"2", b"3"):
        hub.publish(each)
    with hub.cursor(1) as cursor:
        assert data(await anext(cursor)) == [b"2", b"3"]


async def test_a_reader_that_fell_off_the_log_is_told_when_it_reads_on() -> None:
    hub = small_hub()
    with hub.cursor() as cursor:
        for _ in range(LOG_MESSAGES + 1):
            hub.publish(b"x")
        with pytest.raises(CursorTooOld):
            await anext(cursor)


async def test_a_position_ahead_of_the_log_is_of_another_life() -> None:
    hub = Hub()
    hub.publish(b"x")
    hub.check(1)
    with pytest.raises(CursorUnknown, match="the cursor is 2 but the newest message is 1"):
        hub.check(2)
    with hub.cursor(2) as cursor, pytest.raises(CursorUnknown):
        await anext(cursor)


async def test_a_reader_starts_behind_its_position_or_with_what_comes_or_is_refused() -> None:
    hub = small_hub()
    for _ in range(LOG_MESSAGES + 1):
        hub.publish(b"x")
    assert await hub.start(None) == LOG_MESSAGES + 1
    assert await hub.start(1) == 1
    with pytest.raises(CursorTooOld):
        await hub.start(0)
    with pytest.raises(CursorUnknown):
        await hub.start(LOG_MESSAGES + 2)


async def test_what_was_forgotten_is_told_to_those_who_wait_and_those_who_come() -> None:
    hub = Hub()
    hub.publish(b"x")
    with hub.cursor() as cursor:
        reading = asyncio.ensure_future(anext(cursor))
        await asyncio.sleep(0)
        hub.forget(100)
        with pytest.raises(CursorTooOld, match="message 2 is no longer kept, the oldest kept is 101"):
            await reading
    with pytest.raises(CursorTooOld):
        hub.after(0)
    assert hub.after(100) == []
    assert hub.publish(b"y") == 101


async def test_messages_that_have_their_ids_wake_those_who_wait() -> None:
    hub = Hub()
    with hub.cursor() as cursor:
        reading = asyncio.ensure_future(anext(cursor))
        await asyncio.sleep(0)
        hub.restore([(1, b"1"), (2, b"2")])
        assert data(await reading) == [b"1", b"2"]


def test_both_ways_of_being_gone_are_one_kind_of_refusal() -> None:
    assert issubclass(CursorTooOld, CursorGone)
    assert issubclass(CursorUnknown, CursorGone)
    assert CursorTooOld.name == "cursor_too_old"
    assert CursorUnknown.name == "cursor_unknown"


def test_only_entered_cursors_are_counted() -> None:
    hub = Hub()
    cursor = hub.cursor()
    assert hub.cursors == 0
    with cursor, hub.cursor():
        assert hub.cursors == 2
    assert hub.cursors == 0


@pytest.mark.parametrize(
    ("text", "position"), [("0", 0), ("17", 17), ('"17"', 17), (' W/"17" ', 17), ("9" * 18, 10**18 - 1)]
)
def test_a_position_is_a_number_quoted_or_not(text: str, position: int) -> None:
    assert parse_position(text) == position


@pytest.mark.parametrize("text", ["", '""', "-1", "+1", "1.5", "1e3", "0x1", "*", '"1", "2"', "١", "²", "9" * 19, "1_000"])
def test_anything_else_is_no_position(text: str) -> None:
    with pytest.raises(CursorInvalid, match="is no cursor"):
        parse_position(text)


# --- waiting


async def waiting_readers(hub: Hub, count: int, got: list[int]) -> list[asyncio.Task[None]]:
    """`count` tasks that wait for one batch each, begun in order; they append their numbers when they are woken."""

    async def read(number: int) -> None:
        with hub.cursor() as cursor:
            await anext(cursor)
            got.append(number)

    tasks = []
    for number in range(count):
        tasks.append(asyncio.ensure_future(read(number)))
        await asyncio.sleep(0)
    assert hub.cursors == count
    return tasks


async def test_waiters_are_woken_in_the_order_in_which_they_came() -> None:
    hub = Hub()
    got: list[int] = []
    tasks = await waiting_readers(hub, 50, got)
    hub.publish(b"x")
    await asyncio.gather(*tasks)
    assert got == list(range(50))


async def test_cancelling_one_reader_leaves_the_others_waiting() -> None:
    hub = Hub()
    got: list[int] = []
    tasks = await waiting_readers(hub, 3, got)
    tasks[1].cancel()
    await asyncio.wait({tasks[1]})
    assert [task.done() for task in tasks] == [False, True, False]
    assert hub.cursors == 2
    hub.publish(b"x")
    await asyncio.gather(tasks[0], tasks[2])
    assert got == [0, 2]


async def test_a_reader_that_is_cancelled_just_as_it_is_woken_harms_nobody() -> None:
    hub = Hub()
    got: list[int] = []
    tasks = await waiting_readers(hub, 3, got)
    hub.publish(b"x")
    tasks[0].cancel()
    await asyncio.wait(tasks)
    assert tasks[0].cancelled()
    assert got == [1, 2]
    assert hub.cursors == 0


async def test_what_is_published_while_a_reader_is_being_woken_comes_with_it() -> None:
    hub = Hub()
    with hub.cursor() as cursor:
        reading = asyncio.ensure_future(anext(cursor))
        await asyncio.sleep(0)
        hub.publish(b"1")
        hub.publish(b"2")
        assert data(await reading) == [b"1", b"2"]


async def test_closing_ends_every_reader_those_that_wait_and_those_to_come() -> None:
    hub = Hub()

    async def read_all(cursor: Cursor) -> list[bytes]:
        with cursor:
            return [message.data async for messages in cursor for message in messages]

    waiting = [asyncio.ensure_future(read_all(hub.cursor())) for _ in range(3)]
    await asyncio.sleep(0)
    hub.close()
    assert hub.closed
    assert await asyncio.gather(*waiting) == [[], [], []]
    assert await read_all(hub.cursor()) == []
    assert hub.cursors == 0


async def test_a_cursor_that_is_woken_hands_out_an_empty_list_once() -> None:
    hub = Hub()
    with hub.cursor() as cursor:
        cursor.wake()
        assert await anext(cursor) == []
        reading = asyncio.ensure_future(anext(cursor))
        await asyncio.sleep(0)
        assert not reading.done()
        cursor.wake()
        assert await reading == []


def test_a_cursor_that_wakes_hands_out_an_empty_list_at_each_interval() -> None:
    async def read() -> list[tuple[float, list[bytes]]]:
        hub, loop = Hub(), asyncio.get_running_loop()
        loop.call_later(25, hub.publish, b"x")
        loop.call_later(45, hub.close)
        with hub.cursor(wake_every_s=10) as cursor:
            return [(loop.time(), data(messages)) async for messages in cursor]

    assert virtualtime.run(read()) == [(10, []), (20, []), (25, [b"x"]), (30, []), (40, [])]


def test_a_cursor_that_does_not_wake_waits_for_a_message() -> None:
    async def read() -> list[tuple[float, list[bytes]]]:
        hub, loop = Hub(), asyncio.get_running_loop()
        loop.call_later(10_000, hub.publish, b"x")
        loop.call_later(20_000, hub.close)
        with hub.cursor() as cursor:
            return [(loop.time(), data(messages)) async for messages in cursor]

    assert virtualtime.run(read()) == [(10_000, [b"x"])]


def test_a_cursor_that_was_left_wakes_no_more() -> None:
    async def leave() -> None:
        with Hub().cursor(wake_every_s=1):
            pass
        await asyncio.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="nothing will ever happen"):
        virtualtime.run(leave())


# --- any interleaving


def kept(published: list[bytes]) -> int:
    """How many of the newest messages the log's bounds leave room for."""
    count = size = 0
    for message in reversed(published):
        if count == LOG_MESSAGES or size + len(message) > LOG_BYTES:
            break
        count, size = count + 1, size + len(message)
    return count


PUBLISH = st.integers(1, MESSAGE_BYTES).map(lambda size: ("publish", size))
READ = st.integers(0, 3).map(lambda reader: ("read", reader))


@given(st.lists(st.one_of(PUBLISH, READ), max_size=60))
def test_whatever_the_order_of_publishing_and_reading_a_reader_gets_all_in_order_or_is_told(
    steps: list[tuple[str, int]],
) -> None:
    async def play() -> None:
        hub = small_hub()
        published: list[bytes] = []
        cursors = {number: hub.cursor() for number in range(4)}
        for step, argument in steps:
            if step == "publish":
                published.append(bytes([ord("a") + len(published) % 26]) * argument)
                assert hub.publish(published[-1]) == len(published)
            elif argument in cursors:
                cursor = cursors[argument]
                position = cursor.position
                cursor.wake()
                if position < len(published) - kept(published):
                    with pytest.raises(CursorTooOld):
                        await anext(cursor)
                    del cursors[argument]
                else:
                    got = data(await anext(cursor))
                    assert got == published[position : position + len(got)]
                    assert got or position == len(published)
                    assert cursor.position == position + len(got)

    asyncio.run(play())


TURN = st.just(("turn", 0))
CANCEL = st.integers(0, 3).map(lambda reader: ("cancel", reader))


@given(st.lists(st.one_of(PUBLISH, TURN, CANCEL), max_size=60))
def test_readers_that_run_beside_the_publisher_and_leave_at_any_time_get_an_unbroken_sequence(
    steps: list[tuple[str, int]],
) -> None:
    async def play() -> None:
        hub = small_hub()
        published: list[bytes] = []
        got: list[list[bytes]] = [[] for _ in range(4)]
        left: set[int] = set()

        async def read(number: int) -> None:
            with hub.cursor(0) as cursor:
                async for messages in cursor:
                    got[number] += data(messages)

        readers = [asyncio.ensure_future(read(number)) for number in range(4)]
        for step, argument in steps:
            if step == "publish":
                published.append(b"%03d" % len(published) + b"x" * (argument - 3))
                hub.publish(published[-1])
            elif step == "cancel":
                readers[argument].cancel()
                left.add(argument)
            else:
                await asyncio.sleep(0)
        for _ in range(len(published) + 3):  # turns enough for all to read to the end
            await asyncio.sleep(0)
        hub.close()
        ends = await asyncio.gather(*readers, return_exceptions=True)
        for number, (end, taken) in enumerate(zip(ends, got, strict=True)):
            assert taken == published[: len(taken)]
            if end is None:
                assert taken == published
            else:
                assert isinstance(end, CursorTooOld | asyncio.CancelledError)
                assert number in left or isinstance(end, CursorTooOld)
        assert hub.cursors == 0

    asyncio.run(play())


# --- followers


async def test_followers_are_called_in_rounds_and_what_comes_meanwhile_is_taken_together() -> None:
    hub = Hub()
    taken: list[list[bytes]] = []
    with ExitStack() as stack:
        cursors = [stack.enter_context(hub.cursor()) for _ in range(CALLED_AT_ONCE + 1)]

        def look() -> None:
            if messages := first.take():
                taken.append(data(messages))
                if len(taken) == 1:  # the round is under way
                    hub.publish(b"b")
                    hub.publish(b"c")

        first = cursors[0]
        first.follow(look)
        late: list[list[bytes]] = []
        for cursor in cursors[1:]:
            cursor.follow(partial(lambda one: late.append(data(one.take() or [])), cursor))
        hub.publish(b"a")
        for _ in range(6):
            await asyncio.sleep(0)
        assert taken == [[b"a"], [b"b", b"c"]]
        assert [each for each in late if each] == [[b"a", b"b", b"c"]] * CALLED_AT_ONCE


async def test_between_some_followers_and_the_next_the_loop_has_its_turn() -> None:
    hub = Hub()
    called: list[str] = []
    with ExitStack() as stack:
        for _ in range(2 * CALLED_AT_ONCE):
            stack.enter_context(hub.cursor()).follow(lambda: called.append("follower"))
        hub.publish(b"a")
        asyncio.get_running_loop().call_soon(called.append, "other")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert called.index("other") == CALLED_AT_ONCE


async def test_whatever_is_published_at_once_each_follower_is_called_once_for_all_of_it() -> None:
    hub = Hub()
    calls: list[int] = []
    with ExitStack() as stack:
        for number in range(CALLED_AT_ONCE + 1):
            stack.enter_context(hub.cursor()).follow(partial(calls.append, number))
        for _ in range(10):
            hub.publish(b"a")
        await asyncio.sleep(0)
        assert len(calls) == CALLED_AT_ONCE  # and not so many for each message
        for _ in range(10):
            await asyncio.sleep(0)
        assert calls == list(range(CALLED_AT_ONCE + 1))


async def test_who_has_left_follows_no_more() -> None:
    hub = Hub()
    called: list[int] = []
    with hub.cursor() as one, hub.cursor() as other:
        one.follow(lambda: called.append(1))
        other.follow(lambda: called.append(2))
        one.follow(None)
        hub.publish(b"a")
        await asyncio.sleep(0)
        assert called == [2]
    hub.publish(b"b")
    await asyncio.sleep(0)
    assert called == [2]
