"""What a client of the ticker has of one channel: a state that is right, or that it is not, and what to say then. Pure.

A channel's updates are numbered without a gap. Whoever has missed one cannot go on from its state: it asks for a
resync, keeps the updates that come meanwhile, and when the snapshot is there goes on with those behind it.

`apps/page/book.js` is the same in JavaScript.
"""

from collections.abc import Mapping
from typing import Any

from apps.ticker.market import Fold, State, fold_of

MOST_WAITING = 10_000
"""So many updates are kept for a snapshot that does not come; of more the oldest are forgotten, which is another gap."""


class Book:
    """One channel. It is in sync from its first snapshot until it notices a gap."""

    def __init__(self, channel: str, fold: Fold | None = None) -> None:
        self.channel = channel
        self.state: State = None
        self.seq = 0
        """The number of the last update in the state."""
        self.in_sync = False
        self.gaps = 0
        """How often something was missed."""
        self.repeats = 0
        """How many updates came that it had already."""
        self._fold = fold or fold_of(channel)
        self._waiting: dict[int, Any] = {}  # the data of updates that cannot be applied yet, by number

    def take(self, message: Mapping[str, Any]) -> dict[str, str] | None:
        """Take a message of this channel in, or of a gap; returns what to say to the server, if anything."""
        match message["type"]:
            case "snapshot":
                return self._take_snapshot(message["seq"], message["data"])
            case "update":
                return self._take_update(message["seq"], message["data"])
            case "gap" if self.channel in message["channels"]:
                return self._missed()
        return None

    def _take_update(self, seq: int, data: Any) -> dict[str, str] | None:
        if self.in_sync and seq == self.seq + 1:
            self.state, self.seq = self._fold(self.state, data), seq
            return None
        if self.in_sync and seq <= self.seq:
            self.repeats += 1
            return None
        self._waiting[seq] = data
        if len(self._waiting) > MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]
        return self._missed() if self.in_sync else None

    def _take_snapshot(self, seq: int, data: State) -> dict[str, str] | None:
        self.state, self.seq, self.in_sync = data, seq, True
        waiting, self._waiting = self._waiting, {}
        asked = None
        for number in sorted(waiting):
            if number > seq:
                asked = self._take_update(number, waiting[number]) or asked
        return asked

    def _missed(self) -> dict[str, str] | None:
        """Ask for a snapshot, unless one is on its way: of the subscription, or asked for already."""
        if not self.in_sync:
            return None
        self.in_sync = False
        self.gaps += 1
        return {"op": "resync", "channel": self.channel}
