"""The ledger: proof, per trial, of what each subscriber got. Pure.

Every subscriber is expected to get every message of the trial, the warm-up's included, once and in order; one that joined
late, every message from its first one on.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Ledger:
    """Deliveries, counted. Ledgers of several swarms are added."""

    expected: int = 0
    """Subscribers × messages, less those that were published before a subscriber had joined."""
    delivered: int = 0
    """Of those, how many arrived at least once."""
    lost: int = 0
    """Of those, how many had not arrived when the trial ended."""
    duplicated: int = 0
    """Deliveries of a message that the subscriber already had."""
    reordered: int = 0
    """First deliveries of a message after a later one."""
    coalesced: int = 0
    """Deliveries that came in one response behind another message: late, not lost."""
    gap_lengths: tuple[tuple[int, int], ...] = ()
    """What is lost, as gaps: (how many messages in a row, how many such gaps), ascending. A gap is one subscriber's."""

    @property
    def gaps(self) -> int:
        """How many gaps there are."""
        return sum(count for _, count in self.gap_lengths)

    @property
    def gap_longest(self) -> int:
        """How many messages the longest gap has; 0 without any."""
        return max((length for length, _ in self.gap_lengths), default=0)

    @property
    def columns(self) -> dict[str, int]:
        """The ledger as columns of `trials`."""
        names = ("expected", "delivered", "lost", "duplicated", "reordered", "coalesced", "gaps", "gap_longest")
        return {name: getattr(self, name) for name in names}

    def __add__(self, other: "Ledger") -> "Ledger":
        return Ledger(
            self.expected + other.expected,
            self.delivered + other.delivered,
            self.lost + other.lost,
            self.duplicated + other.duplicated,
            self.reordered + other.reordered,
            self.coalesced + other.coalesced,
            _lengths(Counter(dict(self.gap_lengths)) + Counter(dict(other.gap_lengths))),
        )


def reckon(
    subscriber: NDArray[np.int64],
    seq: NDArray[np.int64],
    *,
    subscribers: int,
    messages: int,
    first_expected: NDArray[np.int64] | None = None,
    coalesced: int = 0,
) -> Ledger:
    """The ledger of deliveries in the order in which they came; deliveries of unknown messages raise ValueError.

    `subscriber` in [0, subscribers) and `seq` in [0, messages) are parallel arrays. `first_expected` has, for each
    subscriber, the first message that it should have got, `messages` for none; without it that is message 0. A delivery
    from before that counts as neither delivered nor lost.
    """
    if len(seq) and not (seq.min() >= 0 and seq.max() < messages and subscriber.max() < subscribers):
        raise ValueError(
            f"deliveries of messages {seq.min()}..{seq.max()}, but only 0..{messages - 1} were published in this trial"
        )
    since = np.zeros(subscribers, dtype=np.int64) if first_expected is None else first_expected
    first = first_deliveries(subscriber, seq, messages)
    counted = first[seq[first] >= since[subscriber[first]]]
    expected = int((messages - since).sum())
    return Ledger(
        expected=expected,
        delivered=len(counted),
        lost=expected - len(counted),
        duplicated=len(seq) - len(first),
        reordered=int(np.count_nonzero(~in_order(subscriber[first], seq[first], messages))),
        coalesced=coalesced,
        gap_lengths=_gaps(subscriber[counted], seq[counted], since, messages),
    )


def first_expected(
    joined_ns: NDArray[np.int64],
    published_ns: NDArray[np.int64],
    subscriber: NDArray[np.int64],
    seq: NDArray[np.int64],
) -> NDArray[np.int64]:
    """For each subscriber, the first message that it should have got.

    That is the first that was published after it had joined, or the earliest that it got, if that was published while it
    joined: whoever gets one must get all that follow. `joined_ns` has an entry for each subscriber, `published_ns` one for
    each message, ascending, on one clock; `subscriber` and `seq` are the deliveries.
    """
    first = np.searchsorted(published_ns, joined_ns).astype(np.int64)
    np.minimum.at(first, subscriber, seq)
    return first


def first_deliveries(subscriber: NDArray[np.int64], seq: NDArray[np.int64], messages: int) -> NDArray[np.int64]:
    """The indices of each first delivery of a message to a subscriber: by subscriber, and then as they came."""
    _, first = np.unique(subscriber * messages + seq, return_index=True)
    first.sort()
    order: NDArray[np.int64] = first[np.argsort(subscriber[first], kind="stable")]
    return order


def in_order(subscriber: NDArray[np.int64], seq: NDArray[np.int64], messages: int) -> NDArray[np.bool_]:
    """Whether each delivery is of a later message than all before it to the same subscriber.

    The deliveries are grouped by subscriber, ascending. Then any message of the next subscriber counts for more than
    every one of the last, and one running maximum serves them all.
    """
    key = subscriber * messages + seq
    before = np.maximum.accumulate(np.concatenate(([-1], key)))[:-1]
    later: NDArray[np.bool_] = key > before
    return later


def _gaps(
    subscriber: NDArray[np.int64], seq: NDArray[np.int64], since: NDArray[np.int64], messages: int
) -> tuple[tuple[int, int], ...]:
    """The lengths of the runs of missing messages; the deliveries are distinct.

    All on one line of places: each subscriber has a stretch with a fence before its first expected message and one after
    the last. What is missing lies between neighbours on that line, except where the right one is a stretch's first fence.
    """
    start = np.arange(len(since)) * (messages + 2)
    before, after = start + since, start + messages + 1
    had = np.sort(np.concatenate((start[subscriber] + seq + 1, before, after)))
    missing = (np.diff(had) - 1)[~np.isin(had[1:], before)]
    return _lengths(Counter(missing[missing > 0].tolist()))


def _lengths(counted: Mapping[int, int]) -> tuple[tuple[int, int], ...]:
    return tuple(sorted(counted.items()))
