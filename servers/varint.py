"""Numbers as QUIC has them: one to eight bytes, of which the first two bits say how many. RFC 9000 section 16."""


def varint(number: int) -> bytes:
    """The number in as few bytes as it needs; it is below 2**62."""
    for power, size in enumerate((1, 2, 4, 8)):
        if number < 1 << (8 * size - 2):
            return (power << (8 * size - 2) | number).to_bytes(size)
    raise ValueError(f"{number} is beyond 2**62 - 1")
