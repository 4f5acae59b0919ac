"""What comes on a WebSocket, as ASGI hands it over, and how it is closed because of that: the code and the reason."""

from collections.abc import Mapping
from typing import Any

from servers.hub import Refused

BAD = 4400  # RFC 6455 section 7.4.2 leaves 4000-4999 to applications; 400 is HTTP's Bad Request
CODES = {
    "message_too_large": 1009,  # RFC 6455 section 7.4.1
    "backplane_unavailable": 1013,  # "try again later", of IANA's registry of close codes
}
"""By the name of the refusal, where it is not that."""
REASON_BYTES = 123  # what a close frame has room for, RFC 6455 section 5.5


def close_of(refused: Refused) -> tuple[int, str]:
    """The code and the reason."""
    reason = f"{refused.name}: {refused}".encode()[:REASON_BYTES].decode(errors="ignore")
    return CODES.get(refused.name, BAD), reason


def said(event: Mapping[str, Any]) -> str | bytes:
    """What one frame said, of text or binary."""
    text: str | None = event.get("text")
    return text if text is not None else event.get("bytes") or b""


def frames_of(event: Mapping[str, Any]) -> list[str | bytes]:
    """What each frame said that an event is of: of several, if the connection hands them over together."""
    return event.get("batch") or [said(event)]


def messages_of(event: Mapping[str, Any]) -> list[bytes]:
    """The same as data."""
    return [_data(one) for one in frames_of(event)]


def data_of(event: Mapping[str, Any]) -> bytes:
    """What one frame said, as data."""
    return _data(said(event))


def _data(one: str | bytes) -> bytes:
    return one.encode() if isinstance(one, str) else one
