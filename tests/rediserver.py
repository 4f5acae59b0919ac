"""A redis-server for tests: one of their own, on a port of its own, that can be killed and started again with its file."""

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(slots=True)
class RedisServer:
    """It is started with what its directory has."""

    directory: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Returns when it answers."""
        flags = {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": self.directory,
            "save": "",
            "appendonly": "yes",
            "logfile": self.directory / "log",
        }
        command = ["redis-server", *[str(part) for name, value in flags.items() for part in (f"--{name}", value)]]
        self.process = subprocess.Popen(command)
        while self.ask("PING") != "+PONG":
            assert self.process.poll() is None, (self.directory / "log").read_text()

    def ask(self, *command: str) -> str:
        """The first line of its answer; empty if there is none."""
        return self._asked(*command).partition("\r\n")[0]

    def clients(self) -> str:
        """Who is connected, and with which command, a line each."""
        return self._asked("CLIENT", "LIST")

    def _asked(self, *command: str) -> str:
        said = b""
        with suppress(OSError), closing(socket.create_connection(("127.0.0.1", self.port))) as connection:
            for each in (command, ("QUIT",)):
                parts = [b"$%d\r\n%b\r\n" % (len(part.encode()), part.encode()) for part in each]
                connection.sendall(b"*%d\r\n%b" % (len(parts), b"".join(parts)))
            while more := connection.recv(65_536):
                said += more
        return said.decode()

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def forget(self) -> None:
        """While it is not running: what it had is gone."""
        shutil.rmtree(self.directory / "appendonlydir")


@contextmanager
def redis_server(directory: Path) -> Iterator[RedisServer]:
    """One that runs; the test is skipped if none is installed."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed: apt-get install redis-server")
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        server = RedisServer(directory, free.getsockname()[1])
    server.start()
    try:
        yield server
    finally:
        server.kill()
