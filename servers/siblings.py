"""The workers of one server ask each other what they hold, so that one of them can tell of all.

Each listens on an abstract Unix socket (unix(7)), named by the port that they share and a number: there is no file to be
left over. It answers every connection with one JSON object.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from typing import Any

from servers.options import Options

ANSWER_S = 1.0
"""How long one may take to answer."""

Counts = dict[str, Any]


def address(options: Options, number: int) -> str:
    """Where the worker of this number is asked."""
    return f"\0pushbench-{options.host}-{options.port}-{number}"


@asynccontextmanager
async def answering(at: str, counts: Callable[[], Counts]) -> AsyncIterator[None]:
    """Answer those who ask there. Raises OSError if somebody else does."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(at)

    def answer(
        _: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:  # no coroutine: it would be a task, and count
        writer.write(json.dumps(counts()).encode())
        writer.close()

    async with await asyncio.start_unix_server(answer, sock=listener):
        yield


async def ask(at: str) -> Counts | None:
    """What the worker there holds; None if there is none, or it does not answer."""
    loop = asyncio.get_running_loop()
    said = b""
    with suppress(OSError, TimeoutError), closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as asking:
        asking.setblocking(False)
        async with asyncio.timeout(ANSWER_S):
            await loop.sock_connect(asking, at)
            while more := await loop.sock_recv(asking, 65_536):
                said += more
    with suppress(ValueError):  # of nothing, or if it is not all of it
        answered: Counts = json.loads(said)
        return answered
    return None
