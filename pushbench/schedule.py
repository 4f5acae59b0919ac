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
        """As long as the window, half an interval earlier: it begins and ends where no message is due.

        What is read of one socket after the other would otherwise miss a message on some, and not on others.
        """
        begin_ns, end_ns = self.window_ns
        if not self.rate_hz:
            return begin_ns, end_ns
        earlier_ns = min(round(self.burst / self.rate_hz / 2 * NS), begin_ns)
        return begin_ns - earlier_ns, end_ns - earlier_ns

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

    def _due_before(self, end_s: float) -> int:
        # 0.1 s at 10 Hz is one message, although 0.1 * 10 may come out just above 1.
        return max(0, math.ceil(round(end_s * self.rate_hz / self.burst, 6))) * self.burst
