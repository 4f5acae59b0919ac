"""How a WebSocket is closed because of what came on it: the code and the reason that a refusal has there."""

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


def data_of(frame: Mapping[str, Any]) -> bytes:
    """The data of a frame, of text or binary, as ASGI hands it over."""
    data: bytes = frame.get("bytes") or (frame.get("text") or "").encode()
    return data
