"""The keys a scenario may hold: their types, defaults, limits and meaning, and how to say these in words.

It knows one key at a time. What keys mean to each other (rules, the grid) and how a file is read is not known here.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, Strict
from pydantic.fields import FieldInfo

from pushbench.message import MIN_BYTES
from pushbench.transports import ROWS

CHART_NAMES = (
    "overview",
    "latency_percentiles",
    "latency_by_subscribers",
    "throughput",
    "memory",
    "latency_over_time",
    "poll_interval",
    "capacity",
    "search_path",
    "cliff",
    "latency_by_rtt",
    "latency_by_loss",
    "bytes",
    "cpu",
    "crossover",
    "scaling",
    "cost_by_connections",
    "fairness",
    "by_target",
    "two_way",
)
"""Every chart that a scenario may ask for."""

SEARCHABLE = (
    "subscribers",
    "rate_hz",
    "payload_bytes",
    "server_stall_ms",
    "join_late_percent",
    "resume_percent",
    "server_down_ms",
    "burst",
    "churn_hz",
    "slow_percent",
    "vanish_percent",
    "rtt_ms",
    "jitter_ms",
    "loss_percent",
    "relay_stall_ms",
    "relay_reset_percent",
    "relay_buffer_bytes",
)
"""Keys of a load of which more is harder, so that there is a most that can be borne."""

# A type checker cannot follow a Literal made from a table, and needs no more than that these are strings.
if TYPE_CHECKING:
    TransportName = str
    ChartName = str
    SearchableKey = str
else:
    TransportName = Literal[tuple(ROWS)]
    ChartName = Literal[CHART_NAMES]
    SearchableKey = Literal[SEARCHABLE]


class Table(BaseModel):
    """One table of a scenario file: nothing is coerced, nothing unknown is let through, nothing changes later."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Head(Table):
    """The keys above the first table."""

    title: str = Field(min_length=1, max_length=120, description="the question that the scenario answers")
    description: str = Field(default="", max_length=2000, description="how to read the answer, for the report")
    # A TOML list is a Python list, and a frozen table holds a tuple: the one coercion that is wanted.
    charts: Annotated[tuple[ChartName, ...], Strict(False)] = Field(
        default=(), description="the charts that answer it, in order; none: all that the run has data for"
    )


BUILT_IN = "starlette"
"""The target that comes with the suite, and is meant where none is named."""


class Load(Table):
    """The load of one cell: every key here is a column of the trials, and may be a list in `[grid]`."""

    transport: TransportName = Field(description="how messages reach the subscribers")
    target: str = Field(
        default=BUILT_IN,
        min_length=1,
        max_length=300,
        description="the server that is measured: a name (`pushbench list`), a contract's file, or a URL",
    )
    client: Literal["aiohttp", "browser"] = Field(
        default="aiohttp",
        description="who subscribes: the suite's own clients, or a page in a headless Chromium, with its limits",
    )
    kind: Literal["broadcast", "idle", "request", "chat"] = Field(
        default="broadcast",
        description="broadcast: every subscriber gets every message; idle: nothing is published in the window; request: "
        "the subscribers act, in turn, and each is answered; chat: they publish, in turn, and all of a room get it",
    )
    subscribers: int = Field(ge=1, le=1_000_000, description="connections to the server, all open at once")
    rate_hz: float = Field(
        default=0.0,
        ge=0,
        le=100_000,
        description="messages published per second, by all who publish or act together; above 0 whenever measure_s is",
    )
    room_size: int = Field(
        default=10, ge=1, le=100_000, description="of a chat: subscribers in each room; subscribers is a multiple of it"
    )
    post_connection: Literal["kept", "new"] = Field(
        default="kept",
        description="kept: who posts in a request or a chat keeps its connection; new: it makes one each time",
    )
    payload_bytes: int = Field(
        default=128, ge=MIN_BYTES, le=65_536, description=f"size of a message; its number and times alone take {MIN_BYTES}"
    )
    payload: Literal["filler", "json", "random"] = Field(
        default="filler",
        description="what fills a message up to its size: one letter, quotes of a market as JSON, or letters at random; it "
        "matters where there is compression",
    )
    poll_interval_ms: int = Field(
        default=1000,
        ge=1,
        le=59_999,
        description="from one request of a poller to its next; under a minute, because the server closes a connection "
        "that was idle for 75 s, and a longer interval would measure reconnects",
    )
    poll_connection: Literal["kept", "new"] = Field(
        default="kept", description="kept: a poller keeps its connection; new: it makes one for each poll"
    )
    poll_empty: Literal["304", "200"] = Field(
        default="304",
        description="how a poll with nothing new is answered: 304 to a validator, or an empty 200 to a query",
    )
    headers: Literal["lean", "browser"] = Field(
        default="lean", description="what a request carries: what it must, or what a browser with cookies sends"
    )
    compression: Literal["none", "permessage-deflate", "gzip", "br"] = Field(
        default="none",
        description="permessage-deflate: each WebSocket message is compressed; gzip, br: the bodies of HTTP answers are",
    )
    frames: Literal["text", "binary"] = Field(default="text", description="the kind of WebSocket frames for messages")
    http: Literal["1.1", "2"] = Field(
        default="1.1", description="the version of HTTP between subscribers and server; with 2 they share connections"
    )
    streams: int = Field(
        default=100, ge=1, le=1000, description="with HTTP/2: so many subscribers share a connection, each on a stream"
    )
    tls: bool = Field(
        default=False, description="everything goes over TLS, with certificates of the run's own, which are verified"
    )
    longpoll_timeout_s: float = Field(default=25.0, ge=0.1, le=3600, description="longest time that a long poll is held")
    heartbeat_s: float = Field(
        default=15.0, ge=0, le=3600, description="between signs of life on an idle connection; 0: none"
    )
    ping_s: float = Field(
        default=0.0,
        ge=0,
        le=3600,
        description="each WebSocket subscriber pings so often in the window; 0: never",
    )
    publish_via: Literal["websocket", "post"] = Field(
        default="websocket", description="how the publisher hands messages to the server"
    )
    pacing: Literal["open", "closed"] = Field(
        default="open",
        description="open: every message at its time; closed: none before the server has answered the last, which puts the "
        "feed off and hides what that costs: only to show the difference",
    )
    server_loop: Literal["asyncio", "uvloop"] = Field(default="asyncio", description="event loop of the server")
    server_stall_ms: int = Field(
        default=0, ge=0, le=60_000, description="the server is stopped for so long (SIGSTOP) in the middle of the window"
    )
    join_late_percent: float = Field(
        default=0.0, ge=0, le=100, description="share of the subscribers that connect only in the course of the window"
    )
    resume_percent: float = Field(
        default=0.0,
        ge=0,
        le=100,
        description="share of the subscribers that leave once in the window, and resume half a second later",
    )
    rtt_ms: float = Field(
        default=0.0,
        ge=0,
        le=10_000,
        description="round-trip time that a relay adds between subscribers and server, half of it each way; a new "
        "connection pays one more, for its handshake",
    )
    jitter_ms: float = Field(
        default=0.0, ge=0, le=5_000, description="each way through the relay is longer by a random part of this, in order"
    )
    bandwidth_kbit_s: int = Field(
        default=0, ge=0, le=10_000_000, description="of each connection through the relay, in both directions; 0: unlimited"
    )
    line: Literal["relay", "packets"] = Field(
        default="relay",
        description="what is between subscribers and server: a relay of each connection's bytes, or a line of the kernel's "
        "own packets, of TCP and UDP alike, in a network namespace of the run's own, which takes root",
    )
    loss_percent: float = Field(
        default=0.0, ge=0, le=50, description="share of the packets that a line of packets loses, in each direction"
    )
    relay_stall_ms: int = Field(
        default=0, ge=0, le=60_000, description="the relay passes nothing on for so long, in the middle of the window"
    )
    relay_reset_percent: float = Field(
        default=0.0,
        ge=0,
        le=100,
        description="share of the subscribers' connections that the relay resets (RST) in the course of the window",
    )
    relay_buffer_bytes: int = Field(
        default=0,
        ge=0,
        le=131_072,
        description="the relay holds a response that goes on until so many bytes of it are there, or it ends, as a "
        "proxy that buffers does; 0: nothing is held",
    )
    relay_idle_s: float = Field(
        default=0.0, ge=0, le=3600, description="the relay closes a connection on which nothing came for so long; 0: none"
    )

    server_down_ms: int = Field(
        default=0,
        ge=0,
        le=60_000,
        description="the server is killed in the middle of the window (SIGKILL), and is back with its log after so long",
    )
    reconnect_backoff_ms: int = Field(
        default=0,
        ge=0,
        le=30_000,
        description="wait before one that was ended connects again; doubles with each failure, up to 30 s; 0: at once",
    )
    reconnect_jitter: bool = Field(default=True, description="each such wait is drawn uniformly from 0 to that")

    burst: int = Field(
        default=1, ge=1, le=100_000, description="so many messages are due at once; rate_hz is still the average"
    )
    churn_hz: float = Field(
        default=0.0,
        ge=0,
        le=10_000,
        description="so many subscribers a second leave in the window, and resume half a second later",
    )
    slow_percent: float = Field(
        default=0.0, ge=0, le=100, description="share of the subscribers, the first ones, that read slowly"
    )
    slow_bytes_per_s: int = Field(
        default=0, ge=0, le=1_000_000_000, description="how fast each of them reads; 0: not at all"
    )
    vanish_percent: float = Field(
        default=0.0,
        ge=0,
        le=100,
        description="share of the subscribers, the first ones, that vanish without a word when the window begins",
    )
    drop_unanswered_s: float = Field(
        default=0.0,
        ge=0,
        le=3600,
        description="the server drops a connection whose peer acknowledges nothing, or has no room, for so long; 0: none",
    )
    swarms: int = Field(
        default=0,
        ge=0,
        le=64,
        description="processes that the subscribers are divided among; 0: as many as there are cores for and files allow",
    )
    server_workers: int = Field(
        default=1,
        ge=1,
        le=64,
        description="processes of the server behind one port; more than one share their log in a Redis of the trial's own",
    )

    @property
    def acts(self) -> bool:
        """Whether the subscribers say the messages themselves."""
        return self.kind in ("request", "chat")

    @property
    def rooms(self) -> int:
        """In how many rooms the subscribers are: what is said in one is heard there alone."""
        return {"request": self.subscribers, "chat": self.subscribers // self.room_size}.get(self.kind, 1)

    @property
    def hearers(self) -> int:
        """How many get each message, of those that the ledger is about."""
        return self.subscribers // self.rooms if self.acts else self.bystanders

    @property
    def slow(self) -> int:
        """How many subscribers read slowly."""
        return round(self.subscribers * self.slow_percent / 100)

    @property
    def vanishing(self) -> int:
        """How many subscribers vanish."""
        return round(self.subscribers * self.vanish_percent / 100)

    @property
    def bystanders(self) -> int:
        """How many the ledger is about: those that neither read slowly nor vanish."""
        return self.subscribers - self.slow - self.vanishing

    @property
    def churning(self) -> int:
        """How many may take their turn in leaving and resuming: who joins late, resumes once or reads slowly does not."""
        return max(0, self.subscribers - self.slow - self.resume - self.join_late)

    @property
    def ends(self) -> bool:
        """Whether subscribers are ended on purpose, and so come back."""
        return any(getattr(self, key) for key in ENDING)

    @property
    def join_late(self) -> int:
        """How many subscribers connect only in the course of the window."""
        return round(self.subscribers * self.join_late_percent / 100)

    @property
    def resume(self) -> int:
        """How many leave once in the window, and resume."""
        return round(self.subscribers * self.resume_percent / 100)

    @property
    def leave_early(self) -> bool:
        """Whether connections end inside the window on purpose."""
        return "new" in (self.poll_connection, self.post_connection) or self.resume > 0 or self.churn_hz > 0 or self.ends

    @property
    def relay_resets(self) -> int:
        """How many connections the relay resets."""
        return round(self.subscribers * self.relay_reset_percent / 100)

    @property
    def relayed(self) -> bool:
        """Whether a relay stands between subscribers and server."""
        return self.line == "packets" or any(getattr(self, key) for key in RELAYED)

    @property
    def transit_ms(self) -> float:
        """The longest way through the relay, in one direction."""
        return self.rtt_ms / 2 + self.jitter_ms

    @property
    def line_ms(self) -> float:
        """How long a message may be under way because of the relay's line, at most."""
        row = ROWS[self.transport]
        up = 0 if not self.acts else 3 if row.heeds("post_connection") and self.post_connection == "new" else 1
        return (row.transits + up) * self.transit_ms

    @property
    def polled_ms(self) -> float:
        """How long a message may wait for a poll, at most: a poll that is due before the last is answered is left out."""
        if not ROWS[self.transport].polls:
            return 0.0
        trips = 2 if self.poll_connection == "new" else 1
        return self.poll_interval_ms * (1 + trips * 2 * self.transit_ms // self.poll_interval_ms)

    @property
    def connecting_ms(self) -> float:
        """What the relay's line adds to connecting, at most: a handshake, a request and its answer."""
        return 4 * self.transit_ms


LINE = ("rtt_ms", "jitter_ms", "bandwidth_kbit_s", "loss_percent")
"""Keys of a load that say what the line between subscribers and server is like."""
RELAY_FAULTS = ("relay_stall_ms", "relay_reset_percent", "relay_buffer_bytes", "relay_idle_s")
"""Keys of a load that have a relay do something to connections."""
RELAYED = (*LINE, *RELAY_FAULTS)
"""A relay is there if one of these asks for it."""
ENDING = ("server_down_ms", "relay_reset_percent", "relay_idle_s")
"""Keys of a load that end subscribers on purpose; who is ended then connects again."""
DISTURBANCES = (
    "server_stall_ms",
    "join_late_percent",
    "resume_percent",
    "server_down_ms",
    "slow_percent",
    "churn_hz",
    "vanish_percent",
    *RELAY_FAULTS,
)
"""Keys of a load that disturb a trial on purpose."""


class Search(Table):
    """What is searched for: the most of one key of the load that still keeps an objective."""

    key: SearchableKey = Field(description="the key of the load whose most is searched for; it is in no other table")
    start: float = Field(ge=1, le=1_000_000, description="the value that is tried first; where it fails, less is tried")
    limit: float = Field(ge=1, le=1_000_000, description="no more than this is ever tried")
    precision: float = Field(
        default=0.1,
        ge=0.01,
        le=1,
        description="how near the highest value that held and the lowest that failed must come, as a part of the former",
    )
    objective: str = Field(
        default="latency_p99_ms <= 100",
        min_length=1,
        max_length=300,
        description="what must be kept, and nothing lost: measured columns with <=, <, >= or > and a number, joined by and",
    )


class Phases(Table):
    """How long each part of a trial takes."""

    plateaus: int = Field(
        default=0, ge=0, le=1000, description="steps of the ramp at which memory is read; 0: none, else at least 4"
    )
    plateau_messages: int = Field(
        default=0,
        ge=0,
        le=1000,
        description="messages published to everyone at the last plateau, after which memory is read again; 0: none",
    )
    settle_s: float = Field(
        default=0.2, ge=0, le=600, description="rest after each step of the ramp, before memory is read"
    )
    warmup_s: float = Field(ge=0, le=3600, description="traffic that is not counted; 0 if measure_s is")
    measure_s: float = Field(ge=0, le=86_400, description="the measured window; 0: no traffic at all, memory only")
    drain_s: float = Field(default=10.0, ge=0, le=600, description="longest wait for stragglers after the measured window")


class Repeat(Table):
    """How often, and in which order, trials are made."""

    trials: int = Field(
        default=3,
        ge=1,
        le=1000,
        description="trials of each cell, each with a fresh server process; with [search]: searches of each cell",
    )
    seed: int = Field(default=1, ge=0, le=2**32 - 1, description="draws the order of the trials within each round")


TABLES: dict[str, type[Table]] = {"": Head, "load": Load, "search": Search, "phases": Phases, "repeat": Repeat}
"""The model of each table by its name; "" holds the keys above the first table. `[grid]` takes the keys of `[load]`."""

UNITS = {"bytes_per_s": "bytes/s", "kbit_s": "kbit/s", "s": "s", "ms": "ms", "hz": "Hz", "bytes": "bytes"}


def unit(key: str) -> str:
    """The unit that a key's name ends in; empty if it has none."""
    return next((unit for suffix, unit in UNITS.items() if key.endswith(f"_{suffix}")), "")


def choices(field: FieldInfo) -> tuple[str, ...]:
    """The names that a key, or an item of its list, is chosen from; empty if it is not a choice."""
    annotation: Any = field.annotation
    if get_origin(annotation) is tuple:
        annotation = get_args(annotation)[0]
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def kind_of_value(field: FieldInfo) -> str:
    """What a key takes: `integer`, `number`, `text`, `name` (one of a few), `truth` or
    `list of names`."""
    annotation: Any = field.annotation
    if get_origin(annotation) is tuple:
        return "list of names"
    return "name" if choices(field) else {int: "integer", float: "number", str: "text", bool: "truth"}[annotation]


def bounds(field: FieldInfo) -> tuple[float, float]:
    """The least and the most that a number may be."""
    found = {name: getattr(limit, name) for limit in field.metadata for name in ("ge", "le") if hasattr(limit, name)}
    return found["ge"], found["le"]


def allowed(field: FieldInfo) -> str:
    """The values that a key takes: its names, `83 to 65536` (both included), or `1 to 120 characters`."""
    if names := choices(field):
        return ", ".join(names)
    if field.annotation is bool:
        return "true, false"
    bounds = {
        name: getattr(limit, name)
        for limit in field.metadata
        for name in ("ge", "le", "min_length", "max_length")
        if hasattr(limit, name)
    }
    if "le" in bounds:
        return f"{bounds['ge']} to {bounds['le']}"
    return f"{bounds.get('min_length', 0)} to {bounds['max_length']} characters"


def expected(key: str, field: FieldInfo) -> str:
    """What a key takes, as half a sentence: `an integer from 83 to 65536 bytes`."""
    opening = {
        "integer": "an integer from",
        "number": "a number from",
        "text": "text of",
        "name": "one of",
        "truth": "one of",
        "list of names": "a list of",
    }
    return f"{opening[kind_of_value(field)]} {allowed(field)} {unit(key)}".rstrip()
