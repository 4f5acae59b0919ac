"""Noticing: how long a server takes to see that peers have vanished, by how many readers it says that it has.

What vanishing is, and when it happens, is not known here.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import suppress

from pushbench.control import Address
from pushbench.reach import Reach

ASK_EVERY_S = 0.1
"""How often the server is asked; what is noticed is told to that."""

Look = tuple[int, int]
"""A moment, and how many cursors the server had."""


def noticed_ms(looks: Sequence[Look], vanished_ns: int, vanished: int) -> dict[str, float | None]:
    """When half of them, and all, were noticed, in milliseconds after they vanished; None for not while it was looked.

    What the server had before is the most that it had until then. Afterwards a reader may be between two requests, so
    what counts is that the server never again has so many as with it.
    """
    before = max((cursors for at_ns, cursors in looks if at_ns <= vanished_ns), default=0)
    most_from_here, gone = 0, list[Look]()
    for at_ns, cursors in reversed([look for look in looks if look[0] > vanished_ns]):
        most_from_here = max(most_from_here, cursors)
        gone.append((at_ns, before - most_from_here))
    columns: dict[str, float | None] = {}
    for name, needed in (("p50", -(-vanished // 2)), ("all", vanished)):
        moments = [at_ns for at_ns, many in gone if many >= needed]
        columns[f"noticed_{name}_ms"] = (min(moments) - vanished_ns) / 1e6 if moments and vanished else None
    return columns


async def look(server: Address, path: str, reach: Reach, looks: list[Look]) -> None:
    """Ask the server again and again how many cursors it has, until cancelled."""
    while True:
        began = time.monotonic()
        with suppress(OSError):  # a server that is busy, or has gone: there is another look
            looks.append((time.monotonic_ns(), await _cursors(server, path, reach)))
        await asyncio.sleep(max(0.0, ASK_EVERY_S - (time.monotonic() - began)))


async def _cursors(server: Address, path: str, reach: Reach) -> int:
    host, port = server
    reader, writer = await asyncio.open_connection(host, port, ssl=reach.context())
    headers = "".join(f"{name}: {value}\r\n" for name, value in reach.headers.items())
    try:
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {host}:{port}\r\n{headers}Connection: close\r\n\r\n".encode())
        answer = await reader.read()
    finally:
        writer.close()
    cursors: int = json.loads(answer.partition(b"\r\n\r\n")[2])["cursors"]
    return cursors
