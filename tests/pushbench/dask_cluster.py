"""A Dask cluster of this host for tests: a scheduler and its workers, each a process of its own, on loopback."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from pushbench.environment import placed

SILENT = {
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",  # which would look at the swarm every 10 ms
    "DASK_DISTRIBUTED__SCHEDULER__WORK_STEALING": "False",
}


@dataclass(frozen=True, slots=True)
class Dask:
    """A cluster."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def dask(workers: int, before_worker: Mapping[int, Sequence[str]] | None = None) -> Iterator[Dask]:
    """One with so many workers, which are ended with it. `before_worker` is put before the command of some of them."""
    command = [sys.executable, "-m", "dask"]
    with ExitStack() as stack:

        def begin(arguments: Sequence[str], before: Sequence[str] = ()) -> subprocess.Popen[bytes]:
            cores = os.sched_getaffinity(0)
            os.sched_setaffinity(0, placed().swarm)  # which it inherits: the server's core is the server's
            try:
                process = subprocess.Popen(
                    [*before, *command, *arguments],
                    env=os.environ | SILENT,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            finally:
                os.sched_setaffinity(0, cores)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        port = free_port()
        address = f"tcp://127.0.0.1:{port}"
        made = Dask(
            address, begin(["scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard", "--no-show"])
        )
        for number in range(workers):
            # Without a nanny, so that the worker is the process that is known here, and stays away when it is killed.
            arguments = ["worker", address, "--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard", "--no-nanny"]
            made.workers.append(begin(arguments, (before_worker or {}).get(number, ())))
        from distributed import Client

        with Client(address, timeout=30, set_as_default=False) as client:  # it tries until the scheduler is there
            client.wait_for_workers(workers, timeout=30)
        yield made
