"""Which messages of the ticker's one hub are of which channel, and the frames of those that a connection wants.

A message of the hub is an update as it goes over the wire, with its channel at a fixed place. The frames of a set of
channels are encoded once for all connections that want that set (`servers/pump.py`, `servers/instep.py`).
"""

from collections.abc import Callable
from functools import lru_cache

from servers.frames import frame
from servers.hub import Message
from servers.pump import Encode, once

BEFORE, BETWEEN, BEHIND = b'{"type":"update","channel":"', b'","seq":', b',"data":'
Pick = Callable[[list[Message]], list[Message]]
"""Those of some messages that a connection is to have."""


def update(channel: str, seq: int, data: bytes) -> bytes:
    """An update, with the data as it is, byte for byte."""
    return b"%b%b%b%d%b%b}" % (BEFORE, channel.encode(), BETWEEN, seq, BEHIND, data)


def channel_of(message: bytes) -> bytes:
    """The channel of an update."""
    return message[len(BEFORE) : message.index(b'"', len(BEFORE))]


def pick_of(channels: frozenset[str]) -> Pick:
    """Those of these channels."""
    names = frozenset(channel.encode() for channel in channels)
    return lambda messages: [message for message in messages if channel_of(message.data) in names]


def leaving_out(pick: Pick, every: "Every") -> Pick:
    """Likewise, but not every so many."""
    return lambda messages: [message for message in pick(messages) if not every.is_due()]


class Every:
    """True at each so many times that it is asked."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._asked = 0

    def is_due(self) -> bool:
        """Whether this is one of them."""
        self._asked += 1
        return self._asked % self._count == 0


def frames_of(pick: Pick) -> Encode:
    """The frames of what is picked."""
    return once(lambda messages: b"".join([frame(message.data) for message in pick(messages)]))


@lru_cache(maxsize=1000)  # beyond that some encode for themselves what others have encoded already
def shared_frames_of(channels: frozenset[str]) -> Encode:
    """The frames of these channels: one function for each set, by which the hub knows who goes together."""
    return frames_of(pick_of(channels))
