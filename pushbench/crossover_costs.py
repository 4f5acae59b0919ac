"""What a run has measured, as the costs that `crossover` reckons with: of bytes, of CPU time, of memory.

It knows the columns of `trials`, and which cells tell a cost. What is done with costs, and how they are told, is not known
here.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from pushbench.checks import Verdict
from pushbench.crossover import Cost, Draws, Polled, drawn_medians, polled, pushed
from pushbench.labels import plain
from pushbench.models import messages_per_answer
from pushbench.scenario_keys import Load
from pushbench.stats import NO_LINE_R2
from pushbench.transports import TRANSPORTS

if TYPE_CHECKING:
    import pandas as pd

IDLE = "idle"
"""The kind of a cell in which nothing is published."""


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that costs add up of."""

    name: str
    unit: str
    """Of what one subscriber takes in a second."""
    per_delivery: tuple[str, ...]
    """The columns whose sum is the cost of a delivery."""
    per_s: tuple[str, ...]
    """Likewise of an idle connection in a second."""
    per_empty: str | None = None
    """The column with the cost of a poll that finds nothing; None: what is idle, times the interval."""
    sizes: float | None = None
    """So many times its size, with its line end, a message in an answer costs; None: to be measured, at two intervals."""


BYTES = Resource(
    "bytes",
    "bytes/s",
    ("wire_down_bytes_per_delivery", "wire_up_bytes_per_delivery"),
    ("wire_down_bytes_per_connection_s", "wire_up_bytes_per_connection_s"),
    sizes=1,
)
DOWN = Resource("bytes down", "bytes/s", ("wire_down_bytes_per_delivery",), ("wire_down_bytes_per_connection_s",), sizes=1)
UP = Resource("bytes up", "bytes/s", ("wire_up_bytes_per_delivery",), ("wire_up_bytes_per_connection_s",), sizes=0)
CPU = Resource(
    "CPU",
    "µs/s",
    ("server_cpu_us_per_delivery",),
    ("server_cpu_us_per_connection_s",),
    "server_cpu_us_per_empty_poll",
)
RESOURCES = (BYTES, CPU)
MEMORY = tuple(f"server_{part}_bytes_per_connection" for part in ("user", "kernel"))


@dataclass(frozen=True, slots=True)
class Costs:
    """All costs of a run."""

    subscribers: int
    rate_hz: float
    """The load at which deliveries were measured."""
    of: dict[str, dict[str, Cost]]
    """By resource, then by transport in the order of the table; a transport that was not measured so is not in it."""
    missing: tuple[str, ...]
    """What was not measured, in words."""
    assumed: tuple[str, ...]
    """What was assumed in place of a measurement, in words."""
    memory: dict[str, Draws] = field(default_factory=dict)
    """Bytes of a connection, in the server's process and in the kernel, by transport."""
    n: int = 0
    """The least number of trials that a cost is made from."""


def costs(trials: "pd.DataFrame") -> Costs | None:
    """Read the costs of a run, at the largest load that most transports met; None if no delivery was measured.

    Trials with another verdict than ok take no part. Of a key that varies, the cells with its default are taken.
    """
    calm = usual(trials[(trials["verdict"].astype(str) == Verdict.OK) & trials["transport"].isin(list(TRANSPORTS))])
    busy, idle = calm[(calm["kind"] != IDLE) & (calm["rate_hz"] > 0)], calm[calm["kind"] == IDLE]
    busy = busy[busy[CPU.per_delivery[0]].notna()]
    if busy.empty:
        return None
    loads = busy.groupby(["subscribers", "rate_hz"])["transport"].nunique()
    subscribers, rate_hz = max(loads[loads == loads.max()].index)
    here = busy[(busy["subscribers"] == subscribers) & (busy["rate_hz"] == rate_hz)]
    names = [name for name in TRANSPORTS if name in set(here["transport"])]
    of: dict[str, dict[str, Cost]] = {}
    missing: list[str] = []
    counts: list[int] = []
    for resource in RESOURCES:
        of[resource.name] = {}
        for name in names:
            rows, resting = here[here["transport"] == name], one_interval(idle[idle["transport"] == name])
            if told := cost(resource, name, rows, resting, float(rate_hz)):
                of[resource.name][name] = told
                counts += [rows.groupby("cell").size().min(), len(resting)]
        if lacking := [name for name in names if name not in of[resource.name]]:
            missing.append(f"{resource.name} of {', '.join(lacking)} while idle or for each delivery")
    memory = {name: memory_of(calm[calm["transport"] == name]) for name in names}
    known = {name: draws for name, draws in memory.items() if np.isfinite(draws[0])}
    free = {
        name: cost for name, cost in of[CPU.name].items() if isinstance(cost, Polled) and math.isfinite(cost.most_messages)
    }
    assumed = [
        f"each message in an answer of {name} takes no CPU beside the answer, and so nothing is told of more than "
        f"{plain(cost.most_messages)} in an answer"
        for name, cost in free.items()
    ]
    return Costs(int(subscribers), float(rate_hz), of, tuple(missing), tuple(assumed), known, int(min(counts, default=0)))


LEFT = frozenset({"transport", "kind", "subscribers", "rate_hz", "poll_interval_ms"})
"""Keys by which cells are told apart that tell costs."""


def usual(trials: "pd.DataFrame", leave: Collection[str] = LEFT) -> "pd.DataFrame":
    """The cells with the default of each key that varies, where there are such, or else with its first value."""
    for name, key in Load.model_fields.items():
        if name in leave or name not in trials or trials[name].nunique() < 2:
            continue
        usual = key.default if (trials[name] == key.default).any() else trials[name].iloc[0]
        trials = trials[trials[name] == usual]
    return trials


def one_interval(rows: "pd.DataFrame", longest: bool = False) -> "pd.DataFrame":
    """Of several poll intervals the shortest, in which an answer has the fewest messages; or the longest."""
    interval_ms = rows["poll_interval_ms"].max() if longest else rows["poll_interval_ms"].min()
    chosen: pd.DataFrame = rows.loc[rows["poll_interval_ms"] == interval_ms]
    return chosen


def cost(resource: Resource, name: str, rows: "pd.DataFrame", resting: "pd.DataFrame", rate_hz: float) -> Cost | None:
    """The cost of one transport; None if one of its parts was not measured."""
    if rows.empty or resting.empty:
        return None
    per_s = summed(resting, resource.per_s, seed=1)
    if not TRANSPORTS[name].polls:
        return _known(pushed(summed(rows, resource.per_delivery), per_s, rate_hz))
    empty = summed(resting, (resource.per_empty,), seed=1) if resource.per_empty else drawn_medians([])
    if not np.isfinite(empty[0]):
        empty = per_s * float(resting["poll_interval_ms"].iloc[0]) / 1000

    def parted(cell: "pd.DataFrame", per_message: Draws) -> Polled:
        interval_ms = float(cell["poll_interval_ms"].iloc[0])
        return polled(summed(cell, resource.per_delivery), empty, per_message, rate_hz, interval_ms)

    few, many = one_interval(rows), one_interval(rows, longest=True)
    if resource.sizes is not None:
        return _known(parted(few, np.full_like(empty, resource.sizes * (float(few["payload_bytes"].iloc[0]) + 1))))
    none = np.zeros_like(empty)
    more = _messages(many, rate_hz) - _messages(few, rate_hz)
    if more <= 0:
        return _known(replace(parted(few, none), most_messages=_messages(few, rate_hz)))
    each = np.maximum((parted(many, none).per_answer - parted(few, none).per_answer) / more, 0.0)
    return _known(parted(few, each))


def busy_cost(resource: Resource, name: str, rows: "pd.DataFrame", rate_hz: float) -> Cost | None:
    """The cost where nobody was idle: all is the deliveries', and a poll that finds nothing costs what an answer does."""
    if not TRANSPORTS[name].polls:
        per_delivery = summed(rows, resource.per_delivery)
        return _known(pushed(per_delivery, np.zeros_like(per_delivery), rate_hz))
    few = one_interval(rows)
    each = (resource.sizes or 0.0) * (float(few["payload_bytes"].iloc[0]) + 1)
    answered = rate_hz * float(few["poll_interval_ms"].iloc[0]) / 1000
    answer = np.maximum((summed(few, resource.per_delivery) - each) * answered, 0.0)
    most = math.inf if resource.sizes is not None else _messages(few, rate_hz)
    return _known(Polled(answer, answer, np.full_like(answer, each), most))


def _messages(cell: "pd.DataFrame", rate_hz: float) -> float:
    """How many messages an answer of a poller has."""
    return messages_per_answer(rate_hz, float(cell["poll_interval_ms"].iloc[0]))


def _known(cost: Cost) -> Cost | None:
    """The cost, if it was measured: then it is so of a feed that is seldom, at least."""
    return cost if np.isfinite(cost.at(1e-3, 1.0)[0]) else None


def summed(rows: "pd.DataFrame", columns: tuple[str, ...], seed: int = 0) -> Draws:
    """The drawn medians of the sum of some columns over trials; NaN where one of them is not there."""
    if not all(column in rows for column in columns):
        return drawn_medians([])
    return drawn_medians(rows[list(columns)].sum(axis=1, skipna=False).to_numpy(dtype=np.float64, na_value=np.nan), seed)


def memory_of(rows: "pd.DataFrame") -> Draws:
    """The bytes of a connection, from the trials whose points lie near enough to a line."""
    straight = rows[[f"{column}_r2" for column in MEMORY]].min(axis=1) >= NO_LINE_R2
    return summed(rows[straight], MEMORY, seed=2)
