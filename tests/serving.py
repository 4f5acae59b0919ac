"""A server process for tests: started, waited for by its ready line, ended by SIGTERM."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Server:
    process: subprocess.Popen[str]
    port: int

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@contextmanager
def serving(**options: object) -> Iterator[Server]:
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    process = subprocess.Popen([sys.executable, "-m", "servers", "--port=0", *flags], stdout=subprocess.PIPE, text=True)
    with process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            yield Server(process, ready["port"])
        finally:
            process.terminate()
            process.wait(10)
