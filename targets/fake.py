"""`python -m targets.fake`: a server that loses, doubles, delays and reorders deliveries, exactly as a seeded plan says.

It is there so that what an instrument reports can be compared with what is true. It serves every transport that the
built-in server has. The n-th subscriber to connect is the n-th of the plan (`targets.plan`). Who polls is known by its TCP
connection, and so has to keep it. Nobody can resume. `GET /truth` answers with what the fake did, by its own evidence.

When it accepts connections it prints one JSON line, `{"ready": true, "port": …, "pid": …}`.
"""

import argparse
import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, fields
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from targets.plan import Distortion, draw
from targets.release import Fake, Gone, Refused, Subscriber

GRACE_S = 0.5
"""How long a connection may take to end by itself when the server is told to stop."""
KEEP_ALIVE_S = 75
CLOSE_REFUSED = 4400
CLOSE_GOING_AWAY = 1001  # RFC 6455 section 7.4.1
REASON_BYTES = 123  # what a close frame has room for, RFC 6455 section 5.5; refusals are ASCII


def create_app(fake: Fake) -> Starlette:
    """The application: every transport, publishing, and the truth."""

    async def truth(request: Request) -> Response:
        return JSONResponse(asdict(fake.truth))

    return Starlette(
        routes=[
            *_publishing(fake),
            *_polling(fake),
            *_streams(fake),
            Route("/truth", truth),
        ],
        exception_handlers={Refused: _refuse},  # type: ignore[dict-item]  # one for both kinds of connection
    )


def _publishing(fake: Fake) -> list[Route | WebSocketRoute]:
    """`/publish`, by POST or by WebSocket."""

    async def post(request: Request) -> Response:
        return JSONResponse({"id": fake.publish(await request.body())})

    async def feed(websocket: WebSocket) -> None:
        await websocket.accept()
        with suppress(WebSocketDisconnect):
            while (frame := await websocket.receive())["type"] == "websocket.receive":
                try:
                    fake.publish(frame.get("bytes") or (frame.get("text") or "").encode())
                except Refused as refused:
                    await websocket.close(CLOSE_REFUSED, str(refused)[:REASON_BYTES])
                    return

    return [Route("/publish", post, methods=["POST"]), WebSocketRoute("/publish", feed)]


def _polling(fake: Fake) -> list[Route]:
    """`/polling` and `/longpoll`: 204 to whoever is new; then 200 with what was released since, or 304."""
    known: dict[tuple[str, int], Subscriber] = {}  # by the client's end of the connection

    async def poll(request: Request) -> Response:
        return await answer(request, now)

    async def longpoll(request: Request) -> Response:
        return await answer(request, as_soon_as_there_is_one)

    async def answer(request: Request, find: Callable[[Request, Subscriber, int], Awaitable[list[bytes]]]) -> Response:
        assert request.client
        tag = request.headers.get("if-none-match")
        if tag is None:
            known[request.client] = fake.subscribe()
            return Response(status_code=204, headers=_etag(0))
        if request.client not in known:
            raise Gone(f"{tag!a} is the cursor of another connection: ask without one first, and keep the connection")
        if not (digits := tag.strip('"')).isdecimal():
            raise Refused(f"{tag!a} is no cursor: send the ETag of the last answer")
        position = int(digits)
        messages = await find(request, known[request.client], position)
        headers = _etag(position + len(messages))
        if not messages:
            return Response(status_code=304, headers=headers)
        fake.truth.coalesced += len(messages) - 1
        return Response(b"".join([data + b"\n" for data in messages]), media_type="text/plain", headers=headers)

    async def now(request: Request, subscriber: Subscriber, position: int) -> list[bytes]:
        return subscriber.after(position)

    async def as_soon_as_there_is_one(request: Request, subscriber: Subscriber, position: int) -> list[bytes]:
        leaving = _closed_when_left(request, subscriber)
        try:
            return await subscriber.wait(position)
        finally:
            leaving.cancel()

    return [Route("/polling", poll), Route("/longpoll", longpoll)]


def _streams(fake: Fake) -> list[Route | WebSocketRoute]:
    """`/stream`, `/sse`, `/sse_plain` and `/websocket`: one endless connection, a delivery at a time."""

    async def stream(request: Request) -> Response:
        async def lines(subscriber: Subscriber) -> AsyncIterator[bytes]:
            async for _, data in _deliveries(subscriber):
                yield data + b"\n"

        return StreamingResponse(lines(_newcomer(fake, request)), media_type="text/plain", headers=_etag(0))

    async def sse(request: Request) -> Response:
        async def events(subscriber: Subscriber) -> AsyncIterator[bytes]:
            async for position, data in _deliveries(subscriber):
                yield b"id: %d\ndata: %b\n\n" % (position, data)

        return StreamingResponse(events(_newcomer(fake, request)), media_type="text/event-stream", headers=_etag(0))

    async def push(websocket: WebSocket) -> None:
        subscriber = _newcomer(fake, websocket)
        await websocket.accept(headers=[(b"etag", b'"0"')])
        leaving = _closed_when_left(websocket, subscriber)
        try:
            with suppress(WebSocketDisconnect):
                async for _, data in _deliveries(subscriber):
                    await websocket.send_text(data.decode())
                if not leaving.done():
                    await websocket.close(CLOSE_GOING_AWAY, "the server is stopping")
        finally:
            leaving.cancel()

    return [Route("/stream", stream), Route("/sse", sse), Route("/sse_plain", sse), WebSocketRoute("/websocket", push)]


async def _deliveries(subscriber: Subscriber) -> AsyncIterator[tuple[int, bytes]]:
    """Each delivery as it is released, with its position, from 1, until the subscriber is closed."""
    position = 0
    try:
        while messages := await subscriber.wait(position):
            for data in messages:
                position += 1
                yield position, data
    finally:
        subscriber.close()


def _newcomer(fake: Fake, connection: HTTPConnection) -> Subscriber:
    """The next subscriber. Raises `Gone` for one that wants to resume."""
    cursor = connection.query_params.get("after") or connection.headers.get("last-event-id")
    if cursor is not None:
        raise Gone(f"{cursor!a} is the cursor of a connection that is over, and nobody can resume: connect without one")
    return fake.subscribe()


def _closed_when_left(connection: Request | WebSocket, subscriber: Subscriber) -> asyncio.Task[None]:
    """A task that closes the subscriber when its client has left: a handler that waits is not told."""

    async def read() -> None:
        while (await connection.receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
            pass
        subscriber.close()

    return asyncio.create_task(read())


async def _refuse(connection: Request | WebSocket, refused: Exception) -> PlainTextResponse | None:
    """One line; a WebSocket gets it in place of its handshake, and in a header too, which more clients show."""
    status = 410 if isinstance(refused, Gone) else 400
    response = PlainTextResponse(f"{refused}\n", status, headers={"refusal": str(refused)})
    if isinstance(connection, Request):
        return response
    await connection.send_denial_response(response)
    return None


def _etag(position: int) -> dict[str, str]:
    return {"etag": f'"{position}"'}


class FakeServer(uvicorn.Server):
    """A uvicorn server that says when it is ready, and ends its subscribers when it is told to stop."""

    def __init__(self, config: uvicorn.Config, fake: Fake) -> None:
        super().__init__(config)
        self._fake = fake
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then print the ready line."""
        await super().startup(sockets)
        assert sockets
        self._loop = asyncio.get_running_loop()
        print(json.dumps({"ready": True, "port": sockets[0].getsockname()[1], "pid": os.getpid()}), flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Be told to stop: connections that wait for a delivery would otherwise be waited for."""
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._fake.close)


def config(fake: Fake) -> uvicorn.Config:
    """uvicorn's configuration, with the choices of the built-in server."""
    return uvicorn.Config(
        create_app(fake),
        loop="asyncio",
        http="httptools",
        ws="websockets-sansio",
        ws_ping_interval=None,
        ws_ping_timeout=None,
        ws_per_message_deflate=False,
        lifespan="off",
        interface="asgi3",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,  # type: ignore[arg-type]  # asyncio.wait_for's, which takes a fraction too
    )


def parse(arguments: list[str] | None = None) -> tuple[int, Distortion]:
    """The port, and what to draw the plan from. Ends the process (2) for a flag that is none."""
    parser = argparse.ArgumentParser(
        prog="python -m targets.fake",
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--port", type=int, default=0, help="Port to bind on 127.0.0.1; 0 takes a free one.")
    for option in fields(Distortion):
        flag = "--" + option.name.replace("_", "-")
        parser.add_argument(flag, type=type(option.default), default=option.default, help=option.metadata["help"])
    flags = vars(parser.parse_args(arguments))
    try:
        return flags.pop("port"), Distortion(**flags)
    except ValueError as error:
        parser.error(str(error))


def main() -> None:
    """Bind, serve, and stop within a second of SIGTERM or Ctrl-C."""
    port, distortion = parse()
    fake = Fake(draw(distortion))
    # The protocol is named, because asyncio switches Nagle's algorithm off only where it is.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise SystemExit(
                f"python -m targets.fake: cannot bind port {port}: {error}; --port 0 takes a free one"
            ) from None
        try:
            FakeServer(config(fake), fake).run([listener])
        except KeyboardInterrupt:  # uvicorn raises the signal again when it has stopped
            raise SystemExit(130) from None


if __name__ == "__main__":
    main()
