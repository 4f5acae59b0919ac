"""Who may come in: a token, the origin of a page, and how many at once. Refused before anything is held open.

A refusal is one line with its name, as all refusals are (`servers/app.py`), for a WebSocket in place of its handshake:
401 without the token or with another, 403 from a page of another origin, 503 when as many are open as may be.

The token comes as `Authorization: Bearer TOKEN` (RFC 6750). A browser's EventSource and WebSocket cannot send that, so they
may send it as the query `access_token=TOKEN`, and a WebSocket also among its subprotocols, as `bearer.TOKEN` beside `push`,
which is then the one that is agreed on. It is compared in constant time, and no error or log has it.
"""

import hmac
from collections.abc import Awaitable, Iterable
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from servers.refusing import refusal, refuse

SUBPROTOCOL, WITH_TOKEN = "push", "bearer."


class Access:
    """An ASGI application that lets in, to another one, whoever may."""

    def __init__(self, app: ASGIApp, *, token: str = "", origins: Iterable[str] = (), most: int = 0) -> None:
        """`origins` are those of pages that may come beside the server's own; `*` stands for all. `most`: so many requests
        and WebSockets may be open at once; 0: any number."""
        self._app = app
        self._token = token.encode()
        self._origins = frozenset(origins)
        self._most = most
        self._open = 0

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """ASGI. What need not be counted is handed on, so that nothing of this is held as long as the connection is."""
        if scope["type"] not in ("http", "websocket"):
            return self._app(scope, receive, send)
        if refused := self._refusal(scope):
            return refuse(scope, receive, send, refused)
        return self._counted(scope, receive, send) if self._most else self._app(scope, receive, send)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._open += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open -= 1

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        """The answer to what may not come in; None for what may."""
        origin = host = None
        for name, value in scope["headers"]:
            if name == b"origin":
                origin = value
            elif name == b"host":
                host = value
        if origin is not None and not self._is_welcome(origin.decode("latin-1"), (host or b"").decode("latin-1")):
            says = "pages of that origin may not come in: allow it with --allow-origins, or serve the page from here"
            return refusal(403, "origin_refused", says)
        if self._token:
            given = _tokens(scope)
            if not given:
                says = "send the token as `Authorization: Bearer`, or as the query access_token"
                return refusal(401, "token_missing", says, {"www-authenticate": "Bearer"})
            # Of each that was given, so that how long it takes says nothing.
            matches = [hmac.compare_digest(one, self._token) for one in given]
            if not any(matches):
                wrong = {"www-authenticate": 'Bearer error="invalid_token"'}
                return refusal(401, "token_wrong", "that is not the token", wrong)
        if self._most and self._open >= self._most:
            says = f"{self._open} requests and WebSockets are open, and no more are taken: come again in a while"
            return refusal(503, "too_many_connections", says)
        return None

    def _is_welcome(self, origin: str, host: str) -> bool:
        if "*" in self._origins or origin in self._origins:
            return True
        try:
            same = bool(host) and urlsplit(origin).netloc.lower() == host.lower()
            # A name may be led to any address by whoever owns it; who has the token knows where it came from.
            return same and (bool(self._token) or _is_no_name(urlsplit(f"//{host}").hostname or ""))
        except ValueError:  # it is no origin at all
            return False


def _is_no_name(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _tokens(scope: Scope) -> list[bytes]:
    """Every token that a request brings."""
    connection = HTTPConnection(scope)
    given = list(parse_qs(connection.scope["query_string"].decode("latin-1")).get("access_token", ()))
    for value in connection.headers.getlist("authorization"):
        scheme, _, token = value.partition(" ")
        if scheme.lower() == "bearer":
            given.append(token.strip())
    given += [name.removeprefix(WITH_TOKEN) for name in scope.get("subprotocols", ()) if name.startswith(WITH_TOKEN)]
    return [token.encode("latin-1", "replace") for token in given]


def agreed(scope: Scope) -> str | None:
    """The subprotocol that is agreed on: ours, if it was offered; a token among them is never repeated."""
    return SUBPROTOCOL if SUBPROTOCOL in scope.get("subprotocols", ()) else None
