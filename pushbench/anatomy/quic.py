"""QUIC's packets, annotated (RFC 9000 section 17), opened with the keys of the one connection that was captured (RFC 9001).

It knows headers and keys; `quic_frames` knows what is inside. What cannot be opened is ciphertext, and is said to be. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from aioquic._crypto import CryptoError
from aioquic.quic.crypto import CryptoContext, CryptoPair
from aioquic.tls import CipherSuite

from pushbench.anatomy import http3, tls
from pushbench.anatomy.exchange import Exchange, Piece
from pushbench.anatomy.quic_frames import Inside, annotate_frames
from pushbench.anatomy.spans import Annotated, Event, Joined, Kind, Notes, Span
from pushbench.anatomy.varint import Short, varint

VERSION_1 = 1
INITIAL, ZERO_RTT, HANDSHAKE, RETRY = range(4)
ONE_RTT = 4
NAMES = ("Initial", "0-RTT", "Handshake", "Retry", "1-RTT")
TAG_BYTES = 16
SUITES = {
    32: (CipherSuite.AES_128_GCM_SHA256, CipherSuite.CHACHA20_POLY1305_SHA256),
    48: (CipherSuite.AES_256_GCM_SHA384,),
}
"""By how long a secret is."""
LABELS = {
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET": (True, HANDSHAKE),
    "SERVER_HANDSHAKE_TRAFFIC_SECRET": (False, HANDSHAKE),
    "CLIENT_TRAFFIC_SECRET_0": (True, ONE_RTT),
    "SERVER_TRAFFIC_SECRET_0": (False, ONE_RTT),
}
"""What a key log calls a secret: of which direction, and for which packets."""
CUT = "the record ends before this is complete"


@dataclass(slots=True)
class _Side:
    """One direction of one connection."""

    notes: Notes = field(default_factory=Notes)
    data: bytearray = field(default_factory=bytearray)
    inside: Inside = field(default_factory=Inside)
    keys: dict[int, list[CryptoContext]] = field(default_factory=dict)
    """What may open packets of each type."""
    expected: dict[int, int] = field(default_factory=dict)
    """The next packet number of each."""
    id_bytes: int | None = None
    """How long the connection ids are by which the receiver is reached; not known before it has named one."""


def annotate_datagrams(exchange: Exchange) -> dict[tuple[int, bool], Annotated]:
    """Every datagram of every connection, the bytes of a direction one behind the other."""
    sides: dict[tuple[int, bool], _Side] = {}
    for piece in exchange.pieces:
        for up in (True, False):
            if (piece.connection, up) not in sides:
                sides[piece.connection, up] = _Side(keys=_keys(exchange.secrets, up))
        _datagram(sides, piece)
    decoders = {up: http3.Headers() for up in (True, False)}
    found = {}
    for (connection, up), side in sides.items():
        if side.data:
            _content(side, up, decoders[up], numbered=exchange.numbered)
            data = bytes(side.data)
            side.notes.events.sort(key=lambda event: event.end)
            found[connection, up] = Annotated(data, side.notes.covering(len(data), CUT), side.notes.events)
    return found


def _keys(secrets: str, up: bool) -> dict[int, list[CryptoContext]]:
    keys: dict[int, list[CryptoContext]] = {}
    for line in secrets.splitlines():
        if not line or line.startswith("#"):
            continue
        label, _, secret = line.split()
        of_up, kind = LABELS.get(label, (up, -1))
        if of_up is up and kind >= 0:
            keys[kind] = []
            for suite in SUITES[len(secret) // 2]:
                context = CryptoContext()
                context.setup(cipher_suite=suite, secret=bytes.fromhex(secret), version=VERSION_1)
                keys[kind].append(context)
    return keys


def _datagram(sides: Mapping[tuple[int, bool], _Side], piece: Piece) -> None:
    side, other = sides[piece.connection, piece.up], sides[piece.connection, not piece.up]
    begin = len(side.data)
    side.data += piece.data
    at = 0
    while at < len(piece.data):
        try:
            at = _packet(side, other, piece, at, begin)
        except Short:
            _sealed(side.notes, begin + at, len(piece.data) - at)
            return


def _packet(side: _Side, other: _Side, piece: Piece, at: int, base: int) -> int:
    """Note the packet that begins there, and return where it ends. Raises Short."""
    data, notes = piece.data, side.notes
    first = data[at]
    if not first & 0x80:
        if not first & 0x40 and not any(data[at:]):
            notes.add(base + at, len(data) - at, Kind.QUIC, "quic: PADDING", "behind the last packet")
            return len(data)
        return _short(side, data, at, base)
    if at + 6 > len(data):
        raise Short
    kind = first >> 4 & 3
    version = int.from_bytes(data[at + 1 : at + 5])
    spans = [Span(base + at + 1, 4, Kind.QUIC, "quic: version", f"version {version}")]
    here = at + 5
    ids = []
    for name in ("destination", "source"):
        size = data[here]
        if here + 1 + size >= len(data):
            raise Short
        ids.append(data[here + 1 : here + 1 + size])
        spans.append(Span(base + here, 1, Kind.QUIC, "quic: connection id length", f"{size} bytes"))
        if size:
            spans.append(Span(base + here + 1, size, Kind.QUIC, f"quic: {name} connection id", ids[-1].hex()))
        here += 1 + size
    if version != VERSION_1 or kind == RETRY:
        raise Short
    other.id_bytes = len(ids[1])
    if kind == INITIAL:
        size, behind = varint(data, here)
        notes_of_token = f"{size} bytes" if size else "0 bytes: there is none"
        spans.append(Span(base + here, behind + size - here, Kind.QUIC, "quic: token", notes_of_token))
        here = behind + size
        if piece.up and INITIAL not in side.keys:
            pair = CryptoPair()
            pair.setup_initial(ids[0], is_client=True, version=VERSION_1)
            side.keys[INITIAL], other.keys[INITIAL] = [pair.send], [pair.recv]
    length, number_at = varint(data, here)
    spans.append(Span(base + here, number_at - here, Kind.QUIC, "quic: length", f"{length} bytes"))
    end = number_at + length
    if end > len(data):
        raise Short
    notes.spans += spans
    _opened(side, kind, data, at, number_at, end, base)
    return end


def _short(side: _Side, data: bytes, at: int, base: int) -> int:
    if side.id_bytes is None:
        side.notes.add(base + at, len(data) - at, Kind.REST, "quic: protected", f"{len(data) - at} bytes")
        side.notes.events.append(Event(base + len(data), "said", "a packet with a short header, encrypted"))
        return len(data)
    number_at = at + 1 + side.id_bytes
    name = data[at + 1 : number_at].hex()
    side.notes.add(base + at + 1, side.id_bytes, Kind.QUIC, "quic: destination connection id", name)
    _opened(side, ONE_RTT, data, at, number_at, len(data), base)
    return len(data)


def _opened(side: _Side, kind: int, data: bytes, at: int, number_at: int, end: int, base: int) -> None:
    """Note first byte, packet number, frames and tag, if a key opens the packet."""
    for context in side.keys.get(kind, ()):
        try:
            header, payload, number, _ = context.decrypt_packet(data[at:end], number_at - at, side.expected.get(kind, 0))
        except (CryptoError, ValueError):
            continue
        side.expected[kind] = number + 1
        side.keys[kind] = [context]
        _header(side, kind, header, number, data, at, number_at, base)
        inside = base + at + len(header)
        annotate_frames(side.notes, side.inside, kind, payload, inside)
        side.notes.add(base + end - TAG_BYTES, TAG_BYTES, Kind.QUIC, "quic: AEAD tag")
        return
    side.notes.add(base + at, 1, Kind.QUIC, "quic: first byte", f"{NAMES[kind]}; its low bits are protected")
    _sealed(side.notes, base + number_at, end - number_at)


def _header(side: _Side, kind: int, header: bytes, number: int, data: bytes, at: int, number_at: int, base: int) -> None:
    first = header[0]
    if kind == ONE_RTT:
        bits = f"{first:08b}: short header, fixed bit 1, spin bit {first >> 5 & 1}, key phase {first >> 2 & 1}"
    else:
        bits = f"{first:08b}: long header, fixed bit 1, type {kind} ({NAMES[kind]})"
    size = len(header) - (number_at - at)
    says = f"{bits}, packet number of {size} byte{'s' if size > 1 else ''}"
    side.notes.add(base + at, 1, Kind.QUIC, "quic: first byte", says, header[:1])
    side.notes.add(base + number_at, size, Kind.QUIC, "quic: packet number", str(number), header[-size:])


def _sealed(notes: Notes, at: int, size: int) -> None:
    notes.add(at, size, Kind.REST, "quic: ciphertext", f"{size} bytes")
    notes.events.append(Event(at + size, "said", f"{size} bytes of ciphertext"))


def _content(side: _Side, up: bool, headers: http3.Headers, *, numbered: bool) -> None:
    """Note what the handshake and the streams carried, once all pieces of them are there."""
    for joined in side.inside.crypto.values():
        _place(side.notes, joined, tls.annotated(bytes(joined.data)))
    for stream, joined in sorted(side.inside.streams.items(), key=lambda item: http3.rank(item[0], bytes(item[1].data))):
        _place(side.notes, joined, http3.annotated(bytes(joined.data), stream, up, headers, numbered=numbered))
    for data, at in side.inside.datagrams:
        http3.annotate_datagram(side.notes, data, at)


def _place(notes: Notes, joined: Joined, inside: Notes) -> None:
    """What was noted of a run of bytes, where that is on the wire."""
    for span in inside.spans:
        notes.spans += joined.place(span)
    notes.events += [replace(event, end=joined.where(event.end)) for event in inside.events]
