"""What undoes the content coding of an answer, as it comes. Source: RFC 9110 section 8.4."""

import zlib
from collections.abc import Callable

from clients.ends import SubscriptionEnded

GZIP_WINDOW_BITS = 31
"""Any window, in gzip's format."""

Decode = Callable[[bytes], bytes]


def decoder(name: str) -> Decode | None:
    """For one body with that coding; None if it has none. Raises `SubscriptionEnded` for one that nobody asked for."""
    if name in ("", "identity"):
        return None
    if name == "gzip":
        return zlib.decompressobj(GZIP_WINDOW_BITS).decompress
    if name == "br":
        import brotli  # which is not there unless somebody wants it

        decode: Decode = brotli.Decompressor().process
        return decode
    raise SubscriptionEnded(f"the server answers in the coding {name[:40]!r}, which was not asked for")
