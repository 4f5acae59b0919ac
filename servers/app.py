"""The application: one hub, and every transport on it.

`uvicorn servers.app:app` runs it with uvicorn's defaults, to try it by hand; `python -m servers` runs it with every
choice named, as it is measured.
"""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket

from servers import longpoll, polling, publish, sse, status, stream, websocket
from servers.hub import CursorGone, Hub, MessageTooLarge, Refused
from servers.journal import Journal
from servers.options import Options

MODULES = (publish, polling, longpoll, stream, sse, websocket, status)
"""Everything that is served: each has `routes(hub, options)`."""


def create_app(options: Options) -> Starlette:
    """A new application with a new hub: empty, or with what its journal has. Raises `JournalUnusable`."""
    journal = Journal(options.journal, keep=options.log_messages) if options.journal else None
    hub = Hub(
        log_messages=options.log_messages,
        log_bytes=options.log_bytes,
        max_message_bytes=options.max_message_bytes,
        keep=journal.append if journal else None,
    )
    if journal:
        hub.restore(journal.messages())

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        with _closed_on_signal(hub):
            yield
        if journal:
            journal.close()

    return Starlette(
        routes=[route for module in MODULES for route in module.routes(hub, options)],
        exception_handlers={Refused: _refuse},  # type: ignore[dict-item]  # one for both kinds of connection
        lifespan=lifespan,
    )


async def _refuse(connection: Request | WebSocket, refused: Exception) -> PlainTextResponse | None:
    """One line that names the refusal and says the way out; a WebSocket gets it in place of its handshake."""
    assert isinstance(refused, Refused)
    status = 410 if isinstance(refused, CursorGone) else 413 if isinstance(refused, MessageTooLarge) else 400
    # The name is in a header too: few WebSocket clients show the body of an answer that refuses the handshake.
    response = PlainTextResponse(f"{refused.name}: {refused}\n", status, headers={"refusal": refused.name})
    if isinstance(connection, Request):
        return response
    await connection.send_denial_response(response)
    return None


@contextmanager
def _closed_on_signal(hub: Hub) -> Iterator[None]:
    """Close the hub as soon as the process is told to stop.

    An ASGI server waits for its connections before it says `lifespan.shutdown`, and they wait for the hub: for ever.
    """
    if threading.current_thread() is not threading.main_thread():  # where Python delivers no signals
        yield
        return
    loop = asyncio.get_running_loop()
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def close_then_go_on(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(hub.close)
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


app = create_app(Options())
