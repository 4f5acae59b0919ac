"""Synthetic frames of a run that searched: the steps that a search would have made, with the edges that a test wants."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from pushbench.order import following
from pushbench.scenario import Scenario, loads
from tests.pushbench import frames

TOML = """\
title = "How many?"

[grid]
transport = {transports}

[search]
key = "{key}"
start = 100
limit = 3000
precision = 0.1

[load]
{other}
poll_interval_ms = 50

[phases]
warmup_s = 1
measure_s = 3

[repeat]
trials = {trials}
"""

EDGES = {"polling": 220.0, "longpoll": 480.0, "stream": 1300.0, "sse": 900.0, "websocket": 1700.0}
LIMIT_MS = 100.0


def scenario(transports: Iterable[str] = EDGES, key: str = "subscribers", trials: int = 3, *overrides: str) -> Scenario:
    names = str(list(transports)).replace("'", '"')
    other = "rate_hz = 10" if key == "subscribers" else "subscribers = 100"
    return loads(TOML.format(transports=names, key=key, other=other, trials=trials), "how_many.toml", overrides)


def run(
    edges: Mapping[str, float] = EDGES,
    *,
    key: str = "subscribers",
    load_side: Iterable[str] = (),
    lossy: Iterable[str] = (),
    trials: int = 3,
    steps: int | None = None,
) -> dict[str, pd.DataFrame]:
    """Give the frames of a run in which each transport bears as much as told (a little more in each search).

    Its p99 grows by the square. Beyond the edge the verdict is server_bound; of `load_side` client_bound, of `lossy` lossy.
    With `steps` the run was cut off after so many trials.
    """
    read = scenario(edges, key, trials)
    kept: list[dict[str, Any]] = []
    while (task := following(read, kept)) and (steps is None or len(kept) < steps):
        transport, value = task.load.transport, float(getattr(task.load, key))
        usual = frames.run((transport,), subscribers=(100,), poll_intervals=(50,), trials=1)["trials"].iloc[0]
        part = value / (edges[transport] * (1 + 0.06 * (task.columns["search"] - 1)))
        held = part <= 1
        spoilt = {"client_bound": load_side, "lossy": lossy}
        verdict = next((name for name, of in spoilt.items() if transport in of), "server_bound")
        made: dict[str, Any] = {str(name): value for name, value in usual.to_dict().items()}
        made |= {**task.load.model_dump(), **task.columns}
        made |= {
            "cell": task.cell, "trial": task.trial, "order": task.order, "lost": 0,
            "latency_p99_ms": LIMIT_MS * part**2, "server_cpu_percent": min(99.0, 96 * part),
            "verdict": "ok" if held else verdict, "reason": "" if held else "it was full",
            "outcome": "held" if held else ("load" if verdict == "client_bound" else "server"),
            "deliveries_per_s": value * 10,
        }  # fmt: skip
        kept.append(made)
    empty = {name: frame.iloc[:0] for name, frame in frames.run(("sse",), subscribers=(1,), trials=1).items()}
    table = pd.DataFrame(kept).astype(dict.fromkeys([*frames.COUNTS, "search", "step"], "Int64"))
    return empty | {"trials": table}
