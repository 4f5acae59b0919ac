"""WebSockets with permessage-deflate, beside the same without."""

from pushbench.lies.record import Pair
from pushbench.lies.stage import Stage, says
from pushbench.scenario import Load, Phases

PLAIN = Load(transport="websocket", kind="idle", subscribers=200, payload="json", payload_bytes=1024)
RAMP = Phases(plateaus=4, plateau_messages=10, settle_s=0.2, warmup_s=0.0, measure_s=0.0)
KIB = 1024


async def both(stage: Stage) -> Pair:
    """Memory of the server for a connection, after ten messages of a kilobyte."""
    deflated = await stage.trial(PLAIN.model_copy(update={"compression": "permessage-deflate"}), RAMP)
    plain = await stage.trial(PLAIN, RAMP)
    name = "server_user_traffic_bytes_per_connection"
    return Pair(deflated.columns[name] / KIB, plain.columns[name] / KIB, says(deflated), says(plain))
