"""The supervisor: the parent of several workers behind one port. It starts them, again if one dies, and ends them.

It serves nothing, and imports nothing of what serves. It binds the port and does not listen: so the port is the server's
also while no worker is there, and no connection comes here. Each worker listens on a socket of its own (SO_REUSEPORT,
socket(7)), over which the kernel spreads connections; of one that they share, whoever is first takes all that are waiting.
"""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any

from servers.listening import listen
from servers.options import Options, Unusable

STOP_S = 0.9
"""How long workers may take to end by themselves when they are told to."""
CRASHES = 3
"""So many times in a row a worker may end before it is ready, and without a word."""
AGAIN_S = 1.0
"""How long after that it is tried again."""


class WorkersFailed(Unusable):
    """They do not start."""


def supervise(options: Options) -> None:
    """Bind, have workers serve, and stop them within a second of SIGTERM or Ctrl-C. Raises `Unusable`."""
    with listen(options.host, options.port) as reserved:
        # Only now, so that a port on which another server's workers listen was refused.
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, True)
        told = asyncio.run(Supervisor(replace(options, port=reserved.getsockname()[1])).run())
    signal.signal(told, signal.SIG_DFL if told != signal.SIGINT else signal.default_int_handler)
    signal.raise_signal(told)


class Supervisor:
    """The workers of one server."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._told: asyncio.Future[signal.Signals]  # done when it is told to stop
        self._processes: dict[int, asyncio.subprocess.Process] = {}  # by the worker's number
        self._ready: dict[int, int] = {}  # the process ids of those that have become ready, by number
        self._announced = False

    async def run(self) -> signal.Signals:
        """Until it is told to stop; returns by which signal. Raises `WorkersFailed`."""
        loop = asyncio.get_running_loop()
        self._told = loop.create_future()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop, number)
        keeping = {asyncio.create_task(self._keep(number)) for number in range(self._options.workers)}
        try:
            awaited: set[asyncio.Future[Any]] = {self._told, *keeping}
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            for task in keeping:
                if task.done():
                    task.result()  # a worker is kept until it cannot be: raises why
            return self._told.result()
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.wait(keeping)
            await self._end_all()

    def _stop(self, number: signal.Signals) -> None:
        if not self._told.done():
            self._told.set_result(number)

    async def _keep(self, number: int) -> None:
        """Have this worker run, again and again."""
        crashes = 0
        while True:
            process = await self._start(number)
            said = await _first_line(process)
            ready_s = time.monotonic()
            if said.get("ready"):
                crashes = 0
                self._note_ready(number, process.pid)
            code = await process.wait()
            how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
            if said.get("ready"):
                _say(f"worker {process.pid} ended {how}, and is started again")
                if time.monotonic() - ready_s < AGAIN_S:  # it may end so again and again
                    await asyncio.sleep(AGAIN_S)
                continue
            if not self._announced:
                told = f"a worker ended {how} before it was ready: what it printed says why"
                raise WorkersFailed(str(said.get("why", told)))
            # A reason that it names will pass, such as a Redis that is away; subscribers stay on the others meanwhile.
            crashes += "why" not in said
            if crashes == CRASHES:
                raise WorkersFailed(
                    f"a worker ended {how} before it was ready, {crashes} times in a row: what it printed says why"
                )
            why = said.get("why", "what it printed says why")
            _say(f"worker {process.pid} ended {how} before it was ready, and is started again: {why}")
            await asyncio.sleep(AGAIN_S)

    async def _start(self, number: int) -> asyncio.subprocess.Process:
        command = ("-m", "servers.worker", str(os.getpid()), str(number), json.dumps(asdict(self._options)))
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
        )
        self._processes[number] = process
        return process

    def _note_ready(self, number: int, pid: int) -> None:
        self._ready[number] = pid
        if len(self._ready) == self._options.workers and not self._announced:
            self._announced = True
            pids = [pid for _, pid in sorted(self._ready.items())]
            print(json.dumps({"ready": True, "port": self._options.port, "pid": os.getpid(), "pids": pids}), flush=True)

    async def _end_all(self) -> None:
        for what, within_s in ((signal.SIGTERM, STOP_S), (signal.SIGKILL, None)):
            for process in self._processes.values():
                # Not by `process.send_signal`, which looks whether it has ended, and so takes that from who waits for it.
                if process.returncode is None:
                    with suppress(ProcessLookupError):
                        os.kill(process.pid, what)
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    for process in self._processes.values():
                        await process.wait()


async def _first_line(process: asyncio.subprocess.Process) -> dict[str, object]:
    """What a worker says of itself; nothing if it ends without a word."""
    assert process.stdout is not None
    try:
        said: dict[str, object] = json.loads(await process.stdout.readline())
    except ValueError:
        return {}
    return said


def _say(line: str) -> None:
    print(f"python -m servers: {line}", file=sys.stderr, flush=True)
