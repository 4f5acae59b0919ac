"""The backplane: a Redis of a trial's own, through which several processes of a server share their log.

It knows how to start and stop one. What a server keeps in it is not known here.
"""

import asyncio
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from pushbench.kinship import LET_GO, below_a_keeper
from pushbench.target import TargetFailed

PROGRAM = "redis-server"
READY_TIMEOUT_S = 20.0
ASK_EVERY_S = 0.02
LAST_BYTES = 500


@dataclass(frozen=True, slots=True)
class Backplane:
    """A Redis that answers."""

    url: str
    pid: int


def missing() -> str:
    """Why there can be none; empty if nothing keeps one from being started."""
    if shutil.which(PROGRAM):
        return ""
    return (
        f"{PROGRAM} is not installed, by which several processes of a server share their log: "
        f"install it (Debian: apt-get install {PROGRAM}), or set server_workers = 1"
    )


@asynccontextmanager
async def backplane(cores: Sequence[int]) -> AsyncIterator[Backplane]:
    """One on a free port of loopback, with an empty log that it keeps in a file, as one of production would.

    Raises `TargetFailed` if there is no such program, or it does not come up.
    """
    if why := missing():
        raise TargetFailed(why)
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="pushbench-") as directory:
        flags = {"port": str(port), "bind": "127.0.0.1", "dir": directory, "save": "", "appendonly": "yes"}
        command = [PROGRAM, *(word for name, value in flags.items() for word in (f"--{name}", value))]
        process = await asyncio.create_subprocess_exec(
            *below_a_keeper(command, cores),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is the run's to handle
        )
        assert process.stdout
        said = asyncio.ensure_future(process.stdout.read())
        try:
            pid = await _answering(port, said)
            yield Backplane(f"redis://127.0.0.1:{port}/0", pid)
        finally:
            with suppress(ProcessLookupError):
                process.send_signal(LET_GO)
            await process.wait()
            await said


async def _answering(port: int, said: asyncio.Future[bytes]) -> int:
    """Wait until it answers; returns its process id."""
    with suppress(TimeoutError):
        async with asyncio.timeout(READY_TIMEOUT_S):
            while not said.done():
                with suppress(OSError, ValueError, IndexError, asyncio.IncompleteReadError):
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                    try:
                        writer.write(b"INFO server\r\nQUIT\r\n")
                        return int((await reader.read()).split(b"process_id:")[1].split()[0])
                    finally:
                        writer.close()
                await asyncio.sleep(ASK_EVERY_S)
            last = said.result()[-LAST_BYTES:].decode(errors="replace").strip().replace("\n", " | ")
            raise TargetFailed(f"{PROGRAM} ended before it answered; its last words: {last}")
    raise TargetFailed(f"{PROGRAM} did not answer within {READY_TIMEOUT_S:g} s")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
