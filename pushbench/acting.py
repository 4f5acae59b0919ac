"""Acting: the subscribers of a swarm say the messages of a schedule themselves, each at its moment.

Open loop: when a message is due is fixed before the trial. But whoever has to wait for the answer to what it said last
says the next one only then, as a person would, and what that costs is in the latency. Moments are kept by a thread that
sleeps in the kernel, as the publisher does: an event loop's timers have a grain of 1 ms.

It knows whose turn it is. How something is said, and what is heard, is not known here.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Protocol

from pushbench import envelope, message, padding
from pushbench.part import Part
from pushbench.rooms import Rooms
from pushbench.schedule import NS, Schedule

LOOK_EVERY_S = 0.1
"""How often a thread that sleeps looks whether it is still wanted."""


class Voice(Protocol):
    """By which somebody says something."""

    def say(self, data: bytes) -> None:
        """Say it."""


class Acting:
    """Those of a part of the subscribers, and what each is about to say."""

    def __init__(
        self,
        rooms: Rooms,
        part: Part,
        schedule: Schedule,
        *,
        waits: bool,
        payload_bytes: int,
        payload: str,
        template: str = "",
    ) -> None:
        """`waits`: nobody says anything before `answered` was called for what it said last. `template`: what a message is
        inside of (`envelope`)."""
        self._rooms, self._part, self._schedule, self._waits = rooms, part, schedule, waits
        self._payload_bytes = payload_bytes
        self._pads = padding.pads(payload, payload_bytes - message.FRAME_BYTES)
        self._wrap = envelope.wrapping(template) if template else _as_it_is
        count = part.count(rooms.subscribers)
        self._due: list[deque[int]] = [deque() for _ in range(count)]
        self._busy = [False] * count
        self._free_ns = [0] * count
        self._said = [0] * count
        self._start_ns = self._until_ns = self._offset_ns = 0
        self._over = threading.Event()
        self.voices: dict[int, Voice] = {}
        """Of those that are there, by their numbers here; what is due for another is never said."""
        self.slip_ns: list[int] = []
        """For each message that was said, how much later it was than its one could have said it: when it was due, or when
        that one was free again."""

    def start(self, start_ns: int, until_ns: int, offset_ns: int) -> None:
        """The schedule begins at that moment; behind `until_ns` nothing is said. Both are of this host's clock, which is by
        `offset_ns` ahead of the run's, by which messages are stamped."""
        self._start_ns, self._until_ns, self._offset_ns = start_ns, until_ns, offset_ns
        keep_time = _Metronome(self._moments(), self._fall_due, self._over)
        threading.Thread(target=keep_time.run, daemon=True).start()

    def stop(self) -> None:
        """Say nothing more."""
        self._over.set()

    def appear(self, number: int, voice: Voice) -> None:
        """That one can say something from now on, by that."""
        self.voices[number] = voice
        self._say(number)

    @property
    def unsaid(self) -> dict[int, int]:
        """How many of its messages each never came to say, by its number among all, because it waited for an answer, or had
        gone; nobody who has said all."""
        numbers = self._part.numbers(self._rooms.subscribers)
        left = {
            who: len(self._rooms.said_by(who, self._schedule.count)) - self._said[here] for here, who in enumerate(numbers)
        }
        return {who: count for who, count in left.items() if count}

    def answered(self, number: int) -> None:
        """What that one has said was answered."""
        self._busy[number] = False
        self._free_ns[number] = time.monotonic_ns()
        self._say(number)

    def _moments(self) -> Iterator[tuple[int, int]]:
        for seq in self._rooms.in_turn(self._part, self._schedule.count):
            yield self._start_ns + self._schedule.due_ns(seq), seq

    def _fall_due(self, seqs: list[int]) -> None:
        numbers = [self._part.here(seq % self._rooms.subscribers) for seq in seqs]
        for number, seq in zip(numbers, seqs, strict=True):
            self._due[number].append(seq)
        for number in dict.fromkeys(numbers):
            self._say(number)

    def _say(self, number: int) -> None:
        due, voice = self._due[number], self.voices.get(number)
        while due and voice and not self._busy[number]:
            now_ns = time.monotonic_ns()
            if now_ns > self._until_ns or self._over.is_set():
                due.clear()
                return
            seq = due.popleft()
            due_ns = self._start_ns + self._schedule.due_ns(seq)
            self._said[number] += 1
            self.slip_ns.append(now_ns - max(due_ns, self._free_ns[number]))
            self._busy[number] = self._waits
            stamps = due_ns - self._offset_ns, now_ns - self._offset_ns
            voice.say(self._wrap(message.encode(seq, *stamps, self._payload_bytes, self._pads)))


def _as_it_is(data: bytes) -> bytes:
    return data


class _Metronome:
    """Has a loop do something at moments, all at once that are due together."""

    def __init__(self, moments: Iterator[tuple[int, int]], fall_due: "_FallDue", over: threading.Event) -> None:
        """`moments` are of CLOCK_MONOTONIC, ascending, each with what is due then."""
        self._moments, self._fall_due, self._over = moments, fall_due, over
        self._loop = asyncio.get_running_loop()

    def run(self) -> None:
        upcoming = next(self._moments, None)
        while upcoming and not self._over.is_set():
            left_ns = upcoming[0] - time.monotonic_ns()
            if left_ns > 0:
                time.sleep(min(left_ns / NS, LOOK_EVERY_S))
                continue
            now_ns, together = time.monotonic_ns(), []
            while upcoming and upcoming[0] <= now_ns:
                together.append(upcoming[1])
                upcoming = next(self._moments, None)
            if self._loop.is_closed():
                return
            self._loop.call_soon_threadsafe(self._fall_due, together)


class _FallDue(Protocol):
    def __call__(self, seqs: list[int], /) -> None: ...
