"""Clocks of other hosts: how far one is off this host's, and how far that may be wrong. Pure.

CLOCK_MONOTONIC counts from a host's start, so that of another host is off by anything. One is asked for the time, and says
it at some moment between the asking and the answer's return; of many such rounds the shortest says most. Source:
F. Cristian, "Probabilistic clock synchronization", Distributed Computing 3 (1989), section 3, with a least delay of 0.

It is asked before the traffic and after it: between the two the clocks may have run at different speeds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Round(NamedTuple):
    """One question for the time and its answer; all in nanoseconds."""

    asked_ns: int
    """When, by this host's clock."""
    there_ns: int
    """The answer: the other clock's time."""
    answered_ns: int
    """When it came, by this host's clock."""


class Estimate(NamedTuple):
    """How far another clock is off."""

    at_ns: int
    """When that was, by this host's clock."""
    offset_ns: int
    """The other clock's time, less this one's."""
    uncertainty_ns: int
    """It may be wrong by so much, either way: half of the shortest round."""


EXACT = Estimate(0, 0, 0)
"""Of a process that reads the same clock."""


def estimate(rounds: Iterable[Round]) -> Estimate:
    """By the shortest of some rounds. Raises ValueError without any."""
    asked_ns, there_ns, answered_ns = min(rounds, key=lambda one: one.answered_ns - one.asked_ns)
    middle_ns = (asked_ns + answered_ns) // 2
    # Rounded up, as the middle is rounded down.
    return Estimate(middle_ns, there_ns - middle_ns, (answered_ns - asked_ns + 1) // 2)


@dataclass(frozen=True, slots=True)
class Clock:
    """Another clock, by two estimates; between them, and beyond, it is taken to have run evenly."""

    first: Estimate = EXACT
    last: Estimate = EXACT

    def there(self, here_ns: int) -> int:
        """That moment by the other clock."""
        return here_ns + self.first.offset_ns + round(self._drift * (here_ns - self.first.at_ns))

    def here(self, there_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Moments of the other clock by this host's."""
        since_ns = there_ns - (self.first.at_ns + self.first.offset_ns)
        # Of now = since + drift × now, what is taken off: drift × now, small, and exact enough as a float.
        drifted_ns = np.rint(since_ns * (self._drift / (1 + self._drift))).astype(np.int64)
        moments_ns: NDArray[np.int64] = there_ns - self.first.offset_ns - drifted_ns
        return moments_ns

    @property
    def less_its_offset(self) -> "Clock":
        """One that is as well known, and was put right already."""
        return Clock(Estimate(0, 0, self.uncertainty_ns), Estimate(0, 0, self.uncertainty_ns))

    @property
    def offset_ns(self) -> int:
        """How far it was off, in the middle between the estimates."""
        return (self.first.offset_ns + self.last.offset_ns) // 2

    @property
    def uncertainty_ns(self) -> int:
        """A moment that is told by this host's clock may be wrong by so much, either way."""
        return max(self.first.uncertainty_ns, self.last.uncertainty_ns)

    @property
    def _drift(self) -> float:
        """What it gains on this host's clock, by time."""
        between_ns = self.last.at_ns - self.first.at_ns
        return (self.last.offset_ns - self.first.offset_ns) / between_ns if between_ns > 0 else 0.0


SAME = Clock()
"""The clock of this host."""


def below(uncertainty_ms: float, value_ms: float, said: str) -> str:
    """How a latency is told that may be wrong by so much: as it is, or that it is less than that."""
    return f"< {uncertainty_ms:.2g}" if abs(value_ms) < uncertainty_ms else said
