"""Checks: which evidence makes which verdict, and that it names the figures, the limit and the way out."""

from itertools import combinations
from typing import Any

import pytest

from pushbench.checks import Judgement, Verdict, judge

FINE: dict[str, Any] = {
    "pacing": "open",
    "server_stall_ms": 0,
    "measure_s": 2.0,
    "polled_ms": 0.0,
    "line_ms": 0.0,
    "excused": 0.0,
    "ordered": True,
    "losable": 0.0,
    "line": "relay",
    "relay_packets": None,
    "relay_packets_dropped": None,
    "server_stopped_percent": 0.0,
    "swarm_stopped_percent": 0.0,
    "publisher_stopped_percent": 0.0,
    "relay_stopped_percent": 0.0,
    "relay_cpu_percent": 10.0,
    "relay_wait_percent": 0.1,
    "relay_lag_p99_ms": 1.0,
    "scheduled": 100,
    "published": 100,
    "unsaid": 0,
    "publisher_slip_p99_ms": 0.4,
    "publisher_cpu_percent": 1.0,
    "publisher_wait_percent": 0.1,
    "swarm_processes": 1,
    "swarm_busiest": None,
    "swarm_late_ms": 40.0,
    "warmup_ms": 500.0,
    "swarm_cpu_percent": 20.0,
    "swarm_wait_percent": 0.5,
    "swarm_lag_p99_ms": 2.0,
    "swarm_held_p99_ms": 0.0,
    "latency_p99_ms": 40.0,
    "deliveries_per_s": 1000.0,
    "offered_per_s": 1000.0,
    "expected": 1000,
    "lost": 0,
    "duplicated": 0,
    "reordered": 0,
    "gaps": 0,
    "gap_longest": 0,
    "server_cpu_percent": 30.0,
    "server_wait_percent": 0.2,
    "server_processes": 1.0,
    "steal_percent": 0.0,
}

WORST_FIRST: list[tuple[dict[str, Any], Verdict, str, list[str]]] = [
    (
        {"publisher_slip_p99_ms": 12.25, "publisher_wait_percent": 5.5},
        Verdict.PUBLISHER_LATE,
        "was late",
        ["12.2, limit 10.0", "lower rate_hz"],
    ),
    ({"swarm_late_ms": 500.5}, Verdict.CLIENT_BOUND, "was told of the start only when", ["500.5 above 500.0", "end what"]),
    ({"swarm_cpu_percent": 96.0}, Verdict.CLIENT_BOUND, "no time left", ["96.0", "above 95", "lower subscribers"]),
    (
        {"relay_cpu_percent": 96.0},
        Verdict.CLIENT_BOUND,
        "the relay's core",
        ["96.0", "above 95", "lower subscribers"],
    ),
    ({"swarm_held_p99_ms": 10.5}, Verdict.CLIENT_BOUND, "kept from its core", ["10.5", "limit 10.0", "end what else"]),
    ({"lost": 1200, "expected": 5000}, Verdict.LOSSY, "not everybody", ["lost 1,200", "of 5,000", "drain_s"]),
    ({"server_wait_percent": 12.0}, Verdict.CLIENT_BOUND, "wait for its core", ["12.0 above 5.0", "pushbench doctor"]),
    ({"steal_percent": 6.0}, Verdict.CLIENT_BOUND, "hypervisor", ["6.0 above 5", "of your own"]),
    ({"server_cpu_percent": 99.0}, Verdict.SERVER_BOUND, "its limit", ["99.0 above 95", "below its limit"]),
    ({"swarm_cpu_percent": 85.6}, Verdict.CLIENT_BOUND, "busy most", ["85.6", "above 85", "lower subscribers"]),
    ({"swarm_lag_p99_ms": 120.0}, Verdict.CLIENT_BOUND, "only much later", ["120.0 above 30", "lower subscribers"]),
    ({"relay_cpu_percent": 85.6}, Verdict.CLIENT_BOUND, "relay was busy", ["85.6", "above 85", "lower subscribers"]),
    ({"relay_lag_p99_ms": 120.0}, Verdict.CLIENT_BOUND, "largely the relay's", ["120.0 above 30", "lower subscribers"]),
    ({"deliveries_per_s": 899.0}, Verdict.CLIENT_BOUND, "fell behind", ["899.0", "1,000.0", "is the machine busy?"]),
]


@pytest.mark.parametrize("percent", [96.0, 90.0])
def test_of_several_swarm_processes_the_busiest_is_named(percent: float) -> None:
    judgement = judge(FINE | {"swarm_processes": 3, "swarm_busiest": 2, "swarm_cpu_percent": percent})
    assert judgement.verdict == Verdict.CLIENT_BOUND
    assert f"swarm_cpu_percent {percent}, swarm_wait_percent 0.5 of the busiest swarm process, 2 of 3" in judgement.evidence


def test_without_anything_amiss_it_is_ok_and_there_is_nothing_to_say() -> None:
    assert judge(FINE) == Judgement(Verdict.OK, "", "", "")
    assert judge(FINE).said == ""


@pytest.mark.parametrize(("amiss", "verdict", "reason", "said"), WORST_FIRST)
def test_each_evidence_makes_its_verdict_with_a_reason_figures_and_a_way_out(
    amiss: dict[str, Any], verdict: Verdict, reason: str, said: list[str]
) -> None:
    judgement = judge(FINE | amiss)
    assert judgement.verdict == verdict
    assert reason in judgement.reason
    for part in said:
        assert part in judgement.evidence or part in judgement.hint
    assert judgement.said == f"{judgement.reason} ({judgement.evidence}); {judgement.hint}"
    assert len(judgement.said.splitlines()) == 1


def test_of_a_server_of_several_processes_it_is_said_that_they_may_wait_for_each_other() -> None:
    judgement = judge(FINE | {"server_wait_percent": 12.0, "server_processes": 4.0})
    assert judgement.verdict == Verdict.CLIENT_BOUND
    assert "the server's processes had to wait for a core, for each other" in judgement.reason
    assert "fewer server_workers" in judgement.hint


@pytest.mark.parametrize(("worse", "other"), list(combinations(WORST_FIRST, 2)))
def test_of_two_the_worse_decides_and_the_figures_of_both_are_told(worse: Any, other: Any) -> None:
    both, alone = judge(FINE | other[0] | worse[0]), judge(FINE | worse[0])
    assert (both.verdict, both.reason, both.hint) == (alone.verdict, alone.reason, alone.hint)
    if not other[0].keys() & worse[0].keys():
        assert judge(FINE | other[0]).evidence.partition(",")[0] in both.evidence


@pytest.mark.parametrize("name", ["lost", "duplicated", "reordered"])
def test_every_kind_of_wrong_delivery_makes_it_lossy_by_name(name: str) -> None:
    judgement = judge(FINE | {name: 3})
    assert judgement.verdict == Verdict.LOSSY
    assert f"{name} 3" in judgement.evidence
    assert not any(other in judgement.evidence for other in {"lost", "duplicated", "reordered"} - {name})


def test_what_a_transport_does_not_promise_makes_nothing_lossy() -> None:
    """Datagrams may be lost by the line, streams may overtake each other; but nobody may get anything twice."""
    assert judge(FINE | {"losable": 50.0, "lost": 50}).verdict == Verdict.OK
    assert judge(FINE | {"losable": 50.0, "lost": 51}).verdict == Verdict.LOSSY
    assert judge(FINE | {"ordered": False, "reordered": 50}).verdict == Verdict.OK
    assert judge(FINE | {"ordered": False, "lost": 1}).verdict == Verdict.LOSSY
    assert judge(FINE | {"losable": 50.0, "reordered": 1}).verdict == Verdict.LOSSY
    assert judge(FINE | {"ordered": False, "losable": 50.0, "duplicated": 1}).verdict == Verdict.LOSSY


def test_a_line_that_lost_what_it_was_not_to_lose_is_not_believed() -> None:
    judgement = judge(FINE | {"line": "packets", "relay_packets": 1000, "relay_packets_dropped": 1})
    assert judgement.verdict == Verdict.CLIENT_BOUND
    assert "relay_packets_dropped 1.0, relay_packets 1,000.0" in judgement.evidence


def test_what_a_line_of_packets_is_late_by_does_not_excuse_itself() -> None:
    slow = FINE | {"latency_p99_ms": 400.0, "relay_lag_p99_ms": 20.0}
    assert judge(slow).verdict == Verdict.OK
    assert judge(slow | {"line": "packets", "line_ms": 20.0}).verdict == Verdict.CLIENT_BOUND
    assert judge(slow | {"line": "packets", "line_ms": 200.0}).verdict == Verdict.OK


def test_what_is_lost_is_told_as_gaps() -> None:
    assert "; 2 gaps, the longest of 70 messages" in judge(FINE | {"lost": 72, "gaps": 2, "gap_longest": 70}).evidence


LIMITS = {
    "publisher_slip_p99_ms": 10.0,
    "swarm_cpu_percent": 84.5,  # with the half per cent that it waited
    "swarm_wait_percent": 65.0,
    "swarm_lag_p99_ms": 30.0,  # three quarters of the p99
    "swarm_held_p99_ms": 10.0,
    "server_cpu_percent": 95.0,
    "server_wait_percent": 5.0,
    "steal_percent": 5.0,
}


@pytest.mark.parametrize(("column", "limit"), LIMITS.items())
def test_at_the_limit_it_is_still_ok(column: str, limit: float) -> None:
    assert judge(FINE | {column: limit}).verdict == Verdict.OK
    assert judge(FINE | {column: limit * 1.001}).verdict != Verdict.OK


def test_a_swarm_may_be_held_for_a_part_of_the_latency_but_for_a_few_milliseconds_in_any_case() -> None:
    quick = FINE | {"latency_p99_ms": 2.0}
    assert judge(quick | {"swarm_held_p99_ms": 4.9}).verdict == Verdict.OK
    assert judge(quick | {"swarm_held_p99_ms": 5.1}).verdict == Verdict.CLIENT_BOUND


@pytest.mark.parametrize("column", LIMITS)
@pytest.mark.parametrize("value", [None, float("nan")])
def test_what_was_not_measured_is_held_against_nobody(column: str, value: float | None) -> None:
    assert judge(FINE | {column: value}).verdict == Verdict.OK


def test_a_server_that_has_little_to_do_may_wait_for_little() -> None:
    idle = FINE | {"server_cpu_percent": 8.0}
    assert judge(idle | {"server_wait_percent": 2.0}).verdict == Verdict.OK
    assert judge(idle | {"server_wait_percent": 2.1}).verdict == Verdict.CLIENT_BOUND
    assert judge(FINE | {"server_cpu_percent": 0.5, "server_wait_percent": 0.9}).verdict == Verdict.OK


def test_a_swarm_whose_waiting_is_unknown_is_judged_by_what_it_used() -> None:
    assert judge(FINE | {"swarm_cpu_percent": 97.0, "swarm_wait_percent": None}).verdict == Verdict.CLIENT_BOUND


SLOW = {"publisher_slip_p99_ms": 500.0, "server_cpu_percent": 99.0}


def test_a_publisher_that_was_late_because_it_waited_for_a_full_server_is_not_to_blame() -> None:
    judgement = judge(FINE | SLOW)
    assert judgement.verdict == Verdict.SERVER_BOUND
    assert "publisher_slip_p99_ms 500.0" in judgement.evidence


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"publisher_cpu_percent": 99.0}, "cannot publish so fast"),
        ({"publisher_wait_percent": 20.0}, "was late"),
        ({"pacing": "closed"}, "closed loop"),
    ],
)
def test_a_publisher_that_was_late_for_a_reason_of_its_own_is_late_before_any_server(
    changes: dict[str, Any], reason: str
) -> None:
    judgement = judge(FINE | SLOW | changes)
    assert judgement.verdict == Verdict.PUBLISHER_LATE
    assert reason in judgement.reason


def test_a_slip_that_is_of_no_account_beside_the_latency_is_none() -> None:
    late = FINE | {"publisher_slip_p99_ms": 12.0}
    assert judge(late | {"latency_p99_ms": 119.0}).verdict == Verdict.PUBLISHER_LATE
    assert judge(late | {"latency_p99_ms": 121.0}).verdict == Verdict.OK


def test_a_publisher_that_gave_up_says_what_it_left_out() -> None:
    judgement = judge(FINE | {"scheduled": 1000, "published": 900})
    assert judgement.verdict == Verdict.PUBLISHER_LATE
    assert "100 of 1,000 messages were not published in time" in judgement.evidence


def test_what_comes_late_by_design_may_be_missing_in_the_window_and_no_more() -> None:
    disturbed = FINE | {"excused": 0.25}
    assert judge(disturbed | {"deliveries_per_s": 651.0}).verdict == Verdict.OK
    assert judge(disturbed | {"deliveries_per_s": 649.0}).verdict == Verdict.CLIENT_BOUND


@pytest.mark.parametrize("role", ["server", "swarm", "publisher"])
def test_whoever_was_stopped_from_outside_is_named(role: str) -> None:
    assert judge(FINE | {f"{role}_stopped_percent": 2.0}).verdict == Verdict.OK
    judgement = judge(FINE | {f"{role}_stopped_percent": 3.0})
    assert judgement.verdict == Verdict.CLIENT_BOUND
    assert judgement.reason.startswith(f"the {role} was stopped from outside")


def test_a_stall_that_the_load_asked_for_is_none_from_outside() -> None:
    stalled = FINE | {"server_stall_ms": 500, "excused": 0.25}  # a quarter of the window
    assert judge(stalled | {"server_stopped_percent": 27.0}).verdict == Verdict.OK
    assert judge(stalled | {"server_stopped_percent": 27.5}).verdict == Verdict.CLIENT_BOUND


def test_a_full_server_does_not_excuse_what_was_never_published() -> None:
    judgement = judge(FINE | SLOW | {"scheduled": 10_000, "published": 150, "latency_p99_ms": None})
    assert judgement.verdict == Verdict.PUBLISHER_LATE
    assert "in no latency" in judgement.reason
    assert "9,850 of 10,000 messages were not published in time" in judgement.evidence


def test_a_swarm_that_is_late_by_most_of_the_latency_has_measured_itself() -> None:
    quick = FINE | {"latency_p99_ms": 20.0}
    assert judge(quick | {"swarm_lag_p99_ms": 14.9}).verdict == Verdict.OK
    assert judge(quick | {"swarm_lag_p99_ms": 15.1}).verdict == Verdict.CLIENT_BOUND
    assert judge(FINE | {"latency_p99_ms": 1.0, "swarm_lag_p99_ms": 4.9}).verdict == Verdict.OK  # a timer's grain


def test_the_interval_of_pollers_excuses_nobody() -> None:
    polled = FINE | {"polled_ms": 1000.0, "latency_p99_ms": 991.0}
    assert judge(polled).verdict == Verdict.OK
    assert judge(polled | {"publisher_slip_p99_ms": 11.0}).verdict == Verdict.PUBLISHER_LATE
    assert judge(polled | {"swarm_held_p99_ms": 5.5}).verdict == Verdict.CLIENT_BOUND


@pytest.mark.parametrize("verdict", Verdict)
def test_only_ok_and_the_servers_own_limit_are_believable(verdict: Verdict) -> None:
    assert verdict.believable == (verdict in {"ok", "server_bound"})
