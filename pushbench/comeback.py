"""Coming back: how long a subscriber waits before it connects again, and what connecting again took. Pure.

Who connects, and why, is not known here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pushbench.schedule import NS

AWAY_S = 0.5
"""How long a subscriber that is to resume stays away."""

LONGEST_WAIT_S = 30.0
"""However often it has failed, nobody waits for longer."""
LEAST_WAIT_S = 0.1
"""Who does not back off, and was refused, waits so long all the same: a swarm is one process, and cannot ask more often."""
PEAK_NS = 100_000_000
"""The peak of connecting is that of the fullest stretch of this length."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before each attempt to connect again: exponential backoff, with full jitter if there is any.

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """

    first_s: float
    """The wait before the first attempt; each that fails doubles it. 0: none before the first, and the least behind it."""
    jitter: bool
    """Whether each wait is drawn uniformly from 0 to that."""

    def wait_s(self, failures: int, draw: float) -> float:
        """The wait when so many attempts have failed since the end. `draw` is in [0, 1)."""
        if not self.first_s:
            return LEAST_WAIT_S if failures else 0.0
        longest_s = min(LONGEST_WAIT_S, self.first_s * 2.0 ** min(failures, 60))
        return longest_s * draw if self.jitter else longest_s


class Arrival(NamedTuple):
    """One subscriber's connecting, in the course of the traffic."""

    subscriber: int
    began_ns: int
    """When the attempt that succeeded began."""
    connected_ns: int
    again: bool
    """Whether it had been there before; else it joined late."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Who connected in the course of the traffic, and what it took. Those of several swarms can be put together."""

    again: int = 0
    """How often a subscriber that had been there connected again."""
    first_message_ns: tuple[int, ...] = ()
    """For each late joiner that got a message: from when it began to connect to its first message."""
    reconnect_ns: tuple[int, ...] = ()
    """Likewise, each time that one had connected again."""
    connected_ns: tuple[int, ...] = field(default=(), repr=False)
    """When each was connected."""

    def __add__(self, other: "Arrivals") -> "Arrivals":
        return Arrivals(
            self.again + other.again,
            self.first_message_ns + other.first_message_ns,
            self.reconnect_ns + other.reconnect_ns,
            self.connected_ns + other.connected_ns,
        )

    @property
    def columns(self) -> dict[str, float | int | None]:
        """As columns of `trials`."""
        columns: dict[str, float | int | None] = {"reconnects": self.again}
        for name, taken_ns in (("first_message", self.first_message_ns), ("reconnect", self.reconnect_ns)):
            for percent in (50, 99):
                columns[f"{name}_p{percent}_ms"] = float(np.percentile(taken_ns, percent)) / 1e6 if taken_ns else None
        return columns | {"connect_peak_per_s": peak_per_s(self.connected_ns)}


def arrivals(connected: Sequence[Arrival], subscriber: NDArray[np.int64], received_ns: NDArray[np.int64]) -> Arrivals:
    """What came of each arrival. `subscriber` and `received_ns` are the deliveries, in the order in which they came."""
    waited_ns: dict[bool, list[int]] = {True: [], False: []}
    order = np.argsort(subscriber, kind="stable")
    whose, when_ns = subscriber[order], received_ns[order]
    next_began_ns: dict[int, int] = {}
    for one in sorted(connected, key=lambda one: one.connected_ns, reverse=True):
        until_ns = next_began_ns.get(one.subscriber)
        next_began_ns[one.subscriber] = one.began_ns
        begin, end = np.searchsorted(whose, (one.subscriber, one.subscriber + 1))
        at = begin + np.searchsorted(when_ns[begin:end], one.connected_ns)
        if at < end and (until_ns is None or when_ns[at] < until_ns):
            waited_ns[one.again].append(int(when_ns[at]) - one.began_ns)
    return Arrivals(
        again=sum(one.again for one in connected),
        first_message_ns=tuple(waited_ns[False]),
        reconnect_ns=tuple(waited_ns[True]),
        connected_ns=tuple(one.connected_ns for one in connected),
    )


def peak_per_s(connected_ns: Sequence[int]) -> float | None:
    """The most that connected within any stretch of 100 ms, per second; None if nobody did."""
    if not connected_ns:
        return None
    moments = np.sort(np.asarray(connected_ns, dtype=np.int64))
    within = np.searchsorted(moments, moments + PEAK_NS) - np.arange(len(moments))
    return float(within.max()) * NS / PEAK_NS


def caught_up_ns(
    subscriber: NDArray[np.int64],
    seq: NDArray[np.int64],
    received_ns: NDArray[np.int64],
    *,
    since: NDArray[np.int64],
    due: int,
) -> tuple[int | None, ...]:
    """When each subscriber had all of the messages before number `due`; None for one that never had.

    `since` has, for each subscriber, the first message that it is to get; who is to get none of these is left out. The
    other arrays are the deliveries.
    """
    wanted = (seq < due) & (seq >= since[subscriber])
    key, first = np.unique(subscriber[wanted] * due + seq[wanted], return_index=True)
    whose, when_ns = key // max(due, 1), received_ns[wanted][first]
    had = np.bincount(whose, minlength=len(since))
    latest_ns = np.zeros(len(since), dtype=np.int64)
    np.maximum.at(latest_ns, whose, when_ns)
    return tuple(
        int(latest_ns[who]) if had[who] == due - since[who] else None for who in range(len(since)) if since[who] < due
    )


def recovered_ms(caught_up: Sequence[int | None], returned_ns: int, percent: float) -> float | None:
    """From that moment until so many of the subscribers had caught up, in milliseconds; None if so many never had."""
    needed = int(np.ceil(len(caught_up) * percent / 100))
    moments = sorted(moment for moment in caught_up if moment is not None)
    if not needed or len(moments) < needed:
        return None
    return max(0, moments[needed - 1] - returned_ns) / 1e6
