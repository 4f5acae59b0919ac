"""A server that pauses, under a publisher that waits for it and one that does not."""

from pushbench.lies.record import Pair
from pushbench.lies.stage import Stage, says
from pushbench.scenario import Load, Phases

PAUSED = Load(transport="websocket", subscribers=50, rate_hz=100.0, server_stall_ms=300)
PHASES = Phases(warmup_s=0.5, measure_s=4.0)


async def both(stage: Stage) -> Pair:
    """The closed loop's p99 by its own clock, beside the open loop's from when messages were due."""
    closed = await stage.trial(PAUSED.model_copy(update={"pacing": "closed"}), PHASES)
    opened = await stage.trial(PAUSED, PHASES)
    return Pair(closed.columns["naive_p99_ms"], opened.columns["latency_p99_ms"], says(closed), says(opened))
