"""The application under granian: the same hub and the same routes, a server in Rust between them and the sockets.

granian has a process that looks after one that serves, threads of its own for the sockets, and binds by itself. It sends no
pings on a WebSocket.
"""

import json
import multiprocessing
import os
import socket
import threading
import time
from dataclasses import asdict
from pathlib import Path

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops, TaskImpl
from granian.log import LogLevels
from starlette.applications import Starlette

from servers.app import create_app
from servers.listening import listen, say_ready
from servers.options import Options

TOLD = "PUSHBENCH_SERVER_OPTIONS"
"""The environment variable by which the process that serves has its options."""
ASK_EVERY_S = 0.01
GRACE_S = 1
"""How long the process that serves may take to end when it is told to."""


def serve(options: Options) -> None:
    """Bind, and serve until told to stop. Raises `Unusable`."""
    with listen(options.host, options.port) as there:  # so that an address that cannot be had is told as ever
        port = there.getsockname()[1]
    os.environ[TOLD] = json.dumps(asdict(options))
    threading.Thread(target=_say_when_it_accepts, args=(options.host, port), daemon=True).start()
    Granian(
        f"{__name__}:app",
        factory=True,
        address=options.host,
        port=port,
        interface=Interfaces.ASGI,
        loop=Loops(options.loop),
        runtime_threads=1,
        task_impl=TaskImpl.asyncio,
        http=HTTPModes.http1,
        ssl_cert=Path(options.tls_certificate) if options.tls_certificate else None,
        ssl_key=Path(options.tls_key) if options.tls_key else None,
        backlog=max(128, options.backlog),
        workers_kill_timeout=GRACE_S,
        log_level=LogLevels.warning,
        log_access=False,
    ).serve()


def app() -> Starlette:
    """The application, in the process that serves."""
    return create_app(Options(**json.loads(os.environ[TOLD])))


def _say_when_it_accepts(host: str, port: int) -> None:
    while True:
        try:
            socket.create_connection((host, port)).close()
        except OSError:
            time.sleep(ASK_EVERY_S)
            continue
        say_ready(port, [child.pid for child in multiprocessing.active_children()])
        return
