"""The pages, and the scripts and style that they share: files of `apps/page/`, the same for everybody.

Pages are behind the same door as all else, so with a token they are asked for as `/chat?access_token=…`. What they load
then (scripts, style) is let in without, for a browser's `import` can send neither header nor query; there is nothing in
it that is not in the project's sources.
"""

from collections.abc import Awaitable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

DIRECTORY = Path(__file__).with_name("page")
PAGES = {"/": "index.html", "/tasks": "tasks.html", "/chat": "chat.html", "/ticker": "ticker.html"}
KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
"""What pages load."""
HEADERS = {
    # No script but ours, and nothing from elsewhere: what people have typed cannot become a script, whatever we overlook.
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",  # which could have the token
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}


def routes() -> list[BaseRoute]:
    """The routes of the pages."""

    def route(path: str, name: str) -> Route:
        body = (DIRECTORY / name).read_bytes()

        async def answer(request: Request) -> Response:
            return Response(body, media_type="text/html", headers=HEADERS)

        return Route(path, answer)

    return [route(path, name) for path, name in PAGES.items()]


class Files:
    """An ASGI application that answers for the files that pages load, and hands on all else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._files = {
            f"/page/{path.name}": Response(path.read_bytes(), media_type=KINDS[path.suffix], headers=HEADERS)
            for path in DIRECTORY.iterdir()
            if path.suffix in KINDS
        }

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """ASGI."""
        file = self._files.get(scope["path"]) if scope["type"] == "http" else None
        return (file or self._app)(scope, receive, send)
