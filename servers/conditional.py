"""The answers that both kinds of polling give to a conditional request.

The validator (`ETag`, `If-None-Match`; RFC 9110 section 13.1.2) is the id of the last message that the client has.
"""

from starlette.requests import Request
from starlette.responses import Response

from servers.coding import coder, told
from servers.hub import Message, parse_position


def validator(request: Request) -> int | None:
    """The position that the client has reached; None if it has none yet."""
    tag = request.headers.get("if-none-match")
    return None if tag is None else parse_position(tag)


def nothing_yet(position: int) -> Response:
    """204 for a client without a validator: here is one to ask with."""
    return Response(status_code=204, headers=_etag(position))


def whats_new(messages: list[Message], position: int, *, coding: str = "", empty: bool = False) -> Response:
    """200 with one message a line, or 304 if there is none after `position`; with `empty` then a 200 without a line.

    With a `coding` the body is compressed, and the validator a weak one: other bytes would say the same.
    """
    if empty and not messages:
        return Response(b"", media_type="text/plain", headers=_etag(position))
    if not messages:
        return Response(status_code=304, headers=_etag(position))
    body = b"".join([message.data + b"\n" for message in messages])
    headers = _etag(messages[-1].id)
    if compressor := coder(coding):
        body = compressor.say(body) + compressor.end()
        headers = {"etag": f"W/{headers['etag']}"} | told(coding)
    return Response(body, media_type="text/plain", headers=headers)


def _etag(position: int) -> dict[str, str]:
    return {"etag": f'"{position}"'}
