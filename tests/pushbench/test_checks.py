"""Checks: which evidence makes which verdict, and that a reason names the number, the limit and the way out."""

from itertools import combinations
from typing import Any

import pytest

from pushbench.checks import Judgement, Verdict, judge

FINE: dict[str, Any] = {
    "publisher_slip_p99_ms": 0.4,
    "swarm_cpu_percent": 20.0,
    "swarm_lag_p99_ms": 2.0,
    "deliveries_per_s": 1000.0,
    "offered_per_s": 1000.0,
    "expected": 1000,
    "lost": 0,
    "duplicated": 0,
    "reordered": 0,
    "server_cpu_percent": 30.0,
}

WORST_FIRST: list[tuple[dict[str, Any], Verdict, list[str]]] = [
    ({"publisher_slip_p99_ms": 12.25}, Verdict.PUBLISHER_LATE, ["12.2 ms", "limit 10 ms", "lower rate_hz"]),
    ({"swarm_cpu_percent": 96.0}, Verdict.CLIENT_BOUND, ["96 %", "limit 95 %", "lower subscribers"]),
    ({"lost": 1200, "expected": 5000}, Verdict.LOSSY, ["lost 1,200", "of 5,000"]),
    ({"server_cpu_percent": 99.0}, Verdict.SERVER_BOUND, ["99 %", "limit"]),
    ({"swarm_cpu_percent": 85.6}, Verdict.CLIENT_BOUND, ["86 %", "limit 85 %", "lower subscribers"]),
    ({"swarm_lag_p99_ms": 120.0}, Verdict.CLIENT_BOUND, ["120 ms", "limit 100 ms", "lower subscribers"]),
    ({"deliveries_per_s": 899.0}, Verdict.CLIENT_BOUND, ["899 of 1,000 deliveries/s", "other work?"]),
]


def test_without_anything_amiss_it_is_ok_and_there_is_nothing_to_say() -> None:
    assert judge(FINE) == Judgement(Verdict.OK, "")


@pytest.mark.parametrize(("amiss", "verdict", "said"), WORST_FIRST)
def test_each_evidence_makes_its_verdict_with_number_and_limit(
    amiss: dict[str, Any], verdict: Verdict, said: list[str]
) -> None:
    judgement = judge(FINE | amiss)
    assert judgement.verdict == verdict
    for part in said:
        assert part in judgement.reason


@pytest.mark.parametrize(("worse", "other"), list(combinations(WORST_FIRST, 2)))
def test_of_two_the_worse_is_told(
    worse: tuple[dict[str, Any], Verdict, list[str]], other: tuple[dict[str, Any], Verdict, list[str]]
) -> None:
    assert judge(FINE | other[0] | worse[0]) == judge(FINE | worse[0])


@pytest.mark.parametrize("name", ["lost", "duplicated", "reordered"])
def test_every_kind_of_wrong_delivery_makes_it_lossy_by_name(name: str) -> None:
    judgement = judge(FINE | {name: 3})
    assert judgement.verdict == Verdict.LOSSY
    assert f"{name} 3" in judgement.reason
    assert not any(other in judgement.reason for other in {"lost", "duplicated", "reordered"} - {name})


LIMITS = {
    "publisher_slip_p99_ms": 10.0,
    "swarm_cpu_percent": 85.0,
    "swarm_lag_p99_ms": 100.0,
    "server_cpu_percent": 95.0,
}


@pytest.mark.parametrize(("column", "limit"), LIMITS.items())
def test_at_the_limit_it_is_still_ok(column: str, limit: float) -> None:
    assert judge(FINE | {column: limit}).verdict == Verdict.OK
    assert judge(FINE | {column: limit * 1.001}).verdict != Verdict.OK


@pytest.mark.parametrize("column", LIMITS)
@pytest.mark.parametrize("value", [None, float("nan")])
def test_what_was_not_measured_is_held_against_nobody(column: str, value: float | None) -> None:
    assert judge(FINE | {column: value}).verdict == Verdict.OK


@pytest.mark.parametrize("verdict", Verdict)
def test_only_ok_and_the_servers_own_limit_are_believable(verdict: Verdict) -> None:
    assert verdict.believable == (verdict in {"ok", "server_bound"})
