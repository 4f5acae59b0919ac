"""What a swarm writes down: for each delivery who, which message, when. Nothing else happens in the hot path.

What is made of it, the ledger, the histograms and the time line, is made when the trial is over.
"""

import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pushbench import message


@dataclass(frozen=True, slots=True)
class Observations:
    """All deliveries of a swarm in the order in which they came; three arrays of one length, int64."""

    subscriber: NDArray[np.int64]
    """Which subscriber, counted from 0."""
    seq: NDArray[np.int64]
    """Which message."""
    received_ns: NDArray[np.int64]
    """When, by CLOCK_MONOTONIC."""
    stamps: dict[int, message.Stamp]
    """For each message that came at all: what it says of itself."""
    coalesced: int
    """How many deliveries came in one response behind another one."""

    def stamp_ns(self, field: str) -> NDArray[np.int64]:
        """`due_ns` or `sent_ns` of each delivery's message."""
        table = np.zeros(max(self.stamps, default=0) + 1, dtype=np.int64)
        for seq, stamp in self.stamps.items():
            table[seq] = getattr(stamp, field)
        return table[self.seq]


class Recorder:
    """Hands out one recording function for each subscriber."""

    def __init__(self) -> None:
        self._subscriber: list[int] = []  # to append to a list what is there already takes half of what an array takes
        self._seq: list[int] = []
        self._received_ns = array("q")
        self._stamps: dict[int, message.Stamp] = {}
        self._record = self._recording()

    def __len__(self) -> int:
        return len(self._seq)

    def sink(self, subscriber: int) -> Callable[[list[bytes]], None]:
        """The function to which this subscriber's messages are handed. It raises ValueError for a foreign message."""
        # One function for all: what thousands of subscribers have each of their own, and use in turn, is in no cache.
        return partial(self._record, subscriber)

    def know(self, seq: int, stamp: message.Stamp) -> None:
        """What a message says of itself that is noted by its number."""
        self._stamps[seq] = stamp

    def note(self, subscriber: int, seq: int, received_ns: int) -> None:
        """A delivery that somebody else has seen, of a message that is known."""
        self._subscriber.append(subscriber)
        self._seq.append(seq)
        self._received_ns.append(received_ns)

    def _recording(self) -> Callable[[int, list[bytes]], None]:
        note_subscriber = self._subscriber.append
        note_seq = self._seq.append
        note_received = self._received_ns.append
        stamps = self._stamps
        numbers: dict[bytes, int] = {}  # by their digits: to look a number up costs a third of what reading it does
        digits = message.SEQ
        now = time.monotonic_ns

        latest: list[bytes] = []  # what was handed over last and was one message; clients hand the same list to many
        latest_seq = -1

        def record(subscriber: int, messages: list[bytes]) -> None:
            nonlocal latest, latest_seq
            received_ns = now()
            if messages is latest:
                note_subscriber(subscriber)
                note_seq(latest_seq)
                note_received(received_ns)
                return
            for data in messages:
                seq = numbers.get(data[digits])
                if seq is None:  # all subscribers get the same bytes: once is enough
                    stamp = message.decode(data)
                    seq = numbers[data[digits]] = stamp.seq
                    stamps[seq] = stamp
                note_subscriber(subscriber)
                note_seq(seq)
                note_received(received_ns)
            if len(messages) == 1:
                latest, latest_seq = messages, self._seq[-1]

        return record

    def latest_ms(self, count: int) -> NDArray[np.float64]:
        """The due-time latencies of the last `count` deliveries, in milliseconds, for a live display."""
        begin = len(self._seq) - count
        seqs = self._seq[begin:]
        received = self._received_ns[begin:]
        due = [self._stamps[seq].due_ns for seq in seqs]
        return (np.array(received, dtype=np.int64) - np.array(due, dtype=np.int64)) / 1e6

    def observations(self) -> Observations:
        """What was recorded so far."""
        subscriber, received_ns = np.array(self._subscriber, dtype=np.int64), np.array(self._received_ns, dtype=np.int64)
        together = (np.diff(subscriber) == 0) & (np.diff(received_ns) == 0)  # no two calls have the same nanosecond
        return Observations(
            subscriber,
            np.array(self._seq, dtype=np.int64),
            received_ns,
            dict(self._stamps),
            int(np.count_nonzero(together)),
        )
