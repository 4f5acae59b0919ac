"""The CPU of a process that is server and clients, beside the server's own."""

from pushbench.lies.record import Pair
from pushbench.lies.stage import Stage, says
from pushbench.scenario import Load, Phases

SUBSCRIBERS, RATE_HZ, MEASURE_S = 200, 20.0, 2.0


async def both(stage: Stage) -> Pair:
    """4,000 deliveries a second are meant; how many the script makes of them is said beside its number."""
    naive = await stage.naive("one_process", SUBSCRIBERS, RATE_HZ, MEASURE_S, served=False)
    load = Load(transport="websocket", subscribers=SUBSCRIBERS, rate_hz=RATE_HZ)
    trial = await stage.trial(load, Phases(warmup_s=0.5, measure_s=MEASURE_S))
    seen = f"{naive['deliveries_per_s']:,.0f} deliveries/s, median latency {naive['p50_ms']:.1f} ms"
    return Pair(naive["cpu_us_per_delivery"], trial.columns["server_cpu_us_per_delivery"], seen, says(trial))
