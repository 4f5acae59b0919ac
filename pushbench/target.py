"""A target: the server under test, started as a process of its own and waited for until it is ready.

It knows how to start and stop a server, and nothing of what the server does. The process that it starts is the server's
keeper (`pushbench.kinship`), which ends with the server, and before which nothing ends that the server has started. A
server that is there already is not started, and nothing is known of its processes.
"""

import asyncio
import json
import re
import signal
import socket
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pushbench import probes
from pushbench.certificates import Certificates
from pushbench.kinship import BY_SIGNAL, LET_GO, NOT_STARTED, below_a_keeper
from pushbench.reach import PLAIN, Reach
from pushbench.usage import Usage

LOOPBACK = "127.0.0.1"
READY_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 5.0
"""How long a server may take to end by itself."""
LAST_LINES = 12
ASK_EVERY_S = 0.02
"""How often it is asked whether a server is ready that does not say so itself."""
NO_READY_LINE = "it has printed no ready line; or give its contract start.ready, a path"
NOTICE_S = 0.2
"""Whatever goes wrong, so long is waited whether it is because the server has ended."""


class TargetFailed(Exception):
    """The server did not start, or ended by itself; the text has its own last lines."""


def placeholders(text: str, names: Collection[str]) -> set[str]:
    """Which of these names stand in a text to be filled in, as `{name}`."""
    return {name for name in re.findall(r"\{(\w+)\}", text) if name in names}


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with `{name}` replaced by its value; braces around anything else are left alone."""
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), text)


@dataclass(frozen=True, slots=True)
class Served:
    """How a target serves a transport."""

    path: str
    start: str = ""
    """Where a poller asks from where to ask; empty: there."""
    resumes: bool = True
    """Whether a reader can resume,"""
    resumes_unseen: bool = True
    """also one that has not had a message."""
    tells_gone: bool = False
    """Whether a reader that cannot resume is told so."""
    hello: str = ""
    """What a reader says once it is connected; then its messages are inside of what it is told. Empty: nothing."""
    inside: str = ""
    """How what it is told begins that has one."""
    one_at_a_time: bool = False
    """Whether an answer has one message at most."""


@dataclass(frozen=True, slots=True)
class Target:
    """How to start a server, and where it has what.

    Its standard output must have one line of JSON with `ready`, `port` and `pid`; if other processes do its work, or some
    of it, with their `pids` too. Or it has a path that is answered when it is ready: then it gets a port, and all processes
    that it has by then are its own.
    """

    name: str
    command: tuple[str, ...]
    """Words, in which `{port}`, `{host}`, `{directory}` and all `values` are filled in."""
    publish: Mapping[str, str] = field(default_factory=lambda: {"websocket": "/publish", "post": "/publish"})
    """Where messages are published, by each way that there is."""
    acts: Mapping[str, str] = field(default_factory=dict)
    """Where an action is answered, by each way that there is: `post`, `websocket`."""
    action: str = ""
    """What an action is, with a place for the message (`envelope`); empty: the message alone."""
    content_type: str = "text/plain"
    """What a POST of an action says that it is."""
    room: str = ""
    """Below which path a room has the same transports, with `{room}` in it; empty if it has none."""
    serves: Mapping[str, Served] = field(default_factory=dict)
    """How it serves each transport; one that is not among them is where the table of transports says."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Files that it finds in `{directory}`, by their names; filled in likewise."""
    ready_path: str = ""
    """What it answers when it is ready; empty: it says so itself."""
    ready_timeout_s: float = READY_TIMEOUT_S
    first_message: str = ""
    """What is published by POST when it is ready and before anybody comes; empty: nothing."""
    values: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    """Where it is, if it is there already."""
    reach: Reach = PLAIN
    """How it is spoken to."""
    status_path: str = "/status"
    """What says how it is; empty if nothing does."""
    shares_log: bool = False
    """Whether it is several processes, which need a backplane."""
    host: str = LOOPBACK
    """The address of this host at which it is reached."""

    def at(self, host: str) -> "Target":
        """The same, listening at that address."""
        return replace(self, host=host)

    def sharing(self, url: str) -> "Target":
        """The same, with its log in the backplane there."""
        return replace(self, values={**self.values, "redis": url})

    def mortal(self, journal: str, port: int = 0) -> "Target":
        """The same, to be killed and started again: at that port (0: a free one), with its log kept in that file."""
        return replace(self, values={**self.values, "port": str(port), "journal": journal})

    def over_tls(self, certificates: Certificates) -> "Target":
        """The same with these; of a server that is there already it is its own business."""
        values = {**self.values, "tls_certificate": certificates.certificate, "tls_key": certificates.key}
        return replace(self, values=values, reach=replace(self.reach, tls=True, authority=certificates.authority))

    def way(self, asked: str) -> str:
        """How to publish: as it is asked for, unless it has one way of its own."""
        return asked if asked in self.publish else next(iter(self.publish))

    def path(self, path: str) -> str:
        """Where that is: below the URL, if it has one."""
        return urlsplit(self.url).path.rstrip("/") + path


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
        """All its processes; none of a server that was not started here."""
        return (self.pid, *self.workers) if self.pid else ()


@asynccontextmanager
async def running(target: Target, cores: Sequence[int]) -> AsyncIterator[Running]:
    """The target's server, from ready to stopped.

    Raises `TargetFailed` if it does not become ready, or ends by itself; also in place of an error that came of that.
    """
    if target.url:
        yield _there(target)
        return
    async with AsyncExitStack() as stack:
        given = {"host": target.host, "port": "0", **target.values}
        if target.ready_path and given["port"] == "0":
            given["port"] = str(_free_port(target.host))
        if target.files or any(placeholders(word, ("directory",)) for word in target.command):
            given["directory"] = stack.enter_context(tempfile.TemporaryDirectory(prefix="pushbench-"))
            _write(Path(given["directory"]), target.files, given)
        command = [filled(word, given) for word in target.command]
        server = await stack.enter_async_context(_started(target, command, int(given["port"]), cores))
        if target.first_message:
            path = target.path(target.publish["post"])
            if not await _answers(server.host, server.port, path, target.reach, target.first_message.encode()):
                raise TargetFailed(f"the server {target.name} did not answer to its first message, posted to {path}")
        yield server


def _write(directory: Path, files: Mapping[str, str], values: Mapping[str, str]) -> None:
    directory.chmod(0o755)  # the processes of a server may be another user's
    for name, text in files.items():
        (directory / name).write_text(filled(text, values))


def _there(target: Target) -> Running:
    """A server that is there already, whose processes are not known."""
    parts = urlsplit(target.url)
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    return Running(parts.hostname or "", port, 0, asyncio.get_running_loop().create_future())


def _free_port(host: str) -> int:
    with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as free:
        port: int = free.getsockname()[1]
        return port


@asynccontextmanager
async def _started(target: Target, command: Sequence[str], port: int, cores: Sequence[int]) -> AsyncIterator[Running]:
    """By this command, at that port if it does not say at which itself."""
    process = await asyncio.create_subprocess_exec(
        *below_a_keeper(command, cores),
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
                if target.ready_path:
                    draining = asyncio.create_task(_drain(process.stdout, lines))
                    ready = await _answering(target, process, port)
                else:
                    ready = await _ready_line(process.stdout, lines)
                code = None if ready else _exit_code(await process.wait())
        except TimeoutError:
            how = f"{target.ready_path} was not answered" if target.ready_path else NO_READY_LINE
            says = f"was not ready after {target.ready_timeout_s:g} s ({how})"
            raise TargetFailed(_failure(target, says, lines)) from None
        if code == NOT_STARTED:
            raise TargetFailed(f"the server {target.name} cannot be started: {' | '.join(lines)}")
        if ready is None:
            raise TargetFailed(_failure(target, f"ended with exit code {code} before it was ready", lines))
        if draining is None:
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


async def _answering(target: Target, process: asyncio.subprocess.Process, port: int) -> dict[str, Any] | None:
    """What a ready line would have said, once the path is answered by whatever; None if the server has ended before."""
    while process.returncode is None:
        if await _answers(target.host, port, target.ready_path, target.reach):
            pid, *others = probes.below(process.pid)
            return {"port": port, "pid": pid, "pids": others}
        await asyncio.sleep(ASK_EVERY_S)
    return None


async def _answers(host: str, port: int, path: str, reach: Reach = PLAIN, posted: bytes | None = None) -> bool:
    """Whether a GET is answered by whatever, or a POST of that by success."""
    method, wanted = ("GET", rb"HTTP/1\.\d \d") if posted is None else ("POST", rb"HTTP/1\.\d 2")
    length = "" if posted is None else f"Content-Length: {len(posted)}\r\n"
    try:
        reader, writer = await asyncio.open_connection(host, port, ssl=reach.context())
    except OSError:
        return False
    headers = "".join(f"{name}: {value}\r\n" for name, value in reach.headers.items())
    try:
        head = f"{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\n{headers}{length}Connection: close\r\n\r\n"
        writer.write(head.encode() + (posted or b""))
        return bool(re.match(wanted, await reader.readline()))
    except OSError:
        return False
    finally:
        writer.close()


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
