"""The schedule: when each message is due. Open loop: it is fixed before the trial and waits for nobody. Pure."""

import math
from dataclasses import dataclass

NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Schedule:
    """A constant rate, over a warm-up and the measured window that follows it.

    Message i is due i / rate_hz seconds after the start. In bursts of b, so many are due at once, when their first is:
    message i at b ⌊i / b⌋ / rate_hz.
    """

    rate_hz: float
    warmup_s: float
    measure_s: float
    burst: int = 1

    @property
    def count(self) -> int:
        """How many messages there are in all."""
        return self._due_before(self.warmup_s + self.measure_s)

    @property
    def warmup_count(self) -> int:
        """How many of them are due before the measured window; the others, from this number on, are measured."""
        return self._due_before(self.warmup_s)

    @property
    def window_ns(self) -> tuple[int, int]:
        """The measured window, [from, to) in nanoseconds after the start."""
        return round(self.warmup_s * NS), round((self.warmup_s + self.measure_s) * NS)

    @property
    def metered_ns(self) -> tuple[int, int]:
        """The window, but for an edge at which a message is due, or soon will be: that is half an interval before it.

        What is read of one socket after the other would otherwise miss a message on some, and not on others. Without a
        warm-up the first message is due at the begin whatever is done.
        """
        begin_ns, end_ns = self.window_ns
        return self._between_messages(begin_ns), self._between_messages(end_ns)

    def due_ns(self, seq: int) -> int:
        """When message `seq` is due, in nanoseconds after the start."""
        return round(seq // self.burst * self.burst * NS / self.rate_hz)

    def due_by(self, offset_ns: int) -> int:
        """How many messages are due at or before that moment, in nanoseconds after the start."""
        seq = min(self.count, max(0, math.ceil(offset_ns * self.rate_hz / NS)))
        while seq < self.count and self.due_ns(seq) <= offset_ns:
            seq += 1
        while seq and self.due_ns(seq - 1) > offset_ns:
            seq -= 1
        return seq

    def _between_messages(self, edge_ns: int) -> int:
        """That moment, or the middle between the message before it and the one at or behind it, if that is earlier."""
        behind = self.due_by(edge_ns - 1)
        if not self.rate_hz or not behind:
            return edge_ns
        return min(edge_ns, (self.due_ns(behind - 1) + self.due_ns(behind)) // 2)

    def _due_before(self, end_s: float) -> int:
        # 0.1 s at 10 Hz is one message, although 0.1 * 10 may come out just above 1.
        return max(0, math.ceil(round(end_s * self.rate_hz / self.burst, 6))) * self.burst
