"""The message: the same printable bytes on every transport, valid JSON with its numbers at fixed offsets.

    {"seq":      123,"due_ns":    81234567890123,"sent_ns":    81234567891123,"pad":"…"}

What `pad` is, beside that it fills the message up to its size, is not known here.

Both times are CLOCK_MONOTONIC nanoseconds, which all processes of a Linux host share. `due_ns` is when the schedule says
that the message should be published, `sent_ns` when the publisher made it, just before it was sent.
"""

from collections.abc import Sequence
from typing import NamedTuple

SEQ = slice(7, 16)
"""Where the digits of the sequence number are."""
_DUE = slice(26, 44)
_SENT = slice(55, 73)

MIN_BYTES = 83
"""The size of a message without padding."""
FRAME_BYTES = MIN_BYTES - 2
"""That without the quotes around none."""
MAX_SEQ = 999_999_999
MAX_NS = 10**18 - 1  # some 31 years of uptime


class Stamp(NamedTuple):
    """What a message says of itself."""

    seq: int
    due_ns: int
    sent_ns: int


def encode(seq: int, due_ns: int, sent_ns: int, size_bytes: int, pads: Sequence[bytes] = ()) -> bytes:
    """The message, `size_bytes` long, with one of these pads, of that less `FRAME_BYTES`; without any it has x's.

    Raises ValueError if the size is below `MIN_BYTES` or a number has no room.
    """
    if size_bytes < MIN_BYTES:
        raise ValueError(f"a message of {size_bytes} bytes has no room for its numbers: it needs {MIN_BYTES}")
    if not (0 <= seq <= MAX_SEQ and 0 <= due_ns <= MAX_NS and 0 <= sent_ns <= MAX_NS):
        raise ValueError(f"seq {seq}, due_ns {due_ns} or sent_ns {sent_ns} is negative or too large for its field")
    pad = pads[seq % len(pads)] if pads else b'"%b"' % (b"x" * (size_bytes - MIN_BYTES))
    return b'{"seq":%9d,"due_ns":%18d,"sent_ns":%18d,"pad":%b}' % (seq, due_ns, sent_ns, pad)


def decode(data: bytes) -> Stamp:
    """The numbers of a message. Raises ValueError if it is none."""
    return Stamp(int(data[SEQ]), int(data[_DUE]), int(data[_SENT]))
