"""What a published experiment says, what was measured of it, and whether the one bears out the other. Pure.

It knows values, and how sure one is of them. Which experiments there are, and how anything is printed or drawn, is not
known here.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pushbench.classics.evidence import Evidence
from pushbench.stats import Interval


class Certainty(StrEnum):
    """How sure a published figure is."""

    READ = "read in the source"
    COMPUTED = "computed from figures that were read in the source"
    REPORTED = "as another source reports it"
    RECALLED = "recalled, and not verified"


@dataclass(frozen=True, slots=True)
class Source:
    """Where an experiment was published."""

    authors: str
    title: str
    year: int
    where: str
    """Journal, report number or address."""

    @property
    def said(self) -> str:
        """The source in one line."""
        return f"{self.authors}, {self.title}, {self.where} ({self.year})"


@dataclass(frozen=True, slots=True)
class Published:
    """A figure as it was published; a range from `value` to `high` if there are two."""

    value: float
    certainty: Certainty
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: published, measured and as a formula has it; None is what there is not."""

    what: str
    unit: str
    published: Published | None = None
    measured: Interval | None = None
    model: float | None = None
    doubted: bool = False
    """A trial that it is made from is not to be believed."""
    scaled: bool = False
    """Not measured at that size: multiplied from what was."""
    drawn_as: str = ""
    """The transport whose colour it has on a picture."""
    ranges: bool = False
    """What was measured is a range, from `low` to `high`, over what it is named after, and no median of trials."""


class Outcome(StrEnum):
    """What became of a claim."""

    REPRODUCES = "reproduces"
    DOES_NOT = "does not reproduce"
    UNTOLD = "cannot be told"


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that the source says, and what the measurement says to it."""

    says: str
    rule: str
    """What would have to be so; stated before the figures are looked at."""
    outcome: Outcome
    why: str
    """The figures that decided, and for one that does not reproduce the reason."""
    certainty: Certainty
    shape: bool = True
    """Whether it is of the shape: which side wins, a direction, the place of a knee. Else it is of a figure."""
    doubted: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a picture. Places are (x, y)."""

    label: str
    transport: str
    measured: tuple[tuple[float, Interval], ...] = ()
    model: tuple[tuple[float, float], ...] = ()
    doubted_at: tuple[float, ...] = ()
    """The x of what rests on a trial that is not to be believed."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the x axis, with what it is."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Lines over one x axis."""

    title: str
    x: str
    y: str
    curves: tuple[Curve, ...]
    marks: tuple[Mark, ...] = ()
    log_x: bool = False
    log_y: bool = False


@dataclass(frozen=True, slots=True)
class Dots:
    """Figures below each other on one axis, published beside measured beside model."""

    title: str
    x: str
    rows: tuple[Row, ...]
    log: bool = True


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What came of an experiment."""

    rows: tuple[Row, ...]
    claims: tuple[Claim, ...]
    panels: tuple[Plot | Dots, ...]

    @property
    def outcome(self) -> Outcome:
        """What became of the shape: it does not reproduce if one claim of it does not, and does if there are some and all
        of them do; else it cannot be told."""
        shape = [claim.outcome for claim in self.claims if claim.shape]
        if Outcome.DOES_NOT in shape:
            return Outcome.DOES_NOT
        return Outcome.UNTOLD if Outcome.UNTOLD in shape or not shape else Outcome.REPRODUCES

    @property
    def lacking(self) -> tuple[Claim, ...]:
        """The claims that do not reproduce, or of which nothing can be told."""
        return tuple(claim for claim in self.claims if claim.outcome is not Outcome.REPRODUCES)


@dataclass(frozen=True, slots=True)
class Classic:
    """A published experiment, and how it is made again. Its scenario is scenarios/classics/NAME.toml."""

    name: str
    source: Source
    claimed: str
    """What is claimed, in a sentence."""
    scaled: str
    """How it is scaled here, and what is not as it was."""
    not_claimed: tuple[str, ...]
    """What is not to be concluded from it."""
    picture: str
    """The title of its picture."""
    judge: Callable[[Evidence], Reproduction]


def claim(
    says: str,
    rule: str,
    holds: bool | None,
    figures: str,
    why_not: str,
    certainty: Certainty,
    *,
    shape: bool = True,
    doubted: bool = False,
) -> Claim:
    """A claim with its outcome: `holds` None if there are no figures; `why_not` is said if it does not hold."""
    if holds is None:
        return Claim(says, rule, Outcome.UNTOLD, "there are no trials to tell it from", certainty, shape, doubted)
    if holds:
        return Claim(says, rule, Outcome.REPRODUCES, figures, certainty, shape, doubted)
    return Claim(says, rule, Outcome.DOES_NOT, f"{figures}: {why_not}", certainty, shape, doubted)


def met(measured: Interval | None, low: float = -math.inf, high: float = math.inf) -> bool | None:
    """Whether a median is in a range, whose ends are allowed; None if there is none."""
    return None if measured is None else low <= measured.mid <= high
