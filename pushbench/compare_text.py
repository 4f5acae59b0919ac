"""A comparison of two runs in words: lines for a terminal or a CI's log, and plain values for programs.

How anything is computed is not known here.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from pushbench.comparison import TOGETHER, Call, Cell, Change, Comparison, Failure, Witness
from pushbench.stats import Interval
from pushbench.summary import digits

CIRCUMSTANCES_TOLD = 4
FAILURES_TOLD = 3
"""The last line names so many cells that are worse; the others are above it."""


def lines(made: Comparison, cells: Sequence[Cell]) -> Iterator[str]:
    """The whole comparison, with these of its cells in full."""
    yield from (*_sides(made), "")
    if made.differences:
        yield "environment and scenario, A -> B:"
        yield from (f"  {difference}" for difference in made.differences)
    else:
        yield "environment and scenario do not differ"
    for name, side in (("A", made.base), ("B", made.candidate)):
        if side.alone:
            yield f"only in {name}: {'; '.join(side.alone)}"
    if made.witnesses:
        yield from ("", *_witnesses(made.witnesses))
    if made.together:
        yield from ("", TOGETHER, *_changes(made.together))
    for cell in cells:
        yield from ("", *_cell(cell))
    yield from ("", *_counts(made, cells))


def verdict(failures: Sequence[Failure], limit: float) -> str:
    """The last line: what made the comparison fail, or that nothing did. `limit` is a part of 1."""
    if not failures:
        return f"passed: nothing is called worse by {100 * limit:g} % or more, and no verdict got worse"
    more = f"; and {len(failures) - FAILURES_TOLD} more" if len(failures) > FAILURES_TOLD else ""
    return f"failed (limit {100 * limit:g} %): {'; '.join(map(_failure, failures[:FAILURES_TOLD]))}{more}"


def sentences(made: Comparison) -> list[str]:
    """The whole comparison in a few sentences, for who reads no table."""
    changes = [(cell.label, change) for cell in made.cells for change in cell.changes]
    count = {call: sum(change.call == call for _, change in changes) for call in Call}
    told = [f"No figure of any cell can be compared: {_why_none(made.cells)}."]
    if changes:
        told = [
            f"Of {len(changes)} figures in {len(made.cells)} cells {count[Call.BETTER]} became better, "
            f"{count[Call.WORSE]} worse, and {count[Call.UNCLEAR]} are not distinguishable."
        ]
    for call, most in ((Call.WORSE, "Worst"), (Call.BETTER, "Best")):
        called = [one for one in changes if one[1].call == call]
        if called:
            label, change = max(called, key=lambda one: abs(math.log(one[1].ratio.mid)))
            told.append(f"{most}: {label}: {_change_said(change)}.")
    if called_together := [change for change in made.together if change.call != Call.UNCLEAR]:
        said = "; ".join(f"{change.call}: {_change_said(change)}" for change in called_together)
        told.append(f"Over all cells together: {said}.")
    if worse := [cell for cell in made.cells if cell.verdict == Call.WORSE]:
        more = f"; and {len(worse) - FAILURES_TOLD} more" if len(worse) > FAILURES_TOLD else ""
        cells = "; ".join(
            f"{cell.label} ({cell.base_verdicts} -> {cell.candidate_verdicts})" for cell in worse[:FAILURES_TOLD]
        )
        told.append(f"Verdicts got worse: {cells}{more}.")
    doubts = []
    if made.differences:
        keys = [difference.key for difference in made.differences]
        more = f" and {len(keys) - CIRCUMSTANCES_TOLD} more" if len(keys) > CIRCUMSTANCES_TOLD else ""
        doubts.append(f"the circumstances differ ({', '.join(keys[:CIRCUMSTANCES_TOLD])}{more})")
    if any(witness.moved for witness in made.witnesses):
        doubts.append("what the load itself costs has changed, so the machine may have")
    if doubts:
        told.append(f"Not all of it need be the server's doing: {', and '.join(doubts)}.")
    return told


def _why_none(cells: Sequence[Cell]) -> str:
    """Why there is no change to tell of."""
    doubted = sum(cell.in_doubt for cell in cells)
    doubt = f"in {doubted} of {len(cells)} cells no trial of the one side or the other may be believed"
    unmeasured = "none of the compared figures was measured in both runs, well enough to be compared"
    if not doubted:
        return unmeasured
    return doubt if doubted == len(cells) else f"{doubt}, and in the others {unmeasured}"


def _change_said(change: Change) -> str:
    low, high = (percent(one) for one in (change.ratio.low, change.ratio.high))
    return f"{change.heading.partition(', ')[0]} {percent(change.ratio.mid)} ({low} to {high})"


def witnesses(found: Sequence[Witness]) -> Iterator[str]:
    """What the load itself cost, a sentence for each witness."""
    for witness in found:
        low, high = (percent(one) for one in (witness.ratio.low, witness.ratio.high))
        called = "changed" if witness.moved else "no change shown"
        yield f"{witness.heading}: {percent(witness.ratio.mid)} ({low} to {high}), {called}"


def plain_values(value: Any) -> Any:
    """A comparison as dictionaries and lists for JSON, which has no NaN: that is null."""
    if isinstance(value, Comparison):
        return plain_values(asdict(value))
    if isinstance(value, dict):
        return {key: plain_values(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain_values(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def percent(ratio: float) -> str:
    """A ratio as a change: 1.3 is `+30.0 %`."""
    return f"{100 * (ratio - 1):+,.1f} %"


def _failure(failure: Failure) -> str:
    if isinstance(failure.what, str):
        return f"{failure.cell}: {failure.what}"
    others = f" and {failure.others} more" if failure.others else ""
    return f"{failure.cell}: {failure.what.heading} {percent(failure.what.ratio.mid)}{others}"


def _sides(made: Comparison) -> Iterator[str]:
    width = max(len(side.path) for side in (made.base, made.candidate))
    for name, side in (("A", made.base), ("B", made.candidate)):
        started = side.started_at[:16].replace("T", " ")
        state = "" if side.finished else ", not finished"
        yield f"{name}  {side.path:{width}}  {side.commit}, {started}, {side.trials} trials{state}"


def _witnesses(witnesses: Sequence[Witness]) -> Iterator[str]:
    yield "the load itself, which should cost the same in A and B"
    for witness in witnesses:
        yield _line(witness.heading, "", witness.ratio, "changed" if witness.moved else "no change shown")
    if any(witness.moved for witness in witnesses):
        yield "  The machine drifted, or the server hands its messages over in other portions. So what takes time is called"
        yield "  below only if it changed by more than that: make the runs in turns, and look what stays."


def _cell(cell: Cell) -> Iterator[str]:
    yield cell.label
    if cell.verdict != Call.UNCLEAR or cell.base_verdicts != cell.candidate_verdicts:
        called = "" if cell.verdict == Call.UNCLEAR else cell.verdict
        yield f"  {'verdict':24}{cell.base_verdicts} -> {cell.candidate_verdicts}   {called}".rstrip()
    if cell.base_left_out or cell.candidate_left_out:
        yield f"  not to be believed, and left out: {cell.base_left_out} trials of A, {cell.candidate_left_out} of B"
    if cell.changes:
        yield from _changes(cell.changes)
    else:
        yield "  no figure that both have"


def _changes(changes: Sequence[Change]) -> Iterator[str]:
    for change in changes:
        figures = "" if math.isnan(change.base) else f"{digits(change.base):>9} -> {digits(change.candidate)}"
        why = f" ({change.why})" if change.why else ""
        yield _line(change.heading, figures, change.ratio, f"{change.call}{why}")


def _line(heading: str, figures: str, ratio: Interval, called: str) -> str:
    between = f"({percent(ratio.low)} to {percent(ratio.high)})" if ratio.is_interval else ""
    return f"  {heading:24}{figures:22}{percent(ratio.mid):>10}  {between:24}  {called}"


def _counts(made: Comparison, cells: Sequence[Cell]) -> Iterator[str]:
    differing = sum(cell.differs for cell in made.cells)
    hidden = len(made.cells) - len(cells)
    more = f"; {hidden} are not shown, --all shows them" if hidden else ""
    yield f"{differing} of {len(made.cells)} cells differ{more}"
    reach: dict[str, list[float]] = {}
    for change in (change for cell in made.cells for change in cell.changes if change.ratio.is_interval):
        reach.setdefault(change.heading, []).append(math.sqrt(change.ratio.high / change.ratio.low))
    if reach:
        said = "; ".join(f"{heading} {percent(median(found)).replace('+', '±')}" for heading, found in reach.items())
        yield f"not distinguishable is not equal: in the median cell the intervals reach {said}"
    yield (
        "changes are B/A - 1 of geometric means over trials; the intervals of a cell hold together with 95 %, "
        "so of twenty cells without a difference one may be called"
    )
