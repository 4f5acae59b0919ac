"""WebSocket: `GET /websocket?after=ID`, one text (or binary) frame a message.

The handshake's `ETag` is the position at which it starts; each frame is one further. Heartbeats are ping frames, which
uvicorn sends. A subscriber that says something is closed with 1008, unless the feed is duplex: then that is published. A
close with code 4410 is the server's last word to a reader whose position is gone.
"""

import asyncio
from contextlib import suppress

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from servers.access import agreed
from servers.closing import REASON_BYTES, close_of, messages_of
from servers.frames import binary_frames, text_frames
from servers.hub import CursorGone, Hub, Refused, parse_position
from servers.options import Options
from servers.pump import pump_of

CLOSE_POLICY, CLOSE_MISTAKE = 1008, 1011  # RFC 6455 section 7.4.1
CLOSE_CURSOR_GONE = 4410  # RFC 6455 section 7.4.2 leaves 4000-4999 to applications; 410 is HTTP's Gone


def routes(hub: Hub, options: Options) -> list[BaseRoute]:
    """The routes of this transport."""

    binary = options.frames == "binary"

    async def push(websocket: WebSocket) -> None:
        after = websocket.query_params.get("after")
        position = await hub.start(None if after is None else parse_position(after))
        with suppress(WebSocketDisconnect), hub.cursor(position) as cursor:
            await websocket.accept(agreed(websocket.scope), headers=[(b"etag", b'"%d"' % position)])
            heard = asyncio.create_task(_heard(websocket, hub if options.duplex else None))
            heard.add_done_callback(lambda _: cursor.end())
            try:
                if pump := pump_of(websocket.scope):
                    await pump(cursor, binary_frames if binary else text_frames)
                else:
                    async for messages in cursor:
                        for message in messages:
                            await (websocket.send_bytes(message.data) if binary else websocket.send_text(message.text))
                if heard.done() and (refusal := heard.result()):
                    await websocket.close(*refusal)
                elif not heard.done():
                    await websocket.close(1001, "the server is stopping")
            except CursorGone as gone:
                await websocket.close(CLOSE_CURSOR_GONE, f"{gone.name}: {gone}"[:REASON_BYTES])
            except WebSocketDisconnect:
                raise
            except Exception:
                await websocket.close(CLOSE_MISTAKE, "the server has made a mistake")
                raise  # so that it is logged
            finally:
                heard.cancel()

    return [WebSocketRoute("/websocket", push)]


async def _heard(websocket: WebSocket, hub: Hub | None) -> tuple[int, str] | None:
    """Publish what the client says until it leaves; without a hub that is not its part. Returns how to close it, if so."""
    while (frame := await websocket.receive())["type"] != "websocket.disconnect":
        if hub is None:
            return CLOSE_POLICY, "a subscriber says nothing: publish at /publish"
        try:
            await hub.accept(*messages_of(frame))
        except Refused as refused:
            return close_of(refused)
    return None
