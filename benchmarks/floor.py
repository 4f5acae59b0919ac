"""The floors in C: built when they are needed, started as processes, pinned as what they stand beside."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILT = HERE / "built"
CONNECT_S = 60.0
END_S = 10.0


class FloorFailed(Exception):
    """The floor cannot be had; the text says why."""


def built(name: str) -> Path:
    """The program of `name.c`. Raises `FloorFailed` without a C compiler, or if it does not compile."""
    source, program = HERE / f"{name}.c", BUILT / name
    if program.exists() and program.stat().st_mtime >= source.stat().st_mtime:
        return program
    compiler = shutil.which("cc")
    if compiler is None:
        raise FloorFailed("there is no C compiler (cc), which the floor needs: install gcc or clang")
    BUILT.mkdir(exist_ok=True)
    command = [compiler, "-O2", "-Wall", "-D_GNU_SOURCE", "-o", str(program), str(source)]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode:
        raise FloorFailed(f"{source.name} does not compile: {made.stderr.strip()}")
    return program


@dataclass(slots=True)
class Receiver:
    """Subscribers in C."""

    pid: int
    messages: int = 0
    """How many they have received, once they have ended."""


@asynccontextmanager
async def receiving(
    port: int, path: str, subscribers: int, cores: Sequence[int], *, websocket: bool
) -> AsyncIterator[Receiver]:
    """That many subscribers, connected. Raises `FloorFailed`."""
    arguments = [str(port), str(subscribers), path, *(["websocket"] if websocket else [])]
    process = await asyncio.create_subprocess_exec(
        built("receiver"),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    assert process.stdout
    try:
        said = await _line(process.stdout, CONNECT_S)
        if not said:
            raise FloorFailed(f"the receiver could not connect {subscribers} times to {path} within {CONNECT_S:g} s")
        receiver = Receiver(process.pid)
        yield receiver
        with suppress(ProcessLookupError):  # it has ended, and what it has not received will be missed
            process.send_signal(signal.SIGTERM)
        said = await _line(process.stdout, END_S)
        receiver.messages = json.loads(said or b'{"messages": 0}')["messages"]
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _line(said: asyncio.StreamReader, within_s: float) -> bytes:
    """The next line; empty if there is none within that time."""
    with suppress(TimeoutError):
        return await asyncio.wait_for(said.readline(), within_s)
    return b""
