"""`GET /status`: what the server holds, as JSON, so that a leak can be counted from outside."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from servers.hub import Hub
from servers.options import Options


def routes(hub: Hub, options: Options) -> list[BaseRoute]:
    """The one route of this module."""

    async def status(request: Request) -> JSONResponse:
        return JSONResponse({"last_id": await hub.newest(), "cursors": hub.cursors, "tasks": len(asyncio.all_tasks())})

    return [Route("/status", status)]
