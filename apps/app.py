"""The three applications as one: their hubs, their routes, and the doors that are the server's."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount

from apps import pages
from apps.chat import history
from apps.life import begin
from apps.options import AppsOptions
from apps.pages import Files
from apps.tasks import rest, socket
from apps.tasks.store import Store
from apps.tasks.tasklist import TaskList
from apps.ticker.feed import ENVELOPE_BYTES, Feed
from apps.ticker.market import Walk, symbols
from apps.ticker.routes import routes as of_ticker
from apps.ticker.trading import trading
from servers.app import closed_on_signal, doors, feed, readers, refuse
from servers.hub import Hub, Refused
from servers.options import Options
from servers.rooms import Rooms

METHODS = ("GET", "POST", "PATCH", "DELETE")


def create_app(options: AppsOptions) -> Starlette:
    """A new application. Raises `DatabaseUnusable`."""
    store = Store(options.tasks_database, begin=begin(), keep=options.log_messages)
    changes = _hub(options)
    tasks = TaskList(store, changes, limit=options.tasks_limit)
    rooms = Rooms(options, _routes_of_room, begin)
    names = symbols(options.ticker_symbols)
    ticker = Feed(_hub(options, ENVELOPE_BYTES), names, max_message_bytes=options.max_message_bytes)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        with closing(store), closed_on_signal(changes, rooms, ticker.hub), _trading(ticker, names, options):
            yield

    return Starlette(
        routes=[
            *pages.routes(),
            Mount("/tasks/changes", routes=readers(changes, options)),
            Mount("/tasks", routes=[*rest.routes(tasks, options), *socket.routes(tasks, options)]),
            Mount("/ticker", routes=of_ticker(ticker, options)),
            *rooms.mounted(),
        ],
        middleware=[Middleware(Files), *doors(options, METHODS)],
        exception_handlers={Refused: refuse},  # type: ignore[dict-item]  # one for both kinds of connection
        lifespan=lifespan,
    )


def _hub(options: Options, more_bytes: int = 0) -> Hub:
    most = options.max_message_bytes + more_bytes
    return Hub(log_messages=options.log_messages, log_bytes=max(options.log_bytes, most), max_message_bytes=most)


def _routes_of_room(hub: Hub, options: Options) -> list[BaseRoute]:
    return [*feed(hub, options), *history.routes(hub, options)]


@contextmanager
def _trading(ticker: Feed, names: tuple[str, ...], options: AppsOptions) -> Iterator[None]:
    """The ticker's own updates, if it makes any."""
    if not options.ticker_hz:
        yield
        return
    task = asyncio.ensure_future(trading(ticker, Walk(names, options.ticker_seed), options.ticker_hz))
    try:
        yield
    finally:
        task.cancel()
