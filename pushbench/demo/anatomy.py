"""What the bytes of an exchange are: headers, framing, what was published. Pure; the page shows it beside the bytes."""

import base64
from typing import Any

from pushbench.dissect import Dissector, Incomprehensible, Parts, answers, requests


def parts(exchange: dict[str, Any]) -> dict[str, dict[str, int] | None]:
    """Of each direction as far as its beginning was kept: bytes by kind. None where that is not known."""
    if not exchange["kind"].startswith("GET "):
        return {"up": None, "down": None}
    return {"up": _of(requests, exchange["up"]), "down": _of(answers, exchange["down"])}


def _of(reading: Any, way: dict[str, Any]) -> dict[str, int] | None:
    dissector = Dissector(reading)
    try:
        dissector.feed(base64.b64decode(way["first"]))
    except (Incomprehensible, ValueError):
        return None
    found: Parts = dissector.parts
    return {"http": found.http, "framing": found.framing, "payload": found.payload, "messages": found.messages}
