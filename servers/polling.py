"""Short polling: `GET /polling` answers at once with what is new since the validator that it sends.

Without `If-None-Match` it is 204 with the current `ETag`, from which to ask; with it, 200 and one message a line, or
304 when nothing is new.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from servers.conditional import nothing_yet, validator, whats_new
from servers.hub import Hub
from servers.options import Options

RESPONSE_BYTES = 16 * 1024 * 1024
"""The most data in one response. A poller comes seldom: it must be given more at once than a held connection."""


def routes(hub: Hub, options: Options) -> list[BaseRoute]:
    """The routes of this transport."""

    async def poll(request: Request) -> Response:
        position = validator(request)
        if position is None:
            return nothing_yet(hub.last_id)
        return whats_new(hub.after(position, RESPONSE_BYTES), position)

    return [Route("/polling", poll)]
