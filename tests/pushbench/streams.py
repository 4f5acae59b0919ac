"""Random streams of deliveries, as a swarm may have recorded them: with losses, duplicates, reordering and batches."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

INTERVAL_NS = 10_000_000


@dataclass(frozen=True, slots=True)
class Stream:
    """Deliveries in the order of arrival. Message i is due i × 10 ms after the start."""

    subscribers: int
    messages: int
    deliveries: list[tuple[int, int, int]]
    """Subscriber, message, and when it was received, in nanoseconds after the start; ascending by time."""

    def column(self, number: int) -> NDArray[np.int64]:
        return np.array([delivery[number] for delivery in self.deliveries], dtype=np.int64)

    @property
    def subscriber(self) -> NDArray[np.int64]:
        return self.column(0)

    @property
    def seq(self) -> NDArray[np.int64]:
        return self.column(1)

    @property
    def received_ns(self) -> NDArray[np.int64]:
        return self.column(2)

    @property
    def due_ns(self) -> NDArray[np.int64]:
        return self.column(1) * INTERVAL_NS


@st.composite
def streams(draw: st.DrawFn) -> Stream:
    """A stream of few subscribers and messages, so that whatever can go wrong often does."""
    subscribers, messages = draw(st.integers(1, 4)), draw(st.integers(1, 8))
    half_intervals = st.integers(0, 12).map(lambda count: count * INTERVAL_NS // 2)
    delivery = st.tuples(st.integers(0, subscribers - 1), st.integers(0, messages - 1), half_intervals)
    found = draw(st.lists(delivery, max_size=40))
    return Stream(subscribers, messages, sorted(found, key=lambda one: one[2]))
