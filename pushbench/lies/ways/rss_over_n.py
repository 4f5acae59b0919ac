"""A server's memory divided by its connections, beside the slope."""

from pushbench.lies.record import Pair
from pushbench.lies.stage import Stage
from pushbench.scenario import Load, Phases

IDLE = Load(transport="websocket", kind="idle", subscribers=800)
RAMP = Phases(plateaus=8, settle_s=0.2, warmup_s=0.0, measure_s=0.0)
FEW = 100
KIB = 1024


async def both(stage: Stage) -> Pair:
    """Both are of the same trial: its reading at 100 connections, and the line through all eight."""
    trial = await stage.trial(IDLE, RAMP)
    name = "server_user_bytes"
    used = {(reading["state"], reading["connections"]): reading[name] for reading in trial.memory}
    slope = trial.columns[f"{name}_per_connection"]
    without = f"{used['baseline', 0] / KIB:,.0f} KiB were there without any connection"
    fit = f"R² {trial.columns[f'{name}_per_connection_r2']:.3f}"
    return Pair(used["ramp", FEW] / FEW / KIB, slope / KIB, without, fit)
