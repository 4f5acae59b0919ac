"""What the applications can be told, beside what any server can be."""

from dataclasses import dataclass

from servers.options import Options, described

NOT_HERE = frozenset(("server", "workers", "redis", "redis_key", "journal", "webtransport", "duplex"))
"""Options of `python -m servers` that are none of `python -m apps`, which is one process of uvicorn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppsOptions(Options):
    """The options of `python -m apps`; each is a flag. A value out of its bounds is a ValueError."""

    tasks_database: str = described(
        "", "File that keeps the task list, a SQLite database; empty: it is kept in memory, and gone when the server ends."
    )
    tasks_limit: int = described(10_000, "How many tasks there may be at once.", least=1)
    ticker_hz: float = described(
        20.0,
        "Updates a second that the ticker makes by itself, in all; 0: none but those that are published.",
        least=0,
        most=1000,
    )
    ticker_symbols: int = described(4, "How many symbols are traded.", least=1, most=100)
    ticker_seed: int = described(1, "The seed of the prices: the same seed makes the same trades.")
    ticker_channels: int = described(50, "The most channels that one connection may follow at once.", least=1)
    ticker_gap_every: int = described(
        0, "Leave out every so many updates of a connection, to see how a client mends that; 0: none.", least=0
    )
