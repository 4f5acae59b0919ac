"""HTTP streaming (Comet): `GET /stream?after=ID` is one endless chunked response, one message a line.

The response's `ETag` is the position at which it starts; each line is one further. An empty line is a heartbeat. A line
that starts with NUL is the server's last: the name of its reason, a colon, and a sentence.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from servers.coding import coding
from servers.endless import EndlessResponse
from servers.hub import CursorGone, Hub, Message, parse_position
from servers.options import Options
from servers.pump import once

HEARTBEAT = b"\n"


def routes(hub: Hub, options: Options) -> list[BaseRoute]:
    """The routes of this transport."""

    async def stream(request: Request) -> Response:
        after = request.query_params.get("after")
        position = await hub.start(None if after is None else parse_position(after))
        headers = {"etag": f'"{position}"', "cache-control": "no-store"}
        if request.method == "HEAD":  # a body that never ends would hold the connection, and show nothing
            return Response(media_type="text/plain", headers=headers)
        cursor = hub.cursor(position, wake_every_s=options.heartbeat_s)
        chosen = coding(request.headers, options)
        return EndlessResponse(cursor, _lines, _last_line, coding=chosen, media_type="text/plain", headers=headers)

    return [Route("/stream", stream, methods=["GET"])]


@once
def _lines(messages: list[Message]) -> bytes:
    return b"".join([message.data + b"\n" for message in messages]) or HEARTBEAT


def _last_line(gone: CursorGone) -> bytes:
    return f"\0{gone.name}: {gone}\n".encode()
