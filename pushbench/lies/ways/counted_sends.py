"""What was sent, times the subscribers, beside what arrived."""

from pushbench.lies.record import Pair
from pushbench.lies.stage import Stage, says
from pushbench.scenario import Load, Phases

SUBSCRIBERS, SEND_S = 100, 2.0


async def both(stage: Stage) -> Pair:
    """As fast as a socket takes it, beside an offer of 100,000 deliveries a second."""
    naive = await stage.naive("sends", SUBSCRIBERS, SEND_S)
    load = Load(transport="websocket", subscribers=SUBSCRIBERS, rate_hz=1000.0)
    trial = await stage.trial(load, Phases(warmup_s=0.5, measure_s=SEND_S))
    seen = f"{naive['sent_per_s']:,.0f} messages/s sent, times {SUBSCRIBERS}"
    return Pair(naive["deliveries_per_s"], trial.columns["deliveries_per_s"], seen, says(trial))
