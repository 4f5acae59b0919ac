"""What a message is filled with up to its size: nothing of interest, or what compresses as real payloads do. Pure.

Each is the JSON value of a message's `pad`, of an exact size. There are some of each kind, which messages take in turn:
with one alone a compressor that remembers would have seen it all before.
"""

import json
import random
from functools import cache

VARIETY = 64
"""So many different ones there are at least,"""
WINDOW_BYTES = 2 * 2**18
"""and so many that they are longer together than what any compressor here remembers."""
LEAST = 2
"""The size of an empty one: its quotes."""
SYMBOLS = ("ACME", "GLOBEX", "INITECH", "UMBRELLA", "STARK", "WAYNE", "HOOLI", "VANDELAY", "SOYLENT", "TYRELL")
ALPHABET = "".join(chr(code) for code in range(32, 127) if chr(code) not in '"\\')
"""All that is printable in ASCII and stands for itself in JSON: 93 letters, so that no more than a fifth can be saved."""


def filler(size: int, draw: random.Random) -> bytes:
    """One letter again and again."""
    return b'"%b"' % (b"x" * (size - LEAST))


def records(size: int, draw: random.Random) -> bytes:
    """Quotes as a market feed has them; what is left is white space."""
    made: list[str] = []
    left = size - LEAST
    while True:
        price, traded = round(draw.uniform(10, 500), 2), draw.randrange(1, 50) * 100
        quote = {"symbol": draw.choice(SYMBOLS), "price": price, "size": traded}
        text = json.dumps(quote, separators=(",", ":"))
        if len(text) + bool(made) > left:
            return f"[{','.join(made)}{' ' * left}]".encode()
        left -= len(text) + bool(made)
        made.append(text)


def noise(size: int, draw: random.Random) -> bytes:
    """Letters at random: as little compressible as text can be."""
    return b'"%b"' % "".join(draw.choices(ALPHABET, k=size - LEAST)).encode()


KINDS = {"filler": filler, "json": records, "random": noise}
"""By the names that a scenario gives them."""


@cache
def pads(kind: str, size: int) -> tuple[bytes, ...]:
    """Of that kind and size, to be taken in turn; the same in every run."""
    draw = random.Random(size)
    count = 1 if kind == "filler" else max(VARIETY, -(-WINDOW_BYTES // size))
    return tuple(KINDS[kind](size, draw) for _ in range(count))
