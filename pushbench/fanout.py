"""Fan-out: of each message, when the first of many subscribers had it, and when the last. Pure.

Between the two lies the time that a server takes to tell everybody: who is told last pays for all before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

_NEVER = int(np.iinfo(np.int64).max)


@dataclass(frozen=True, slots=True)
class Fanout:
    """For each of the measured messages, latencies in nanoseconds. Fan-outs can be added."""

    first_ns: tuple[int, ...] = ()
    """The least of any subscriber; the largest number there is for a message that nobody got."""
    last_ns: tuple[int, ...] = ()
    """The largest; the least number there is for such a message."""

    def __add__(self, other: "Fanout") -> "Fanout":
        """That of the subscribers of both, of the same messages."""
        return Fanout(
            tuple(map(min, zip(self.first_ns, other.first_ns, strict=True))),
            tuple(map(max, zip(self.last_ns, other.last_ns, strict=True))),
        )

    @property
    def columns(self) -> dict[str, float | None]:
        """As columns of `trials`."""
        got = [pair for pair in zip(self.first_ns, self.last_ns, strict=True) if pair[0] != _NEVER]
        first_ns, last_ns = zip(*got, strict=True) if got else ((), ())
        return {
            "fanout_first_ms": median(first_ns) / 1e6 if got else None,
            "fanout_last_ms": median(last_ns) / 1e6 if got else None,
        }


def of(seq: NDArray[np.int64], latency_ns: NDArray[np.int64], measured: range) -> Fanout:
    """The fan-out of those messages, from all deliveries: which message each is of, and its latency."""
    here = (seq >= measured.start) & (seq < measured.stop)
    at = seq[here] - measured.start
    first_ns = np.full(len(measured), _NEVER, dtype=np.int64)
    last_ns = np.full(len(measured), -_NEVER, dtype=np.int64)
    np.minimum.at(first_ns, at, latency_ns[here])
    np.maximum.at(last_ns, at, latency_ns[here])
    return Fanout(tuple(first_ns.tolist()), tuple(last_ns.tolist()))


def total(parts: Sequence[Fanout]) -> Fanout:
    """That of the subscribers of all; there is at least one."""
    return sum(parts[1:], parts[0])
