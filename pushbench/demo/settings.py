"""What can be set on the page, and within which bounds. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from math import isfinite
from typing import Any

from pushbench.message import MIN_BYTES
from pushbench.transports import OVER_TCP

MAIN = tuple(name for name, row in OVER_TCP.items() if row.variant_of is None)
"""What background subscribers may be."""


class Unacceptable(ValueError):
    """It cannot be set to that; the text names the value, the limit and the way out."""


def _bounded(default: float, least: float, most: float, unit: str) -> float:
    bounded: float = field(default=default, metadata={"least": least, "most": most, "unit": unit})
    return bounded


def _whole(default: int, least: int, most: int, unit: str) -> int:
    bounded: int = field(default=default, metadata={"least": least, "most": most, "unit": unit})
    return bounded


@dataclass(frozen=True, slots=True)
class Settings:
    """How the feed, the lines and the background are now."""

    rate_hz: float = _bounded(2.0, 0.2, 200, "messages/s")
    payload_bytes: int = _whole(150, MIN_BYTES, 16_384, "bytes")
    poll_interval_ms: int = _whole(1000, 50, 10_000, "ms")
    round_trip_ms: int = _whole(0, 0, 500, "ms")
    subscribers: int = _whole(0, 0, 2000, "subscribers")
    subscribers_by: str = "websocket"


def changed(settings: Settings, to: Mapping[str, Any]) -> Settings:
    """The settings with these changes. Raises `Unacceptable`."""
    known = {one.name: one for one in fields(Settings)}
    values: dict[str, Any] = {}
    for name, value in to.items():
        if name not in known:
            raise Unacceptable(f"{name} is no setting: there are {', '.join(known)}")
        bounds = known[name].metadata
        values[name] = _number(name, value, whole=known[name].type is int, **bounds) if bounds else _transport(name, value)
    return replace(settings, **values)


def bounds() -> dict[str, dict[str, Any]]:
    """The bounds of each number, for the page."""
    return {one.name: dict(one.metadata) for one in fields(Settings) if one.metadata}


def _number(name: str, value: Any, *, whole: bool, least: float, most: float, unit: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise Unacceptable(f"{name} is {value!r}: it must be a number from {least:g} to {most:g} {unit}")
    if not least <= value <= most:
        raise Unacceptable(f"{name} is {value:g}: it must be from {least:g} to {most:g} {unit}")
    return round(value) if whole else float(value)


def _transport(name: str, value: Any) -> str:
    if value not in MAIN:
        raise Unacceptable(f"{name} is {value!r}: it must be one of {', '.join(MAIN)}")
    chosen: str = value
    return chosen
