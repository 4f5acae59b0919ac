"""Two runs beside each other: how far each figure of each cell changed, and whether that is more than chance.

Arithmetic on two runs; how it is told, and where runs are kept, is not known here. The rules, argued in docs/method.md:

1. The trial is the replicate. Trials that are not to be believed take no part in any figure.
2. Rounds of two runs have nothing in common, so nothing is paired.
3. A change is the ratio of two geometric means, with Student's interval on logarithms.
4. The intervals of one cell hold together: each is so wide that 95 % of cells have all of theirs right.
5. A change is called only if its whole interval lies beyond the instrument's grain, and
6. beyond what the load itself changed by in the same direction: its code is the same in both runs, so that may be the
   machine's doing. That is a limit and no correction: a slower server makes the load dearer too, though by less; and
7. beyond what the clocks can tell, where sender and receiver went by two of them: each trial's estimate of how far these
   are apart may be off by as much as it says, and by the same for all of its latencies.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pushbench import matching
from pushbench.checks import Verdict
from pushbench.columns import BY_TWO_CLOCKS
from pushbench.comparison import Call, Cell, Change, Comparison, Side, Witness
from pushbench.differences import differences
from pushbench.results import Run
from pushbench.stats import CONFIDENCE, STRAIGHT_R2, Interval, each_of, mean_unpaired_ratio, unpaired_ratio

if TYPE_CHECKING:
    import pandas as pd

GRAIN = 0.01
"""Changes of up to one per cent are never called: histogram buckets, memory pages and a poller's phase are that coarse."""


HARM = frozenset({Verdict.LOSSY, Verdict.FAILED})
"""Verdicts that are the server's own doing, as far as anyone can tell."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A column of `trials` that runs are compared by."""

    heading: str
    column: str
    lower_is_better: bool = True
    scale: float = 1.0
    """What the column's values are multiplied by."""
    r2_column: str | None = None
    """For a slope: where its R² is. A rough slope takes no part."""
    takes_time: bool = True
    """Whether a slower machine makes it worse. Memory does not mind."""


METRICS = (
    Metric("mean latency, ms", "latency_mean_ms"),
    Metric("p50, ms", "latency_p50_ms"),
    Metric("p99, ms", "latency_p99_ms"),
    Metric("deliveries/s", "deliveries_per_s", lower_is_better=False, takes_time=False),
    Metric("server CPU, µs/delivery", "server_cpu_us_per_delivery"),
    Metric(
        "memory, KiB/conn.",
        "server_user_bytes_per_connection",
        scale=1 / 1024,
        r2_column="server_user_bytes_per_connection_r2",
        takes_time=False,
    ),
    Metric(
        "kernel, KiB/conn.",
        "server_kernel_bytes_per_connection",
        scale=1 / 1024,
        r2_column="server_kernel_bytes_per_connection_r2",
        takes_time=False,
    ),
)
"""Few, because each is one more chance of a false alarm: what a user of the server feels, and what its owner pays."""

CLOCKS = "clock_uncertainty_ms"
"""How well a trial knew the clocks of sender and receiver; 0 where both went by one."""

DRIFT = Metric("swarm CPU, µs/delivery", "client_cpu_us_per_delivery")
"""By this the machine's own drift is judged: it follows the machine's speed nearly one to one."""

WITNESSES = (
    DRIFT,
    Metric("publisher CPU, %", "publisher_cpu_percent"),
)
"""What the load itself cost, with the same code in both runs. The machine moves both; a server hardly the second, but the
first: one that is slower spreads its messages, and the swarm, woken more often, pays more for each."""


def compare(base: Run, candidate: Run) -> Comparison:
    """Compare two runs. Without a load that both have met, `cells` is empty."""
    before, after = matching.cells(base.trials), matching.cells(candidate.trials)
    labels = matching.labels([*before, *after])
    pairs = {load: _pair(before[load], after[load]) for load in before if load in after}
    witnesses = tuple(_witnesses(pairs.values()))
    drift = next((witness.ratio.mid for witness in witnesses if witness.heading == DRIFT.heading), 1.0)
    return Comparison(
        base=_side(base, candidate, [labels[load] for load in before if load not in after]),
        candidate=_side(candidate, base, [labels[load] for load in after if load not in before]),
        differences=(
            *differences(base.manifest, candidate.manifest),
            *matching.younger_keys(base.trials, candidate.trials),
        ),
        witnesses=witnesses,
        together=tuple(_together(pairs.values(), drift)),
        cells=tuple(_cell(labels[load], pair, drift) for load, pair in pairs.items()),
    )


def _side(run: Run, other: Run, cells: list[str]) -> Side:
    manifest = run.manifest
    metrics = [one.heading for one in METRICS if _has(run.trials, one) and not _has(other.trials, one)]
    return Side(
        path=str(run.path),
        commit=manifest["environment"].get("commit") or "unknown commit",
        started_at=manifest["started_at"],
        finished=bool(manifest["finished_at"]),
        trials=len(run.trials),
        alone=(*cells, *metrics),
    )


# One cell in both runs

_Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Sample:
    """The values that one metric has in the trials of a cell."""

    base: _Values
    candidate: _Values
    unsure: float
    """How far apart both sides may be by their clocks alone."""

    @property
    def means(self) -> tuple[float, float]:
        """The geometric mean of each side."""
        base, candidate = (float(np.exp(np.log(side).mean())) for side in (self.base, self.candidate))
        return base, candidate

    @property
    def blurred(self) -> bool:
        """Whether the clocks cannot tell the sides apart."""
        base, candidate = self.means
        return 0 < self.unsure >= abs(candidate - base)

    @property
    def repeated(self) -> bool:
        return min(self.base.size, self.candidate.size) > 1

    @property
    def can_differ(self) -> bool:
        """False for what has one value throughout: it cannot be called different, and takes no share of the error."""
        return self.repeated and len({*self.base, *self.candidate}) > 1


@dataclass(frozen=True, slots=True)
class _Pair:
    """One cell, in both runs."""

    base: list[Verdict]
    candidate: list[Verdict]
    samples: dict[Metric, _Sample]
    """Of the metrics and the witnesses that both sides have, with values that can be compared."""


def _pair(base: "pd.DataFrame", candidate: "pd.DataFrame") -> _Pair:
    before, after = ([Verdict(verdict) for verdict in trials["verdict"]] for trials in (base, candidate))
    values = _values(base, before), _values(candidate, after)
    samples = {metric: _sample(metric, *values) for metric in (*METRICS, *WITNESSES)}
    return _Pair(before, after, {metric: sample for metric, sample in samples.items() if sample is not None})


def _values(trials: "pd.DataFrame", verdicts: list[Verdict]) -> dict[str, _Values]:
    """The columns that metrics need, of the trials that are to be believed."""
    believed = np.array([verdict.believable for verdict in verdicts])
    columns = {column for metric in (*METRICS, *WITNESSES) for column in (metric.column, metric.r2_column)} | {CLOCKS}
    return {str(column): trials[column].to_numpy(dtype=np.float64)[believed] for column in columns if column in trials}


def _sample(metric: Metric, base: dict[str, _Values], candidate: dict[str, _Values]) -> _Sample | None:
    found, unsure = [], 0.0
    for side in (base, candidate):
        values = side.get(metric.column, np.array([]))
        known = ~np.isnan(values)
        if not known.any() or values[known].min() <= 0:
            return None
        if metric.r2_column and not (side.get(metric.r2_column, np.zeros_like(values))[known] >= STRAIGHT_R2).all():
            return None
        found.append(values[known] * metric.scale)
        if metric.column.startswith(BY_TWO_CLOCKS) and CLOCKS in side:
            unsure += float(np.nan_to_num(side[CLOCKS][known]).max()) * metric.scale
    before, after = found
    return _Sample(before, after, unsure)


def _has(trials: "pd.DataFrame", metric: Metric) -> bool:
    return metric.column in trials and bool(trials[metric.column].notna().any())


def _cell(label: str, pair: _Pair, drift: float) -> Cell:
    return Cell(
        label=label,
        base_verdicts=_counted(pair.base),
        candidate_verdicts=_counted(pair.candidate),
        verdict=_verdict(pair.base, pair.candidate),
        base_left_out=sum(not verdict.believable for verdict in pair.base),
        candidate_left_out=sum(not verdict.believable for verdict in pair.candidate),
        in_doubt=not all(any(verdict.believable for verdict in side) for side in (pair.base, pair.candidate)),
        changes=tuple(_changes({metric: pair.samples[metric] for metric in METRICS if metric in pair.samples}, drift)),
    )


def _counted(verdicts: list[Verdict]) -> str:
    return ", ".join(f"{count} {verdict}" for verdict, count in Counter(verdicts).most_common())


def _verdict(before: list[Verdict], after: list[Verdict]) -> Call:
    """Worse if a larger part of the trials is lossy or failed, or if none is left to believe; better likewise.

    A trial that the machine or the load side spoiled says nothing of the server: it takes no part, and changes no verdict.
    """
    harm_before, harm_after = (sum(verdict in HARM for verdict in side) / len(side) for side in (before, after))
    left_before, left_after = (any(verdict.believable for verdict in side) for side in (before, after))
    if harm_after > harm_before or (left_before and not left_after):
        return Call.WORSE
    return Call.BETTER if harm_after < harm_before or (left_after and not left_before) else Call.UNCLEAR


# Changes


def _changes(samples: dict[Metric, _Sample], drift: float) -> Iterator[Change]:
    """The changes of one cell, with intervals that hold together."""
    confidence = each_of(sum(sample.can_differ for sample in samples.values()))
    for metric, sample in samples.items():
        ratio = unpaired_ratio(sample.candidate, sample.base, confidence)
        yield _called(metric, sample.means, ratio, drift, blurred=sample.blurred)


def _together(pairs: Iterable[_Pair], drift: float) -> Iterator[Change]:
    """The mean change of each metric over the cells, two or more, that can tell of it; the intervals hold together."""
    samples = {metric: _repeated(metric, pairs) for metric in METRICS}
    told = {
        metric: found for metric, found in samples.items() if len(found) > 1 and any(sample.can_differ for sample in found)
    }
    for metric, found in told.items():
        blurred = any(sample.blurred for sample in found)
        yield _called(metric, (math.nan, math.nan), _mean(found, each_of(len(told))), drift, blurred=blurred)


def _witnesses(pairs: Iterable[_Pair]) -> Iterator[Witness]:
    for metric in WITNESSES:
        ratio = _mean(_repeated(metric, pairs))
        if ratio.is_interval:
            yield Witness(metric.heading, ratio)


def _repeated(metric: Metric, pairs: Iterable[_Pair]) -> list[_Sample]:
    found = (pair.samples.get(metric) for pair in pairs)
    return [sample for sample in found if sample and sample.repeated]


def _mean(samples: list[_Sample], confidence: float = CONFIDENCE) -> Interval:
    return mean_unpaired_ratio([(sample.candidate, sample.base) for sample in samples], confidence)


def _called(metric: Metric, means: tuple[float, float], ratio: Interval, drift: float, *, blurred: bool) -> Change:
    """A change and its call: the whole interval must be beyond the grain, what the load changed by, and the clocks."""
    moved = drift if metric.takes_time else 1.0
    highest, lowest = max(1 + GRAIN, moved), min(1 / (1 + GRAIN), moved)
    call = Call.UNCLEAR
    told = ratio.is_interval and not blurred
    if told and ratio.low > highest:
        call = Call.WORSE if metric.lower_is_better else Call.BETTER
    elif told and ratio.high < lowest:
        call = Call.BETTER if metric.lower_is_better else Call.WORSE
    worse_by = ratio.mid - 1 if metric.lower_is_better else 1 - ratio.mid
    why = "" if ratio.is_interval else "1 trial"
    if call == Call.UNCLEAR and ratio.is_interval and not (ratio.low <= 1 + GRAIN and ratio.high >= 1 / (1 + GRAIN)):
        why = "no more than the clocks can tell" if blurred else "no more than the load's own CPU"
    return Change(metric.heading, *means, ratio, call, worse_by, why)
