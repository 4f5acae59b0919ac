"""How a refusal is said: one line with its name, on HTTP and, before it is open, on a WebSocket."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

CLOSE_POLICY = 1008  # RFC 6455 section 7.4.1, where nothing better can be said
EXTENSION = "websocket.http.response"
"""By which an ASGI server answers a handshake with something else; those that have it not answer 403."""


def refusal(status: int, name: str, says: str, headers: Mapping[str, str] = {}) -> PlainTextResponse:
    """The answer: its name is in a header too, for few WebSocket clients show the body of an answer to their handshake."""
    named = {"refusal": name} | ({"retry-after": "1"} if status == 503 else {})
    return PlainTextResponse(f"{name}: {says}\n", status, headers=named | dict(headers))


async def deny(websocket: WebSocket, response: PlainTextResponse) -> None:
    """Answer a handshake with that."""
    if EXTENSION in (websocket.scope.get("extensions") or {}):
        await websocket.send_denial_response(response)
    else:
        await websocket.close(CLOSE_POLICY)


async def refuse(scope: Scope, receive: Receive, send: Send, response: PlainTextResponse) -> None:
    """Answer whatever it is with that, at the ASGI interface."""
    if scope["type"] == "http":
        await response(scope, Request(scope, receive).receive, send)
        return
    websocket = WebSocket(scope, receive, send)
    await websocket.receive()  # that it wants to connect
    await deny(websocket, response)
