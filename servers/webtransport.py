"""WebTransport: `CONNECT /webtransport?after=ID` over HTTP/3, and what is pushed on the server's own streams.

There are three ways, each with a path of its own:

- `/webtransport`: all messages on one stream, each behind its length. They come once and in order, and one that is lost on
  the way holds up those behind it.
- `/webtransport_streams`: each message on a stream of its own, behind its id. All come, but none waits for another.
- `/webtransport_datagrams`: each message in a datagram, behind its id. None waits, and what is lost stays lost.

The answer's `ETag` is the position at which it starts. Numbers are QUIC's (`servers/varint.py`), and so are heartbeats. The
server's last word closes the session, with the code 4410 for a reader whose position is gone.
"""

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from servers.hub import Cursor, CursorGone, Hub, Message, Refused, parse_position
from servers.options import Options
from servers.session import Session, session_of
from servers.varint import varint

CLOSE_STOPPING, CLOSE_CURSOR_GONE = 1001, 4410  # as on WebSocket
AT_ONCE = 32
"""So many messages are said before it is asked whether there is room, and others have their turn."""
Say = Callable[[list[Message]], None]


class NotWebTransport(Refused):
    """It is asked for over something else than HTTP/3."""

    name = "not_webtransport"


def routes(hub: Hub, options: Options) -> list[BaseRoute]:
    """The routes of this transport, in its three ways."""

    def route(path: str, way: Callable[[Session], Say]) -> Route:
        async def push(request: Request) -> Response:
            if (session := session_of(request.scope)) is None:
                raise NotWebTransport("WebTransport is spoken over HTTP/3: ask there, at the same port of UDP")
            after = request.query_params.get("after")
            position = await hub.start(None if after is None else parse_position(after))
            return _Pushed(session, hub.cursor(position), way)

        return Route(path, push, methods=["CONNECT"])

    return [
        route("/webtransport", _on_one_stream),
        route("/webtransport_streams", _on_streams),
        route("/webtransport_datagrams", _in_datagrams),
    ]


def _on_one_stream(session: Session) -> Say:
    stream = session.open()

    def say(messages: list[Message]) -> None:
        session.write(stream, b"".join([varint(len(message.data)) + message.data for message in messages]))

    return say


def _on_streams(session: Session) -> Say:
    def say(messages: list[Message]) -> None:
        for message in messages:
            session.write(session.open(), varint(message.id) + message.data, last=True)

    return say


def _in_datagrams(session: Session) -> Say:
    def say(messages: list[Message]) -> None:
        for message in messages:
            session.datagram(varint(message.id) + message.data)

    return say


class _Pushed(Response):
    """The answer that opens a session, and all that is said in it."""

    def __init__(self, session: Session, cursor: Cursor, way: Callable[[Session], Say]) -> None:
        super().__init__(headers={"etag": f'"{cursor.position}"'})
        del self.headers["content-length"]
        self._session = session
        self._cursor = cursor
        self._way = way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        say = self._way(self._session)
        with self._cursor as cursor:
            left = asyncio.create_task(_left(receive))
            left.add_done_callback(lambda _: cursor.end())
            try:
                async for messages in cursor:
                    for begin in range(0, len(messages), AT_ONCE):
                        say(messages[begin : begin + AT_ONCE])
                        await self._session.sent()
                if not left.done():
                    self._session.close(CLOSE_STOPPING, "the server is stopping")
            except CursorGone as gone:
                self._session.close(CLOSE_CURSOR_GONE, f"{gone.name}: {gone}")
            finally:
                left.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _left(receive: Receive) -> None:
    """Wait until the client leaves."""
    while (await receive())["type"] != "http.disconnect":
        pass
