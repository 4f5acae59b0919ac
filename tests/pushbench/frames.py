"""Synthetic frames of a run, with exactly the columns that a measured run has, for tests of what draws and tabulates.

The physics is simple, but right where charts rely on it: a poller waits T/2 on average and T at most, a push grows
slower with its subscribers, a server past its capacity delivers no more and falls behind, memory is a line with noise. A
server that is stopped in the middle of the window delays what is due meanwhile; a closed loop puts off all that comes
after, of which its naive latency shows nothing. A floor is a transport with little to do, and `null` has no server.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pushbench import columns
from pushbench.scenario_keys import Load
from pushbench.transports import ROWS

FLOORS = ("tcp", "null")
FIVE = ("polling", "longpoll", "stream", "sse", "websocket")

PUSH_MS = {"polling": 2.0, "longpoll": 6.5, "stream": 4.4, "sse": 7.2, "sse_plain": 5.0, "websocket": 3.9}
CPU_US = {"polling": 20.0, "longpoll": 92.0, "stream": 19.0, "sse": 41.0, "sse_plain": 24.0, "websocket": 17.0}
USER_KIB = {"polling": 12.0, "longpoll": 22.0, "stream": 19.4, "sse": 33.1, "sse_plain": 20.2, "websocket": 26.8}
PUSH_MS |= {"tcp": 1.8, "null": 0.4}
CPU_US |= {"tcp": 8.0, "null": 3.0}
USER_KIB |= {"tcp": 2.1}
KERNEL_KIB = 4.2

STATISTICS = ("mean", "p50", "p90", "p99", "p999", "max")
COUNTS = ["expected", "delivered", "lost", "duplicated", "reordered", "coalesced", "gaps", "gap_longest"]
COUNTS += [name for name, column in columns.MEASURED.items() if column.type == "int" and name not in COUNTS]
MEASURED = [name for name, column in columns.MEASURED.items() if column.type == "float"]
SEARCH = ["search", "step", "search_key", "search_limit", "objective", "outcome"]
"""What there is only where something is searched."""

SERVERS = ["server_cpu_us_per_delivery", "server_cpu_percent", "server_wait_percent"]
"""What there is not without a server."""

LATE = {
    "verdict": "publisher_late",
    "reason": "the closed loop put off what it published",
    "evidence": "publisher_slip_p99_ms 500.4 above 10",
    "hint": 'believe pacing = "open"',
}

OTHERS = {
    "latency": {"cell": "int64", "trial": "int64", "clock": "str", "value_ms": "float64", "count": "int64"},
    "timeline": {
        "cell": "int64", "trial": "int64", "at_s": "float64", "phase": "str", "deliveries": "int64",
        "latency_p50_ms": "float64", "latency_p99_ms": "float64", "latency_max_ms": "float64",
        "naive_p50_ms": "float64", "naive_p99_ms": "float64", "naive_max_ms": "float64",
    },
    "memory": {
        "cell": "int64", "trial": "int64", "state": "str", "connections": "int64", "connect_per_s": "float64",
        "server_user_bytes": "float64", "server_kernel_bytes": "float64", "client_user_bytes": "float64",
    },
}  # fmt: skip


def run(
    transports: Sequence[str] = FIVE,
    *,
    subscribers: Sequence[int] = (100, 1000),
    rates: Sequence[float] = (10.0,),
    poll_intervals: Sequence[int] = (1000,),
    payloads: Sequence[int] = (128,),
    pacings: Sequence[str] = ("open",),
    server_stall_ms: int = 0,
    trials: int = 3,
    plateaus: int = 0,
    measure_s: float = 10.0,
    warmup_s: float = 2.0,
    seed: int = 1,
) -> dict[str, pd.DataFrame]:
    """Give the four frames of a run in which every transport met every load, `trials` times, and nothing went wrong.

    Floors are never in a closed loop. A closed loop of a server that is stopped is publisher_late, as it is in earnest.
    """
    loads = product(transports, subscribers, rates, poll_intervals, payloads, pacings)
    cells = tuple(load for load in loads if load[0] not in FLOORS or load[-1] == "open")
    made = _run(cells, server_stall_ms, trials, plateaus, measure_s, warmup_s, seed)
    return {name: frame.copy() for name, frame in made.items()}


@cache
def _run(
    cells: tuple[tuple[str, int, float, int, int, str], ...],
    stall_ms: int,
    trials: int,
    plateaus: int,
    measure_s: float,
    warmup_s: float,
    seed: int,
) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    frames: dict[str, list[pd.DataFrame]] = {name: [] for name in OTHERS}
    for order, (trial, (cell, load)) in enumerate(product(range(1, trials + 1), enumerate(cells))):
        row, others = _trial(rng, cell, trial, order, load, stall_ms, plateaus, measure_s, warmup_s)
        rows.append(row)
        for name, frame in others.items():
            frames[name].append(frame)
    made = {"trials": pd.DataFrame(rows).astype(dict.fromkeys(COUNTS, "Int64"))}
    for name, types in OTHERS.items():
        empty = pd.DataFrame({column: pd.Series(dtype=dtype) for column, dtype in types.items()})
        found = pd.concat(frames[name], ignore_index=True) if frames[name] else empty
        made[name] = found[list(types)].astype(types)
    return made


def judge(
    frames: Mapping[str, pd.DataFrame], verdict: str, transport: str, trials: Iterable[int] = (1, 2, 3)
) -> dict[str, pd.DataFrame]:
    """Give copies of the frames in which those trials of the transport got that verdict; their numbers stay."""
    changed = {name: frame.copy() for name, frame in frames.items()}
    table = changed["trials"]
    hit = (table["transport"] == transport) & table["trial"].isin(list(trials))
    table.loc[hit, "verdict"] = verdict
    table.loc[hit, ["reason", "evidence", "hint"]] = [f"made {verdict} for a test", "lost 7", "undo it"]
    return changed


def fail(frames: Mapping[str, pd.DataFrame], transport: str, trials: Iterable[int] = (1, 2, 3)) -> dict[str, pd.DataFrame]:
    """Give copies of the frames in which those trials of the transport failed: no number of theirs is left."""
    changed = judge(frames, "failed", transport, trials)
    table = changed["trials"]
    failed = table["verdict"] == "failed"
    table.loc[failed, MEASURED] = np.nan
    table.loc[failed, COUNTS] = pd.NA
    gone = pd.MultiIndex.from_frame(table.loc[failed, ["cell", "trial"]])
    for name in ("latency", "timeline", "memory"):
        frame = changed[name]
        keep = ~pd.MultiIndex.from_frame(frame[["cell", "trial"]]).isin(gone)
        changed[name] = frame[keep].reset_index(drop=True)
    return changed


def _trial(
    rng: np.random.Generator,
    cell: int,
    trial: int,
    order: int,
    load: tuple[str, int, float, int, int, str],
    stall_ms: int,
    plateaus: int,
    measure_s: float,
    warmup_s: float,
) -> tuple[dict[str, object], dict[str, pd.DataFrame]]:
    transport, subscribers, rate_hz, poll_interval_ms, payload_bytes, pacing = load
    offered = subscribers * rate_hz
    cpu_us = CPU_US[transport] * rng.normal(1, 0.03) * (1 + 20 / subscribers)
    if ROWS[transport].polls:  # every request costs, also the empty one
        cpu_us += 150 * (1000 / poll_interval_ms) / rate_hz
    capacity = 1e6 / cpu_us
    delivered_per_s = min(offered, capacity)
    count = int(delivered_per_s * measure_s)
    row: dict[str, object] = {
        "cell": cell, "trial": trial, "order": order, "started_at": f"2026-01-01T00:{order % 60:02d}:00+00:00",
        **Load.model_validate(
            {
                "transport": transport, "subscribers": subscribers, "rate_hz": float(rate_hz),
                "payload_bytes": payload_bytes, "poll_interval_ms": poll_interval_ms, "pacing": pacing,
                "server_stall_ms": 0 if transport in FLOORS else stall_ms,
            }
        ).model_dump(),
        "measure_s": float(measure_s),
        "verdict": "server_bound" if count and offered > capacity else "ok",
        "reason": "", "evidence": "", "hint": "",
    }  # fmt: skip
    row |= dict.fromkeys(SEARCH) | dict.fromkeys(MEASURED, np.nan) | dict.fromkeys(COUNTS, pd.NA)
    row |= {name: None for name, column in columns.MEASURED.items() if column.type == "str"}
    row |= {"connect_per_s": rng.normal(900, 40), "connect_p99_ms": rng.normal(12, 1)}
    latency = timeline = pd.DataFrame()
    if count:
        latency_ms = _latencies(rng, transport, subscribers, poll_interval_ms, min(count, 40_000))
        latency_ms = latency_ms + np.linspace(0, max(offered / capacity - 1, 0) * 1000 * measure_s, latency_ms.size)
        naive_ms = latency_ms * 0.98
        if stall_ms and transport not in FLOORS:
            latency_ms, naive_ms = _stalled(latency_ms, naive_ms, stall_ms, measure_s, pacing)
            if pacing == "closed":
                row |= LATE
        for kind, values in (("latency", latency_ms), ("naive", naive_ms)):
            found = [values.mean(), *np.percentile(values, (50, 90, 99, 99.9)), values.max()]
            row |= {f"{kind}_{name}_ms": value for name, value in zip(STATISTICS, found, strict=True)}
        row |= {
            "age_mean_ms": latency_ms.mean() + 500 / rate_hz, "age_peak_ms": latency_ms.mean() + 1000 / rate_hz,
            "deliveries_per_s": delivered_per_s, "offered_per_s": offered,
            "expected": int(offered * measure_s), "delivered": count, "lost": 0, "duplicated": 0, "reordered": 0,
            "coalesced": 0, "gaps": 0, "gap_longest": 0,
            "server_cpu_us_per_delivery": cpu_us, "client_cpu_us_per_delivery": 9.0,
            "server_cpu_percent": delivered_per_s * cpu_us / 1e4, "swarm_cpu_percent": delivered_per_s * 9 / 1e4,
            "publisher_cpu_percent": 1.0, "publisher_slip_p99_ms": 0.4, "publisher_slip_max_ms": 0.6,
            "swarm_lag_p99_ms": 1.1, "swarm_held_p99_ms": 0.0, "server_wait_percent": 0.1, "swarm_wait_percent": 0.4,
            "publisher_wait_percent": 0.1, "steal_percent": 0.0,
        }  # fmt: skip
        latency = pd.concat([_buckets(clock, values) for clock, values in (("due", latency_ms), ("sent", naive_ms))])
        timeline = _timeline(rng, latency_ms, naive_ms, delivered_per_s, warmup_s, measure_s)
        row |= dict.fromkeys(SERVERS, np.nan) if ROWS[transport].feeds_itself else {}
    memory = _memory(rng, transport, subscribers, plateaus) if not ROWS[transport].feeds_itself else pd.DataFrame()
    for part in ("user", "kernel") if plateaus >= 3 and len(memory) else ():
        ramp = memory[memory["state"] == "ramp"]
        column = f"server_{part}_bytes_per_connection"
        slope = np.polyfit(ramp["connections"], ramp[f"server_{part}_bytes"], 1)[0]
        row |= {column: slope, f"{column}_low": slope * 0.98, f"{column}_high": slope * 1.02, f"{column}_r2": 0.9991}
    frames = {"latency": latency, "timeline": timeline, "memory": memory}
    return row, {name: frame.assign(cell=cell, trial=trial) for name, frame in frames.items() if len(frame)}


def _latencies(
    rng: np.random.Generator, transport: str, subscribers: int, poll_interval_ms: int, count: int
) -> NDArray[np.float64]:
    base = PUSH_MS[transport] * (subscribers / 1000) ** 0.6 * rng.normal(1, 0.05)
    fan_out = base * rng.lognormal(0, 0.45, count)
    wait = rng.uniform(0, poll_interval_ms, count) if ROWS[transport].polls else 0.0
    return np.asarray(fan_out + wait, dtype=np.float64)


def _stalled(
    latency_ms: NDArray[np.float64], naive_ms: NDArray[np.float64], stall_ms: int, measure_s: float, pacing: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What a server stopped in the middle of the window makes of latencies, from the due time and from the sending."""
    since_ms = (np.linspace(0, measure_s, latency_ms.size) - measure_s / 2) * 1000
    left_ms = np.where(since_ms >= 0, np.clip(stall_ms - since_ms, 0, None), 0)
    if pacing == "open":
        return latency_ms + left_ms, naive_ms + left_ms
    caught = (since_ms >= 0) & (np.cumsum(since_ms >= 0) <= max(1, latency_ms.size // 300))
    return latency_ms + np.where(since_ms >= 0, stall_ms, 0), naive_ms + np.where(caught, stall_ms, 0)


def _buckets(clock: str, values: NDArray[np.float64]) -> pd.DataFrame:
    width = 10 ** (np.floor(np.log10(values)) - 2)
    edges, counts = np.unique(np.round((np.floor(values / width) + 1) * width, 9), return_counts=True)
    return pd.DataFrame({"clock": clock, "value_ms": edges, "count": counts})


def _timeline(
    rng: np.random.Generator,
    latency_ms: NDArray[np.float64],
    naive_ms: NDArray[np.float64],
    per_s: float,
    warmup_s: float,
    measure_s: float,
) -> pd.DataFrame:
    at_s = np.round(np.arange(-warmup_s, measure_s + 0.5, 0.1), 1)
    phase = np.where(at_s < 0, "warmup", np.where(at_s < measure_s, "measure", "drain"))
    deliveries = np.where(at_s < measure_s, rng.poisson(per_s / 10, at_s.size), 0)
    centre = np.clip((at_s / measure_s * latency_ms.size).astype(int), 0, latency_ms.size - 1)
    low, high = np.maximum(centre - 200, 0), np.minimum(centre + 200, latency_ms.size)
    sampled = rng.integers(low[:, np.newaxis], high[:, np.newaxis], size=(at_s.size, 100))
    slow = np.where(centre == 0, 1 + 2 * rng.random(at_s.size), 1)
    quantiles = [np.percentile(values[sampled], (50, 99, 100), axis=1) * slow for values in (latency_ms, naive_ms)]
    found = np.where(deliveries > 0, np.concatenate(quantiles), np.nan)
    names = [f"{kind}_{name}_ms" for kind in ("latency", "naive") for name in ("p50", "p99", "max")]
    return pd.DataFrame({"at_s": at_s, "phase": phase, "deliveries": deliveries} | dict(zip(names, found, strict=True)))


def _memory(rng: np.random.Generator, transport: str, subscribers: int, plateaus: int) -> pd.DataFrame:
    if not plateaus:
        return pd.DataFrame()
    steps = np.linspace(subscribers / plateaus, subscribers, plateaus).astype(int)
    connections = np.concatenate([[0], steps, [0]])
    left = 0.35 * steps[-1] * USER_KIB[transport]
    user_kib = 31_000 + rng.normal(0, 300) + USER_KIB[transport] * connections
    user_kib += rng.normal(0, 0.004 * steps[-1] * USER_KIB[transport], connections.size)
    user_kib[-1] += left
    kernel_kib = 300 + KERNEL_KIB * connections + rng.normal(0, 0.01 * KERNEL_KIB * steps[-1], connections.size)
    return pd.DataFrame(
        {
            "state": ["baseline", *["ramp"] * plateaus, "residual"], "connections": connections,
            "connect_per_s": [np.nan, *[2000.0] * plateaus, np.nan],
            "server_user_bytes": user_kib * 1024, "server_kernel_bytes": kernel_kib * 1024,
            "client_user_bytes": user_kib * 2048,
        }
    )  # fmt: skip
