"""Server-Sent Events: `GET /sse`, one event a message, resumed by `Last-Event-ID`, or else from `?after=ID`.

Served twice: `/sse` by sse-starlette, and `/sse_plain` by Starlette's own StreamingResponse. The bytes are the same, so
whatever differs between the two is the library's, not the protocol's.

The first block is an id without data: the browser then knows where it is even if it must reconnect before the first
message. An event that is not a `message` is the server's last: its type is the name of the reason.
"""

from collections.abc import AsyncIterator

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from servers.coding import Coder, coder, coding, told
from servers.endless import EndlessResponse
from servers.hub import Cursor, CursorGone, Hub, Message, parse_position
from servers.options import Options
from servers.pump import once


def routes(hub: Hub, options: Options) -> list[BaseRoute]:
    """The routes of this transport and of its plain variant."""

    async def cursor(request: Request, wake_every_s: float) -> Cursor:
        # A browser's EventSource can send no header of its own; when it reconnects it sends the newer id, to the same URL.
        after = request.headers.get("last-event-id", request.query_params.get("after"))
        position = await hub.start(None if after is None else parse_position(after))
        return hub.cursor(position, wake_every_s=wake_every_s)

    async def by_sse_starlette(request: Request) -> EventSourceResponse:
        # The library has a heartbeat of its own, but would write it into the middle of what is compressed.
        compressor = coder(chosen := coding(request.headers, options))
        reader = await cursor(request, wake_every_s=options.heartbeat_s if compressor else 0)
        return EventSourceResponse(
            _compressed(_events(reader, options), compressor) if compressor else _events(reader, options),
            ping=0 if compressor else options.heartbeat_s,
            ping_message_factory=_heartbeat,
            headers=_etag(reader) | told(chosen),
        )

    async def by_streaming_response(request: Request) -> Response:
        reader = await cursor(request, wake_every_s=options.heartbeat_s)
        headers = _etag(reader) | {"cache-control": "no-store"}
        if request.method == "HEAD":  # a body that never ends would hold the connection, and show nothing
            return Response(media_type="text/event-stream", headers=headers)
        return EndlessResponse(
            reader,
            _said,
            _last_event,
            first=_first_block(reader, options),
            coding=coding(request.headers, options),
            media_type="text/event-stream",
            headers=headers,
        )

    return [
        Route("/sse", by_sse_starlette, methods=["GET"]),
        Route("/sse_plain", by_streaming_response, methods=["GET"]),
    ]


async def _events(cursor: Cursor, options: Options) -> AsyncIterator[bytes]:
    with cursor:
        yield _first_block(cursor, options)
        try:
            async for messages in cursor:
                yield _said(messages)
        except CursorGone as gone:
            yield _last_event(gone)


async def _compressed(parts: AsyncIterator[bytes], compressor: Coder) -> AsyncIterator[bytes]:
    async for part in parts:
        yield compressor.say(part)
    yield compressor.end()


@once
def _said(messages: list[Message]) -> bytes:
    events = [ServerSentEvent(id=str(message.id), data=message.text).encode() for message in messages]
    return b"".join(events) or _heartbeat().encode()


def _first_block(cursor: Cursor, options: Options) -> bytes:
    return ServerSentEvent(id=str(cursor.position), retry=options.sse_retry_ms or None).encode()


def _last_event(gone: CursorGone) -> bytes:
    return ServerSentEvent(event=gone.name, data=str(gone)).encode()


def _heartbeat() -> ServerSentEvent:
    return ServerSentEvent(comment="heartbeat")


def _etag(cursor: Cursor) -> dict[str, str]:
    return {"etag": f'"{cursor.position}"'}
