"""WebSocket frames: whole, unmasked, and encoded once for all subscribers.

Source: RFC 6455 section 5.2.
"""

from servers.hub import Message
from servers.pump import once

FIN_TEXT, FIN_BINARY = 0x81, 0x82
SHORT, LONG = 125, 65_535
"""The longest payloads whose lengths are in the frame's second byte, and in two more."""


def frame(data: bytes, first: int = FIN_TEXT) -> bytes:
    """The one frame of a message, from a server; it begins with that byte."""
    size = len(data)
    if size <= SHORT:
        return bytes((first, size)) + data
    if size <= LONG:
        return bytes((first, 126)) + size.to_bytes(2) + data
    return bytes((first, 127)) + size.to_bytes(8) + data


@once
def text_frames(messages: list[Message]) -> bytes:
    """The text frames of these messages."""
    return b"".join([frame(message.data) for message in messages])


@once
def binary_frames(messages: list[Message]) -> bytes:
    """The binary frames of these messages."""
    return b"".join([frame(message.data, FIN_BINARY) for message in messages])
