"""400 streams of which 100 are open, beside 400."""

from pushbench.lies.record import Pair
from pushbench.lies.stage import Stage, says
from pushbench.scenario import Load, Phases

SUBSCRIBERS, RATE_HZ, MEASURE_S = 400, 10.0, 2.0


async def both(stage: Stage) -> Pair:
    """4,000 deliveries a second are meant."""
    naive = await stage.naive("streams", SUBSCRIBERS, RATE_HZ, MEASURE_S)
    load = Load(transport="sse", subscribers=SUBSCRIBERS, rate_hz=RATE_HZ)
    trial = await stage.trial(load, Phases(warmup_s=0.5, measure_s=MEASURE_S))
    seen = f"{naive['sent']} messages made {naive['received']:,} deliveries: {naive['received'] / naive['sent']:.0f} each"
    return Pair(naive["deliveries_per_s"], trial.columns["deliveries_per_s"], seen, says(trial))
