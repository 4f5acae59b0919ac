"""What came of a lie: the wrong number beside the right one, once for each repetition, and what they say together. Pure.

How they were measured, and where they are kept, is not known here.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from pushbench.checks import Verdict

SCHEMA = 1
TWOFOLD = 2.0
"""A lie is shown if the wrong number is so many times off in every repetition."""
VERDICT = "the suite's verdict "
"""What is said of a number that a trial of the suite has made begins so, and goes on with the verdict's name."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Both numbers of one repetition, in the lie's unit, and what speaks for each."""

    wrong: float
    right: float
    wrong_says: str
    """What came with the wrong number: the verdict of a trial, or what its author would have seen."""
    right_says: str

    def factor(self, too_high: bool) -> float:
        """How many times too high, or too low, the wrong one is; below 1 if it was off the other way."""
        return self.wrong / self.right if too_high else self.right / self.wrong

    @property
    def verdict(self) -> Verdict | None:
        """The verdict on the right number; None if no trial of the suite has made it, or none is kept."""
        _, found, rest = self.right_says.partition(VERDICT)
        return Verdict(rest.partition(",")[0]) if found else None

    @property
    def doubted(self) -> bool:
        """Whether the right number is not to be believed either."""
        return self.verdict is not None and not self.verdict.believable


@dataclass(frozen=True, slots=True)
class Shown:
    """What the repetitions of one lie say together."""

    name: str
    too_high: bool
    pairs: tuple[Pair, ...] = ()
    failures: tuple[str, ...] = ()
    """Why repetitions gave no pair."""

    @property
    def wrong(self) -> float:
        """The median of the wrong numbers."""
        return median(pair.wrong for pair in self.pairs)

    @property
    def right(self) -> float:
        """The median of the right ones."""
        return median(pair.right for pair in self.pairs)

    @property
    def factors(self) -> tuple[float, ...]:
        """How many times off each repetition was, ascending."""
        return tuple(sorted(pair.factor(self.too_high) for pair in self.pairs))

    @property
    def factor(self) -> float:
        """The median of these."""
        return median(self.factors)

    @property
    def holds(self) -> bool:
        """Whether it was twofold in every repetition, and none failed; whatever the verdicts on the right numbers."""
        return bool(self.pairs) and not self.failures and self.factors[0] >= TWOFOLD

    @property
    def doubts(self) -> tuple[str, ...]:
        """The verdict on each right number that is not to be believed."""
        return tuple(pair.verdict for pair in self.pairs if pair.verdict and pair.doubted)

    @property
    def typical(self) -> Pair:
        """The repetition in the middle, whose evidence stands for all."""
        ranked = sorted(self.pairs, key=lambda pair: pair.factor(self.too_high))
        return ranked[len(ranked) // 2]


def as_values(shown: Shown) -> dict[str, Any]:
    """It as plain values for JSON, with what follows from them."""
    values: dict[str, Any] = {"name": shown.name, "too_high": shown.too_high, "n": len(shown.pairs)}
    if shown.pairs:
        low, high = shown.factors[0], shown.factors[-1]
        values |= {"wrong": shown.wrong, "right": shown.right, "factor": shown.factor, "factor_range": [low, high]}
    return values | {
        "holds": shown.holds,
        "repetitions": [asdict(pair) for pair in shown.pairs],
        "failures": list(shown.failures),
    }


def from_values(values: Mapping[str, Any]) -> Shown:
    """It again; what follows from the repetitions is reckoned anew. Raises KeyError or TypeError for others."""
    pairs = tuple(Pair(**pair) for pair in values["repetitions"])
    return Shown(values["name"], values["too_high"], pairs, tuple(values["failures"]))
