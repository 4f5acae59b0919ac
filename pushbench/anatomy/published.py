"""The published message, annotated: its own JSON, whose numbers are at fixed offsets (`pushbench.message`). Pure."""

from pushbench import message
from pushbench.anatomy.spans import Kind, Notes

CUTS = (0, 16, 44, 73)
"""Where each part of a message begins: number, due, sent, padding."""

SHORT_BYTES = 24


def seq_of(data: bytes) -> int | None:
    """The number of a message; None if it is not the suite's."""
    if not data.startswith(b'{"seq":') or len(data) < message.MIN_BYTES:
        return None
    try:
        return message.decode(data).seq
    except ValueError:
        return None


def add_message(notes: Notes, data: bytes, at: int, *, opened: bool = False) -> int | None:
    """Note a message that lies there as a whole; `opened` if it was masked or encrypted. Returns its number."""
    seq = seq_of(data)
    if seq is None:
        notes.add(at, len(data), Kind.PAYLOAD, "message", shown(data), data if opened else None)
        return None
    stamp = message.decode(data)
    late_ms = (stamp.sent_ns - stamp.due_ns) / 1e6
    values = (
        f"message number {seq}",
        f"due at {stamp.due_ns} ns",
        f"sent at {stamp.sent_ns} ns: {late_ms:.3f} ms after it was due",
        f"{len(data) - message.FRAME_BYTES} bytes of padding",
    )
    for name, value, begin, end in zip(
        ("message seq", "message due_ns", "message sent_ns", "message pad"),
        values,
        CUTS,
        (*CUTS[1:], len(data)),
        strict=True,
    ):
        notes.add(at + begin, end - begin, Kind.PAYLOAD, name, value, data[begin:end] if opened else None)
    return seq


def called(seq: int | None, data: bytes = b"") -> str:
    """What a message is called in words: by its number, or by itself if it has none and is short."""
    if seq is not None:
        return f"message {seq}"
    text = shown(data) if len(data) <= SHORT_BYTES else ""
    return f"“{text}”" if text else "a message"


def shown(data: bytes, most: int = 60) -> str:
    """Text as it is, if it is printable; otherwise nothing."""
    text = data[:most].decode(errors="replace")
    return (text + ("…" if len(data) > most else "")) if text.isprintable() else ""
