"""A server process for tests: started, waited for by its ready line, ended by SIGTERM."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

END_S = 30
"""How long a server may take to end before its test fails. It is generous: how fast it stops is no test's business."""


@dataclass(frozen=True, slots=True)
class Server:
    process: subprocess.Popen[str]
    port: int
    pids: tuple[int, ...] = ()
    """Of its workers, if there are several."""

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@contextmanager
def serving(*, stderr: int | None = None, **options: object) -> Iterator[Server]:
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    process = subprocess.Popen(
        [sys.executable, "-m", "servers", "--port=0", *flags], stdout=subprocess.PIPE, stderr=stderr, text=True
    )
    with ended(process):
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        yield Server(process, ready["port"], tuple(ready.get("pids", ())))


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """Sees to it that the process has ended: by SIGTERM, or, so that a failing test leaves nothing behind, by SIGKILL."""
    with process:
        try:
            yield
            process.terminate()
            process.wait(END_S)
        finally:
            process.kill()
