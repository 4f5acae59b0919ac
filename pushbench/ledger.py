"""The ledger: proof, per trial, of what each subscriber got. Pure.

Every subscriber is expected to get every message of the trial, the warm-up's included, once and in order.
"""

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Ledger:
    """Deliveries, counted. Ledgers of several swarms are added."""

    expected: int = 0
    """Subscribers × messages."""
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

    def __add__(self, other: "Ledger") -> "Ledger":
        return Ledger(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


def reckon(
    subscriber: NDArray[np.int64], seq: NDArray[np.int64], *, subscribers: int, messages: int, coalesced: int = 0
) -> Ledger:
    """The ledger of deliveries in the order in which they came; deliveries of unknown messages raise ValueError.

    `subscriber` in [0, subscribers) and `seq` in [0, messages) are parallel arrays.
    """
    if len(seq) and not (seq.min() >= 0 and seq.max() < messages and subscriber.max() < subscribers):
        raise ValueError(
            f"deliveries of messages {seq.min()}..{seq.max()}, but only 0..{messages - 1} were published in this trial"
        )
    first = first_deliveries(subscriber, seq, messages)
    expected = subscribers * messages
    return Ledger(
        expected=expected,
        delivered=len(first),
        lost=expected - len(first),
        duplicated=len(seq) - len(first),
        reordered=int(np.count_nonzero(~in_order(subscriber[first], seq[first], messages))),
        coalesced=coalesced,
    )


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
