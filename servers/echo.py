"""Echo: an action and its answer. `POST /echo` is answered with its body, and so is each frame of a WebSocket there.

Nothing is kept and nobody else hears of it: what an action costs is what the way to it costs. Frames are answered one after
the other, in their own kind, text or binary.
"""

from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from servers.access import agreed
from servers.bodies import body_of
from servers.closing import frames_of
from servers.hub import Hub
from servers.options import Options


def routes(hub: Hub, options: Options) -> list[BaseRoute]:
    """The routes of this module."""

    async def post(request: Request) -> Response:
        return Response(await body_of(request, options.max_message_bytes), media_type="text/plain")

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept(agreed(websocket.scope))
        with suppress(WebSocketDisconnect):
            while (frame := await websocket.receive())["type"] == "websocket.receive":
                for data in frames_of(frame):
                    await (websocket.send_text(data) if isinstance(data, str) else websocket.send_bytes(data))

    return [Route("/echo", post, methods=["POST"]), WebSocketRoute("/echo", socket)]
