"""Shaping: when what arrives at one end of a line may leave it at the other. Pure: no clock and no socket.

A line has a length (a round-trip time, half of it each way), jitter and a bandwidth. What arrives is put onto the line
behind what was there before, which takes as long as the bandwidth has it; then it travels. Nothing overtakes on the way.

What a network does beside that (loss, reordering, congestion control, segments of its own size) is not known here.
"""

from dataclasses import dataclass
from random import Random

from pushbench.schedule import NS

SEGMENT_BYTES = 1448
"""What a segment carries on an Ethernet of 1,500 bytes: finer than this nothing trickles in."""
SEGMENT_NS = 1_000_000
"""Nor finer than this: a fast line is not cut into a thousand pieces that come in the same millisecond."""
HELD_BYTES = 262_144
"""How much may be on its way in one direction beyond what the line itself holds."""
UNLIMITED_BIT_S = 100_000_000
"""What a line without a limit is taken for where it is asked how much it holds."""


@dataclass(frozen=True, slots=True)
class Line:
    """What lies between a client and the server; it is the same for both directions."""

    round_trip_ns: int = 0
    jitter_ns: int = 0
    """Each transit is longer by a uniform random part of this."""
    bit_per_s: int = 0
    """0: unlimited."""

    @property
    def transit_ns(self) -> int:
        """The shortest way from one end to the other."""
        return self.round_trip_ns // 2

    @property
    def capacity_bytes(self) -> int:
        """How much may be on its way in one direction: bandwidth × delay, and a constant."""
        return HELD_BYTES + (self.bit_per_s or UNLIMITED_BIT_S) * (self.transit_ns + self.jitter_ns) // (8 * NS)

    @property
    def piece_bytes(self) -> int:
        """The pieces in which more than that comes out of the line; 0: all that went in together comes out together."""
        return max(SEGMENT_BYTES, self.bit_per_s * SEGMENT_NS // (8 * NS)) if self.bit_per_s else 0


class Way:
    """One direction of one connection. Its times are of any one clock, in nanoseconds."""

    def __init__(self, line: Line, random: Random, opens_ns: int = 0) -> None:
        """What arrives before `opens_ns` is taken as arriving then."""
        self._transit_ns, self._jitter_ns = line.transit_ns, line.jitter_ns
        self._ns_per_byte = 8 * NS / line.bit_per_s if line.bit_per_s else 0.0
        self._piece_bytes = line.piece_bytes
        self._random = random
        self._free_ns = opens_ns  # from when on the line takes more
        self._last_ns = 0  # when the last piece leaves

    def stretch(self, line: Line) -> None:
        """From now on it is as long as that line; what is on its way already is not overtaken."""
        self._transit_ns = line.transit_ns

    def leaves_ns(self, arrived_ns: int, size_bytes: int) -> int:
        """When a piece of so many bytes, which arrives now or later than the one before, may leave."""
        on_ns = max(arrived_ns, self._free_ns)
        if self._ns_per_byte:
            on_ns = self._free_ns = on_ns + round(size_bytes * self._ns_per_byte)
        leaves_ns = on_ns + self._transit_ns
        if self._jitter_ns:
            leaves_ns += round(self._jitter_ns * self._random.random())
        self._last_ns = max(self._last_ns, leaves_ns)
        return self._last_ns

    def pieces(self, arrived_ns: int, data: bytes) -> list[tuple[int, bytes]]:
        """The data in the pieces in which it leaves, each with its moment; without a bandwidth it is one piece."""
        if not self._piece_bytes or len(data) <= self._piece_bytes:
            return [(self.leaves_ns(arrived_ns, len(data)), data)]
        parts = [data[at : at + self._piece_bytes] for at in range(0, len(data), self._piece_bytes)]
        return [(self.leaves_ns(arrived_ns, len(part)), part) for part in parts]


def handshake(line: Line, accepted_ns: int, random: Random) -> tuple[Way, Way]:
    """The two ways of a new connection, to the server and back, from when its client believes that it is connected.

    The kernel has answered the client at once. On a line of this length it would have had that answer after one round trip,
    so what it sends counts as sent then; and the server would have heard of it after one transit, and not answered sooner.
    """
    return (
        Way(line, random, accepted_ns + line.round_trip_ns),
        Way(line, random, accepted_ns + line.transit_ns),
    )
