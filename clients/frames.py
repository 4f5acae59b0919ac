"""WebSocket frames, parsed as they come: bytes in, messages out. No socket is in here.

Source: RFC 6455 section 5, and RFC 7692 for permessage-deflate.
"""

import zlib

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
CONTROL = 0x8
"""From this opcode on a frame is one of control: short, whole, and possible between two fragments."""
BROKEN = -1
"""In place of an opcode: what came is no frame that a server may send, and its payload says why. Nothing follows."""
FIN, COMPRESSED, RESERVED = 0x80, 0x40, 0x70
MASKED = 0x80
CONTROL_BYTES = 125
LONGER, LONGEST = 126, 127
"""In place of a length: it follows in two bytes, or in eight."""
DEFLATE_TAIL = b"\x00\x00\xff\xff"
"""What a compressed message has lost, RFC 7692 section 7.2.2."""


class Frames:
    """Feed it what a server sent, cut anywhere; it returns what is complete."""

    def __init__(self, *, compressed: bool = False) -> None:
        """`compressed`: permessage-deflate has been agreed on."""
        self._rest = b""  # an incomplete frame
        self._inflate = zlib.decompressobj(wbits=-zlib.MAX_WBITS) if compressed else None
        self._parts: list[bytes] = []
        self._opcode = CONTINUATION  # of the message of which there are parts; or broken for good
        self._is_compressed = False

    @property
    def between(self) -> bool:
        """Whether the next byte begins a message, or a frame of control."""
        return not self._rest and self._opcode == CONTINUATION

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Take the next bytes, and return the opcode and the payload of each message that they complete, and of each frame
        of control; the last may be `BROKEN`."""
        found: list[tuple[int, bytes]] = []
        if self._opcode == BROKEN:
            return found
        data = self._rest + data
        at, end = 0, len(data)
        while end - at >= 2 and self._opcode != BROKEN:
            first, length = data[at], data[at + 1]
            begin = at + 2
            if length == LONGER:
                begin += 2
            elif length == LONGEST:
                begin += 8
            if begin > end:
                break
            if length in (LONGER, LONGEST):
                length = int.from_bytes(data[at + 2 : begin])
            if reason := self._wrong(first, length, masked=bool(data[at + 1] & MASKED)):
                self._opcode = BROKEN
                found.append((BROKEN, reason))
                break
            if begin + length > end:
                break
            at = begin + length
            self._take(first, data[begin:at], found)
        self._rest = data[at:]
        return found

    def _wrong(self, first: int, length: int, *, masked: bool) -> bytes:
        """Why a frame may not be, if so."""
        opcode = first & 0x0F
        if masked:
            return b"a frame of the server is masked"
        if BINARY < opcode < CONTROL or opcode > PONG:
            return b"there is no opcode %d" % opcode
        if opcode >= CONTROL and (length > CONTROL_BYTES or not first & FIN):
            return b"a frame of control is a fragment, or has %d bytes, and may have %d" % (length, CONTROL_BYTES)
        reserved = first & RESERVED
        if reserved and not (reserved == COMPRESSED and self._inflate and opcode in (TEXT, BINARY)):
            return b"a reserved bit is set that nobody has agreed on"
        if opcode < CONTROL and (opcode == CONTINUATION) != (self._opcode != CONTINUATION):
            return b"a fragment has no beginning, or the message before it has no end"
        return b""

    def _take(self, first: int, payload: bytes, found: list[tuple[int, bytes]]) -> None:
        opcode = first & 0x0F
        if opcode >= CONTROL:
            found.append((opcode, payload))
            return
        if opcode != CONTINUATION:
            self._opcode, self._is_compressed = opcode, bool(first & COMPRESSED)
        self._parts.append(payload)
        if first & FIN:
            payload = b"".join(self._parts)
            if self._is_compressed:
                assert self._inflate
                try:
                    payload = self._inflate.decompress(payload + DEFLATE_TAIL)
                except zlib.error as error:
                    self._opcode = BROKEN
                    found.append((BROKEN, f"a message cannot be decompressed: {error}".encode()))
                    return
                if self._inflate.eof:  # the block was a final one, RFC 7692 section 7.2.3.4
                    self._inflate = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
            found.append((self._opcode, payload))
            self._opcode, self._parts = CONTINUATION, []


def masked(opcode: int, payload: bytes) -> bytes:
    """A short, whole frame of a client, masked as it must be; with a mask of zeros, which changes nothing."""
    assert len(payload) <= CONTROL_BYTES
    return bytes((FIN | opcode, MASKED | len(payload), 0, 0, 0, 0)) + payload
