"""What a swarm writes down: for each delivery who, which message, when. Nothing else happens in the hot path.

What is made of it, the ledger, the histograms and the time line, is made when the trial is over.
"""

import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass

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
        self._subscriber = array("q")
        self._seq = array("q")
        self._received_ns = array("q")
        self._stamps: dict[int, message.Stamp] = {}
        self._coalesced = 0

    def __len__(self) -> int:
        return len(self._seq)

    def sink(self, subscriber: int) -> Callable[[list[bytes]], None]:
        """The function to which this subscriber's messages are handed. It raises ValueError for a foreign message."""
        note_subscriber = self._subscriber.append
        note_seq = self._seq.append
        note_received = self._received_ns.append
        stamps = self._stamps
        sequence = message.sequence
        now = time.monotonic_ns

        def record(messages: list[bytes]) -> None:
            received_ns = now()
            for data in messages:
                seq = sequence(data)
                if seq not in stamps:  # all subscribers get the same bytes: once is enough
                    stamps[seq] = message.decode(data)
                note_subscriber(subscriber)
                note_seq(seq)
                note_received(received_ns)
            if len(messages) > 1:
                self._coalesced += len(messages) - 1

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
        return Observations(
            np.array(self._subscriber, dtype=np.int64),
            np.array(self._seq, dtype=np.int64),
            np.array(self._received_ns, dtype=np.int64),
            dict(self._stamps),
            self._coalesced,
        )
