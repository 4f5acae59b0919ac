"""Checks: may a trial's numbers be believed? Pure: from measured evidence to a verdict with its reason.

The thresholds are argued in docs/method.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """Why a trial's numbers may be believed, or not."""

    OK = "ok"
    SERVER_BOUND = "server_bound"
    """The server used all of its core: the number is a limit of the server."""
    CLIENT_BOUND = "client_bound"
    """The load side was at its limit: the number is a lower bound."""
    PUBLISHER_LATE = "publisher_late"
    """The feed was not offered as scheduled."""
    LOSSY = "lossy"
    """Not every subscriber got every message once and in order."""
    FAILED = "failed"
    """There are no numbers."""

    @property
    def believable(self) -> bool:
        """Whether the numbers may be read as those of the server."""
        return self in (Verdict.OK, Verdict.SERVER_BOUND)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and what it rests on, in plain English; empty for `ok`."""

    verdict: Verdict
    reason: str = ""


SATURATED_PERCENT = 95.0
"""A process that used this much of its core in the window had no time left."""
SWARM_BUSY_PERCENT = 85.0
"""A swarm with a server that is not full is held to a stricter limit: bursts queue long before a core is full."""
SWARM_LAG_MS = 100.0
"""A receiving loop that comes this late to its timers stamps messages that late."""
SLIP_MS = 10.0
"""A publisher that is later than this for 1 % of the messages offers another feed than the scheduled one."""

KEPT_UP = 0.9
"""A trial in which less than this part of the offered deliveries arrived in the window has fallen behind."""


def judge(evidence: Mapping[str, Any]) -> Judgement:
    """The verdict on a trial that has numbers; `evidence` has the columns of `trials` that are named below.

    The first that applies. What makes a number worthless comes before what explains it. Between the two sides, the one
    that is full is the limit; only if neither is, a swarm that is merely busy spoils the number.
    """
    if slip := _above(evidence, "publisher_slip_p99_ms", SLIP_MS):
        return Judgement(
            Verdict.PUBLISHER_LATE,
            f"1 % of the messages were published more than {slip:.1f} ms late (limit {SLIP_MS:g} ms): "
            f"lower rate_hz, or give the publisher a core of its own",
        )
    if busy := _above(evidence, "swarm_cpu_percent", SATURATED_PERCENT):
        return _client_bound(f"used {busy:.0f} % of its core (limit {SATURATED_PERCENT:g} %)")
    wrong = {name: evidence[name] for name in ("lost", "duplicated", "reordered") if evidence[name]}
    if wrong:
        counted = ", ".join(f"{name} {count:,}" for name, count in wrong.items())
        return Judgement(Verdict.LOSSY, f"of {evidence['expected']:,} deliveries: {counted}")
    if busy := _above(evidence, "server_cpu_percent", SATURATED_PERCENT):
        return Judgement(Verdict.SERVER_BOUND, f"the server used {busy:.0f} % of its core: this is its limit")
    if busy := _above(evidence, "swarm_cpu_percent", SWARM_BUSY_PERCENT):
        return _client_bound(f"used {busy:.0f} % of its core (limit {SWARM_BUSY_PERCENT:g} %)")
    if lag := _above(evidence, "swarm_lag_p99_ms", SWARM_LAG_MS):
        return _client_bound(f"came {lag:.0f} ms or more late to 1 % of its timers (limit {SWARM_LAG_MS:g} ms)")
    if evidence["deliveries_per_s"] < KEPT_UP * evidence["offered_per_s"]:
        return Judgement(
            Verdict.CLIENT_BOUND,
            f"{evidence['deliveries_per_s']:,.0f} of {evidence['offered_per_s']:,.0f} deliveries/s arrived in the window, "
            f"although neither the server nor the swarm was at its limit: something else held them back; "
            f"is the machine busy with other work?",
        )
    return Judgement(Verdict.OK)


def _client_bound(what: str) -> Judgement:
    return Judgement(
        Verdict.CLIENT_BOUND,
        f"the swarm {what}: the server may be faster than shown; lower subscribers or rate_hz, or free the machine",
    )


def _above(evidence: Mapping[str, Any], column: str, limit: float) -> float | None:
    """The column's value if it is above the limit; None if it is not, or was not measured."""
    value = evidence[column]
    return float(value) if value is not None and value > limit else None
