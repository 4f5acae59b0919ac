"""A server process for tests: started, waited for by its ready line, ended by SIGTERM."""

import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from pushbench.certificates import Certificates

END_S = 30
"""How long a server may take to end before its test fails. It is generous: how fast it stops is no test's business."""


@dataclass(frozen=True, slots=True)
class Server:
    process: subprocess.Popen[str]
    port: int
    pids: tuple[int, ...] = ()
    """Of its workers, if there are several."""
    authority: str = ""
    """Who has signed its certificate, in PEM; empty if it has none."""

    def url(self, path: str) -> str:
        return f"http{'s' if self.authority else ''}://127.0.0.1:{self.port}{path}"

    @property
    def tls(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cadata=self.authority) if self.authority else None


@contextmanager
def serving(*, program: str = "servers", stderr: int | None = None, **options: object) -> Iterator[Server]:
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    process = subprocess.Popen(
        [sys.executable, "-m", program, "--port=0", *flags], stdout=subprocess.PIPE, stderr=stderr, text=True
    )
    with ended(process):
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        yield Server(process, ready["port"], tuple(ready.get("pids", ())))


@contextmanager
def serving_quic(certificates: Certificates, **options: object) -> Iterator[Server]:
    """One that speaks WebTransport too, and all else over TLS."""
    files = {"tls_certificate": certificates.certificate, "tls_key": certificates.key}
    with serving(webtransport=True, **files, **options) as server:  # type: ignore[arg-type]
        yield replace(server, authority=certificates.authority)


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
