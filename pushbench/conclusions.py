"""What a run shows, in a few sentences: who is first at which load, what was lost, what is in doubt, which limits were met.

It turns `trials` into sentences; how these are laid out is not known here. The rules:

1. Only trials that may be believed make a claim, and floors take no part.
2. Who is first is said only where ratios paired by round show it. The intervals of one sentence hold together, so they are
   wider than those of the table of ratios, each of which stands by itself.
3. Where they do not show it, or there are too few rounds, the sentence says that, with the figures.
4. What is compared is what the run is about: of idle connections what they cost, of an outage how long it lasts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pushbench import capacity, labels
from pushbench.checks import Verdict
from pushbench.columns import BY_TWO_CLOCKS, LOAD
from pushbench.compare import GRAIN
from pushbench.ratios import LEAST_ROUNDS
from pushbench.stats import STRAIGHT_R2, Interval, each_of, paired_ratio
from pushbench.summary import Figure, digits, varied
from pushbench.transports import FLOORS, heeds

if TYPE_CHECKING:
    import pandas as pd

    Cells = Mapping[str, pd.DataFrame]

MOST_COMPARED = 3
"""So many sentences at most compare transports; with loss, limits and doubts there are six."""
BELIEVED = [verdict for verdict in Verdict if verdict.believable]
NAMED = 3
"""Of more transports than this a sentence names the ends."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A column of which less is better, and how it is said."""

    column: str
    first: str
    """What is said of who has least of it."""
    what: str
    unit: str
    more: str = "takes {} as much"
    scale: float = 1.0
    r2_column: str | None = None
    """For a slope: where its R² is. A rough slope takes no part."""

    def known(self, trials: "pd.DataFrame") -> "pd.DataFrame":
        """The trials that have a value of it that can be compared."""
        known = trials[trials[self.column] > 0]
        return known[known[self.r2_column] >= STRAIGHT_R2] if self.r2_column else known

    def said(self, cell: "pd.DataFrame") -> str:
        """`0.45 ms (0.43–0.47)`."""
        figure, bracket, interval = Figure("", self.column, self.scale).said(cell).partition(" (")
        return f"{figure} {self.unit}{bracket}{interval}"


QUICK = Measure("latency_p50_ms", "is the quickest", "p50", "ms", "takes {} as long")
TAIL = Measure("latency_p99_ms", "has the shortest tail", "p99", "ms", "has one {} as long")
CPU = Measure("server_cpu_us_per_delivery", "costs the server least", "CPU per delivery", "µs", "costs {} as much")
DOWN = Measure(
    "wire_down_bytes_per_delivery", "sends the least", "to the subscribers per delivery", "bytes", "sends {} as much"
)
MEMORY = Measure(
    "server_user_bytes_per_connection",
    "needs the least memory",
    "of the server per connection",
    "KiB",
    "needs {} as much",
    1 / 1024,
    "server_user_bytes_per_connection_r2",
)
WAITING = Measure("server_cpu_us_per_connection_s", "waits at the least cost", "server CPU per connection and second", "µs")
WAITING_DOWN = Measure(
    "wire_down_bytes_per_connection_s", "sends the least while it waits", "per connection and second", "bytes"
)
RECOVERED = Measure(
    "recovered_all_ms", "has everybody caught up soonest", "after the server is back", "ms", "takes {} as long"
)
NOTICED = Measure(
    "noticed_all_ms", "is the first to notice that peers have vanished", "all noticed after", "ms", "takes {} as long"
)

ABOUT = {"bytes": DOWN, "cpu": CPU, "memory": MEMORY}
"""What a scenario is about whose first chart is this one."""


def told(trials: "pd.DataFrame", charts: Sequence[str] = ()) -> list[str]:
    """The sentences, what was found first and what limits it last. `charts`: those that the scenario asks for.

    Of a search they tell the capacities alone: its steps go beyond what holds on purpose.
    """
    if trials.empty:
        return []
    if capacity.searched(trials):
        return list(_capacities(trials))
    answers = bool((trials["kind"] == "request").all())
    compared = list(_compared(varied(trials), _measures(trials, charts)))
    said = [*compared[:MOST_COMPARED], *_ledger(trials), *_limits(trials), *_doubts(trials)]
    return [one.replace("delivery", "answer").replace("deliveries", "answers") for one in said] if answers else said


def _measures(trials: "pd.DataFrame", charts: Sequence[str]) -> list[tuple[Measure, "pd.DataFrame"]]:
    """What this run is about, most important first, each with the trials that are about it.

    What becomes of slow readers is no race. Nor is a server that is stopped, if there is one beside it that is not.
    """
    idle = trials["kind"] == "idle"
    down, vanishing, slow, stalled = (
        trials[key] > 0 for key in ("server_down_ms", "vanish_percent", "slow_percent", "server_stall_ms")
    )
    plain = ~(idle | down | vanishing | slow)
    plain = plain & ~stalled if (plain & ~stalled).any() else plain
    about = ABOUT.get(charts[0]) if charts else None
    usual = dict.fromkeys([*([about] if about else []), QUICK, CPU, TAIL])
    found = [
        (RECOVERED, trials[down]),
        (NOTICED, trials[vanishing]),
        *((measure, trials[plain]) for measure in usual),
        *((measure, trials[idle]) for measure in (WAITING, WAITING_DOWN, MEMORY)),
    ]
    return [(measure, rows) for measure, rows in found if len(rows)]


# Who is first


def _compared(keys: Sequence[str], measures: Sequence[tuple[Measure, "pd.DataFrame"]]) -> Iterator[str]:
    """The first measure at the ends of what was tried, the others at the last load; or what is known of one transport.

    `keys` are those that vary in the run.
    """
    varying = [key for key in keys if key != "transport"]
    found = False
    for measure, trials in measures:
        loads = [load for load in _loads(measure.known(_claiming(trials)), varying) if len(load[1]) > 1]
        ends = loads[:: max(len(loads) - 1, 1)] if not found else loads[-1:]
        found = found or bool(ends)
        yield from (_first(where, cells, measure) for where, cells in ends)
    if not found and measures:
        measure, trials = measures[0]
        yield from _alone(_claiming(trials), measure, varying)


def _claiming(trials: "pd.DataFrame") -> "pd.DataFrame":
    """The trials that may make a claim."""
    return trials[trials["verdict"].astype(str).isin(BELIEVED) & ~trials["transport"].isin(list(FLOORS))]


def _loads(trials: "pd.DataFrame", varying: Sequence[str]) -> Iterator[tuple[str, "Cells"]]:
    """Each load in the words of these keys, with the cells of the transports that met it; in the scenario's order."""
    keys = [key for key in LOAD if key != "transport" and key in trials]
    for _, load in trials.sort_values(["cell", "trial"]).groupby(keys, sort=False, dropna=False):
        cells = {str(name): cell for name, cell in load.groupby("transport", sort=False)}
        heeded = [key for key in varying if any(heeds(name, key) for name in cells)]
        yield ", ".join(labels.setting(key, load[key].iloc[0]) for key in heeded), cells


def _first(where: str, cells: "Cells", measure: Measure) -> str:
    """Who has least at one load, and by how many times the others have more, as far as that is shown."""
    best, *others = sorted(cells, key=lambda name: float(cells[name][measure.column].median()))
    confidence = each_of(len(others))
    ratios = {name: _ratio(cells[name], cells[best], measure, confidence) for name in others}
    figure = measure.said(cells[best])
    before = f"{where}: " if where else ""
    if all(ratio.n < LEAST_ROUNDS for ratio in ratios.values()):
        most = others[-1]
        return (
            f"{before}{measure.what} is lowest with {best}, {figure}, "
            f"and highest with {most}, {measure.said(cells[most])}; "
            f"rounds that both have: {ratios[most].n}, of the {LEAST_ROUNDS} that it takes to tell this from chance."
        )
    few = [name for name in others if ratios[name].n < LEAST_ROUNDS]
    told = [name for name in others if name not in few]
    more = [name for name in told if _shown(ratios[name], cells[name], cells[best], measure)]
    tied = [name for name in told if name not in more]
    said = [_behind(more, ratios, measure, best if tied or few else "")] if more else []
    if few:
        said.append(f"too few rounds may be believed to tell it from {_beside(few, cells, measure)}")
    if tied:
        beside = _beside(tied, cells, measure)
        opening = f"{measure.what} is lowest with {best}, {figure}, but no difference is shown from {beside}"
    elif few:
        opening = f"{measure.what} is lowest with {best}, {figure}"
    else:
        opening = f"{best} {measure.first}, {measure.what} {figure}"
    return f"{before}{'; '.join([opening, *said])}."


def _beside(names: Sequence[str], cells: "Cells", measure: Measure) -> str:
    return _listed([f"{name} ({measure.said(cells[name]).partition(' (')[0]})" for name in names])


def _ratio(cell: "pd.DataFrame", best: "pd.DataFrame", measure: Measure, confidence: float) -> Interval:
    above, below = (one.set_index("trial")[measure.column] for one in (cell, best))
    return paired_ratio(above, below.reindex(above.index), confidence)


def _shown(ratio: Interval, cell: "pd.DataFrame", best: "pd.DataFrame", measure: Measure) -> bool:
    """Whether the one is more than the other by more than chance, the instrument's grain, and what clocks can tell."""
    unsure = 0.0
    if measure.column.startswith(BY_TWO_CLOCKS):
        unsure = sum(float(np.nan_to_num(one["clock_uncertainty_ms"]).max()) for one in (cell, best))
    apart = float(cell[measure.column].median() - best[measure.column].median())
    return ratio.low > 1 + GRAIN and not 0 < unsure >= apart


def _behind(more: Sequence[str], ratios: Mapping[str, Interval], measure: Measure, beside: str) -> str:
    """By how many times the others have more: all of them, or of many the ends."""
    named = list(more) if len(more) <= NAMED else [more[0], more[-1]]
    times = [f"{digits(one.mid)} times ({digits(one.low)}–{digits(one.high)})" for one in (ratios[name] for name in named)]
    said = [f"{named[0]} {measure.more.format(times[0])}{f' as {beside}' if beside else ''}"]
    said += [f"{name} {many}" for name, many in zip(named[1:], times[1:], strict=True)]
    between = [name for name in more if name not in named]
    return ", ".join(said) + (f"; {_listed(between)} between them" if between else "")


def _alone(believed: "pd.DataFrame", measure: Measure, varying: Sequence[str]) -> Iterator[str]:
    """Where no two transports met the same load: what each has, at the ends of what was tried."""
    for name, rows in measure.known(believed).groupby("transport", sort=False):
        loads = list(_loads(rows, varying))
        ends = loads[:: max(len(loads) - 1, 1)]
        said = [
            f"{measure.said(cells[str(name)])}{f' with {where}' if where else ''}"
            + (" in one trial" if len(cells[str(name)]) == 1 else "")
            for where, cells in ends
        ]
        yield f"{name}: {measure.what} {', '.join(said)}."


# What limits it


def _ledger(trials: "pd.DataFrame") -> Iterator[str]:
    """What was lost, came twice, or out of order."""
    kept = trials[trials["expected"].notna() & (trials["expected"] > 0)]
    if kept.empty:
        return
    expected = f"Of {int(kept['expected'].sum()):,} deliveries"
    wrong = {name: int(kept[name].sum()) for name in ("lost", "duplicated", "reordered")}
    if not any(wrong.values()):
        yield f"{expected} none was lost, doubled or out of order."
        return
    parts = [f"{count:,} {name} ({_listed(_names(kept[kept[name] > 0]))})" for name, count in wrong.items() if count]
    yield f"{expected}, by all trials: {', '.join(parts)}."


def _limits(trials: "pd.DataFrame") -> Iterator[str]:
    """Where the server was at its limit."""
    full = trials[trials["verdict"].astype(str) == Verdict.SERVER_BOUND]
    if len(full):
        yield (
            f"The server was at its limit (server_bound) in {len(full)} of {len(trials)} trials: {_cells(full, trials)}. "
            f"Their figures are what that limit does."
        )


def _doubts(trials: "pd.DataFrame") -> Iterator[str]:
    """What may not be believed, and took no part."""
    doubted = trials[~trials["verdict"].astype(str).isin(BELIEVED)]
    if len(doubted):
        counts = doubted["verdict"].astype(str).value_counts().to_dict()
        said = ", ".join(f"{count} {name}" for name, count in counts.items())
        yield (
            f"{len(doubted)} of {len(trials)} trials may not be believed ({said}) and took no part "
            f"in what is compared here: {_cells(doubted, trials)}."
        )


def _cells(some: "pd.DataFrame", trials: "pd.DataFrame") -> str:
    """Which cells these are of, in words."""
    keys = varied(trials)
    cells = list(dict.fromkeys(labels.cell(row, keys) for row in some.sort_values(["cell", "trial"]).to_dict("records")))
    return "; ".join(cells) if len(cells) <= NAMED else f"{'; '.join(cells[:NAMED])}; and {len(cells) - NAMED} more cells"


def _names(trials: "pd.DataFrame") -> list[str]:
    return list(dict.fromkeys(trials.sort_values("cell")["transport"].astype(str)))


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


# What a search has found


def _capacities(trials: "pd.DataFrame") -> Iterator[str]:
    """The capacities, in the order of the table: two searches share no rounds, so no ratio is told."""
    found = capacity.capacities(trials)
    keys = [key for key in varied(trials) if key not in ("transport", found[0].key)]
    groups: dict[str, list[str]] = {}
    for one in found:
        where = ", ".join(labels.setting(key, one.load[key]) for key in keys if heeds(str(one.load["transport"]), key))
        groups.setdefault(where, []).append(f"{one.load['transport']} {capacity.said(one)}")
    name = labels.HEADINGS.get(found[0].key, found[0].key)
    for where, said in list(groups.items())[:MOST_COMPARED]:
        yield f"{f'{where}: ' if where else ''}the most {name} with which {found[0].objective}: {', '.join(said)}."
    if bounded := [str(one.load["transport"]) for one in found if one.lower_bound]:
        yield (
            f"{capacity.AT_LEAST}: a lower bound, because something else ended the search before the server gave in "
            f"({_listed(list(dict.fromkeys(bounded)))})."
        )
