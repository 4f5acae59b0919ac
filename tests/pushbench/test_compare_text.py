"""A comparison in words: what differs in full, how much is not shown, and what made it fail in the last line."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from pushbench import compare_text
from pushbench.comparison import Call, Cell, Change, Comparison, Failure, Side, Witness
from pushbench.differences import Difference
from pushbench.stats import Interval


def interval(low: float, mid: float, high: float, n: int = 3) -> Interval:
    return Interval(low, mid, high, n)


def change(call: Call = Call.UNCLEAR, ratio: float = 1.0, **parts: Any) -> Change:
    made: dict[str, Any] = {"heading": "p50, ms", "base": 10.0, "candidate": 10 * ratio, "worse_by": ratio - 1}
    return Change(**(made | {"ratio": interval(ratio / 1.1, ratio, ratio * 1.1), "call": call} | parts))


def cell(label: str, *changes: Change, **parts: Any) -> Cell:
    made: dict[str, Any] = {"base_verdicts": "3 ok", "candidate_verdicts": "3 ok", "verdict": Call.UNCLEAR}
    return Cell(
        label, **(made | {"base_left_out": 0, "candidate_left_out": 0, "in_doubt": False, "changes": changes} | parts)
    )


def side(path: str, **parts: Any) -> Side:
    made: dict[str, Any] = {"commit": "abc", "started_at": "2026-01-01T10:00:00+00:00", "finished": True, "trials": 6}
    return Side(path, **(made | {"alone": ()} | parts))


def comparison(*cells: Cell, **parts: Any) -> Comparison:
    made: dict[str, Any] = {"base": side("before"), "candidate": side("after"), "differences": (), "witnesses": ()}
    return Comparison(**(made | {"together": (), "cells": cells} | parts))


def told(made: Comparison, *cells: Cell) -> str:
    return "\n".join(compare_text.lines(made, cells))


SLOWER = cell("sse", change(Call.WORSE, 1.5))
SAME = cell("websocket", change())


def test_both_runs_are_named_with_commit_and_time() -> None:
    text = told(comparison(SAME, candidate=side("after", finished=False)))
    assert "A  before  abc, 2026-01-01 10:00, 6 trials\n" in text
    assert "B  after   abc, 2026-01-01 10:00, 6 trials, not finished\n" in text


def test_differences_come_first_and_their_absence_is_told() -> None:
    assert "environment and scenario do not differ" in told(comparison(SAME))
    text = told(comparison(SAME, SLOWER, differences=(Difference("kernel", "6.1", "6.18"),)), SLOWER)
    assert text.index("kernel: 6.1 -> 6.18") < text.index("sse")


def test_a_change_is_a_line_with_both_figures_the_interval_and_the_call() -> None:
    [line] = [line for line in told(comparison(SLOWER), SLOWER).splitlines() if line.startswith("  p50, ms")]
    assert line.split() == ["p50,", "ms", "10.0", "->", "15.0", "+50.0", "%", "(+36.4", "%", "to", "+65.0", "%)", "worse"]


def test_without_an_interval_the_line_says_why() -> None:
    single = cell("sse", replace(change(), ratio=interval(1.5, 1.5, 1.5, 1), why="1 trial"))
    [line] = [line for line in told(comparison(single), single).splitlines() if line.startswith("  p50, ms")]
    assert line.endswith("not distinguishable (1 trial)")
    assert "to" not in line.split()


def test_only_the_cells_that_are_asked_for_are_shown_and_the_others_counted() -> None:
    text = told(comparison(SLOWER, SAME, SAME), SLOWER)
    assert "websocket" not in text
    assert "1 of 3 cells differ; 2 are not shown, --all shows them" in text
    assert "--all" not in told(comparison(SLOWER, SAME), SLOWER, SAME)


def test_how_far_the_intervals_reach_is_told_a_figure_at_a_time() -> None:
    wide = cell("stream", replace(change(), ratio=interval(0.5, 1, 2)))
    assert "in the median cell the intervals reach p50, ms ±10.0 %" in told(comparison(SAME, SAME, wide))


def test_all_cells_together_have_no_figures_of_their_own() -> None:
    mean = change(Call.WORSE, 1.5, base=math.nan, candidate=math.nan)
    text = told(comparison(SLOWER, SAME, together=(mean,)))
    assert "all cells together\n  p50, ms  " in text
    assert "nan" not in text


def test_a_verdict_is_told_where_it_changed_and_trials_that_were_left_out_are_counted() -> None:
    doubted = cell("sse", change(), candidate_verdicts="2 ok, 1 lossy", verdict=Call.WORSE, candidate_left_out=1)
    text = told(comparison(doubted), doubted)
    assert "3 ok -> 2 ok, 1 lossy   worse" in text
    assert "left out: 0 trials of A, 1 of B" in text
    assert "verdict" not in told(comparison(SLOWER), SLOWER)


def test_a_cell_without_a_figure_says_so() -> None:
    empty = cell("sse", verdict=Call.WORSE, candidate_verdicts="3 failed", candidate_left_out=3)
    assert "no figure that both have" in told(comparison(empty), empty)


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ([cell("sse"), cell("polling")], "none of the compared figures was measured in both runs, "),
        ([cell("sse", in_doubt=True)], "in 1 of 1 cells no trial of the one side or the other may be believed."),
        (
            [cell("sse", in_doubt=True), cell("polling")],
            "in 1 of 2 cells no trial of the one side or the other may be believed, and in the others none of the ",
        ),
    ],
)
def test_of_runs_without_a_figure_in_common_the_sentence_says_why(cells: list[Cell], why: str) -> None:
    [sentence] = compare_text.sentences(comparison(*cells))
    assert sentence.startswith(f"No figure of any cell can be compared: {why}")


def test_what_only_one_run_has_is_named() -> None:
    text = told(
        comparison(SAME, base=side("before", alone=("polling", "p99, ms")), candidate=side("after", alone=("sse",)))
    )
    assert "only in A: polling; p99, ms\nonly in B: sse\n" in text


@pytest.mark.parametrize(("ratio", "drifted"), [(1.0, False), (0.8, True)])
def test_that_the_load_itself_changed_is_a_warning(ratio: float, drifted: bool) -> None:
    witness = Witness("swarm CPU, µs/delivery", interval(ratio / 1.05, ratio, ratio * 1.05))
    assert ("The machine drifted" in told(comparison(SAME, witnesses=(witness,)))) is drifted


def test_the_last_line_says_what_failed() -> None:
    failures = [Failure("sse", "2 ok, 1 lossy"), Failure("sse", change(Call.WORSE, 1.5), 2)]
    assert compare_text.verdict(failures, 0.1) == "failed (limit 10 %): sse: 2 ok, 1 lossy; sse: p50, ms +50.0 % and 2 more"
    assert compare_text.verdict(failures[:1] * 5, 0.1).endswith("; and 2 more")
    assert compare_text.verdict([], 0.025).startswith("passed: nothing is called worse by 2.5 % or more")


def test_as_plain_values_it_can_be_written_as_json_and_has_no_nan() -> None:
    mean = change(base=math.nan, candidate=math.nan)
    made = comparison(SLOWER, together=(mean,), differences=(Difference("kernel", "6.1", "6.18"),))
    read = json.loads(json.dumps(compare_text.plain_values(made), allow_nan=False))
    assert read["together"][0]["base"] is None
    assert read["cells"][0]["changes"][0]["call"] == "worse"
    assert read["cells"][0]["changes"][0]["ratio"]["n"] == 3
    assert read["differences"] == [{"key": "kernel", "base": "6.1", "candidate": "6.18"}]


@pytest.mark.parametrize(("ratio", "text"), [(1.3, "+30.0 %"), (0.5, "-50.0 %"), (34.2, "+3,320.0 %"), (1, "+0.0 %")])
def test_a_ratio_is_told_as_a_change(ratio: float, text: str) -> None:
    assert compare_text.percent(ratio) == text
