"""Slow readers: what of the feed is in the bytes that one has read, and what is told of all of them. Pure.

They are no part of the ledger, which is the others': whether those are harmed is the question.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

SEQ = re.compile(rb'\{"seq":([ \d]{9}),')
"""The beginning of a message, wherever a transport puts it."""
KEPT_BYTES = 256
"""How much of what was read is kept for what goes on in the next piece: no beginning, and no last word, is longer."""
LAST_WORD = re.compile(rb"cursor_too_old|cursor_unknown")
"""What the server says to a reader that it gives up."""


@dataclass(frozen=True, slots=True)
class Slow:
    """What became of the slow readers. Those of several swarms can be added."""

    readers: int = 0
    delivered: int = 0
    """Messages that they have read, at least the beginning of."""
    ended: Mapping[str, int] = field(default_factory=dict)
    """Why any were ended, and how many for each reason."""

    def __add__(self, other: "Slow") -> "Slow":
        ended = Counter(self.ended) + Counter(other.ended)
        return Slow(self.readers + other.readers, self.delivered + other.delivered, dict(ended.most_common()))

    def columns(self, messages: int) -> dict[str, int | str | None]:
        """As columns of `trials`, when so many messages were published."""
        if not self.readers:
            return dict.fromkeys(("slow_delivered", "slow_lost", "slow_ended", "slow_ended_by"))
        return {
            "slow_delivered": self.delivered,
            "slow_lost": self.readers * messages - self.delivered,
            "slow_ended": sum(self.ended.values()),
            "slow_ended_by": "; ".join(f"{count} × {reason}" for reason, count in self.ended.items()),
        }


class Reading:
    """What one reader has read so far."""

    def __init__(self) -> None:
        self.seqs: set[int] = set()
        self._tail = b""

    def take(self, pieces: list[bytes]) -> None:
        """Take the next bytes, cut anywhere."""
        text = self._tail + b"".join(pieces)
        self.seqs.update(int(found) for found in SEQ.findall(text))
        self._tail = text[-KEPT_BYTES:]

    def reason(self, error: Exception) -> str:
        """Why it ended: the server's last word if it has read one, else what the connection said."""
        said = LAST_WORD.search(self._tail) or LAST_WORD.search(str(error).encode())
        return said[0].decode() if said else f"{type(error).__name__}: {error}"
