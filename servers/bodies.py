"""The body of a request, collected as far as it may be long. What publishing and echoing share."""

from starlette.requests import Request

from servers.hub import MessageTooLarge


async def body_of(request: Request, most_bytes: int) -> bytes:
    """All of it. Raises `MessageTooLarge` as soon as more has come than is taken, for that need not be collected."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            raise MessageTooLarge(f"the message has more than {most_bytes} bytes, and no more are taken: split it")
    return bytes(body)
