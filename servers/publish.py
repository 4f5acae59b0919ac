"""Publishing: `POST /publish` with the message as its body, or a WebSocket on the same path, each frame a message.

The WebSocket is for rates at which a request a message would be the bottleneck; nothing is answered on it, unless a
message is refused: then it is closed with the reason. What is sent faster than it is taken is taken together, where
the connection says what has come (`servers/inorder.py`).
"""

from contextlib import suppress

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from servers.access import agreed
from servers.hub import Hub, MessageRefused, MessageTooLarge, Refused
from servers.options import Options
from servers.replica import BackplaneUnavailable

CLOSE_CODES = {
    MessageRefused: 4400,  # RFC 6455 section 7.4.2 leaves 4000-4999 to applications; 400 is HTTP's Bad Request
    MessageTooLarge: 1009,  # RFC 6455 section 7.4.1
    BackplaneUnavailable: 1013,  # "try again later", of IANA's registry of close codes
}
REASON_BYTES = 123  # what a close frame has room for, RFC 6455 section 5.5


def routes(hub: Hub, options: Options) -> list[BaseRoute]:
    """The routes by which messages come in."""

    async def post(request: Request) -> JSONResponse:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > hub.max_message_bytes:  # do not collect what will be refused
                raise MessageTooLarge(
                    f"the message has more than {hub.max_message_bytes} bytes, and no more are taken: split it"
                )
        return JSONResponse({"id": await hub.accept(bytes(body))})

    async def feed(websocket: WebSocket) -> None:
        await websocket.accept(agreed(websocket.scope))
        with suppress(WebSocketDisconnect):
            while (frame := await websocket.receive())["type"] == "websocket.receive":
                messages = frame.get("batch") or (frame.get("bytes") or (frame.get("text") or "").encode(),)
                try:
                    await hub.accept(*messages)
                except Refused as refused:
                    code = CLOSE_CODES[type(refused)]
                    reason = f"{refused.name}: {refused}".encode()[:REASON_BYTES].decode(errors="ignore")
                    await websocket.close(code, reason)
                    return

    return [Route("/publish", post, methods=["POST"]), WebSocketRoute("/publish", feed)]
