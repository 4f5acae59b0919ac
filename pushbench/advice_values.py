"""What the adviser reckons with and what it finds, as values: a need, what was measured of a transport, an option. Pure.

How an option is found, and how it is said, is not known here.
"""

import math
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from pushbench.crossover import Cost, Draws
from pushbench.stats import Interval


@dataclass(frozen=True, slots=True)
class Need:
    """What somebody wants."""

    rate_hz: float
    """Updates a second that each subscriber is to get."""
    subscribers: int
    staleness_ms: float
    """So old an update may be when a subscriber has it, of 99 in a hundred."""
    rtt_ms: float = 0.0
    two_way_hz: float = 0.0
    """How often a second each client says something."""
    payload_bytes: float = 128.0


@dataclass(frozen=True, slots=True)
class Prices:
    """What things cost, in whatever currency; None: not known."""

    egress_gb: float | None = None
    """Of 10⁹ bytes to the subscribers."""
    core_hour: float | None = None
    gib_hour: float | None = None

    @property
    def known(self) -> bool:
        """Whether there is any."""
        return any(price is not None for price in (self.egress_gb, self.core_hour, self.gib_hour))


class How(IntEnum):
    """How a figure is known; of several, the largest holds."""

    MEASURED = 0
    RECKONED = 1
    """By a formula or from the nearest, between or beside what was measured."""
    EXTRAPOLATED = 2
    REFUSED = 3


@dataclass(frozen=True, slots=True)
class Reach:
    """What is asked, beside what was measured."""

    what: str
    unit: str
    asked: float
    least: float
    most: float
    how: How
    key: str = ""
    """The key of a scenario that sets it."""
    near: float = 0.0
    """The measured value that figures are from."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A quantity, and how it is known."""

    value: Interval
    how: How


@dataclass(frozen=True, slots=True)
class Heard:
    """A load at which latency was measured, with nothing in between."""

    subscribers: float
    p50_ms: Interval
    p99_ms: Interval


@dataclass(frozen=True, slots=True)
class Act:
    """What it takes to say something, and to be answered."""

    cpu_us: Draws
    down_bytes: Draws
    up_bytes: Draws
    p50_ms: float
    p99_ms: float
    per_s: float
    """So many a second, of all together, were measured."""
    payload_bytes: float
    source: str


@dataclass(frozen=True, slots=True)
class Known:
    """What was measured of a transport, nearest to the need, with no line between and nothing disturbed."""

    transport: str
    subscribers: int
    """With `rate_hz`, the load at which costs were measured."""
    rate_hz: float
    payload_bytes: float
    down: Cost
    up: Cost
    cpu: Cost
    heard: tuple[Heard, ...]
    """At the rate nearest to the need, by subscribers, ascending."""
    rates_hz: tuple[float, float]
    """Least and most; the least is 0 if idle connections were measured."""
    connections: tuple[float, float]
    per_s: float
    """Most deliveries a second of all together (who polls: requests)."""
    payloads: tuple[float, float]
    memory: Draws | None = None
    """Of a connection."""
    base_bytes: float = 0.0
    """Of a process to which nobody is connected."""
    intervals_ms: tuple[float, float] = (0.0, 0.0)
    late_ms: tuple[float, float] = (0.0, 0.0)
    """Of a poller: how much later than its wait it came, at p50 and p99."""
    limit_per_s: float = math.inf
    """Deliveries a second at which the server was full."""
    act: Act | None = None
    assumed: tuple[str, ...] = ()
    n: int = 0
    """Trials that a figure is made from, at least."""


class Fit(StrEnum):
    """Whether an option meets the need."""

    YES = "yes"
    DOUBT = "in doubt"
    NO = "no"
    REFUSED = "not told"


@dataclass(frozen=True, slots=True)
class Option:
    """A transport, and what it takes for the need; what cannot be told is None."""

    transport: str
    fit: Fit
    why: str = ""
    """Why it is not `yes`."""
    interval_ms: float | None = None
    interval_from: str = ""
    """What set the interval of a poller, if not the staleness."""
    p50_ms: Figure | None = None
    p99_ms: Figure | None = None
    down: Figure | None = None
    """Bytes a second of one subscriber."""
    up: Figure | None = None
    mbit_s: Figure | None = None
    """Of all subscribers, both ways."""
    cores: Figure | None = None
    """That are busy."""
    memory_gib: Figure | None = None
    processes: int = 0
    per_process: int = 0
    full: str = ""
    """What a process has its fill of first, if it is more than one."""
    month: Figure | None = None
    """What it costs a month, of the prices that are known."""
    shares: tuple[tuple[str, float], ...] = ()
    """Of which: traffic, CPU, memory."""
    reaches: tuple[Reach, ...] = ()
    assumed: tuple[str, ...] = ()
    n: int = 0
