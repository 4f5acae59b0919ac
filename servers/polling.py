"""Short polling: `GET /polling` answers at once with what is new since the validator that it sends.

Without `If-None-Match` it is 204 with the current `ETag`, from which to ask; with it, 200 and one message a line, or
304 when nothing is new.

`GET /polling?after=ID` asks the same without a validator: then an answer with nothing new is an empty 200, which is how
pollers are often built.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from servers.coding import coding
from servers.conditional import nothing_yet, validator, whats_new
from servers.hub import Hub, parse_position
from servers.options import Options

RESPONSE_BYTES = 16 * 1024 * 1024
"""The most data in one response. A poller comes seldom: it must be given more at once than a held connection."""


def routes(hub: Hub, options: Options) -> list[BaseRoute]:
    """The routes of this transport."""

    async def poll(request: Request) -> Response:
        if (after := request.query_params.get("after")) is not None:
            position = await hub.start(parse_position(after))
            chosen = coding(request.headers, options)
            return whats_new(hub.after(position, RESPONSE_BYTES), position, coding=chosen, empty=True)
        by_validator = validator(request)
        position = await hub.start(by_validator)
        if by_validator is None:
            return nothing_yet(position)
        return whats_new(hub.after(position, RESPONSE_BYTES), position, coding=coding(request.headers, options))

    return [Route("/polling", poll)]
