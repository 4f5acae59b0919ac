"""WebSocket: `GET /websocket?after=ID`, one text (or binary) frame a message.

The handshake's `ETag` is the position at which it starts; each frame is one further. Heartbeats are ping frames, which
uvicorn sends. A close with code 4410 is the server's last word to a reader whose position is gone.
"""

import asyncio
from contextlib import suppress

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from servers.access import agreed
from servers.frames import binary_frames, text_frames
from servers.hub import CursorGone, Hub, parse_position
from servers.options import Options
from servers.pump import pump_of

CLOSE_CURSOR_GONE = 4410  # RFC 6455 section 7.4.2 leaves 4000-4999 to applications; 410 is HTTP's Gone
REASON_BYTES = 123  # what a close frame has room for, RFC 6455 section 5.5


def routes(hub: Hub, options: Options) -> list[BaseRoute]:
    """The routes of this transport."""

    binary = options.frames == "binary"

    async def push(websocket: WebSocket) -> None:
        after = websocket.query_params.get("after")
        position = await hub.start(None if after is None else parse_position(after))
        with suppress(WebSocketDisconnect), hub.cursor(position) as cursor:
            await websocket.accept(agreed(websocket.scope), headers=[(b"etag", b'"%d"' % position)])
            leaving = asyncio.create_task(_client_leaves(websocket))
            try:
                if pump := pump_of(websocket.scope):  # it sees by itself that the client has left
                    await pump(cursor, binary_frames if binary else text_frames)
                else:
                    leaving.add_done_callback(lambda _: cursor.wake())
                    async for messages in cursor:
                        if leaving.done():
                            return
                        for message in messages:
                            await (websocket.send_bytes(message.data) if binary else websocket.send_text(message.text))
                await websocket.close(1001, "the server is stopping")
            except CursorGone as gone:
                await websocket.close(CLOSE_CURSOR_GONE, f"{gone.name}: {gone}"[:REASON_BYTES])
            finally:
                leaving.cancel()

    return [WebSocketRoute("/websocket", push)]


async def _client_leaves(websocket: WebSocket) -> None:
    """Read and drop what the client says: a frame that nobody reads would also hold back its pongs and its close."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass
