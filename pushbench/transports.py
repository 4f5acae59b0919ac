"""The table of transports: their names, their order, and what the driver may know of each.

Everything that must treat transports differently reads a declared trait here; nothing tests a name.
A variant is another way to serve or consume a transport: it has a row of its own, and names the transport it varies.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True, slots=True)
class Transport:
    """One row: how a transport is reached and drawn."""

    name: str
    client: str
    """Where its client is, as `module:class`."""
    path: str
    """Where the server offers it."""
    says: str
    """What it does, for a caption."""
    variant_of: str | None = None
    """The transport that this row is a variant of; None for the five themselves."""
    polls: bool = False
    """True if its subscribers ask every `poll_interval_ms`, so that a message may rightly wait for that long."""
    compressions: tuple[str, ...] = ("gzip", "br")
    """How it can be compressed, by the values of the load key."""
    frames: bool = False
    """True if messages are in frames, of text or binary."""
    transits: int = 1
    """How many ways between subscriber and server a message may have to wait for, at most. Where every answer needs a
    request of its own: that of the answer before, that of the request, and its own."""
    own_target: str = ""
    """The one target that serves it; empty if any may that claims it."""
    feeds_itself: bool = False
    """Whether nothing serves it, and the swarm feeds itself."""
    cursor: str = "after"
    """What resumes a reader: `validators` of the last answer, `last-event-id`, or a count behind `after`; or `none`."""
    asks: str = "once"
    """How messages are asked for: `once` (an endless response), `again` (a request each time), `upgrade` (a WebSocket),
    `session` (of WebTransport)."""
    quic: bool = False
    """Whether it goes over QUIC, and so over UDP and always over TLS; all others go over TCP."""
    duplex: bool = False
    """Whether its client can also say something by the same connection; else it posts, by another one."""
    pushes: bool = True
    """Whether messages come by it; else it is a way to act alone."""
    ordered: bool = True
    """Whether messages come in the order in which they were published."""
    reliable: bool = True
    """Whether what the line loses is sent again; else it stays lost, and nobody is to blame."""
    most_bytes: int = 65_536
    """The longest message that it can carry."""
    in_browser: str = ""
    """What a page calls it that subscribes by it; empty if none does."""
    drawn_as: str = ""
    """What the key of a chart calls it; empty: its name."""

    @property
    def family(self) -> str:
        """The transport that this row is, or is a variant of."""
        return self.variant_of or self.name

    def heeds(self, key: str) -> bool:
        """Whether a load key has any part in it: its cells that differ in another are the same cell."""
        if key in ("poll_interval_ms", "poll_connection", "poll_empty"):
            return self.polls
        if key == "target":
            return not (self.own_target or self.feeds_itself)
        if key in ("frames", "ping_s"):
            return self.frames
        if key in ("http", "streams"):
            return not self.quic
        if key == "post_connection":
            return not (self.duplex or self.quic or self.own_target or self.feeds_itself)
        return bool(self.compressions) if key == "compression" else True


TRANSPORTS: dict[str, Transport] = {
    row.name: row
    for row in (
        Transport(
            "polling",
            "clients.polling:Polling",
            "/polling",
            "asks again every interval",
            polls=True,
            asks="again",
            cursor="validators",
            in_browser="polling",
        ),
        Transport(
            "longpoll",
            "clients.longpoll:LongPoll",
            "/longpoll",
            "asks, and is held until there is something",
            transits=3,
            asks="again",
            cursor="validators",
            in_browser="longpoll",
        ),
        Transport(
            "stream",
            "clients.stream:Stream",
            "/stream",
            "one endless HTTP response, a message a line",
            in_browser="stream",
        ),
        Transport(
            "sse",
            "clients.sse:ServerSentEvents",
            "/sse",
            "Server-Sent Events",
            cursor="last-event-id",
            in_browser="sse",
        ),
        Transport(
            "sse_plain",
            "clients.sse:ServerSentEvents",
            "/sse_plain",
            "Server-Sent Events, by a plain response of the framework",
            variant_of="sse",
            cursor="last-event-id",
        ),
        Transport(
            "websocket",
            "clients.websocket:WebSocket",
            "/websocket",
            "one WebSocket, a message a frame",
            compressions=("permessage-deflate",),
            frames=True,
            asks="upgrade",
            duplex=True,
            in_browser="websocket",
        ),
        Transport(
            "webtransport",
            "clients.webtransport:WebTransport",
            "/webtransport",
            "WebTransport over HTTP/3, all messages on one stream",
            compressions=(),
            asks="session",
            quic=True,
        ),
        Transport(
            "webtransport_streams",
            "clients.webtransport:Streams",
            "/webtransport_streams",
            "WebTransport over HTTP/3, a stream a message: none waits for another",
            variant_of="webtransport",
            compressions=(),
            asks="session",
            quic=True,
            ordered=False,
        ),
        Transport(
            "webtransport_datagrams",
            "clients.webtransport:Datagrams",
            "/webtransport_datagrams",
            "WebTransport over HTTP/3, a datagram a message: what is lost stays lost",
            variant_of="webtransport",
            compressions=(),
            asks="session",
            quic=True,
            ordered=False,
            reliable=False,
            most_bytes=1100,
        ),
    )
}
"""Every transport and variant by name, in the order in which all tables and charts show them."""

OVER_TCP: dict[str, Transport] = {name: row for name, row in TRANSPORTS.items() if not row.quic}
"""Those that go over TCP, by HTTP/1.1 or 2."""

ACTIONS: dict[str, Transport] = {
    row.name: row
    for row in (
        Transport(
            "post",
            "clients.post:Post",
            "",
            "an HTTP request for each action",
            compressions=(),
            pushes=False,
            asks="again",
            cursor="none",
        ),
    )
}
"""Ways to act and to be answered by which nothing is pushed; what is duplex is one too."""

FLOORS: dict[str, Transport] = {
    row.name: row
    for row in (
        Transport(
            "tcp",
            "clients.tcp:Tcp",
            "",
            "lines on a bare TCP connection, no HTTP",
            own_target="tcp",
            cursor="none",
            compressions=(),
            drawn_as="bare TCP",
        ),
        Transport(
            "null",
            "pushbench.null:Null",
            "",
            "no network: handed over inside the swarm",
            feeds_itself=True,
            cursor="none",
            compressions=(),
            drawn_as="instrument alone",
        ),
    )
}
"""What no transport can beat: `tcp` is what the kernel and asyncio take, `null` what the instrument itself adds.

They are rows of a scenario like any other, and drawn as lines of reference.
"""

ROWS: dict[str, Transport] = TRANSPORTS | ACTIONS | FLOORS
"""All that a scenario may name."""


POST = "clients.post:Post"
"""Who posts beside what it reads, likewise."""

HTTP2 = "clients.http2:Http2"
"""What subscribers that share connections of HTTP/2 have in common, likewise."""


def load_class(name: str) -> Any:
    """The class that `module:class` names, such as a row's client."""
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)


def heeds(transport: str, key: str) -> bool:
    """Whether a load key has any part in a transport; a transport that is not known may heed every key."""
    return transport not in ROWS or ROWS[transport].heeds(key)
