"""Slow readers: what of the feed is in the bytes that one has read, and what is told of all of them. Pure.

They are no part of the ledger, which is the others': whether those are harmed is the question.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from pushbench.transports import ROWS

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


HARMED = 2.0
"""So many times the p99 of a cell without slow readers is more than they may cost the others."""
FULL_PERCENT = 95.0


def bystanders(trials: Iterable[Mapping[str, Any]]) -> list[str]:
    """Sentences on whether slow readers harmed the others, from rows of `trials`; none where there is nothing to compare.

    A transport's cell with slow readers is held against its cell without, which is alike in every other key of the load.
    """
    cells: dict[tuple[str, float, float], list[Mapping[str, Any]]] = {}
    for row in trials:
        p99_ms = row["latency_p99_ms"]
        if p99_ms is not None and p99_ms == p99_ms:
            key = (row["transport"], row["slow_percent"], row["slow_bytes_per_s"])
            cells.setdefault(key, []).append(row)
    unharmed: set[str] = set()
    harmed: set[str] = set()
    sentences: list[str] = []
    for (transport, percent, bytes_per_s), rows in cells.items():
        alone = [row for key, others in cells.items() if key[:2] == (transport, 0) for row in others]
        if not percent or not alone:
            continue
        with_ms, without_ms = (median(row["latency_p99_ms"] for row in some) for some in (rows, alone))
        if with_ms <= HARMED * without_ms:
            unharmed.add(transport)
            continue
        harmed.add(transport)
        sentences.append(
            f"{transport}: with {percent:g} % of the readers at {bytes_per_s:g} bytes/s the others' p99 is {with_ms:,.1f} "
            f"ms instead of {without_ms:,.1f}, {with_ms / without_ms:.1f} times; {_because(rows)}."
        )
    if names := ", ".join(name for name in ROWS if name in unharmed and name not in harmed):
        head = f"Slow readers: the others' p99 stays within {HARMED:g} times of that without them on {names}."
        sentences.insert(0, head)
    return sentences


def _because(rows: Sequence[Mapping[str, Any]]) -> str:
    """The likeliest reason, by the columns."""
    if any(row["server_cpu_percent"] is not None and row["server_cpu_percent"] > FULL_PERCENT for row in rows):
        return "the server's core was full, and those that read slowly take part of it"
    if doubted := [row for row in rows if row["verdict"] not in ("ok", "server_bound")]:
        return f"but {len(doubted)} of {len(rows)} trials are in doubt ({doubted[0]['reason']})"
    return "no core was full: the server waits for slow readers before it serves the others"
