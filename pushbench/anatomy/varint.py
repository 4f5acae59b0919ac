"""Numbers of QUIC, one to eight bytes long (RFC 9000 section 16), and those of QPACK (RFC 7541 section 5.1). Pure."""


class Short(Exception):
    """The data ends before what is read."""


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins there, and where it ends. Raises Short."""
    if at >= len(data):
        raise Short
    size = 1 << (data[at] >> 6)
    if at + size > len(data):
        raise Short
    return int.from_bytes(data[at : at + size]) & ((1 << (8 * size - 2)) - 1), at + size


def prefixed(data: bytes, at: int, bits: int) -> tuple[int, int]:
    """The number in the low bits of the byte there and, if it is large, behind it; and where it ends. Raises Short."""
    if at >= len(data):
        raise Short
    most = (1 << bits) - 1
    value = data[at] & most
    at += 1
    if value < most:
        return value, at
    shift = 0
    while at < len(data):
        value += (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            return value, at
    raise Short
