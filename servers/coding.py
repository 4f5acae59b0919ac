"""Content codings of HTTP responses: what a client accepts, and compression that holds nothing back.

An endless response has a compressor of its own, which remembers what it has said: later messages are then small, and each
connection holds its window. Whatever is given to it is flushed at once, or a reader would wait until a block is full.
Source: RFC 9110 sections 8.4 and 12.5.3; RFC 1952 for gzip, RFC 7932 for br.
"""

import zlib
from collections.abc import Mapping
from typing import Protocol

from servers.options import Options

GZIP_LEVEL, GZIP_WINDOW_BITS = 6, 31
"""zlib's usual level; a window of 32 KiB (15), in gzip's format (+ 16)."""
BR_QUALITY, BR_WINDOW_BITS = 5, 18
"""What is usual for answers that are made anew; a window of 256 KiB, which costs less memory than brotli's usual 4 MiB."""


class Coder(Protocol):
    """Compresses one body."""

    def say(self, data: bytes) -> bytes:
        """The next part of the body, all of it."""

    def end(self) -> bytes:
        """What ends the body."""


class Gzip:
    """gzip."""

    def __init__(self) -> None:
        self._compressor = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_WINDOW_BITS)

    def say(self, data: bytes) -> bytes:
        """The next part of the body, all of it."""
        return self._compressor.compress(data) + self._compressor.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        """What ends the body."""
        return self._compressor.flush()


class Brotli:
    """br."""

    def __init__(self) -> None:
        import brotli  # which is not there unless somebody wants it

        self._compressor = brotli.Compressor(quality=BR_QUALITY, lgwin=BR_WINDOW_BITS)

    def say(self, data: bytes) -> bytes:
        """The next part of the body, all of it."""
        said: bytes = self._compressor.process(data) + self._compressor.flush()
        return said

    def end(self) -> bytes:
        """What ends the body."""
        said: bytes = self._compressor.finish()
        return said


CODINGS: dict[str, type[Coder]] = {"gzip": Gzip, "br": Brotli}
"""By their names in HTTP."""


def coding(headers: Mapping[str, str], options: Options) -> str:
    """The coding of an answer: the one that the server is told to use, if the client accepts it; else none."""
    name = options.compression
    if name not in CODINGS:
        return ""
    return name if _accepts(headers.get("accept-encoding", ""), name) else ""


def _accepts(header: str, name: str) -> bool:
    """Whether it is named, and not by a weight of 0."""
    for part in header.split(","):
        one, _, weight = part.strip().partition(";")
        if one.strip().lower() in (name, "*"):
            return weight.strip().lower().replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def told(name: str) -> dict[str, str]:
    """The headers of an answer with that coding, or with none."""
    return {"content-encoding": name, "vary": "accept-encoding"} if name else {}


def coder(name: str) -> Coder | None:
    """What compresses one body; None for no coding."""
    return CODINGS[name]() if name else None
