"""Synthetic trials of large audiences, on top of those of `frames`: connections, workers, swarm processes, first and last.

What a process can deliver is bounded, and several deliver nearly so many times more. A push reaches its subscribers one by
one, so the first waits hardly longer among many, and the last for all before; a poller waits for its own next poll.
"""

from collections.abc import Sequence
from functools import cache
from itertools import product

import numpy as np
import pandas as pd

from pushbench.scenario_keys import Load
from pushbench.transports import ROWS
from tests.pushbench import frames

SERVER_US = {"polling": 60.0, "longpoll": 92.0, "stream": 9.0, "sse": 31.0, "websocket": 11.0, "tcp": 5.0}
CLIENT_US = {"polling": 38.0, "longpoll": 41.0, "stream": 8.0, "sse": 9.0, "websocket": 12.0, "tcp": 6.0, "null": 3.0}
GROWTH = {"polling": 0.02, "longpoll": 0.22, "stream": 0.03, "sse": 0.08, "websocket": 0.01}
"""By which power of the connections a delivery becomes dearer."""
FIRST_MS = {"polling": 1.2, "longpoll": 2.4, "stream": 0.7, "sse": 1.1, "websocket": 0.8, "tcp": 0.4, "null": 0.2}
FEWEST = 1000


def trials(
    transports: Sequence[str] = frames.FIVE,
    *,
    subscribers: Sequence[int] = (1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000),
    rates: Sequence[float] = (1.0,),
    workers: Sequence[int] = (1,),
    swarms: Sequence[int] = (4,),
    repeats: int = 3,
) -> pd.DataFrame:
    """Give the trials of a run in which every transport met every load, `repeats` times."""
    loads = product(transports, subscribers, rates, workers, swarms)
    return _trials(tuple(loads), repeats).copy()


@cache
def _trials(loads: tuple[tuple[str, int, float, int, int], ...], repeats: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    empty = dict.fromkeys(frames.MEASURED, np.nan) | dict.fromkeys(frames.COUNTS, pd.NA)
    rows: list[dict[str, object]] = []
    for order, (trial, (cell, load)) in enumerate(product(range(1, repeats + 1), enumerate(loads))):
        rows.append(empty | {"cell": cell, "trial": trial, "order": order} | _trial(rng, *load))
    return pd.DataFrame(rows).astype(dict.fromkeys(frames.COUNTS, "Int64"))


def _trial(
    rng: np.random.Generator, transport: str, subscribers: int, rate_hz: float, workers: int, swarms: int
) -> dict[str, object]:
    noise = rng.normal(1, 0.03, 6)
    dearer = (subscribers / FEWEST) ** GROWTH.get(transport, 0.0)
    server_us = SERVER_US.get(transport, np.nan) * dearer * noise[0]
    client_us = CLIENT_US[transport] * (subscribers / FEWEST) ** 0.03 * noise[1]
    offered = subscribers * rate_hz
    capacity = np.nanmin([1e6 / server_us * workers**0.9, 1e6 / client_us * swarms**0.95])
    first_ms = FIRST_MS[transport] * (subscribers / FEWEST) ** 0.1 * noise[2]
    last_ms = first_ms + subscribers * 1e3 / capacity * noise[3] / 2
    if ROWS[transport].polls:
        last_ms = max(last_ms, 1000.0 * noise[3])
    return {
        **Load(transport=transport, subscribers=subscribers, rate_hz=rate_hz).model_dump(),
        "measure_s": 10.0, "swarms": swarms, "server_workers": workers, "swarm_processes": swarms,
        "verdict": "server_bound" if offered > capacity else "ok", "reason": "", "evidence": "", "hint": "",
        "offered_per_s": offered, "deliveries_per_s": min(offered, capacity),
        "server_cpu_us_per_delivery": server_us, "client_cpu_us_per_delivery": client_us,
        "fanout_first_ms": first_ms, "fanout_last_ms": last_ms,
    }  # fmt: skip
