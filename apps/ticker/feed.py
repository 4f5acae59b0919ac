"""The ticker's hub: every channel's updates in one log, each with its channel's own number, and where each channel stands.

It knows no connection. What is published on `bench` is embedded as it is, so it has to be JSON.
"""

from typing import Any

from apps.saying import NotTaken, read, said
from apps.ticker.channels import update
from apps.ticker.market import BENCH, TRADES, State, trades
from servers.hub import Hub, MessageRefused, MessageTooLarge

ENVELOPE_BYTES = 256
"""So much longer than what is published may an update be."""


class Feed:
    """The channels. It is also what `bench` is published on: `accept` is that of a hub."""

    def __init__(self, hub: Hub, names: tuple[str, ...], *, max_message_bytes: int) -> None:
        """The hub has to take messages that are longer by `ENVELOPE_BYTES`."""
        self.hub = hub
        self.max_message_bytes = max_message_bytes
        self._seq = dict.fromkeys((*(TRADES + name for name in names), BENCH), 0)
        self._state: dict[str, State] = {}
        self._bench = b"null"  # as it was published

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of all."""
        return tuple(self._seq)

    def trade(self, name: str, data: dict[str, Any]) -> None:
        """Publish a trade of this symbol."""
        channel = TRADES + name
        self._publish(channel, said(data).encode())
        self._state[channel] = trades(self._state.get(channel), data)

    async def accept(self, *messages: bytes) -> int:
        """Publish each as an update of `bench`; returns the number of the last. Raises `MessageRefused`."""
        for data in messages:
            if len(data) > self.max_message_bytes:
                raise MessageTooLarge(
                    f"the message has {len(data)} bytes; at most {self.max_message_bytes} are taken: split it"
                )
            self.hub.readable(data)
            try:
                read(data)
            except NotTaken as refused:
                raise MessageRefused(f"{refused}; it is embedded in an update as it is") from None
            self._publish(BENCH, data)
            self._bench = data
        return self._seq[BENCH]

    def snapshot(self, channel: str) -> str:
        """The message that says where a channel stands after the hub's last message."""
        state = self._bench.decode() if channel == BENCH else said(self._state.get(channel))
        return f'{{"type":"snapshot","channel":"{channel}","seq":{self._seq[channel]},"data":{state}}}'

    def _publish(self, channel: str, data: bytes) -> None:
        seq = self._seq[channel] + 1
        self.hub.publish(update(channel, seq, data))
        self._seq[channel] = seq
