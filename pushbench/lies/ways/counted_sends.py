"""What was sent, times the subscribers, beside what they received meanwhile."""

from pushbench.lies.record import Pair
from pushbench.lies.stage import Stage

SUBSCRIBERS, SEND_S = 100, 2.0


async def both(stage: Stage) -> Pair:
    """Both are of the same run, as fast as a socket takes it."""
    naive = await stage.naive("sends", SUBSCRIBERS, SEND_S)
    seen = f"{naive['sent_per_s']:,.0f} messages/s sent, times {SUBSCRIBERS}"
    came = f"{naive['received']:,.0f} messages received, and {naive['connected']:,.0f} of {SUBSCRIBERS} still connected"
    return Pair(naive["deliveries_per_s"], naive["received_per_s"], seen, came)
