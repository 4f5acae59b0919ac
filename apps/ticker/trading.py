"""Trades at a rate: the one place of the ticker that has a clock."""

import asyncio

from apps.ticker.feed import Feed
from apps.ticker.market import Walk

BEHIND_S = 1.0
"""Who is further behind than that, because the process stood still, does not make up for it."""


async def trading(feed: Feed, walk: Walk, hz: float) -> None:
    """Publish that many trades a second, until cancelled. Those that are due at once are published at once."""
    loop = asyncio.get_running_loop()
    due_s = loop.time()
    while True:
        due_s = max(due_s + 1 / hz, loop.time() - BEHIND_S)
        if (left_s := due_s - loop.time()) > 0:
            await asyncio.sleep(left_s)
        feed.trade(*walk.trade())
