"""The socket that a server accepts connections on."""

import errno
import json
import os
import socket
import ssl
from collections.abc import Sequence
from importlib.util import find_spec

from servers.options import Options, Unusable

TRIES = 20
"""So many free ports of TCP are taken at most to find one that is free for UDP too."""
BUFFER_BYTES = 4 * 1024 * 1024
"""What the socket of all who come by UDP is to hold (the kernel's rmem_max caps it): by default it is 256 small packets."""


class CannotBind(Unusable):
    """The address cannot be had."""


def listen(host: str, port: int, drop_unanswered_s: float = 0, *, shared: bool = False) -> socket.socket:
    """A socket that is bound; its accepted connections will have Nagle's algorithm off. Raises `CannotBind`.

    If it is `shared`, others may be bound to the same port, and the kernel spreads connections over them.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, because asyncio switches Nagle's algorithm off only where it is: with it, the two writes of a
    # response (head, body) wait for each other's delayed acknowledgement, 40 ms each time.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shared)
        # An accepted connection inherits it. The kernel then ends one whose data is not acknowledged, or finds no room
        # (tcp(7), TCP_USER_TIMEOUT); uvicorn would wait for the room, and no transport can look past its own write.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(drop_unanswered_s * 1000))
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        way_out = "; --port 0 takes a free port" if error.errno == errno.EADDRINUSE else ""
        raise CannotBind(f"cannot bind {host}:{port}: {error.strerror}{way_out}") from None
    return listener


def listen_as(options: Options) -> tuple[socket.socket, socket.socket | None]:
    """The socket of one process that serves, and for WebTransport one of UDP at the same port. Raises `CannotBind`."""
    host, port = options.host, options.port
    if not options.webtransport:
        return listen(host, port, options.drop_unanswered_s), None
    for last in [*[False] * (TRIES - 1 if port == 0 else 0), True]:
        listener = listen(host, port, options.drop_unanswered_s)
        family, address = listener.family, listener.getsockname()[:2]
        datagrams = socket.socket(family, socket.SOCK_DGRAM)
        try:
            datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
            datagrams.bind(address)
            return listener, datagrams
        except OSError as error:
            listener.close()
            datagrams.close()
            if last:
                raise CannotBind(f"cannot bind {host}:{address[1]} of UDP: {error.strerror}; name another --port") from None
    raise AssertionError("the last try returns or raises")


def say_ready(port: int, pids: Sequence[int | None] = ()) -> None:
    """Print that it accepts connections there: the ready line. `pids`: of other processes that do its work, if any do."""
    line = {"ready": True, "port": port, "pid": os.getpid()} | ({"pids": [*pids]} if pids else {})
    print(json.dumps(line), flush=True)


class CannotUse(Unusable):
    """What is to secure or to compress what is said cannot be had."""


def check(options: Options) -> None:
    """Raise `CannotUse` for a certificate that is none, or a compression without its package."""
    if options.tls_certificate:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(options.tls_certificate, options.tls_key)
        except (OSError, ssl.SSLError) as error:
            files = f"--tls-certificate {options.tls_certificate} and --tls-key {options.tls_key}"
            raise CannotUse(f"{files} cannot be used: {error.strerror or error}; name files in PEM") from None
    if options.webtransport and find_spec("aioquic") is None:
        raise CannotUse("--webtransport needs the package aioquic: pip install 'pushbench[webtransport]'")
    if options.compression == "br" and find_spec("brotli") is None:
        raise CannotUse("--compression br needs the package brotli: pip install 'pushbench[compression]'")
