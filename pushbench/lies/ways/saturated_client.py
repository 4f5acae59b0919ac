"""A script that reads and publishes in one thread, beside a swarm and a publisher of their own."""

from pushbench.lies.record import Pair
from pushbench.lies.stage import Stage, says
from pushbench.scenario import Load, Phases

SUBSCRIBERS, RATE_HZ, MEASURE_S = 500, 200.0, 2.0


async def both(stage: Stage) -> Pair:
    """100,000 deliveries a second are meant."""
    naive = await stage.naive("broadcast", SUBSCRIBERS, RATE_HZ, MEASURE_S)
    load = Load(transport="websocket", subscribers=SUBSCRIBERS, rate_hz=RATE_HZ)
    trial = await stage.trial(load, Phases(warmup_s=0.5, measure_s=MEASURE_S))
    core = naive["cpu_us_per_delivery"] * naive["deliveries_per_s"] / 1e6
    seen = f"the script used {naive['cpu_us_per_delivery']:.0f} µs of CPU for each, {core:.0%} of its core"
    return Pair(naive["deliveries_per_s"], trial.columns["deliveries_per_s"], seen, says(trial))
