"""`GET /history` of a room: from where all that is kept of it can be read, by any transport, and up to where there is
something.

A reader that starts after `after` gets the whole log and goes on with what is said next, without a gap between the two. If
that position has left the log meanwhile, it is refused as too old, and asks here again.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from servers.hub import Hub
from servers.options import Options


def routes(hub: Hub, options: Options) -> list[BaseRoute]:
    """The one route of this module."""

    async def history(request: Request) -> JSONResponse:
        places = {"after": hub.before_oldest, "last": hub.last_id}
        return JSONResponse(places, headers={"cache-control": "no-store"})

    return [Route("/history", history)]
