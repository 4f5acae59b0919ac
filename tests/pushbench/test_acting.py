"""Acting: who says which message, when, and who waits for an answer before."""

import asyncio
import time
from collections.abc import Callable

from pushbench import message
from pushbench.acting import Acting
from pushbench.part import ALL, Part
from pushbench.rooms import Rooms
from pushbench.schedule import NS, Schedule

SIZE = 100
AT_ONCE = Schedule(rate_hz=1000, warmup_s=0, measure_s=0.012)
"""Twelve messages."""


class Voice:
    def __init__(self) -> None:
        self.said: list[message.Stamp] = []

    def say(self, data: bytes) -> None:
        assert len(data) == SIZE
        self.said.append(message.decode(data))


async def until(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not so():  # noqa: ASYNC110  # voices are called, and tell nobody
            await asyncio.sleep(0.001)


async def until_said(voices: dict[int, Voice], count: int) -> None:
    await until(lambda: sum(len(voice.said) for voice in voices.values()) >= count)


def acting(rooms: Rooms, *, waits: bool, part: Part = ALL, schedule: Schedule = AT_ONCE) -> tuple[Acting, dict[int, Voice]]:
    made = Acting(rooms, part, schedule, waits=waits, payload_bytes=SIZE, payload="filler")
    voices = {number: Voice() for number in range(part.count(rooms.subscribers))}
    made.voices.update(voices)
    return made, voices


def numbers(voices: dict[int, Voice]) -> dict[int, list[int]]:
    return {number: [stamp.seq for stamp in voice.said] for number, voice in voices.items()}


async def test_each_says_its_own_in_turn_and_not_before_it_is_due() -> None:
    act, voices = acting(Rooms(4, 2), waits=False)
    start_ns = time.monotonic_ns() + 1_000_000
    act.start(start_ns, start_ns + 60 * NS, 0)
    await until_said(voices, 12)
    assert numbers(voices) == {0: [0, 4, 8], 1: [1, 5, 9], 2: [2, 6, 10], 3: [3, 7, 11]}
    for voice in voices.values():
        for stamp in voice.said:
            assert stamp.due_ns == start_ns + AT_ONCE.due_ns(stamp.seq)
            assert stamp.sent_ns >= stamp.due_ns
    assert len(act.slip_ns) == 12
    assert min(act.slip_ns) >= 0
    act.stop()


async def test_of_several_processes_each_has_only_its_part_say_something() -> None:
    act, voices = acting(Rooms(4, 2), waits=False, part=Part(1, 2))
    now_ns = time.monotonic_ns()
    act.start(now_ns, now_ns + 60 * NS, 0)
    await until_said(voices, 6)
    assert numbers(voices) == {0: [1, 5, 9], 1: [3, 7, 11]}
    act.stop()


async def test_who_waits_says_the_next_only_when_the_last_was_answered_and_that_is_no_slip_of_the_swarms() -> None:
    act, voices = acting(Rooms(2, 2), waits=True)
    now_ns = time.monotonic_ns()
    act.start(now_ns, now_ns + 60 * NS, 0)
    await until(lambda: sum(map(len, act._due)) == 10)  # all are due, and two of them said
    assert numbers(voices) == {0: [0], 1: [1]}
    assert act.unsaid == {0: 5, 1: 5}
    before_ns = time.monotonic_ns()
    act.answered(0)
    assert numbers(voices) == {0: [0, 2], 1: [1]}
    assert act.slip_ns[-1] <= time.monotonic_ns() - before_ns  # it counts from the answer on, and not from when it was due
    assert act.unsaid == {0: 4, 1: 5}
    act.stop()


async def test_who_comes_late_says_at_once_what_was_due_before() -> None:
    act, voices = acting(Rooms(1, 1), waits=False)
    voice = act.voices.pop(0)
    now_ns = time.monotonic_ns()
    act.start(now_ns, now_ns + 60 * NS, 0)
    await until(lambda: len(act._due[0]) == 12)
    act.appear(0, voice)
    assert numbers(voices) == {0: list(range(12))}
    act.stop()


async def test_what_was_due_while_one_waited_comes_in_order_and_by_its_due_time() -> None:
    act, voices = acting(Rooms(1, 1), waits=True)
    now_ns = time.monotonic_ns()
    act.start(now_ns, now_ns + 60 * NS, 0)
    for count in range(1, 13):
        await until_said(voices, count)
        act.answered(0)
    assert numbers(voices) == {0: list(range(12))}
    assert [stamp.due_ns for stamp in voices[0].said] == [now_ns + AT_ONCE.due_ns(seq) for seq in range(12)]
    act.stop()


async def test_stamps_are_of_the_runs_clock() -> None:
    act, voices = acting(Rooms(1, 1), waits=False)
    now_ns, ahead_ns = time.monotonic_ns(), 5 * NS
    act.start(now_ns, now_ns + 60 * NS, ahead_ns)
    await until_said(voices, 1)
    assert voices[0].said[0].due_ns == now_ns - ahead_ns
    act.stop()


async def test_behind_the_end_nothing_is_said_any_more() -> None:
    act, voices = acting(Rooms(1, 1), waits=True)
    now_ns = time.monotonic_ns()
    act.start(now_ns, now_ns, 0)
    act.answered(0)
    act._fall_due([1, 2])
    assert numbers(voices) == {0: []}
    act.stop()


async def test_who_has_gone_says_nothing_and_holds_up_nobody() -> None:
    act, voices = acting(Rooms(2, 1), waits=False)
    del act.voices[0]
    now_ns = time.monotonic_ns()
    act.start(now_ns, now_ns + 60 * NS, 0)
    await until_said(voices, 6)
    assert numbers(voices) == {0: [], 1: [1, 3, 5, 7, 9, 11]}
    act.stop()
