"""Advice from files: looks at what was asked, reads the runs, and has the options found and one chosen.

What an option takes, and how it is said, is not known here.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from pushbench import advice, advice_choice, advice_measured, advice_text
from pushbench.advice_choice import Choice
from pushbench.advice_values import Fit, Known, Need, Option, Prices
from pushbench.environment import CHECKOUT
from pushbench.results import ResultsError, Run

REFERENCE = CHECKOUT / "results" / "reference"

LEAST = {"rtt_ms": 0.0, "two_way_hz": 0.0, "subscribers": 1.0, "payload_bytes": 1.0}
"""What a need may be at least; everything else is above 0."""
OPTIONS = {
    "rate_hz": "--rate",
    "subscribers": "--subscribers",
    "staleness_ms": "--staleness",
    "rtt_ms": "--rtt",
    "two_way_hz": "--two-way",
    "payload_bytes": "--payload",
    "egress_gb": "--egress-per-gb",
    "core_hour": "--core-hour",
    "gib_hour": "--gib-hour",
}


@dataclass(frozen=True, slots=True)
class Advice:
    """What was asked, what it was told from, and what came of it."""

    need: Need
    prices: Prices
    runs: tuple[Run, ...]
    known: tuple[Known, ...]
    options: tuple[Option, ...]
    choice: Choice | None


def advise(need: Need, prices: Prices, paths: Sequence[Path] | None = None) -> Advice:
    """Advise from these runs, or else from the curated ones.

    Raises `ResultsError` if a value cannot be, a run tells nothing, or the need lies too far beyond all that was measured.
    """
    _check(need, prices)
    runs = advice_measured.read(paths or advice_measured.curated(REFERENCE))
    if not runs:
        raise ResultsError("no curated run is in results/reference: name one, or make one with `pushbench run overview`")
    known = advice_measured.known(runs, need)
    if not known:
        named = ", ".join(str(run.path) for run in runs)
        raise ResultsError(
            f"no trial of {named} has the verdict ok and deliveries of a steady broadcast without a line (rtt_ms and the "
            "like) or a disturbance: name a run of overview"
        )
    options = advice.options(need, known, prices)
    if all(one.fit == Fit.REFUSED for one in options):
        raise ResultsError(advice_text.refused(options))
    choice = advice_choice.choose(options, two_way=bool(need.two_way_hz))
    return Advice(need, prices, tuple(runs), tuple(known), tuple(options), choice)


def _check(need: Need, prices: Prices) -> None:
    for field in fields(need):
        value, least = float(getattr(need, field.name)), LEAST.get(field.name)
        allowed = "above 0" if least is None else f"{least:g} or more"
        if not math.isfinite(value) or value < (least or 0.0) or (least is None and value == 0):
            raise ResultsError(f"{OPTIONS[field.name]} is {value:g}, and must be a finite number {allowed}")
    for field in fields(prices):
        price = getattr(prices, field.name)
        if price is not None and not (math.isfinite(price) and price >= 0):
            raise ResultsError(f"{OPTIONS[field.name]} is {price:g}, and must be a finite number of 0 or more, or left out")
