"""A reproduction in words: the table of figures, the judgements, and what is not claimed; for a terminal, a page, or JSON.

It turns values into texts. How these are laid out is not known here.
"""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pushbench.classics.claims import Certainty, Claim, Classic, Outcome, Published, Reproduction, Row
from pushbench.summary import MARK, RANGE_ONLY, Table, all_believable, digits, said

if TYPE_CHECKING:
    import pandas as pd

CERTAIN = {Certainty.READ: "", Certainty.COMPUTED: "*", Certainty.REPORTED: "†", Certainty.RECALLED: "?"}
"""What stands behind a published figure."""
SCALED = "≈"
WHOLE = {
    Outcome.REPRODUCES: "It reproduces in shape",
    Outcome.DOES_NOT: "It does not reproduce in shape",
    Outcome.UNTOLD: "Whether it reproduces in shape cannot be told",
}
SIGNS = {Outcome.REPRODUCES: "+", Outcome.DOES_NOT: "-", Outcome.UNTOLD: "?"}


def table(made: Reproduction) -> Table:
    """Published, measured and model side by side."""
    rows = tuple((row.what, row.unit, _published(row.published), _measured(row), _number(row.model)) for row in made.rows)
    return Table(("figure", "unit", "published", "measured", "model"), rows, tuple(_notes(made)), keys=2)


def _published(figure: Published | None) -> str:
    if figure is None:
        return "–"
    span = f"–{digits(figure.high)}" if figure.high is not None else ""
    return f"{digits(figure.value)}{span}{CERTAIN[figure.certainty]}"


def _measured(row: Row) -> str:
    if row.measured is None:
        return "–"
    marks = ([MARK] if row.doubted else []) + ([SCALED] if row.scaled else [])
    span = f"{digits(row.measured.low)}–{digits(row.measured.high)}"
    return " ".join([*marks, span if row.ranges else said(row.measured)])


def _number(value: float | None) -> str:
    return "–" if value is None else digits(value)


def _notes(made: Reproduction) -> Iterator[str]:
    figures = [row.published for row in made.rows if row.published]
    marked = [
        f"{mark} {one}" for one, mark in CERTAIN.items() if mark and any(figure.certainty is one for figure in figures)
    ]
    if figures:
        others = f"{'unmarked' if marked else 'all of it'} {Certainty.READ}"
        yield f"Published: {'; '.join([*marked, others])}."
    if any(row.scaled and row.measured for row in made.rows):
        yield f"{SCALED} not measured at that size: multiplied from what was."
    trials = max((row.measured.n for row in made.rows if row.measured and not row.ranges), default=0)
    if trials > 1:
        few = " (of so few, their range)" if trials <= RANGE_ONLY else ""
        yield f"Median of the trials; in brackets the 95 % bootstrap interval{few}."
    else:
        yield "One trial of each cell: there is nothing to say how far another would differ."
    if any(row.doubted for row in made.rows):
        yield f"{MARK} from a trial that is not to be believed; `pushbench check` says why."


def judgement(claim: Claim) -> str:
    """One claim and what became of it, in a line."""
    doubt = f" {MARK}" if claim.doubted and claim.outcome is not Outcome.UNTOLD else ""
    unsure = "" if claim.certainty is Certainty.READ else f" ({claim.certainty})"
    return f"{claim.outcome}{doubt}: {claim.says}{unsure}. Measured: {claim.why}. Rule: {claim.rule}."


def verdict(made: Reproduction) -> str:
    """The whole in a sentence."""
    parts = [("of the shape", [claim.outcome for claim in made.claims if claim.shape])]
    parts += [("of a figure", figures)] if (figures := [claim.outcome for claim in made.claims if not claim.shape]) else []
    counted = ", ".join(f"{_held(outcomes)} claims {what}" for what, outcomes in parts)
    doubted = (
        f" {MARK} Some of it rests on trials that are not to be believed."
        if any(one.doubted for one in made.claims)
        else ""
    )
    return f"{WHOLE[made.outcome]}: {counted}{_untold(made)}.{doubted}"


def _held(outcomes: Sequence[Outcome]) -> str:
    return f"{outcomes.count(Outcome.REPRODUCES)} of {len(outcomes)}"


def _untold(made: Reproduction) -> str:
    """How many claims there is nothing to tell of."""
    count = sum(claim.outcome is Outcome.UNTOLD for claim in made.claims)
    return f" reproduce, {count} cannot be told" if count else ""


def head(classic: Classic, width: int) -> list[str]:
    """What it is, in lines."""
    told = [f"Source: {classic.source.said}.", f"Claimed: {classic.claimed}.", f"Here: {classic.scaled}"]
    return [part for line in told for part in textwrap.wrap(line, width, subsequent_indent="  ")]


def lines(classic: Classic, made: Reproduction, width: int) -> list[str]:
    """What is to be said below the table."""
    told = [f"{SIGNS[claim.outcome]} {judgement(claim)}" for claim in made.claims]
    told += [f"Not claimed: {what}" for what in classic.not_claimed]
    told.append(verdict(made))
    return [part for line in told for part in textwrap.wrap(line, width, subsequent_indent="  ")]


def doubted(trials: "pd.DataFrame") -> bool:
    """Whether a trial of the run is not to be believed."""
    return not all_believable(trials)


def plain_values(classic: Classic, made: Reproduction) -> dict[str, Any]:
    """All of it as JSON takes it."""
    return {
        "name": classic.name,
        "source": asdict(classic.source),
        "claimed": classic.claimed,
        "scaled": classic.scaled,
        "reproduces_in_shape": None if made.outcome is Outcome.UNTOLD else made.outcome is Outcome.REPRODUCES,
        "rows": [asdict(row) for row in made.rows],
        "claims": [asdict(claim) for claim in made.claims],
        "not_claimed": list(classic.not_claimed),
    }
