"""A target: the server under test, started as a process of its own and waited for by its ready line.

It knows how to start and stop a server, and nothing of what the server does. The process that it starts is the server's
keeper (`pushbench.kinship`), which ends with the server, and before which nothing ends that the server has started.
"""

import asyncio
import json
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from pushbench.kinship import BY_SIGNAL, LET_GO, NOT_STARTED, below_a_keeper
from pushbench.usage import Usage

LOOPBACK = "127.0.0.1"
READY_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 5.0
"""How long a server may take to end by itself."""
LAST_LINES = 12
NOTICE_S = 0.2
"""Whatever goes wrong, so long is waited whether it is because the server has ended."""


class TargetFailed(Exception):
    """The server did not start, or ended by itself; the text has its own last lines."""


@dataclass(frozen=True, slots=True)
class Target:
    """How to start a server.

    Its standard output must have one line of JSON with `ready`, `port` and `pid`; if other processes do its work, or some
    of it, with their `pids` too.
    """

    name: str
    command: tuple[str, ...]
    publish_path: str = "/publish"
    publish_via: str | None = None
    """The one way to publish that it has; None if it has all that a scenario may name."""
    ready_timeout_s: float = READY_TIMEOUT_S
    shares_log: bool = False
    """Whether it is several processes, which need a backplane."""
    host: str = LOOPBACK
    """The address of this host at which it is reached."""

    def at(self, host: str) -> "Target":
        """The same, listening at that address; on loopback it listens anyhow."""
        return self if host == self.host else replace(self, command=(*self.command, f"--host={host}"), host=host)

    def sharing(self, url: str) -> "Target":
        """The same, with its log in the backplane there."""
        return replace(self, command=(*self.command, f"--redis={url}"))

    def mortal(self, journal: str, port: int = 0) -> "Target":
        """The same, to be killed and started again: at that port (0: a free one), with its log kept in that file."""
        return replace(self, command=(*self.command, f"--port={port}", f"--journal={journal}"))


@dataclass(frozen=True, slots=True)
class Running:
    """A server that is ready."""

    host: str
    port: int
    pid: int
    exited: asyncio.Future[int]
    """Done with its exit code when it has ended by itself."""
    workers: tuple[int, ...] = ()
    """Processes that do its work beside that one, if there are any."""
    spent: tuple[Usage, ...] = ()
    """What earlier processes of the same server had used when they ended."""

    @property
    def pids(self) -> tuple[int, ...]:
        """All its processes."""
        return (self.pid, *self.workers)


def built_in(
    *,
    loop: str,
    heartbeat_s: float,
    longpoll_timeout_s: float,
    compression: str = "none",
    drop_unanswered_s: float = 0.0,
    workers: int = 1,
) -> Target:
    """The Starlette server that comes with the suite."""
    return Target(
        "starlette",
        (
            sys.executable,
            "-m",
            "servers",
            "--port=0",
            f"--loop={loop}",
            f"--heartbeat-s={heartbeat_s}",
            f"--longpoll-timeout-s={longpoll_timeout_s}",
            f"--compression={compression}",
            f"--drop-unanswered-s={drop_unanswered_s}",
            *([f"--workers={workers}"] if workers > 1 else []),
        ),
        shares_log=workers > 1,
    )


def bare_tcp() -> Target:
    """The floor that has no HTTP."""
    return Target("tcp", (sys.executable, "-m", "targets.tcp"), publish_via="lines")


@asynccontextmanager
async def running(target: Target, cores: Sequence[int]) -> AsyncIterator[Running]:
    """The target's server, from ready to stopped.

    Raises `TargetFailed` if it does not become ready, or ends by itself; also in place of an error that came of that.
    """
    process = await asyncio.create_subprocess_exec(
        *below_a_keeper(target.command, cores),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C is the run's to handle
    )
    lines: deque[str] = deque(maxlen=LAST_LINES)
    draining: asyncio.Task[None] | None = None
    patience_s = STOP_TIMEOUT_S
    try:
        assert process.stdout is not None
        try:
            async with asyncio.timeout(target.ready_timeout_s):
                ready = await _ready_line(process.stdout, lines)
                code = None if ready else _exit_code(await process.wait())
        except TimeoutError:
            raise TargetFailed(_failure(target, f"was not ready after {target.ready_timeout_s:g} s", lines)) from None
        if code == NOT_STARTED:
            raise TargetFailed(f"the server {target.name} cannot be started: {' | '.join(lines)}")
        if ready is None:
            raise TargetFailed(_failure(target, f"ended with exit code {code} before it was ready", lines))
        draining = asyncio.create_task(_drain(process.stdout, lines))
        exited = asyncio.ensure_future(process.wait())
        cause: Exception | None = None
        try:
            yield Running(target.host, ready["port"], ready["pid"], exited, tuple(ready["pids"]))
        except Exception as error:
            cause = error
            await _ended_within(process, NOTICE_S)
        finally:
            exited.cancel()
        if process.returncode is not None:
            await draining
            says = f"ended with exit code {_exit_code(process.returncode)} during the trial"
            raise TargetFailed(_failure(target, says, lines)) from cause
        if cause:
            raise cause
    except asyncio.CancelledError:
        patience_s = 0.0  # nobody waits for this trial any more
        raise
    finally:
        await _stop(process, patience_s)
        if draining is not None:
            await draining


async def _ready_line(output: asyncio.StreamReader, lines: deque[str]) -> dict[str, Any] | None:
    while line := await output.readline():
        try:
            said = json.loads(line)
            if said["ready"]:
                return {
                    "port": said["port"],
                    "pid": said["pid"],
                    "pids": [one for one in said.get("pids", ()) if one != said["pid"]],
                }
        except (ValueError, TypeError, KeyError):
            pass
        lines.append(line.decode(errors="replace").rstrip())
    return None


async def _drain(output: asyncio.StreamReader, lines: deque[str]) -> None:
    while line := await output.readline():
        lines.append(line.decode(errors="replace").rstrip())


def _failure(target: Target, what: str, lines: deque[str]) -> str:
    said = "; its last lines: " + " | ".join(lines) if lines else "; it printed nothing"
    return f"the server {target.name} {what}{said}"


async def _stop(process: asyncio.subprocess.Process, patience_s: float) -> None:
    """Let the server end by itself, as far as the patience goes, and see to it that nothing is left of it."""
    try:
        if patience_s:
            _tell(process, signal.SIGTERM)
            await _ended_within(process, patience_s)
    finally:
        _tell(process, LET_GO)
        await process.wait()


def _tell(process: asyncio.subprocess.Process, what: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(what)


async def _ended_within(process: asyncio.subprocess.Process, longest_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(longest_s):
            await process.wait()


def _exit_code(keepers: int) -> int:
    """The server's exit code, by that of its keeper: negative if a signal ended it."""
    return BY_SIGNAL - keepers if BY_SIGNAL < keepers < BY_SIGNAL + signal.NSIG else keepers
