"""What the console serves: the page and its files, the control WebSocket, and what passed a lane's wire.

The page may reach loopback and nothing else, which its policy says to the browser. It is isolated from other origins (COOP,
COEP), for only then does a browser's clock count in steps of 5 µs.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from pushbench.anatomy.page import page as annotated_page, policy
from pushbench.demo.anatomy import as_exchange, parts
from pushbench.demo.console import Console
from pushbench.demo.settings import Unacceptable

PAGE = Path(__file__).parent / "page"
HOSTS = ["127.0.0.1", "localhost"]
LOOPBACK = " ".join(f"{scheme}://{host}:*" for host in HOSTS for scheme in ("http", "https", "ws"))
POLICY = "content-security-policy"
HEADERS = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    POLICY: f"default-src 'self'; connect-src 'self' {LOOPBACK}; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}
LONGEST_NOTE = 4096
"""Of a page, in characters."""
CLOSE_POLICY = 1008  # RFC 6455 section 7.4.1


def pages(console: Console, origins: list[str]) -> Starlette:
    """The application; `origins` are its own."""

    async def page(request: Request) -> Response:
        return FileResponse(PAGE / "index.html")

    async def wire_page(request: Request) -> Response:
        if request.path_params["lane"] not in console.lanes:
            return _no_lane(console)
        return FileResponse(PAGE / "wire.html")

    async def wire(request: Request) -> Response:
        lane = request.path_params["lane"]
        if lane not in console.lanes:
            return _no_lane(console)
        told = await console.exchange(lane, request.query_params.get("kind"))
        if told["exchange"]:
            told["exchange"]["parts"] = parts(told["exchange"])
        return JSONResponse({"lane": lane, **told})

    async def annotated(request: Request) -> Response:
        lane = request.path_params["lane"]
        if lane not in console.lanes:
            return _no_lane(console)
        told = await console.exchange(lane, request.query_params.get("kind"))
        if not told["exchange"]:
            return PlainTextResponse(f"nothing of that kind has passed on {lane} yet: open the lanes first\n", 404)
        html = annotated_page(as_exchange(lane, told["exchange"]), back=f"/wire/{lane}")
        return HTMLResponse(html, headers={POLICY: policy(html)})

    async def control(websocket: WebSocket) -> None:
        if websocket.headers.get("origin") not in origins:  # any page may try
            await websocket.close(CLOSE_POLICY, "pages of other origins may not come in")
            return
        await websocket.accept()
        console.pages += 1
        telling = asyncio.create_task(_tell(console, websocket))
        try:
            await websocket.send_text(_said({"facts": console.facts(), "state": console.state()}))
            async for text in websocket.iter_text():
                if answer := await _answer(console, text):
                    await websocket.send_text(_said(answer))
        except (WebSocketDisconnect, asyncio.CancelledError):  # the page has left, or the console ends
            pass
        finally:
            console.pages -= 1
            telling.cancel()

    return Starlette(
        routes=[
            Route("/", page),
            Route("/wire/{lane}", wire_page),
            Route("/wire/{lane}/exchange.json", wire),
            Route("/wire/{lane}/annotated", annotated),
            WebSocketRoute("/control", control),
            Mount("/page", StaticFiles(directory=PAGE)),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS), Middleware(_Headers)],
    )


async def _tell(console: Console, websocket: WebSocket) -> None:
    """Tell a page how all is, whenever it has been looked."""
    while True:
        async with console.looked:
            await console.looked.wait()
        try:
            await websocket.send_text(_said({"state": console.state()}))
        except (WebSocketDisconnect, RuntimeError):  # it has left meanwhile
            return


async def _answer(console: Console, text: str) -> dict[str, Any] | None:
    """Do as a page's note says; returns what it is told."""
    now_ns = time.monotonic_ns()
    try:
        note = json.loads(text[:LONGEST_NOTE])
        if not isinstance(note, dict):
            raise Unacceptable("a note must be an object")
        if "ping" in note:
            return {"pong": note["ping"], "at_ms": now_ns / 1e6}
        if "where" in note:
            return {"here": note["where"], "last_id": await console.where()}
        if "set" in note and isinstance(note["set"], dict):
            await console.set(note["set"])
        elif "do" in note:
            await console.do(str(note["do"]))
        else:
            raise Unacceptable(f"a note has ping, where, set or do, and this one {', '.join(note) or 'nothing'}")
    except ValueError as error:
        return {"refused": str(error)}
    return {"done": list(note), "state": console.state()}


def _no_lane(console: Console) -> Response:
    return PlainTextResponse(f"there is no such lane: there are {', '.join(console.lanes)}\n", 404)


def _said(note: dict[str, Any]) -> str:
    return json.dumps(note, separators=(",", ":"))


class _Headers:
    """ASGI: every answer has these headers; a policy of its own it may have."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return self._app(scope, receive, self._adding(send) if scope["type"] == "http" else send)

    def _adding(self, send: Send) -> Callable[[Message], Awaitable[None]]:
        async def added(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in message["headers"]} & {POLICY.encode()}
                message["headers"] = [*message["headers"], *(one for one in self._headers if one[0] not in own)]
            await send(message)

        return added
