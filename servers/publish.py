"""Publishing: `POST /publish` with the message as its body, or a WebSocket on the same path, each frame a message.

The WebSocket is for rates at which a request a message would be the bottleneck; nothing is answered on it, unless a
message is refused: then it is closed with the reason. What is sent faster than it is taken is taken together, where
the connection says what has come (`servers/inorder.py`).
"""

from contextlib import suppress
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from servers.access import agreed
from servers.bodies import body_of
from servers.closing import close_of, messages_of
from servers.hub import Refused
from servers.options import Options


class Accepting(Protocol):
    """What messages are published on: a hub, or what hands them on to one."""

    max_message_bytes: int

    async def accept(self, *messages: bytes) -> int:
        """Take them in, in this order; returns the last one's id. Raises `Refused`."""


def routes(hub: Accepting, options: Options) -> list[BaseRoute]:
    """The routes by which messages come in."""

    async def post(request: Request) -> JSONResponse:
        return JSONResponse({"id": await hub.accept(await body_of(request, hub.max_message_bytes))})

    async def feed(websocket: WebSocket) -> None:
        await websocket.accept(agreed(websocket.scope))
        with suppress(WebSocketDisconnect):
            while (frame := await websocket.receive())["type"] == "websocket.receive":
                messages = messages_of(frame)
                try:
                    await hub.accept(*messages)
                except Refused as refused:
                    await websocket.close(*close_of(refused))
                    return

    return [Route("/publish", post, methods=["POST"]), WebSocketRoute("/publish", feed)]
