"""Synthetic trials with a network between: round trips, bytes on the wire, idle cells; on top of those of `frames`.

Latencies and bytes are those of the models with a little noise and what a server adds, so that a chart of them looks as a
chart of a run should, and a test can disturb one cell and see that it is found.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pushbench import predictions
from pushbench.models import Latency, Wire
from tests.pushbench import frames

PARTS = {"down": ("payload", "framing", "http", "tcpip"), "up": ("framing", "http", "tcpip")}
WIRE = [f"wire_{way}_{part}_bytes_per_delivery" for way, parts in PARTS.items() for part in parts]
WIRE += [f"wire_{way}_{what}_per_delivery" for way in PARTS for what in ("bytes", "packets")]
IDLE = [f"wire_{way}_bytes_per_connection_s" for way in PARTS]
IDLE += ["server_cpu_us_per_connection_s", "server_cpu_us_per_empty_poll"]
CPU = [f"{role}_{part}_us_per_delivery" for role in ("server", "client") for part in ("user", "system")]

IDLE_CPU_US = {"polling": 0.0, "longpoll": 12.0, "stream": 3.0, "sse": 6.0, "sse_plain": 3.5, "websocket": 4.5}
"""Of a connection in a second, without the polls; with heartbeats every 15 s."""
EMPTY_POLL_US = 95.0
EMPTY_POLL_BYTES = {"down": 96 + 52, "up": 123 + 104}
HEARTBEAT_BYTES = {"polling": 0, "longpoll": 0, "stream": 6, "sse": 20, "sse_plain": 20, "websocket": 2}


def trials(
    transports: Sequence[str] = frames.FIVE,
    *,
    rtts: Sequence[float] = (0.0,),
    rates: Sequence[float] = (10.0,),
    subscribers: int = 100,
    poll_intervals: Sequence[int] = (1000,),
    idle: bool = False,
    plateaus: int = 0,
    repeats: int = 3,
    seed: int = 1,
) -> pd.DataFrame:
    """Give the trials of a run over every round trip, with bytes; `idle` adds a cell without messages to each."""
    rng = np.random.default_rng(seed)
    made: list[pd.DataFrame] = []
    kinds = ["broadcast", "idle"] if idle else ["broadcast"]
    for rtt_ms in rtts:
        for kind in kinds:
            table = frames.run(
                transports, subscribers=(subscribers,), rates=rates if kind == "broadcast" else rates[:1],
                poll_intervals=poll_intervals, trials=repeats, plateaus=plateaus, measure_s=1, warmup_s=0.5, seed=seed,
            )["trials"]  # fmt: skip
            table["kind"] = kind
            table["cell"] += sum(int(part["cell"].max()) + 1 for part in made)
            made.append(table.assign(rtt_ms=rtt_ms))
    whole = pd.concat(made, ignore_index=True)
    whole["order"] = range(len(whole))
    rows = [_measured(rng, row) for row in whole.to_dict("records")]
    return pd.DataFrame(rows).astype(dict.fromkeys(frames.COUNTS, "Int64"))


def changed(table: pd.DataFrame, transport: str, columns: Iterable[str], factor: float) -> pd.DataFrame:
    """Give the trials with those columns of one transport multiplied."""
    found = table.copy()
    found.loc[found["transport"] == transport, list(columns)] *= factor
    return found


def _measured(rng: np.random.Generator, row: dict[Any, Any]) -> dict[Any, Any]:
    row |= dict.fromkeys([*WIRE, *IDLE, *CPU, "requests_per_delivery"], np.nan)
    noise = rng.normal(1, 0.01)
    polls = 1000 / row["poll_interval_ms"] if row["transport"] == "polling" else 0.0
    if row["kind"] == "idle":
        row |= dict.fromkeys([name for name in frames.MEASURED if "latency" in name or "per_delivery" in name], np.nan)
        row |= {"rate_hz": 0.0, "deliveries_per_s": np.nan, "offered_per_s": np.nan}
        beats = (HEARTBEAT_BYTES[row["transport"]] + 52) / 15 if HEARTBEAT_BYTES[row["transport"]] else 0.0
        for way in PARTS:
            row[f"wire_{way}_bytes_per_connection_s"] = (beats + polls * EMPTY_POLL_BYTES[way]) * noise
        row["server_cpu_us_per_connection_s"] = (IDLE_CPU_US[row["transport"]] + polls * EMPTY_POLL_US) * noise
        row["server_cpu_us_per_empty_poll"] = EMPTY_POLL_US * noise if polls else np.nan
        return row
    latency = predictions.latency(row, row["server_cpu_us_per_delivery"])
    wire = predictions.wire(row)
    if latency:
        row |= _latencies(latency, 1.2 * noise)
    if wire:
        for way, sent in (("down", wire.down), ("up", wire.up)):
            row |= _sent(way, sent, rng.normal(1, 0.003))
        row["requests_per_delivery"] = wire.up.http / predictions.LEAN.request
    for role in ("server", "client"):
        whole = row[f"{role}_cpu_us_per_delivery"]
        row |= {f"{role}_user_us_per_delivery": 0.6 * whole, f"{role}_system_us_per_delivery": 0.4 * whole}
    return row


def _latencies(model: Latency, more_ms: float) -> dict[str, float]:
    found = {"mean": model.mean_ms, "max": model.longest_ms}
    found |= {name: model.quantile_ms(q) for name, q in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999))}
    return {f"{kind}_{name}_ms": value + more_ms for kind in ("latency", "naive") for name, value in found.items()}


def _sent(way: str, wire: Wire, noise: float) -> dict[str, float]:
    parts = {f"wire_{way}_{part}_bytes_per_delivery": getattr(wire, part) for part in PARTS[way]}
    parts[f"wire_{way}_tcpip_bytes_per_delivery"] *= noise
    return parts | {
        f"wire_{way}_bytes_per_delivery": sum(parts.values()),
        f"wire_{way}_packets_per_delivery": wire.packets * noise,
    }
