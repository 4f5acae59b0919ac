"""How often comparisons err, by simulation: what docs/method.md says of them under "Comparing two runs". Run by hand:

    python -m tests.proofs.error_rates

It takes some minutes, and prints the same tables each time. The first sets the intervals beside each other that the ratio
of two groups of trials could have. The second asks `pushbench.compare` itself, with whole runs of made-up trials.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pushbench.columns import LOAD
from pushbench.compare import METRICS, compare
from pushbench.comparison import Call, Comparison, failures
from pushbench.matching import default
from pushbench.results import Run
from pushbench.stats import each_of, median_interval, student_t, unpaired_ratio
from tests.pushbench.written import MANIFEST

Values = NDArray[np.float64]
Ends = tuple[float, float]
"""The ends of an interval of the logarithm of B / A."""

NOISE = ("normal", "heavy tails", "disturbed")
"""Of the logarithm. Heavy tails: Student's t with 3 degrees of freedom, of the same spread. Disturbed: one trial in ten is
slower, by four spreads on average."""

SLOWED = 1.3
LIMIT = 0.1
"""What the comparison fails at."""
MOVE_TOGETHER = np.array(
    [[1.00, 0.97, 0.78, 0.80], [0.97, 1.00, 0.64, 0.77], [0.78, 0.64, 1.00, 0.59], [0.80, 0.77, 0.59, 1.00]]
)
"""How mean, p50, p99 and server CPU go along in the trials of a cell: three runs of `overview`, all push transports."""
SPREADS = {"latency_mean_ms": 1.0, "latency_p50_ms": 1.0, "latency_p99_ms": 1.7, "server_cpu_us_per_delivery": 1.0}
"""Their spreads, in units of the p50's, in the same runs."""
MEMORY = {"server_user_bytes_per_connection": 0.003, "server_kernel_bytes_per_connection": 0.04}
"""The slopes' spreads, which know nothing of the machine's speed."""


def noise(rng: np.random.Generator, kind: str, *shape: int) -> Values:
    """Logarithms of a figure that has the value 1, with a spread of 1."""
    if kind == "heavy tails":
        return rng.standard_t(3, shape) / math.sqrt(3)
    drawn = rng.normal(size=shape)
    return drawn + (rng.random(shape) < 0.1) * rng.exponential(4, shape) if kind == "disturbed" else drawn


# Intervals of one ratio


def student(a: Values, b: Values, confidence: float, rng: np.random.Generator) -> Ends:
    """What is used where both sides have as many trials."""
    ratio = unpaired_ratio(np.exp(b), np.exp(a), confidence)
    return math.log(ratio.low), math.log(ratio.high)


def welch(a: Values, b: Values, confidence: float, rng: np.random.Generator) -> Ends:
    """What is used where they have not."""
    parts = [side.var(ddof=1) / side.size for side in (a, b)]
    degrees = sum(parts) ** 2 / sum(part**2 / (side.size - 1) for part, side in zip(parts, (a, b), strict=True))
    half = student_t(float(max(degrees, 1.0)), confidence) * math.sqrt(sum(parts))
    return float(b.mean() - a.mean() - half), float(b.mean() - a.mean() + half)


def bootstrap_of_medians(a: Values, b: Values, confidence: float, rng: np.random.Generator) -> Ends:
    """The percentile interval."""
    drawn = [np.median(side[rng.integers(side.size, size=(500, side.size))], axis=1) for side in (a, b)]
    return _tails(drawn[1] - drawn[0], confidence)


def bootstrap_t(a: Values, b: Values, confidence: float, rng: np.random.Generator) -> Ends:
    """Efron and Tibshirani, chapter 12: each drawn difference in units of its own error."""
    drawn = [side[rng.integers(side.size, size=(500, side.size))] for side in (a, b)]
    errors = np.sqrt(sum(side.var(axis=1, ddof=1) / side.shape[1] for side in drawn))
    middle = float(b.mean() - a.mean())
    low, high = _tails((drawn[1].mean(axis=1) - drawn[0].mean(axis=1) - middle) / np.maximum(errors, 1e-9), confidence)
    error = math.sqrt(sum(side.var(ddof=1) / side.size for side in (a, b)))
    return middle - high * error, middle - low * error


def rank_sums(a: Values, b: Values, confidence: float, rng: np.random.Generator) -> Ends:
    """Hodges and Lehmann's interval, from all pairs of differences. With three on each side there is none."""
    cut, below = 0, 0
    every = math.comb(a.size + b.size, a.size)
    while (below := below + _arrangements(cut, a.size, b.size)) <= every * (1 - confidence) / 2:
        cut += 1
    if cut == 0:
        return -math.inf, math.inf
    differences = np.sort(np.subtract.outer(b, a).ravel())
    return float(differences[cut - 1]), float(differences[-cut])


def _arrangements(total: int, a: int, b: int) -> int:
    """In how many ways two groups can be mixed so that Mann and Whitney's U is `total`."""
    if total < 0 or a == 0 or b == 0:
        return int(total == 0)
    return _arrangements(total - b, a - 1, b) + _arrangements(total, a, b - 1)


def _tails(drawn: Values, confidence: float) -> Ends:
    low, high = np.quantile(drawn, ((1 - confidence) / 2, (1 + confidence) / 2))
    return float(low), float(high)


INTERVALS: tuple[Callable[[Values, Values, float, np.random.Generator], Ends], ...] = (
    student,
    welch,
    bootstrap_t,
    bootstrap_of_medians,
    rank_sums,
)


def intervals(confidence: float, draws: int = 1000) -> None:
    """Print how often each interval holds the truth, and how often it shows a slowdown by 30 %."""
    print(f"\none ratio, confidence {confidence:.3g}: share of intervals that hold the truth / that show +30 %, in %")
    print(f"{'noise':12} trials spread  " + "  ".join(f"{one.__name__:>20}" for one in INTERVALS))
    for kind in NOISE:
        for trials in (3, 5, 6, 10):
            for spread in (0.05, 0.1):
                rng = np.random.default_rng(1)
                sides = spread * noise(rng, kind, draws, 2, trials)
                cells = []
                for interval in INTERVALS:
                    ends = np.array([interval(a, b, confidence, rng) for a, b in sides])
                    holds = np.mean((ends[:, 0] <= 0) & (ends[:, 1] >= 0))
                    shows = np.mean(ends[:, 0] + math.log(SLOWED) > 0)
                    cells.append(f"{100 * holds:13.1f} / {100 * shows:4.0f}")
                print(f"{kind:12} {trials:6} {100 * spread:4.0f} %  " + "  ".join(cells), flush=True)
    print("\nthe ratios of so many rounds: truth held, in %, by the bootstrap of their median / by Student's interval")
    for trials in (3, 5, 6, 10):
        logs = 0.1 * noise(np.random.default_rng(2), "normal", draws, trials)
        boots = [median_interval(one, resamples=500) for one in logs]
        halves = [student_t(trials - 1) * one.std(ddof=1) / math.sqrt(trials) for one in logs]
        held = np.mean([boot.low <= 0 <= boot.high for boot in boots]), np.mean(np.abs(logs.mean(axis=1)) <= halves)
        print(f"{trials:6} {100 * held[0]:.0f} / {100 * held[1]:.0f}")


def unequal_numbers(draws: int = 4000) -> None:
    """Print how often Student's interval and Welch's miss the truth if one side has fewer trials, and scatters more."""
    print(
        "\nof 6 and 3 trials, the three with twice the spread: truth missed at 95 %, Student with a common variance / Welch"
    )
    rng = np.random.default_rng(3)
    missed = np.zeros(2)
    for a, b in zip(rng.normal(size=(draws, 6)), 2 * rng.normal(size=(draws, 3)), strict=True):
        common = math.sqrt((5 * a.var(ddof=1) + 2 * b.var(ddof=1)) / 7 * (1 / 6 + 1 / 3))
        low, high = welch(a, b, 0.95, rng)
        missed += abs(b.mean() - a.mean()) > student_t(7) * common, not low <= 0 <= high
    print(" / ".join(f"{100 * share:.1f}" for share in missed / draws))


# Whole comparisons


def made_up_run(rng: np.random.Generator, kind: str, trials: int, spread: float, cells: int, slower: float = 1.0) -> Run:
    """A run of trials that differ from each other as trials do, on a server that is `slower` times as slow."""
    rows = cells * trials
    together = noise(rng, kind, rows, len(SPREADS)) @ np.linalg.cholesky(MOVE_TOGETHER).T
    speed = {name: slower * np.exp(spread * part * together[:, at]) for at, (name, part) in enumerate(SPREADS.items())}
    slopes = {name: np.exp(part * rng.normal(size=rows)) for name, part in MEMORY.items()}
    columns: dict[str, Any] = {key: default(key) for key in LOAD} | {metric.column: 1.0 for metric in METRICS}
    columns |= {metric.r2_column: 1.0 for metric in METRICS if metric.r2_column}
    columns |= {"transport": "sse", "subscribers": np.repeat(np.arange(1, cells + 1), trials), "measure_s": 2.0}
    columns |= {
        "cell": np.repeat(np.arange(cells), trials),
        "trial": np.tile(np.arange(1, trials + 1), cells),
        "verdict": "ok",
    }
    table, none = pd.DataFrame(columns | speed | slopes, index=range(rows)), pd.DataFrame()
    return Run(Path("made up"), MANIFEST, table, none, none, none)


def comparisons(
    count: int, kind: str, trials: int, spread: float, *, slower: float = 1.0, cells: int = 10, seed: int = 1
) -> list[Comparison]:
    """Compare pairs of made-up runs, the second of each `slower` times as slow."""
    rng = np.random.default_rng(seed)
    runs = ((1.0, slower) for _ in range(count))
    return [compare(*(made_up_run(rng, kind, trials, spread, cells, factor) for factor in pair)) for pair in runs]


def cells_called(made: list[Comparison], *calls: Call) -> float:
    """The share of cells of which some figure is called so."""
    return float(np.mean([any(change.call in calls for change in cell.changes) for one in made for cell in one.cells]))


def whole_comparisons(count: int = 150) -> None:
    """Print how often `pushbench compare` calls what it should, and what it should not."""
    print("\nwhole comparisons of ten cells, in %: the same server, and one that is slower by 30 %")
    print(f"{'noise':12} trials spread   cells called  all together called  fails | cells worse  all together worse  fails")
    for kind in NOISE:
        for trials in (3, 5, 6, 10):
            for spread in (0.05, 0.1):
                said = []
                for slower, calls in ((1.0, (Call.WORSE, Call.BETTER)), (SLOWED, (Call.WORSE,))):
                    made = comparisons(count, kind, trials, spread, slower=slower)
                    together = np.mean([any(change.call in calls for change in one.together) for one in made])
                    fails = np.mean([bool(failures(one, LIMIT)) for one in made])
                    said.append(f"{100 * cells_called(made, *calls):12.1f} {100 * together:20.0f} {100 * fails:6.0f}")
                print(f"{kind:12} {trials:6} {100 * spread:4.0f} %  {' | '.join(said)}", flush=True)


if __name__ == "__main__":
    intervals(0.95)
    intervals(each_of(6))
    unequal_numbers()
    whole_comparisons()
