"""Pings of subscribers: each asks the server now and then for a pong, a round trip through the loops of both. Pure.

The payload of a ping is the moment at which it was sent, so whoever gets the pong needs to remember nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

STAMP_BYTES = 8


def stamped(now_ns: int) -> bytes:
    """The payload of a ping that is sent now."""
    return now_ns.to_bytes(STAMP_BYTES)


@dataclass(frozen=True, slots=True)
class Pings:
    """What came of them. Those of several swarms can be added."""

    sent: int = 0
    """How many were sent in the window."""
    took_ns: tuple[int, ...] = ()
    """Of each that was answered, how long it took."""

    def __add__(self, other: "Pings") -> "Pings":
        return Pings(self.sent + other.sent, self.took_ns + other.took_ns)

    @property
    def columns(self) -> dict[str, float | None]:
        """As columns of `trials`; empty if none was sent."""
        if not self.sent:
            return {}
        p50, p99 = (float(np.percentile(self.took_ns, q)) / 1e6 if self.took_ns else None for q in (50, 99))
        return {"ping_p50_ms": p50, "ping_p99_ms": p99, "pings_unanswered": self.sent - len(self.took_ns)}


def took(payloads: Sequence[tuple[bytes, int]]) -> tuple[int, ...]:
    """How long each ping took, by the payload of its pong and when that came; what is no stamp is none of ours."""
    return tuple(now_ns - int.from_bytes(data) for data, now_ns in payloads if len(data) == STAMP_BYTES)
