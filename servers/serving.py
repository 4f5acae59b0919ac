"""One process that serves: the application under uvicorn, with every choice named, as it is measured.

When it accepts connections it prints one JSON line, `{"ready": true, "port": …, "pid": …}`.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import nullcontext

import uvicorn
from starlette.types import ASGIApp

from servers.app import create_app
from servers.heads import BoundedHeads
from servers.inorder import InOrder
from servers.listening import listen_as, say_ready
from servers.options import Options, Unusable
from servers.pump import PumpingHttp, PumpingWebSocket
from servers.replica import BackplaneLost

GRACE_S = 0.5
"""How long a connection may take to end by itself when the server is told to stop."""


class ReadyServer(uvicorn.Server):
    """A uvicorn server that says when it is ready."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then print the ready line."""
        await super().startup(sockets)
        assert sockets
        say_ready(sockets[0].getsockname()[1])


class BackplaneUnusable(Unusable):
    """What is to be shared by the workers cannot be; the text says why, and the way out."""


def protocols(options: Options) -> tuple[type[asyncio.Protocol] | str, type[asyncio.Protocol] | str]:
    """What speaks HTTP, and WebSocket: uvicorn's own by name, or those made from its first choices, which write directly.

    With a backplane a publisher's ping is answered once that has what was sent before.
    """
    direct = options.writes == "direct"
    http: type[asyncio.Protocol] | str = options.http
    if http == "httptools":
        kind = PumpingHttp if direct else BoundedHeads
        http = type(kind.__name__, (kind,), {"most_head_bytes": options.max_head_bytes})
    ws: type[asyncio.Protocol] | str = options.ws
    if direct and ws == "websockets-sansio":
        ws = InOrder if options.redis else PumpingWebSocket
    return http, ws


def config(options: Options, number: int = 0, udp: socket.socket | None = None) -> uvicorn.Config:
    """The configuration of the server that is measured."""
    return config_of(create_app(options, number, udp), options)


def config_of(app: ASGIApp, options: Options) -> uvicorn.Config:
    """uvicorn's for an application: nothing on auto, compression and access log off, heartbeats as everywhere else."""
    http, ws = protocols(options)
    return uvicorn.Config(
        app,
        loop=options.loop,
        http=http,
        ws=ws,
        h11_max_incomplete_event_size=options.max_head_bytes,
        ws_max_size=options.max_message_bytes,
        ws_ping_interval=options.heartbeat_s or None,
        ws_ping_timeout=options.drop_unanswered_s or None,
        ws_per_message_deflate=options.compression == "permessage-deflate",
        lifespan="on",
        interface="asgi3",
        log_level="warning",
        access_log=False,
        proxy_headers=False,  # nothing stands in front
        backlog=options.backlog,
        ssl_certfile=options.tls_certificate or None,
        ssl_keyfile=options.tls_key or None,
        ssl_context_factory=_context if options.tls_certificate else None,
        timeout_keep_alive=options.keep_alive_s,
        timeout_graceful_shutdown=GRACE_S,  # type: ignore[arg-type]  # asyncio.wait_for's, which takes a fraction too
    )


def _context(config: uvicorn.Config, usual: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """TLS 1.2 and 1.3, with the ciphers that OpenSSL thinks well of."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    assert config.ssl_certfile
    context.load_cert_chain(config.ssl_certfile, config.ssl_keyfile)
    return context


def serve(options: Options) -> None:
    """Bind, and serve until told to stop; a second is enough for that. Raises `Unusable`."""
    listener, udp = listen_as(options)
    with listener, udp or nullcontext():
        serve_on(listener, options, udp=udp)


def serve_on(listener: socket.socket, options: Options, number: int = 0, udp: socket.socket | None = None) -> None:
    """Likewise, as the worker of that number; or also on a socket of UDP."""
    if options.redis:
        asyncio.run(_look_at_the_backplane(options))  # here, for uvicorn would tell of it by a traceback
    ReadyServer(config(options, number, udp)).run([listener])


async def _look_at_the_backplane(options: Options) -> None:
    try:
        from servers.backplane import Backplane
    except ImportError:
        raise BackplaneUnusable("--redis needs the package redis: pip install 'pushbench[redis]'") from None
    shared = Backplane(options.redis, options.redis_key, keep=options.log_messages)
    try:
        await shared.join(b"", 0)
    except BackplaneLost as lost:
        raise BackplaneUnusable(
            f"the backplane {shared.name} cannot be used: {lost}; start a Redis there, or name another with --redis"
        ) from None
    finally:
        await shared.close()
