"""Whether slow readers harm the others: what is said of it, from rows of `trials`. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from pushbench.checks import Verdict
from pushbench.columns import LOAD
from pushbench.transports import ROWS

THEIRS = ("slow_", "drop_unanswered_")
"""How keys of a load begin that are about slow readers alone."""
HARMED = 2.0
"""So many times the p99 of a cell without slow readers is more than they may cost the others."""
FULL_PERCENT = 95.0


def bystanders(trials: Iterable[Mapping[str, Any]]) -> list[str]:
    """Sentences on whether slow readers harmed the others, from rows of `trials`; none where there is nothing to compare.

    A transport's cell with slow readers is held against its cell without, which is alike in every other key of the load.
    """
    cells: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in trials:
        p99_ms = row["latency_p99_ms"]
        if p99_ms is not None and p99_ms == p99_ms:
            others = tuple(row[name] for name in LOAD if name in row and not name.startswith(THEIRS))
            cells.setdefault((row["slow_percent"], row["slow_bytes_per_s"], others), []).append(row)
    unharmed: set[str] = set()
    harmed: set[str] = set()
    sentences: list[str] = []
    for (percent, bytes_per_s, others), rows in cells.items():
        alone = [row for key, found in cells.items() if key[0] == 0 and key[2] == others for row in found]
        if not percent or not alone:
            continue
        transport = rows[0]["transport"]
        with_ms, without_ms = (_p99_ms(some) for some in (rows, alone))
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


def _p99_ms(rows: Sequence[Mapping[str, Any]]) -> float:
    """The median p99 of those that may be believed; of all if none may be."""
    believed = [row for row in rows if Verdict(row["verdict"]).believable]
    return float(median(row["latency_p99_ms"] for row in believed or rows))


def _because(rows: Sequence[Mapping[str, Any]]) -> str:
    """The likeliest reason, by the columns."""
    if any(row["server_cpu_percent"] is not None and row["server_cpu_percent"] > FULL_PERCENT for row in rows):
        return "the server's core was full, and those that read slowly take part of it"
    if doubted := [row for row in rows if not Verdict(row["verdict"]).believable]:
        return f"but {len(doubted)} of {len(rows)} trials are in doubt ({doubted[0]['reason']})"
    return "no core was full: the server waits for slow readers before it serves the others"
