"""The mean beside the p99 of one trial, in which the server pauses."""

from pushbench.lies.record import Pair
from pushbench.lies.stage import Stage, says
from pushbench.lies.ways.closed_loop import PAUSED, PHASES


async def both(stage: Stage) -> Pair:
    """Both are of the same trial."""
    trial = await stage.trial(PAUSED, PHASES)
    median = f"its median is {trial.columns['latency_p50_ms']:.1f} ms"
    return Pair(trial.columns["latency_mean_ms"], trial.columns["latency_p99_ms"], median, says(trial))
