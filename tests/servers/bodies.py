"""What an ASGI response says, where the server has no pump."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from typing import Any, NoReturn

from starlette.types import ASGIApp

SCOPE = {"type": "http", "method": "GET", "asgi": {"version": "3.0", "spec_version": "2.3"}}


async def bodies(response: ASGIApp) -> AsyncIterator[bytes]:
    """The pieces of its body, as they come."""
    said: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()

    async def never() -> NoReturn:
        await asyncio.Event().wait()
        raise AssertionError

    responding: asyncio.Future[None] = asyncio.ensure_future(response(dict(SCOPE), never, said.put))
    try:
        more = True
        while more:
            event = await said.get()
            if body := event.get("body"):
                yield body
            more = event.get("more_body", True)
        await responding
    finally:
        responding.cancel()
