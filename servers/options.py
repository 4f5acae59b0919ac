"""What a server can be told. Every choice that changes a measurement is named here; nothing is left on `auto`."""

from dataclasses import dataclass

CHOICES = {
    "loop": ("asyncio", "uvloop"),
    "http": ("httptools", "h11"),
    "ws": ("websockets-sansio", "wsproto"),
}
"""The legal values of the options that name an implementation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of one server process; each is a flag of `python -m servers`."""

    host: str = "127.0.0.1"
    """Address to bind."""
    port: int = 8000
    """Port to bind; 0 takes a free one, which the ready line names."""
    loop: str = "asyncio"
    """Event loop. asyncio writes at once; uvloop holds writes back to the end of its turn, which delays a fan-out."""
    http: str = "httptools"
    """uvicorn's HTTP implementation."""
    ws: str = "websockets-sansio"
    """uvicorn's WebSocket implementation."""
    heartbeat_s: float = 15.0
    """Seconds between heartbeats on stream, sse and websocket; 0 sends none."""
    longpoll_timeout_s: float = 25.0
    """Longest time for which a long poll is held before it is answered with nothing."""
    keep_alive_s: int = 75
    """How long an idle connection is kept for its next request; longer than any pause between polls."""
    log_messages: int = 10_000
    """How many messages the hub keeps for readers that are late or away."""
    log_bytes: int = 64 * 1024 * 1024
    """How many bytes of messages the hub keeps at most."""
    max_message_bytes: int = 65_536
    """The longest message that is taken."""
    backlog: int = 4096
    """Connections that may wait to be accepted (the kernel's somaxconn caps it)."""
