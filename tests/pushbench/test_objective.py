"""An objective: it is read strictly, is kept or not by a trial's columns, and tells which side gave in."""

import math
import re

import pytest

from pushbench.checks import Verdict
from pushbench.objective import Clause, Objective, parse
from pushbench.search import Side

P99 = parse("latency_p99_ms <= 100")


def test_conditions_are_joined_by_and() -> None:
    assert parse("latency_p99_ms <= 100 and server_cpu_percent<80.5") == Objective(
        (Clause("latency_p99_ms", "<=", 100), Clause("server_cpu_percent", "<", 80.5))
    )
    assert str(parse(" deliveries_per_s>=1_000 ")) == "deliveries_per_s >= 1000"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("latency_p9_ms <= 100", "latency_p9_ms is no column that is measured, did you mean latency_p99_ms?"),
        ("verdict <= 100", "verdict is no column that is measured"),
        ("latency_p99_ms = 100", "'latency_p99_ms = 100' is no condition, expected a column, one of <=, <, >=, >"),
        ("latency_p99_ms <= fast", "is no condition"),
        ("latency_p99_ms <= 100 or lost < 1", "is no condition"),
        ("latency_p99_ms <= 100 and", "'' is no condition"),
        ("server_user_bytes_per_connection < 9", "is a slope over plateaus, and a search has none"),
    ],
)
def test_what_is_no_objective_is_refused_with_a_way_out(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=re.escape(wrong)):
        parse(text)


@pytest.mark.parametrize(
    ("comparison", "value", "met"),
    [("<=", 100, True), ("<", 100, False), (">=", 100, True), (">", 100, False), ("<=", 100.1, False), (">", 100.1, True)],
)
def test_a_condition_includes_its_limit_or_not(comparison: str, value: float, met: bool) -> None:
    assert Clause("latency_p99_ms", comparison, 100).met(value) is met


@pytest.mark.parametrize("value", [None, math.nan])
def test_what_was_not_measured_keeps_nothing(value: object) -> None:
    assert not any(Clause("latency_p99_ms", comparison, 100).met(value) for comparison in ("<=", "<", ">=", ">"))


@pytest.mark.parametrize(
    ("verdict", "p99_ms", "side"),
    [
        (Verdict.OK, 99, Side.HELD),
        (Verdict.OK, 101, Side.SERVER),
        (Verdict.SERVER_BOUND, 99, Side.HELD),
        (Verdict.SERVER_BOUND, 101, Side.SERVER),
        (Verdict.CLIENT_BOUND, 99, Side.HELD),
        (Verdict.CLIENT_BOUND, 101, Side.LOAD),
        (Verdict.PUBLISHER_LATE, 99, Side.LOAD),
        (Verdict.PUBLISHER_LATE, 101, Side.LOAD),
        (Verdict.LOSSY, 99, Side.SERVER),
        (Verdict.LOSSY, 101, Side.SERVER),
        (Verdict.FAILED, None, Side.LOAD),
    ],
)
def test_a_verdict_and_the_figures_say_which_side_gave_in(verdict: Verdict, p99_ms: float | None, side: Side) -> None:
    assert P99.side(verdict, {"latency_p99_ms": p99_ms}) is side


def test_a_trial_that_failed_is_laid_to_the_server_only_if_the_server_did() -> None:
    assert P99.side(Verdict.FAILED, {}, by_target=True) is Side.SERVER


def test_a_cost_is_not_kept_by_a_load_side_in_trouble_for_that_may_have_asked_for_less() -> None:
    cheap = parse("server_cpu_percent <= 80 and latency_p99_ms <= 100")
    columns = {"server_cpu_percent": 50.0, "latency_p99_ms": 9.0}
    assert cheap.side(Verdict.CLIENT_BOUND, columns) is Side.LOAD
    assert cheap.side(Verdict.OK, columns) is Side.HELD


def test_what_was_lost_keeps_no_objective_whatever_the_verdict_is_named_for() -> None:
    assert P99.side(Verdict.CLIENT_BOUND, {"latency_p99_ms": 9.0, "lost": 1}) is Side.LOAD
    assert P99.side(Verdict.OK, {"latency_p99_ms": 9.0, "lost": 0, "duplicated": None}) is Side.HELD


def test_only_the_conditions_that_are_broken_are_named() -> None:
    objective = parse("latency_p99_ms <= 100 and lost <= 0")
    assert [str(one) for one in objective.broken({"latency_p99_ms": 200.0, "lost": 0})] == ["latency_p99_ms <= 100"]
    assert len(objective.broken({})) == 2
