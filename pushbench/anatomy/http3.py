"""What QUIC's streams and datagrams carry, annotated: HTTP/3 (RFC 9114), its headers (RFC 9204), WebTransport. Pure."""

from collections.abc import Sequence

from pylsqpack import Decoder, DecompressionFailed, StreamBlocked

from pushbench.anatomy.published import add_message, called
from pushbench.anatomy.spans import Event, Kind, Notes
from pushbench.anatomy.varint import Short, prefixed, varint

CONTROL, ENCODER, DECODER, WEBTRANSPORT = 0x00, 0x02, 0x03, 0x54
STREAM_TYPES = {CONTROL: "control", ENCODER: "QPACK encoder", DECODER: "QPACK decoder", WEBTRANSPORT: "WebTransport"}
DATA, HEADERS, SETTINGS = 0x0, 0x1, 0x4
FRAMES = {DATA: "DATA", HEADERS: "HEADERS", SETTINGS: "SETTINGS", 0x7: "GOAWAY", 0xD: "MAX_PUSH_ID"}
SETTING_NAMES = {
    0x1: "QPACK_MAX_TABLE_CAPACITY",
    0x6: "MAX_FIELD_SECTION_SIZE",
    0x7: "QPACK_BLOCKED_STREAMS",
    0x8: "ENABLE_CONNECT_PROTOCOL",
    0x33: "H3_DATAGRAM",
    0x2B603742: "ENABLE_WEBTRANSPORT",
}
"""RFC 9114 and 9204, RFC 9220, RFC 9297, and the draft of WebTransport."""
CLOSE_SESSION = 0x2843
TABLE_BYTES, BLOCKED = 4096, 16
FIELDS = ((0x80, 0x80, 6, 0, 0), (0xC0, 0x40, 4, 7, 0), (0xE0, 0x20, 0, 7, 3), (0xF0, 0x10, 4, 0, 0), (0xF0, 0x00, 3, 7, 0))
"""How a line of headers begins (RFC 9204 section 4.5): mask, value, bits of the index, of a value's length, of a name's."""
FIELD_NAMES = ("qpack: indexed", "qpack: name by index", "qpack: literal", "qpack: indexed", "qpack: name by index")


class Headers:
    """Reads the headers that one side sends, which may depend on what it has said of its table."""

    def __init__(self) -> None:
        self._decoder = Decoder(TABLE_BYTES, BLOCKED)

    def instructed(self, data: bytes) -> None:
        """The side has said this of its table."""
        self._decoder.feed_encoder(data)

    def read(self, stream: int, data: bytes) -> list[tuple[str, str]]:
        """The headers in that; none if they cannot be read."""
        try:
            _, found = self._decoder.feed_header(stream, data)
        except (DecompressionFailed, StreamBlocked):
            return []
        return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in found]


def rank(stream: int, data: bytes) -> tuple[bool, int]:
    """In which order streams are read: first what is said of the table of headers."""
    return not (stream & 2 and data[:1] == bytes([ENCODER])), stream


def annotated(data: bytes, stream: int, up: bool, headers: Headers, *, numbered: bool) -> Notes:
    """One direction of one stream; `numbered`: an id is in front of each message of WebTransport, and no length."""
    notes = Notes()
    try:
        if stream & 2:
            _one_way(notes, data, headers, stream, numbered=numbered)
        else:
            _http_frames(notes, data, 0, stream, up, headers)
    except Short:
        pass
    return notes


def annotate_datagram(notes: Notes, data: bytes, at: int) -> None:
    """A datagram that lies there: of which session it is, which message, and the message."""
    try:
        quarter, begin = varint(data, 0)
        number, body = varint(data, begin)
    except Short:
        return
    notes.add(at, begin, Kind.FRAMING, "webtransport: quarter stream id", f"{quarter}: stream {4 * quarter}", data[:begin])
    notes.add(at + begin, body - begin, Kind.FRAMING, "webtransport: message id", str(number), data[begin:body])
    seq = add_message(notes, data[body:], at + body, opened=True)
    notes.events.append(Event(at + len(data), "message", called(seq), seq))


def _one_way(notes: Notes, data: bytes, headers: Headers, stream: int, *, numbered: bool) -> None:
    kind, at = varint(data, 0)
    name = STREAM_TYPES.get(kind, "reserved")
    if kind == WEBTRANSPORT:
        notes.add(0, at, Kind.FRAMING, "webtransport: signal", f"{kind:#x}")
        session, begin = varint(data, at)
        notes.add(at, begin - at, Kind.FRAMING, "webtransport: session id", str(session))
        notes.events.append(Event(begin, "said", f"the server opens stream {stream}"))
        _messages(notes, data, begin, numbered=numbered)
        return
    notes.add(0, at, Kind.HTTP, "h3: stream type", f"{kind:#x}: {name}")
    notes.events.append(Event(at, "said", f"the {name} stream"))
    if kind == CONTROL:
        _http_frames(notes, data, at, stream, False, headers)
        return
    if kind == ENCODER:
        headers.instructed(data[at:])
    notes.add(at, len(data) - at, Kind.HTTP, "qpack: instructions" if kind in (ENCODER, DECODER) else "h3: frame")
    if at < len(data):
        notes.events.append(Event(len(data), "said", f"more on the {name} stream"))


def _messages(notes: Notes, data: bytes, at: int, *, numbered: bool) -> None:
    while at < len(data):
        value, begin = varint(data, at)
        end = len(data) if numbered else begin + value
        if end > len(data):
            raise Short
        name, says = ("message id", str(value)) if numbered else ("length", f"{value} bytes")
        notes.add(at, begin - at, Kind.FRAMING, f"webtransport: {name}", says)
        seq = add_message(notes, data[begin:end], begin)
        notes.events.append(Event(end, "message", called(seq), seq))
        at = end


def _http_frames(notes: Notes, data: bytes, at: int, stream: int, up: bool, headers: Headers) -> None:
    while at < len(data):
        kind, here = varint(data, at)
        size, begin = varint(data, here)
        end = begin + size
        if end > len(data):
            raise Short
        name = FRAMES.get(kind, f"{kind:#x}, reserved or unknown")
        notes.add(at, begin - at, Kind.HTTP, "h3: frame head", f"{name}, {size} bytes")
        if kind == HEADERS:
            _headers(notes, data[begin:end], begin, up, headers.read(stream, data[begin:end]))
        elif kind == SETTINGS:
            _settings(notes, data, begin, end)
        elif kind == DATA:
            notes.add(begin, size, Kind.FRAMING, "webtransport: capsule", _capsule(data[begin:end]))
            notes.events.append(Event(end, "close" if _closes(data[begin:end]) else "said", "a capsule of the session"))
        else:
            notes.add(begin, size, Kind.HTTP, "h3: frame")
        at = end


def _closes(data: bytes) -> bool:
    return bool(data) and varint(data, 0)[0] == CLOSE_SESSION


def _capsule(data: bytes) -> str:
    if not _closes(data):
        return ""
    _, at = varint(data, 0)
    _, at = varint(data, at)
    return f"CLOSE_WEBTRANSPORT_SESSION {int.from_bytes(data[at : at + 4])}: {data[at + 4 :].decode(errors='replace')}"


def _settings(notes: Notes, data: bytes, at: int, end: int) -> None:
    while at < end:
        key, here = varint(data, at)
        value, behind = varint(data, here)
        notes.add(at, behind - at, Kind.HTTP, "h3: setting", f"{SETTING_NAMES.get(key, f'{key:#x}, reserved')} = {value}")
        at = behind


def _headers(notes: Notes, data: bytes, at: int, up: bool, read: Sequence[tuple[str, str]]) -> None:
    """A head: its event, and each line of it if there are as many as were read."""
    said = dict(read)
    event = ("request", f"{said.get(':method', '')} {said.get(':path', '')}") if up else ("answer", said.get(":status", ""))
    status = int(said[":status"]) if said.get(":status", "").isdecimal() else 0
    notes.events.append(Event(at + len(data), event[0], event[1] or "headers", status=status))
    try:
        _, here = prefixed(data, 0, 8)
        _, here = prefixed(data, here, 7)
        lines = _lines(data, here)
    except Short:
        lines = []
    if len(lines) != len(read) or not read:
        notes.add(at, len(data), Kind.HTTP, "qpack: headers", ", ".join(f"{name}: {value}" for name, value in read))
        return
    notes.add(at, here, Kind.HTTP, "qpack: prefix", "none of the dynamic table" if not data[0] else "")
    for (begin, end, name), (header, value) in zip(lines, read, strict=True):
        notes.add(at + begin, end - begin, Kind.HTTP, name, f"{header}: {value}")


def _lines(data: bytes, at: int) -> list[tuple[int, int, str]]:
    """Where each line of headers begins and ends, and of which kind it is. Raises Short."""
    found = []
    while at < len(data):
        begin = at
        row = next(index for index, (mask, value, *_) in enumerate(FIELDS) if data[at] & mask == value)
        _, _, index_bits, value_bits, name_bits = FIELDS[row]
        if name_bits:
            size, at = prefixed(data, at, name_bits)
            at += size
        else:
            _, at = prefixed(data, at, index_bits)
        if value_bits:
            size, at = prefixed(data, at, value_bits)
            at += size
        if at > len(data):
            raise Short
        found.append((begin, at, FIELD_NAMES[row]))
    return found
