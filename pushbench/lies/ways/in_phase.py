"""Pollers that ask in the same moment, beside the same at random phases."""

from pushbench.lies.record import Pair
from pushbench.lies.stage import Stage

POLLERS, INTERVAL_S, SECONDS = 300, 2.0, 2.0


async def both(stage: Stage) -> Pair:
    """One script, started in one way and in the other."""
    together = await stage.naive("polls", POLLERS, INTERVAL_S, SECONDS)
    spread = await stage.naive("polls", POLLERS, INTERVAL_S, SECONDS, "phases")
    said = [f"{one['polls']:,.0f} polls in {SECONDS:g} s" for one in (together, spread)]
    return Pair(together["p50_ms"], spread["p50_ms"], *said)
