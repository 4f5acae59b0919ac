"""The application: one hub, and every transport on it.

`uvicorn servers.app:app` runs it with uvicorn's defaults, to try it by hand; `python -m servers` runs it with every
choice named, as it is measured.
"""

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from types import FrameType
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute
from starlette.websockets import WebSocket

from servers import echo, longpoll, polling, publish, sse, status, stream, websocket, webtransport
from servers.access import Access
from servers.hub import CursorGone, Hub, MessageTooLarge, Refused
from servers.journal import Journal
from servers.options import Options
from servers.refusing import deny, refusal
from servers.replica import BackplaneUnavailable, Replica
from servers.rooms import Rooms, TooManyRooms
from servers.siblings import address, answering
from servers.token import ENVIRONMENT, token_of

MODULES = (publish, polling, longpoll, stream, sse, websocket, webtransport)
"""What is served of every hub: each has `routes(hub, options)`."""
STATUS: dict[type[Refused], int] = {
    CursorGone: 410,
    MessageTooLarge: 413,
    BackplaneUnavailable: 503,
    TooManyRooms: 503,
}
"""The statuses of refusals, where it is not 400."""


def create_app(options: Options, number: int = 0, udp: socket.socket | None = None) -> Starlette:
    """A new application with a new hub: empty, or with what its journal or the backplane has. Raises `JournalUnusable`.

    It is the worker of that number, if there are several. With a socket of UDP it answers WebTransport there.
    """
    hub, living = _replica(options, number) if options.redis else _hub(options)
    rooms = Rooms(options, feed)
    shared = options.redis or options.journal  # which rooms are not

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with living, _over_quic(app, options, udp):
            with closed_on_signal(hub, rooms):
                yield

    return Starlette(
        routes=[
            *feed(hub, options),
            *echo.routes(hub, options),
            *status.routes(hub, options, rooms),
            *([] if shared else rooms.mounted()),
        ],
        middleware=doors(options),
        exception_handlers={Refused: refuse},  # type: ignore[dict-item]  # one for both kinds of connection
        lifespan=lifespan,
    )


def feed(hub: Hub, options: Options) -> list[BaseRoute]:
    """The routes by which messages come to a hub, and to its readers."""
    return [route for module in MODULES for route in module.routes(hub, options)]


def readers(hub: Hub, options: Options) -> list[BaseRoute]:
    """The routes by which messages come to a hub's readers alone: for a hub on which nobody outside may publish."""
    return [route for module in MODULES if module is not publish for route in module.routes(hub, options)]


def _over_quic(app: Starlette, options: Options, udp: socket.socket | None) -> AbstractAsyncContextManager[None]:
    if udp is None:
        return nullcontext()
    from servers.quic import answering  # which needs a package that is not installed for TCP alone

    return answering(app, udp, options)


def doors(options: Options, methods: Sequence[str] = ("GET", "POST")) -> list[Middleware]:
    """What a request has to pass, from outside: that a page elsewhere may read the answer at all, and who may come in."""
    origins = [origin.strip() for origin in options.allow_origins.split(",") if origin.strip()]
    token = token_of(options, os.environ.get(ENVIRONMENT) or None)
    access = Middleware(Access, token=token, origins=origins, most=options.max_connections)
    if not origins:
        return [access]
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=methods,
            allow_headers=["authorization", "content-type", "if-none-match", "last-event-id"],
            expose_headers=["etag", "refusal"],
        ),
        access,
    ]


def _hub(options: Options) -> tuple[Hub, AbstractAsyncContextManager[Any]]:
    """A hub of this process alone, and what lives as long."""
    journal = Journal(options.journal, keep=options.log_messages) if options.journal else None
    hub = Hub(
        log_messages=options.log_messages,
        log_bytes=options.log_bytes,
        max_message_bytes=options.max_message_bytes,
        keep=journal.append if journal else None,
    )
    living = AsyncExitStack()
    if journal:
        hub.restore(journal.messages())
        living.callback(journal.close)
    return hub, living


def _replica(options: Options, number: int) -> tuple[Hub, AbstractAsyncContextManager[Any]]:
    """A hub that shares its log with other processes, and what lives as long."""
    from servers.backplane import Backplane  # which needs a package that is not installed for one process alone

    replica = Replica(
        Backplane(options.redis, options.redis_key, keep=options.log_messages),
        _say,
        log_messages=options.log_messages,
        log_bytes=options.log_bytes,
        max_message_bytes=options.max_message_bytes,
    )

    @asynccontextmanager
    async def living() -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(replica.following())
            if options.workers > 1:
                at = address(options, number)
                await stack.enter_async_context(answering(at, lambda: status.counts_of_worker(replica)))
            yield

    return replica, living()


def _say(line: str) -> None:
    print(f"python -m servers: process {os.getpid()}: {line}", file=sys.stderr, flush=True)


async def refuse(connection: Request | WebSocket, refused: Exception) -> PlainTextResponse | None:
    """One line that names the refusal and says the way out; a WebSocket gets it in place of its handshake."""
    assert isinstance(refused, Refused)
    status = next((code for kind, code in STATUS.items() if isinstance(refused, kind)), 400)
    response = refusal(status, refused.name, str(refused))
    if isinstance(connection, Request):
        return response
    await deny(connection, response)
    return None


@contextmanager
def closed_on_signal(*hubs: Hub | Rooms) -> Iterator[None]:
    """Close the hubs as soon as the process is told to stop.

    An ASGI server waits for its connections before it says `lifespan.shutdown`, and they wait for the hub: for ever.
    """
    if threading.current_thread() is not threading.main_thread():  # where Python delivers no signals
        yield
        return
    loop = asyncio.get_running_loop()
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def close_then_go_on(number: int, frame: FrameType | None) -> None:
        for one in hubs:
            loop.call_soon_threadsafe(one.close)
        handler = previous[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number in previous:
        signal.signal(number, close_then_go_on)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def __getattr__(name: str) -> Starlette:
    """`app`: the application with the usual options, made when it is asked for."""
    if name != "app":
        raise AttributeError(name)
    return create_app(Options())
