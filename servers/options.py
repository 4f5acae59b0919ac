"""What a server can be told. Every choice that changes a measurement is named here; nothing is left on `auto`."""

from dataclasses import dataclass, field, fields
from typing import TypeVar
from urllib.parse import urlsplit

Value = TypeVar("Value", str, int, float, bool)
REDIS_SCHEMES = ("redis", "rediss", "unix")
"""How the URL of a Redis may begin."""


def described(
    default: Value,
    help: str,
    *,
    choices: tuple[str, ...] | None = None,
    least: float | None = None,
    most: float | None = None,
) -> Value:
    """A field of options that carries what is said of it, and checked, when it is a flag of the command line."""
    return field(default=default, metadata={"help": help, "choices": choices, "least": least, "most": most})


class Unusable(Exception):
    """What an option names cannot be had; the text says why, and the way out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of one server process; each is a flag of `python -m servers`.

    A value that is out of its bounds, or none of its choices, is a ValueError that names them.
    """

    host: str = described("127.0.0.1", "Address to bind.")
    port: int = described(8000, "Port to bind; 0 takes a free one, which the ready line names.", least=0, most=65_535)
    loop: str = described(
        "asyncio",
        "Event loop. asyncio writes at once, uvloop at the end of its turn.",
        choices=("asyncio", "uvloop"),
    )
    server: str = described(
        "uvicorn", "ASGI server that runs the application.", choices=("uvicorn", "hypercorn", "granian")
    )
    http: str = described("httptools", "HTTP implementation of uvicorn.", choices=("httptools", "h11"))
    ws: str = described(
        "websockets-sansio", "WebSocket implementation of uvicorn.", choices=("websockets-sansio", "wsproto")
    )
    writes: str = described(
        "direct",
        "How messages are written. direct: by the connection itself, past ASGI, where uvicorn's first choices speak; asgi: "
        "as any application does.",
        choices=("direct", "asgi"),
    )
    compression: str = described(
        "none",
        "How messages on WebSockets, or HTTP answers, are compressed if the client agrees.",
        choices=("none", "permessage-deflate", "gzip", "br"),
    )
    frames: str = described("text", "The kind of WebSocket frames that messages are in.", choices=("text", "binary"))
    heartbeat_s: float = described(
        15.0, "Seconds between heartbeats on stream, sse and websocket; 0 sends none.", least=0, most=86_400
    )
    sse_retry_ms: int = described(
        0, "What an EventSource is told to wait before it reconnects, by the field retry of SSE; 0 tells nothing.", least=0
    )
    drop_unanswered_s: float = described(
        0.0,
        "A connection whose peer has acknowledged or made room for nothing for so long, or answered no ping, is dropped; "
        "0 drops none.",
        least=0,
        most=86_400,
    )
    longpoll_timeout_s: float = described(
        25.0, "Longest time for which a long poll is held before it is answered with nothing.", least=0.001, most=86_400
    )
    keep_alive_s: int = described(
        75, "How long an idle connection is kept for its next request; longer than any pause between polls.", least=1
    )
    log_messages: int = described(10_000, "How many messages the hub keeps for readers that are late or away.", least=1)
    log_bytes: int = described(
        64 * 1024 * 1024, "How many bytes of messages the hub keeps at most; never less than one message.", least=1
    )
    duplex: bool = described(False, "Publish what a WebSocket's reader says, in place of closing it.")
    max_rooms: int = described(10_000, "How many rooms there may be at once, each with a hub of its own.", least=1)
    room_log_messages: int = described(1000, "How many messages a room keeps for readers that are late or away.", least=1)
    room_log_bytes: int = described(
        65_536, "How many bytes of messages a room keeps at most; never less than one message.", least=1
    )
    journal: str = described("", "File that keeps the log, for a server that is killed and started again; empty: none.")
    workers: int = described(
        1, "How many processes serve at the one port; more than one share their log in Redis.", least=1, most=64
    )
    redis: str = described("", "URL of the Redis that has the log, such as redis://127.0.0.1:6379/0; empty: none.")
    redis_key: str = described("pushbench", "What the names of the log's keys in Redis begin with.")
    tls_certificate: str = described("", "File with the certificate, in PEM; empty: no TLS.")
    tls_key: str = described("", "File with its private key.")
    webtransport: bool = described(False, "Speak WebTransport too, over HTTP/3 at the same port of UDP; it needs TLS.")
    token_file: str = described(
        "", "File with the token that every request has to bring; empty: the variable PUSH_TOKEN, or none."
    )
    insecure: bool = described(False, "Let everybody in, although other hosts can reach it and there is no token.")
    allow_origins: str = described(
        "",
        "Origins of pages that may come in beside the server's own, as https://app.example, with commas; *: all.",
    )
    max_connections: int = described(0, "How many requests and WebSockets may be open at once; 0: any number.", least=0)
    max_head_bytes: int = described(16_384, "The longest head of a request that is taken.", least=256)
    max_message_bytes: int = described(65_536, "The longest message that is taken.", least=1)
    backlog: int = described(4096, "Connections that may wait to be accepted (the kernel's somaxconn caps it).", least=1)

    def __post_init__(self) -> None:
        for option in fields(self):
            value = getattr(self, option.name)
            choices, least, most = (option.metadata[bound] for bound in ("choices", "least", "most"))
            if choices is not None and value not in choices:
                raise ValueError(f"{option.name} is {value!r}: it must be one of {', '.join(choices)}")
            if least is not None and not value >= least:  # said so, because NaN is neither
                raise ValueError(f"{option.name} is {value}: it must be at least {least}")
            if most is not None and value > most:
                raise ValueError(f"{option.name} is {value}: it must be at most {most}")
        if self.log_bytes < self.max_message_bytes:
            raise ValueError(
                f"log_bytes is {self.log_bytes}: it must be at least max_message_bytes, {self.max_message_bytes}, "
                f"so that the log can hold a message"
            )
        if bool(self.tls_certificate) != bool(self.tls_key):
            given, lacking = ("tls_certificate", "tls_key") if self.tls_certificate else ("tls_key", "tls_certificate")
            raise ValueError(f"{given} is {getattr(self, given)} and {lacking} is empty: TLS needs both")
        if self.webtransport and not self.tls_certificate:
            raise ValueError("webtransport is True and tls_certificate is empty: QUIC is always TLS, name a certificate")
        if self.webtransport and (self.server == "granian" or self.workers > 1):
            raise ValueError(
                f"webtransport is True, server is {self.server!r} and workers is {self.workers}: one process of uvicorn or "
                f"hypercorn speaks it"
            )
        for name in ("http", "ws", "writes"):
            if self.server != "uvicorn" and getattr(self, name) != _default(name):
                raise ValueError(f"{name} is {getattr(self, name)!r} and server is {self.server!r}: it is uvicorn's alone")
        for name in ("max_head_bytes", "drop_unanswered_s", "keep_alive_s"):
            if self.server == "granian" and getattr(self, name) != _default(name):
                raise ValueError(
                    f"{name} is {getattr(self, name)} and server is 'granian', which cannot be told that: leave it out"
                )
        for name in ("redis", "journal"):
            if (self.server, self.ws, self.writes) != FIRST and getattr(self, name):
                raise ValueError(
                    f"{name} is set and server, ws and writes are {self.server}, {self.ws} and {self.writes}: what is kept "
                    f"is only kept by {', '.join(FIRST)}"
                )
        if self.workers > 1 and not self.redis:
            raise ValueError(
                f"workers is {self.workers} and redis is empty: several workers need a log that they share, "
                f"name one (--redis redis://127.0.0.1:6379/0)"
            )
        if self.redis and self.journal:
            raise ValueError(
                f"redis is {without_password(self.redis)} and journal is {self.journal}: "
                f"the log is kept in one of them, name only that"
            )
        if self.redis and not _is_redis(self.redis):
            raise ValueError(
                f"redis is {without_password(self.redis)}: it must be a URL such as redis://127.0.0.1:6379/0, "
                f"which begins with one of {', '.join(REDIS_SCHEMES)}, and says no more than a host, a port and a database"
            )


FIRST = ("uvicorn", "websockets-sansio", "direct")
"""Server, WebSocket implementation and writes, in whose company the log may be shared or kept: there what publishes is
answered in order."""


def _default(name: str) -> object:
    return next(option.default for option in fields(Options) if option.name == name)


def _is_redis(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises if it is none
    except ValueError:
        return False
    database = parts.path.removeprefix("/")
    whole = parts.scheme == "unix" or not database or database.isdecimal()
    return parts.scheme in REDIS_SCHEMES and whole and not (parts.query or parts.fragment)


def without_password(url: str) -> str:
    """The URL as it may be told."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.rpartition("@")[2]
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
