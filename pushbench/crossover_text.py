"""Which way to push is the cheapest, and from where on: a table and sentences, from what a run has measured.

It turns costs into words. How these are laid out is not known here.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pushbench.crossover import Cost, Tie, first_is_cheaper, interval, served, ties_by_rate, ties_by_staleness
from pushbench.crossover_costs import BYTES, CPU, RESOURCES, Costs, Resource, costs
from pushbench.labels import plain, setting
from pushbench.ratios import BASELINE
from pushbench.stats import Interval
from pushbench.summary import RANGE_ONLY, Table
from pushbench.transports import TRANSPORTS

if TYPE_CHECKING:
    import pandas as pd

RATES_HZ = np.geomspace(1e-3, 100, 240)
"""The updates a second for each subscriber that are asked about."""
SLOWEST_HZ = float(RATES_HZ[0])
STALENESS_S = (1.0, 10.0, 30.0)
"""The staleness that is asked about. Beyond a minute a kept connection would be closed as idle."""
RANGE_S = np.geomspace(0.1, 59, 240)
SELDOM_HZ = 1 / 60
"""The rate at which subscribers are counted: one update a minute."""
GIB = 1024**3

NEVER, ALWAYS, UNKNOWN = "never", "always", "not measured"
RANGE = "between one update in 1,000 s and 100 a second"


def table(trials: "pd.DataFrame") -> Table | None:
    """When each transport takes less than the baseline, by resource; None if a baseline, or all idle cells, are missing."""
    found = costs(trials)
    rows = _rows(found) if found else []
    if not found or not rows:
        return None
    base = _baseline(found)
    headings = ("transport", "staleness, s", *(f"{_less(resource)} than {base}" for resource in RESOURCES))
    few = "" if found.n > RANGE_ONLY else ", of so few trials the range"
    at = f"{setting('subscribers', found.subscribers)} and {setting('rate_hz', found.rate_hz)}"
    told = [
        f"Reckoned for one subscriber {RANGE} from what idle connections, empty polls and deliveries took at {at}. Who "
        f"polls asks as often as the staleness that is acceptable. In brackets 95 % bootstrap intervals{few}."
    ]
    told += [f"Assumed: {said}." for said in found.assumed]
    if found.missing:
        told.append(f'Not measured: {"; ".join(found.missing)} (idle: a cell with kind = "idle").')
    meant = ("transport", "staleness_s", *("cheaper" for _ in RESOURCES))
    return Table(headings, tuple(rows), tuple(told), "When is it the cheaper one?", keys=2, columns=meant)


def sentences(trials: "pd.DataFrame") -> list[str]:
    """What follows for who has to choose: where polling beats the baseline, and how many subscribers each can serve."""
    found = costs(trials)
    if not found or not _baseline(found):
        return []
    base = _baseline(found)
    said = []
    for name in found.of[CPU.name] | found.of[RESOURCES[0].name]:
        if not TRANSPORTS[name].polls:
            continue
        for resource in RESOURCES:
            of = found.of[resource.name]
            if name in of and base in of:
                said += [
                    _where(resource, name, base, of[name], of[base], staleness_s, found.n) for staleness_s in STALENESS_S
                ]
        said += _enough(found, name, base)
    return said


def _baseline(found: Costs) -> str:
    """What the others are set beside: WebSocket, or the last transport of the table for which there are costs; or empty."""
    known = [name for name in TRANSPORTS if any(name in of for of in found.of.values())]
    return BASELINE if BASELINE in known else (known[-1] if known else "")


def _rows(found: Costs) -> list[tuple[str, ...]]:
    base = _baseline(found)
    names = [name for name in TRANSPORTS if name != base and any(name in of for of in found.of.values())]
    rows = []
    for name in names:
        for staleness_s in STALENESS_S if TRANSPORTS[name].polls else (None,):
            cells = [_cell(found.of[one.name], name, base, staleness_s or 1.0, found.n) for one in RESOURCES]
            rows.append((name, plain(staleness_s) if staleness_s else "–", *cells))
    return rows


def _cell(of: dict[str, Cost], name: str, base: str, staleness_s: float, n: int) -> str:
    """`below one update in 41 s and above 2.1 updates/s (37–45; 2.0–2.3)`, `never`, `always`."""
    if name not in of or base not in of:
        return UNKNOWN
    ties = ties_by_rate(of[name], of[base], staleness_s, RATES_HZ, n)
    if not ties:
        return ALWAYS if first_is_cheaper(of[name], of[base], SLOWEST_HZ, staleness_s) else NEVER
    return _places(ties)


def _where(resource: Resource, name: str, base: str, one: Cost, other: Cost, staleness_s: float, n: int) -> str:
    """One sentence on one resource."""
    every = f"{name} every {plain(staleness_s)} s"
    ties: list[Tie] = ties_by_rate(one, other, staleness_s, RATES_HZ, n)
    less = f"takes {_less(resource)} than {base}"
    if not ties:
        reach = RANGE if math.isfinite(one.at(float(RATES_HZ[-1]), staleness_s)[0]) else "that can be told"
        if first_is_cheaper(one, other, SLOWEST_HZ, staleness_s):
            return f"{every} {less} at every rate {reach}: {base} is not the answer there."
        return f"{every} takes more {resource.name} than {base} at every rate {reach}: no tie."
    return f"{every} {less} {_places(ties)}, for each subscriber."


def _less(resource: Resource) -> str:
    return f"{'fewer' if resource is BYTES else 'less'} {resource.name}"


def _places(ties: Sequence[Tie]) -> str:
    """Where the first of two is cheaper, and behind that the intervals."""
    told = [(("below" if tie.first_below else "above"), _rate(tie.at).partition(" (")) for tie in ties]
    brackets = "; ".join(bracket.rstrip(")") for _, (_, _, bracket) in told if bracket)
    return " and ".join(f"{side} {said}" for side, (said, _, _) in told) + (f" ({brackets})" if brackets else "")


def _enough(found: Costs, name: str, base: str) -> list[str]:
    """How many subscribers a core and a GiB are enough for, and from which staleness on polling serves more."""
    said = []
    of = found.of[CPU.name]
    if name in of and base in of:
        rate = _rate(Interval(SELDOM_HZ, SELDOM_HZ, SELDOM_HZ, 1))
        each = [f"{one} {_count(served(of[one], SELDOM_HZ, 10, 1e6, found.n))}" for one in (name, base)]
        said.append(
            f"With {rate} and a staleness of 10 s, one core has CPU for so many subscribers: {', '.join(each)}; if "
            f"a busy core costs as much for each as one that is not."
        )
        ties = ties_by_staleness(of[name], of[base], SELDOM_HZ, RANGE_S, found.n)
        more = [tie for tie in ties if not tie.first_below]
        if more:
            since = _span(more[0].at, "s")
            said.append(f"At {rate} {name} serves more of them than {base} from an acceptable staleness of {since} on.")
        elif first_is_cheaper(of[name], of[base], SELDOM_HZ, float(RANGE_S[0])):
            said.append(f"At {rate} {name} serves more of them than {base}, whatever staleness is acceptable.")
        else:
            said.append(f"At {rate} {base} serves more of them than {name} up to a staleness of a minute: no tie.")
    memory = [
        f"{one} {_count(interval(GIB / found.memory[one], found.n or 1))}" for one in (name, base) if one in found.memory
    ]
    if len(memory) == 2:
        said.append(f"A GiB of the server's memory and the kernel's holds so many idle connections: {', '.join(memory)}.")
    return said


def _rate(value: Interval) -> str:
    """`one update in 41 s (37–45)` or `2.1 updates/s (2.0–2.3)`."""
    if value.mid >= 1:
        return _span(value, "updates/s")
    low, mid, high = (1 / end if end else math.inf for end in (value.high, value.mid, value.low))
    turned = Interval(low, mid, high, value.n)
    return f"one update in {_span(turned, 's')}"


def _count(value: Interval) -> str:
    return _span(value, "").rstrip()


def _span(value: Interval, unit: str) -> str:
    """A figure with its interval, in two digits: more would be false precision. An end beyond the range is left open."""
    said = f"{_two(value.mid)} {unit}".rstrip()
    if not value.is_interval:
        return said
    if math.isinf(value.high):
        return f"{said} ({_two(value.low)} or more)"
    return f"{said} ({'up to ' if value.low == 0 else f'{_two(value.low)}–'}{_two(value.high)})"


def _two(value: float) -> str:
    return plain(float(f"{value:.1e}"))
