"""WebSocket frames, annotated bit by bit (RFC 6455 section 5). Pure.

It does not ask what the handshake was, which `http` knows: RSV1 says whether a message is compressed.
"""

import base64
import hashlib

from pushbench.anatomy.published import add_message, called, shown
from pushbench.anatomy.spans import Event, Kind, Notes

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What the server appends to the key (RFC 6455 section 1.3)."""
OPCODES = {0x0: "continuation", 0x1: "text", 0x2: "binary", 0x8: "close", 0x9: "ping", 0xA: "pong"}
CLOSE_CODES = {
    1000: "normal closure",
    1001: "going away",
    1002: "protocol error",
    1003: "unsupported data",
    1007: "invalid payload",
    1008: "policy violation",
    1009: "message too big",
    1010: "mandatory extension",
    1011: "internal error",
    1012: "service restart",
    1013: "try again later",
}
"""RFC 6455 section 7.4.1, and IANA's registry; 4000 to 4999 are an application's own."""


def accept_of(key: str) -> str:
    """What the server answers to a key."""
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


def accept_told(key: str) -> str:
    """How it comes to that, step by step."""
    joined = key.encode() + GUID
    return f'base64(SHA-1("{joined.decode()}")) = base64({hashlib.sha1(joined).hexdigest()}) = {accept_of(key)}'


def unmasked(data: bytes, key: bytes) -> bytes:
    """Each byte XOR the byte of the key whose turn it is (RFC 6455 section 5.3)."""
    repeated = key * (len(data) // 4 + 1)
    size = len(data)
    return (int.from_bytes(data) ^ int.from_bytes(repeated[:size])).to_bytes(size)


def annotate_frames(notes: Notes, data: bytes, at: int) -> None:
    """Note all frames from there to the end of the data; one that is incomplete is left."""
    while (end := _annotate_frame(notes, data, at)) is not None:
        at = end


def _annotate_frame(notes: Notes, data: bytes, at: int) -> int | None:
    """Note the frame that begins there, and return where it ends; None if it is incomplete."""
    if len(data) < at + 2:
        return None
    first, second = data[at], data[at + 1]
    final, rsv, opcode, is_masked, size = first >> 7, first >> 4 & 7, first & 15, second >> 7, second & 127
    wide = {126: 2, 127: 8}.get(size, 0)
    body = at + 2 + wide + 4 * is_masked
    if len(data) < body:
        return None
    length = int.from_bytes(data[at + 2 : at + 2 + wide]) if wide else size
    end = body + length
    if len(data) < end:
        return None
    name = OPCODES.get(opcode, "reserved")
    bits = f"{final:b} {rsv:03b} {opcode:04b}: FIN={final}, RSV1-3={rsv:03b}, opcode={opcode:#x} ({name})"
    notes.add(at, 1, Kind.FRAMING, "frame: FIN, RSV, opcode", bits)
    how = {2: "126: the next 2 bytes are the length", 8: "127: the next 8 bytes are the length"}.get(wide, f"{size} bytes")
    notes.add(at + 1, 1, Kind.FRAMING, "frame: MASK, length", f"{is_masked:b} {size:07b}: MASK={is_masked}, {how}")
    notes.add(at + 2, wide, Kind.FRAMING, f"frame: {8 * wide} bit length", f"{length} bytes")
    key = data[body - 4 : body] if is_masked else b""
    notes.add(body - 4, len(key), Kind.FRAMING, "frame: masking key", "" if any(key) else "zeros, which change nothing")
    on_wire = data[body:end]
    payload = unmasked(on_wire, key) if is_masked else on_wire
    if opcode & 8:
        _control(notes, name, payload, body, bool(is_masked))
        text = f"{name} {_close(payload)}".rstrip() if opcode == 8 else name
        notes.events.append(Event(end, name if name in ("close", "ping", "pong") else "said", text))
    elif rsv & 4:
        notes.add(body, length, Kind.PAYLOAD, "compressed payload", "by permessage-deflate", payload if is_masked else None)
        notes.events.append(Event(end, "message", "a compressed message"))
    elif final and opcode:
        seq = add_message(notes, payload, body, opened=bool(is_masked))
        notes.events.append(Event(end, "message", called(seq, payload), seq))
    else:
        notes.add(body, length, Kind.PAYLOAD, "fragment", shown(payload), payload if is_masked else None)
        part = "the last part of a message" if final else "a part of a message"
        notes.events.append(Event(end, "message" if final else "said", part))
    return end


def _control(notes: Notes, name: str, payload: bytes, at: int, is_masked: bool) -> None:
    if name == "close" and len(payload) >= 2:
        notes.add(at, 2, Kind.FRAMING, "close code", _close(payload[:2]), payload[:2] if is_masked else None)
        reason = payload[2:]
        notes.add(at + 2, len(reason), Kind.FRAMING, "close reason", shown(reason, 123), reason if is_masked else None)
        return
    notes.add(
        at,
        len(payload),
        Kind.FRAMING,
        "control payload",
        shown(payload, 125) if payload.isascii() else "",
        payload if is_masked else None,
    )


def _close(payload: bytes) -> str:
    if len(payload) < 2:
        return "without a code"
    code = int.from_bytes(payload[:2])
    return f"{code}, {CLOSE_CODES.get(code, 'the application’s own' if 4000 <= code < 5000 else 'registered elsewhere')}"
