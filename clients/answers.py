"""Answers that came on a stream of HTTP/2, where nothing of the framing is left; it needs no library for that."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clients.http2 import Stream


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to the end of its head, as `clients.opening.Answer`; its body is not framed any more."""

    status: int
    headers: Mapping[str, str]
    """Names are in lower case."""
    cut: "Stream"


@dataclass(slots=True)
class Whole:
    """An answer with its body, as `clients.exchange.Exchange`."""

    status: int
    headers: Mapping[str, str]
    body: bytes
