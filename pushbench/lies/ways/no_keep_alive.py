"""Pollers that make a connection for each poll, beside such that keep theirs; over TLS, as pollers are."""

from pushbench.lies.record import Pair
from pushbench.lies.stage import Stage, says
from pushbench.scenario import Load, Phases

KEPT = Load(transport="polling", kind="idle", subscribers=50, poll_interval_ms=500, tls=True)
PHASES = Phases(warmup_s=0.5, measure_s=3.0)


async def both(stage: Stage) -> Pair:
    """100 polls a second, of which none has anything new."""
    new = await stage.trial(KEPT.model_copy(update={"poll_connection": "new"}), PHASES)
    kept = await stage.trial(KEPT, PHASES)
    name = "server_cpu_us_per_empty_poll"
    return Pair(new.columns[name], kept.columns[name], says(new), says(kept))
