"""Lag: how long what arrives may lie in the socket before the swarm's event loop looks at it, and why. Pure.

A task of the loop sleeps again and again, and notes how late it woke and how much CPU time its thread used meanwhile. A
loop that is late because it was working used that time; one that is late and did not was held: something else had its
core, or it was stopped.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

GRAIN_NS = 2_000_000
"""A timer of the loop may be late by a millisecond without anything being wrong, and the kernel adds its own slack."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How late a loop came to a timer that it set every `every_ns`. Those of several swarms are added."""

    every_ns: int
    late_ns: tuple[int, ...] = ()
    """For each time, how much later than due."""
    cpu_ns: tuple[int, ...] = ()
    """For each time, the CPU time that the loop's thread used since it set the timer."""

    def __add__(self, other: "Lag") -> "Lag":
        return Lag(self.every_ns, self.late_ns + other.late_ns, self.cpu_ns + other.cpu_ns)

    def wait_ms(self, quantile: float) -> float:
        """So long at most waits the `quantile` of messages that arrive at any moment; NaN if nothing was noted."""
        return wait_ns(self.late_ns, self.every_ns, quantile) / 1e6

    def held_ms(self, quantile: float) -> float:
        """Likewise, counting only the time in which the loop was held: late, and neither working nor within its grain."""
        late, cpu = np.asarray(self.late_ns), np.asarray(self.cpu_ns)
        held = np.where(late - cpu > GRAIN_NS, late - cpu, 0)
        return wait_ns(held, self.every_ns, quantile) / 1e6


def wait_ns(late_ns: Sequence[int] | ArrayLike, every_ns: int, quantile: float) -> float:
    """The quantile of the wait of an arrival at a random moment, in nanoseconds; NaN without any lateness.

    Who arrives while the loop is late by L waits for anything up to L, so that of all arrivals the share
    sum(max(0, L - x)) / sum(every + L) waits longer than x. A long stall weighs by its length, not as one of many timers.
    """
    late = np.sort(np.maximum(np.asarray(late_ns, dtype=np.float64), 0))[::-1]
    if not late.size:
        return float("nan")
    longer_ns = (1 - quantile) * float((late + every_ns).sum())
    # With the k longest above x, sum(L) - k x = longer; x is right for the k at which it lies between L[k-1] and L[k].
    total, count = np.cumsum(late), np.arange(1, late.size + 1)
    x = (total - longer_ns) / count
    right = x >= np.append(late[1:], 0)
    return max(0.0, float(x[np.argmax(right)])) if right.any() else 0.0
