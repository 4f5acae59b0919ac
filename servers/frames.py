"""WebSocket frames: whole, unmasked, and encoded once for all subscribers.

Source: RFC 6455 section 5.2.
"""

from servers.hub import Message
from servers.pump import once

FIN_TEXT = 0x81
SHORT, LONG = 125, 65_535
"""The longest payloads whose lengths are in the frame's second byte, and in two more."""


def frame(data: bytes) -> bytes:
    """The one text frame of a message, from a server."""
    size = len(data)
    if size <= SHORT:
        return bytes((FIN_TEXT, size)) + data
    if size <= LONG:
        return bytes((FIN_TEXT, 126)) + size.to_bytes(2) + data
    return bytes((FIN_TEXT, 127)) + size.to_bytes(8) + data


@once
def frames(messages: list[Message]) -> bytes:
    """The frames of these messages."""
    return b"".join([frame(message.data) for message in messages])
