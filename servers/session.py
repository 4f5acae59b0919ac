"""A WebTransport session, as an application has it: an extension of its scope, as an ASGI server for HTTP/3 offers it."""

from collections.abc import Mapping
from typing import Any, Protocol

EXTENSION = "webtransport"


class Session(Protocol):
    """What can be said in a session. It is sent by `sent`."""

    def open(self) -> int:
        """A stream of the server's own, in one direction."""

    def write(self, stream: int, data: bytes, *, last: bool = False) -> None:
        """Say that on the stream, and perhaps nothing more."""

    def datagram(self, data: bytes) -> None:
        """Say that in a datagram, which may be lost on its way; what fits into no packet is lost here."""

    async def sent(self) -> None:
        """Send what was said, and wait until there is room for more."""

    def close(self, code: int, reason: str) -> None:
        """Say good-bye, and why, when the answer ends."""


def session_of(scope: Mapping[str, Any]) -> Session | None:
    """The session that is asked for, if this is a request for one."""
    session: Session | None = (scope.get("extensions") or {}).get(EXTENSION)
    return session
