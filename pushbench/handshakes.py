"""Handshakes: what it costs to begin TLS, in full and resumed, and what was agreed on. Blocking, one at a time.

The clients of the swarm make full handshakes alone: asyncio has no way to resume one.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

from pushbench.control import Address
from pushbench.reach import Reach
from pushbench.wire import read

COUNT = 40
"""So many of each kind: their CPU is then read to a few per cent."""
TIMEOUT_S = 10.0


class HandshakeFailed(Exception):
    """A handshake did not come about; the text says why."""


@dataclass(frozen=True, slots=True)
class _Made:
    """One handshake."""

    took_ns: int
    down_bytes: int
    up_bytes: int


def columns(server: Address, path: str, reach: Reach, cpu_ns: Callable[[], int] | None) -> dict[str, float | str | None]:
    """The columns `tls_*` of a trial. `cpu_ns` tells what the server has used so far; None if nobody can.

    Raises `HandshakeFailed`, also for a certificate that is not believed.
    """
    context = reach.context()
    assert context
    try:
        with _connected(server, context, None) as first:
            version, cipher = first.version(), (first.cipher() or ("unknown",))[0]
            session = _ticket(first, server, path, reach)
        full, full_cpu_ns = _series(server, context, None, cpu_ns)
        resumed, resumed_cpu_ns = _series(server, context, session, cpu_ns) if session else ([], None)
    except (OSError, ssl.SSLError) as error:
        raise HandshakeFailed(f"TLS with {server[0]}:{server[1]} cannot begin: {error}") from None
    return {
        "tls_version": version,
        "tls_cipher": cipher,
        **_named("full", full, full_cpu_ns),
        **_named("resumed", resumed, resumed_cpu_ns),
    }


def _named(kind: str, made: list[_Made], cpu_ns: int | None) -> dict[str, float | None]:
    if len(made) < COUNT:  # what the others took would be charged to these
        cpu_ns = None
    return {
        f"tls_{kind}_ms": median(one.took_ns for one in made) / 1e6 if made else None,
        f"tls_{kind}_bytes": float(median(one.down_bytes + one.up_bytes for one in made)) if made else None,
        f"server_cpu_us_per_{kind}_handshake": cpu_ns / 1e3 / len(made) if made and cpu_ns is not None else None,
    }


def _series(
    server: Address, context: ssl.SSLContext, session: ssl.SSLSession | None, cpu_ns: Callable[[], int] | None
) -> tuple[list[_Made], int | None]:
    before = cpu_ns() if cpu_ns else 0
    made = list(_handshakes(server, context, session))
    return made, cpu_ns() - before if cpu_ns else None


def _handshakes(server: Address, context: ssl.SSLContext, session: ssl.SSLSession | None) -> Iterator[_Made]:
    """So many, one after the other; those that were to be resumed and were not are left out."""
    for _ in range(COUNT):
        began = time.monotonic_ns()
        with _connected(server, context, session) as connection:
            took_ns = time.monotonic_ns() - began
            counts = read(connection)
            if session is None or connection.session_reused:
                yield _Made(took_ns, counts.down_bytes, counts.up_bytes)


def _connected(server: Address, context: ssl.SSLContext, session: ssl.SSLSession | None) -> ssl.SSLSocket:
    plain = socket.create_connection(server, TIMEOUT_S)
    try:
        return context.wrap_socket(plain, server_hostname=server[0], session=session)
    except BaseException:
        plain.close()
        raise


def _ticket(connection: ssl.SSLSocket, server: Address, path: str, reach: Reach) -> ssl.SSLSession | None:
    """What resumes this connection: of TLS 1.3 it comes behind the handshake, so something has to be read."""
    headers = "".join(f"{name}: {value}\r\n" for name, value in reach.headers.items())
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {server[0]}:{server[1]}\r\n{headers}\r\n".encode())
    connection.recv(65_536)
    return connection.session if connection.session and connection.session.has_ticket else None
