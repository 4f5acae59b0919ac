"""Publishing: `POST /publish` with the message as its body, or a WebSocket on the same path, each frame a message.

The WebSocket is for rates at which a request a message would be the bottleneck; nothing is answered on it, unless a
message is refused: then it is closed with the reason.
"""

from contextlib import suppress

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from servers.hub import Hub, MessageRefused, MessageTooLarge
from servers.options import Options

CLOSE_REFUSED = 4400  # RFC 6455 section 7.4.2 leaves 4000-4999 to applications; 400 is HTTP's Bad Request
CLOSE_TOO_LARGE = 1009  # RFC 6455 section 7.4.1
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
        await websocket.accept()
        with suppress(WebSocketDisconnect):
            while (frame := await websocket.receive())["type"] == "websocket.receive":
                data = frame.get("bytes") or (frame.get("text") or "").encode()
                try:
                    await hub.accept(data)
                except MessageRefused as refused:
                    code = CLOSE_TOO_LARGE if isinstance(refused, MessageTooLarge) else CLOSE_REFUSED
                    reason = f"{refused.name}: {refused}".encode()[:REASON_BYTES].decode(errors="ignore")
                    await websocket.close(code, reason)
                    return

    return [Route("/publish", post, methods=["POST"]), WebSocketRoute("/publish", feed)]
