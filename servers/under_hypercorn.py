"""The application under hypercorn: the same hub and the same routes, another server between them and the sockets."""

import asyncio
import signal
import socket
from contextlib import nullcontext

import uvloop
from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config

from servers.app import create_app
from servers.listening import listen_as, say_ready
from servers.options import Options

MOST_STREAMS = 1_000
"""On one connection of HTTP/2."""
GRACE_S = 0.5
"""How long a connection may take to end by itself when the server is told to stop."""
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


def config(options: Options, listener: socket.socket) -> Config:
    """hypercorn's configuration: no access log, heartbeats as everywhere else."""
    told = Config()
    told.bind = [f"fd://{listener.dup().detach()}"]  # of its own, for it closes it
    told.h11_max_incomplete_size = options.max_head_bytes
    told.certfile = options.tls_certificate or None
    told.keyfile = options.tls_key or None
    told.h2_max_concurrent_streams = MOST_STREAMS
    told.keep_alive_max_requests = 2**31  # else a connection that many share is ended after a thousand
    told.backlog = options.backlog
    told.keep_alive_timeout = options.keep_alive_s
    told.graceful_timeout = GRACE_S
    told.shutdown_timeout = GRACE_S
    told.websocket_max_message_size = options.max_message_bytes
    told.websocket_ping_interval = options.heartbeat_s or None
    told.accesslog = None
    told.errorlog = "-"
    told.loglevel = "WARNING"
    return told


def serve(options: Options) -> None:
    """Bind, and serve until told to stop. Raises `Unusable`."""
    listener, udp = listen_as(options)
    with listener, udp or nullcontext():
        listener.listen(options.backlog)  # whoever comes before hypercorn accepts has to wait, and is not refused
        with asyncio.Runner(loop_factory=LOOPS[options.loop]) as runner:
            runner.run(_serve(options, listener, udp))


async def _serve(options: Options, listener: socket.socket, udp: socket.socket | None) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    say_ready(listener.getsockname()[1])
    await hypercorn_serve(create_app(options, udp=udp), config(options, listener), shutdown_trigger=stopped.wait)  # type: ignore[arg-type]
