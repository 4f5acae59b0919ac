"""What runs have measured of each transport, nearest to a need, as the values that `advice` reckons with.

It knows the columns of `trials`, and which cells tell what. What follows from it is not known here.

Trials with another verdict than ok take no part, but for those of a full server, which tell its limit. Nor do cells with
a line between or a disturbance: what a round trip does is reckoned, and would count twice. Of other keys that the need does
not name, the cells with their defaults are taken. Trials of several runs count as one run's.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pushbench import crossover_costs
from pushbench.advice_values import Act, Heard, Known, Need
from pushbench.checks import Verdict
from pushbench.crossover import Cost, Draws, Polled
from pushbench.crossover_costs import (
    CPU,
    DOWN,
    IDLE,
    MEMORY,
    UP,
    Resource,
    busy_cost,
    cost,
    memory_of,
    one_interval,
    summed,
    usual,
)
from pushbench.labels import plain
from pushbench.results import ResultsError, Run, load
from pushbench.scenario_keys import DISTURBANCES, LINE, Load
from pushbench.stats import median_interval
from pushbench.transports import ACTIONS, TRANSPORTS

if TYPE_CHECKING:
    import pandas as pd


TELL = (
    *("cell", "trial", "verdict", "deliveries_per_s", *Load.model_fields),
    *(f"latency_{part}_ms" for part in ("mean", "p50", "p99")),
    *(column for one in (DOWN, UP, CPU) for column in (*one.per_delivery, *one.per_s)),
    str(CPU.per_empty),
    *(f"{column}{end}" for column in MEMORY for end in ("", "_r2")),
)
"""The columns that are read; all others would only be carried along."""
BESIDE = ("lessons", "request")
"""Names of reference runs that tell something of a need, if they are there."""


def curated(reference: Path) -> list[Path]:
    """The reference run, and of those beside it the ones that tell something of a need."""
    found = (reference, *(reference / name for name in BESIDE))
    return [directory for directory in found if (directory / "run.json").exists()]


def read(paths: Iterable[Path]) -> list[Run]:
    """Read runs. Raises `ResultsError` if one cannot tell anything."""
    runs = [load(path) for path in paths]
    for run in runs:
        if run.trials.empty:
            raise ResultsError(f"{run.path} has no finished trial yet: go on with --resume")
        if run.trials["search"].notna().any():
            raise ResultsError(f"{run.path} searched for a capacity, and its steps are no cells: name another run")
        if not (run.trials["verdict"].astype(str) == Verdict.OK).any():
            raise ResultsError(
                f"{run.path} has no trial with the verdict ok, and nothing can be told from it: pushbench check says why"
            )
    return runs


def known(runs: Sequence[Run], need: Need) -> list[Known]:
    """What there is of each transport, in the order of the table; one without a believable delivery is left out."""
    import pandas as pd

    frames, cells = [], 0
    for run in runs:
        frames.append(run.trials.assign(cell=run.trials["cell"] + cells))
        cells += int(run.trials["cell"].max()) + 1
    trials = pd.concat(frames, ignore_index=True)
    trials = trials.loc[(trials[[*LINE, *DISTURBANCES]] == 0).all(axis=1), [name for name in TELL if name in trials]]
    bases = pd.concat([run.memory[run.memory["state"] == "baseline"] for run in runs])["server_user_bytes"].dropna()
    base = float(bases.median()) if len(bases) else 0.0
    found = (_known(trials, name, need) for name in TRANSPORTS)
    return [replace(one, base_bytes=base) for one in found if one]


def _known(trials: "pd.DataFrame", name: str, need: Need) -> Known | None:
    row = TRANSPORTS[name]
    of = trials[trials["transport"] == name]
    ok = of[of["verdict"].astype(str) == Verdict.OK]
    steady = ok[(ok["kind"] == "broadcast") & (ok["rate_hz"] > 0)].dropna(subset=[*CPU.per_delivery, *DOWN.per_delivery])
    if steady.empty:
        return None
    straight = usual(steady, LEFT)
    near = _nearest(straight, "payload_bytes", need.payload_bytes)
    at_rate = near[near["rate_hz"] == _rate_of_the_nearest(near, need)]
    rows = _nearest(at_rate, "subscribers", need.subscribers)
    rate_hz = float(rows["rate_hz"].iloc[0])
    idle = usual(ok[ok["kind"] == IDLE].dropna(subset=[*CPU.per_s, *DOWN.per_s, *UP.per_s]), LEFT)
    resting = one_interval(idle)
    down, up, cpu = (_cost(resource, name, rows, resting, rate_hz) for resource in (DOWN, UP, CPU))
    if down is None or up is None or cpu is None:
        return None
    full = of[(of["verdict"].astype(str) == Verdict.SERVER_BOUND) & (of["kind"] == "broadcast")]
    memory = memory_of(usual(ok, LEFT))
    each = 1000 / near["poll_interval_ms"] if row.polls else near["rate_hz"]
    least, most = _ends(near["rate_hz"])
    return Known(
        name,
        int(rows["subscribers"].iloc[0]),
        rate_hz,
        float(rows["payload_bytes"].iloc[0]),
        down,
        up,
        cpu,
        _heard(at_rate),
        (0.0 if len(resting) else least, most),
        _ends(at_rate["subscribers"]),
        float((near["subscribers"] * each).max()),
        _ends(straight["payload_bytes"]),
        memory if np.isfinite(memory[0]) else None,
        intervals_ms=_ends(rows["poll_interval_ms"]) if row.polls else (0.0, 0.0),
        late_ms=_late_ms(rows) if row.polls else (0.0, 0.0),
        limit_per_s=float(full["deliveries_per_s"].max()) if len(full) else math.inf,
        act=_act(trials[trials["verdict"].astype(str) == Verdict.OK], name, rows) if need.two_way_hz else None,
        assumed=_assumed(name, resting, cpu),
        n=int(min([rows.groupby("poll_interval_ms").size().min(), *([len(resting)] if len(resting) else [])])),
    )


LEFT = crossover_costs.LEFT | {"payload_bytes", "heartbeat_s", "longpoll_timeout_s", "room_size"}
"""Keys by which cells may differ that are told apart here, or have no part in what a message takes."""


def _cost(resource: Resource, name: str, rows: "pd.DataFrame", resting: "pd.DataFrame", rate_hz: float) -> Cost | None:
    return cost(resource, name, rows, resting, rate_hz) or busy_cost(resource, name, rows, rate_hz)


def _nearest(rows: "pd.DataFrame", column: str, value: float) -> "pd.DataFrame":
    """The rows that have, of the values that there are, the one whose ratio to that is the smallest; of two the larger."""
    there = sorted((float(one) for one in rows[column].unique()), reverse=True)
    chosen: pd.DataFrame = rows[rows[column] == min(there, key=lambda one: abs(math.log(one / value)))]
    return chosen


def _rate_of_the_nearest(rows: "pd.DataFrame", need: Need) -> float:
    """The rate of the load that is nearest by both its ratios together: what a delivery takes goes with how many there are,
    so that a few subscribers at nearly the rate tell less than many at twice of it. Of equally near ones the larger."""
    loads = {(float(rate), float(count)) for rate, count in zip(rows["rate_hz"], rows["subscribers"], strict=True)}

    def away(load: tuple[float, float]) -> tuple[float, float]:
        apart = abs(math.log(load[0] / need.rate_hz)) + abs(math.log(load[1] / need.subscribers))
        return round(apart, 2), -load[1]

    return min(loads, key=away)[0]


def _ends(values: "pd.Series[Any]") -> tuple[float, float]:
    return float(values.min()), float(values.max())


def _heard(rows: "pd.DataFrame") -> tuple[Heard, ...]:
    return tuple(
        Heard(
            int(cell["subscribers"].iloc[0]),
            median_interval(cell["latency_p50_ms"]),
            median_interval(cell["latency_p99_ms"]),
        )
        for _, cell in rows.groupby("subscribers")
    )


def _late_ms(rows: "pd.DataFrame") -> tuple[float, float]:
    """How much later than its wait a poller's messages came: at p50 as the mean did, at p99 as at the worst interval."""
    interval_ms = rows["poll_interval_ms"]
    mean = (rows["latency_mean_ms"] - interval_ms / 2).median()
    worst = (rows["latency_p99_ms"] - 0.99 * interval_ms).groupby(interval_ms)
    return max(float(mean), 0.0), max(0.0, *(median_interval(cell).high for _, cell in worst))


def _assumed(name: str, resting: "pd.DataFrame", cpu: Cost) -> tuple[str, ...]:
    """What stands in for a measurement, in words."""
    row = TRANSPORTS[name]
    if resting.empty:
        idle = "a poll that finds nothing takes what an answer does" if row.polls else "nothing is taken while idle"
        return (f"{idle}, for no cost of an idle connection was measured",)
    said = []
    if isinstance(cpu, Polled) and math.isfinite(cpu.most_messages):
        said.append("each message in an answer takes no CPU beside the answer, for one poll interval was measured")
    key = "heartbeat_s" if row.asks in ("once", "upgrade") else "longpoll_timeout_s"
    if not row.polls and not row.quic:
        said.append(
            f"an idle connection has a sign of life every {plain(float(resting[key].median()))} s, as when measured"
        )
    return tuple(said)


def _act(trials: "pd.DataFrame", name: str, fed: "pd.DataFrame") -> Act | None:
    """What it takes to say something by a transport's way up; None if that was not measured."""
    way = name if TRANSPORTS[name].duplex else next(iter(ACTIONS))
    asked = usual(trials[(trials["kind"] == "request") & (trials["transport"] == way)], LEFT)
    if len(asked):
        most = asked[asked["subscribers"] == asked["subscribers"].max()]
        draws = [summed(most, resource.per_delivery) for resource in (CPU, DOWN, UP)]
        return _told_act(draws, most, f"{way}, acting and being answered")
    chats = usual(trials[(trials["kind"] == "chat") & (trials["transport"] == name)], LEFT)
    if chats.empty or TRANSPORTS[name].polls:
        return None
    room = float(chats["room_size"].iloc[0])
    draws = [
        np.maximum(room * (summed(chats, one.per_delivery) - summed(fed, one.per_delivery)), 0.0) for one in (CPU, DOWN, UP)
    ]
    return _told_act(draws, chats, f"{name} in a chat, less what those who hear it take")


def _told_act(draws: Sequence[Draws], rows: "pd.DataFrame", source: str) -> Act:
    p50_ms, p99_ms = (float(rows[f"latency_{part}_ms"].median()) for part in ("p50", "p99"))
    return Act(
        draws[0],
        draws[1],
        draws[2],
        p50_ms,
        p99_ms,
        float(rows["rate_hz"].max()),
        float(rows["payload_bytes"].iloc[0]),
        source,
    )
