"""Long polling (Comet): `GET /longpoll` is held until there is something new since the validator that it sends.

Without `If-None-Match` it is 204 with the current `ETag` at once, from which to ask; with it, 200 and one message a
line as soon as there is one, or 304 when the timeout passes without any.
"""

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from servers.coding import coding
from servers.conditional import nothing_yet, validator, whats_new
from servers.hub import Hub, Message
from servers.options import Options


def routes(hub: Hub, options: Options) -> list[BaseRoute]:
    """The routes of this transport."""

    async def poll(request: Request) -> Response:
        by_validator = validator(request)
        position = await hub.start(by_validator)
        if by_validator is None:
            return nothing_yet(position)
        with hub.cursor(position, wake_every_s=options.longpoll_timeout_s) as cursor:
            # A handler that waits is not cancelled when its client leaves: it has to listen for that itself.
            leaving = asyncio.create_task(_client_leaves(request))
            leaving.add_done_callback(lambda _: cursor.wake())
            try:
                messages: list[Message] = await anext(cursor, [])
            finally:
                leaving.cancel()
        return whats_new(messages, position, coding=coding(request.headers, options))

    return [Route("/longpoll", poll)]


async def _client_leaves(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
