"""The outcome: each column is computed from what was reported as its definition says."""

import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pushbench import age, histogram, ledger, timeline
from pushbench.checks import Judgement, Verdict
from pushbench.columns import COLUMNS, MEASURED, PINGS, TLS
from pushbench.comeback import AWAY_S
from pushbench.dissect import Parts
from pushbench.lag import Lag
from pushbench.memory import Memory
from pushbench.outcome import NOTICED, PEAKS, Machine, Outage, Outcome, _excused, concluded
from pushbench.relay import RelayReport
from pushbench.scenario import Load
from pushbench.schedule import NS, Schedule
from pushbench.swarm_report import SwarmReport
from pushbench.usage import Share
from pushbench.wire import Traffic
from pushbench.witness import Account

MS = 1_000_000
LOAD = Load(transport="sse", subscribers=10, rate_hz=5.0)
SCHEDULE = Schedule(rate_hz=5.0, warmup_s=1.0, measure_s=2.0)  # 15 messages, 10 of them measured
DUE_MS = np.arange(1, 101)
SENT_MS = DUE_MS - 0.5

SEEN = SwarmReport(
    ledger=ledger.Ledger(expected=150, delivered=150, coalesced=4),
    age=age.Age(area=6.0, time_s=20.0, peaks_s=40.0, peaks=100),
    timeline=timeline.of(np.arange(100) * 20 * MS, DUE_MS * MS, 0),
    naive_timeline=timeline.of(np.arange(100) * 20 * MS, (SENT_MS * MS).astype(np.int64), 0),
    due_histogram=histogram.of(DUE_MS * MS).encode(),
    sent_histogram=histogram.of((SENT_MS * MS).astype(np.int64)).encode(),
    deliveries_in_window=90,
    connect_ns=tuple(range(MS, 11 * MS, MS)),
    connecting_ns=(NS // 4, NS // 4),
    lag=Lag(10 * MS, late_ns=(MS,) * 199 + (60 * MS,), cpu_ns=(MS,) * 199 + (30 * MS,)),
    slip_ns=(),
    traffic=Traffic(10, 0, 90 * 135, 0, 90, 90, 0, 90 * 52, 90 * 52),
    metered_ns=10 * 2 * NS,
    deliveries_metered=90,
    connect_traffic=Traffic(10, 10, 1600, 2000, 40, 30, 10, 2160, 1640),
    account=Account(Parts(framing=7 * 9, payload=128 * 9, messages=9), Parts()),
    witnessed=10,
    ended={},
)
NOBODY_CAME_BACK = [f"{what}_p{percent}_ms" for what in ("first_message", "reconnect") for percent in (50, 99)]
NOBODY_CAME_BACK += ["connect_peak_per_s", "server_away_ms", "recovered_90_percent_ms", "recovered_all_ms"]
SLIPS_NS = (MS,) * 14 + (2 * MS,)
MACHINE = Machine(
    {
        "server": Share(NS, NS // 50, 0.0, 2 * NS, 0.75),
        "swarm": Share(NS // 2, NS // 100, 0.015, 2 * NS, 0.5),
        "publisher": Share(NS // 10, 0, 0.0, 2 * NS, None),
    },
    steal_percent=1.5,
)


class NoMemory(Memory):
    """A trial that read no plateau."""

    def __init__(self) -> None:
        self.rows = [{"state": "baseline", "connections": 0, "server_user_bytes": 1.0, "server_kernel_bytes": 0.0}]
        self.rows[0]["client_user_bytes"] = 2.0


def conclude(seen: SwarmReport = SEEN, schedule: Schedule | None = SCHEDULE, **changes: Any) -> Outcome:
    return concluded(
        LOAD,
        schedule,
        seen,
        changes.get("slips", SLIPS_NS),
        changes.get("machine", MACHINE),
        NoMemory(),
        changes.get("relayed"),
    )


def test_every_column_is_as_it_is_defined() -> None:
    outcome = conclude()
    assert outcome.judgement == Judgement(Verdict.OK)
    assert outcome.columns == {
        "connect_per_s": 20,
        "connect_p99_ms": pytest.approx(9.91),
        "latency_mean_ms": pytest.approx(50.5, rel=1e-3),
        "latency_p50_ms": pytest.approx(50, rel=1e-3),
        "latency_p90_ms": pytest.approx(90, rel=1e-3),
        "latency_p99_ms": pytest.approx(99, rel=1e-3),
        "latency_p999_ms": pytest.approx(100, rel=1e-3),
        "latency_max_ms": pytest.approx(100, rel=1e-3),
        "naive_mean_ms": pytest.approx(50, rel=1e-3),
        "naive_p50_ms": pytest.approx(49.5, rel=1e-3),
        "naive_p90_ms": pytest.approx(89.5, rel=1e-3),
        "naive_p99_ms": pytest.approx(98.5, rel=1e-3),
        "naive_p999_ms": pytest.approx(99.5, rel=1e-3),
        "naive_max_ms": pytest.approx(99.5, rel=1e-3),
        "expected": 150,
        "delivered": 150,
        "lost": 0,
        "duplicated": 0,
        "reordered": 0,
        "coalesced": 4,
        "gaps": 0,
        "gap_longest": 0,
        "fanout_first_ms": None,
        "fanout_last_ms": None,
        "age_mean_ms": pytest.approx(300),
        "age_peak_ms": pytest.approx(400),
        "deliveries_per_s": 45,
        "offered_per_s": 50,
        "connect_down_bytes": 376,
        "connect_up_bytes": 364,
        # The witness got ten more, which the server had to send.
        "server_cpu_us_per_delivery": pytest.approx(1e6 / 100),
        "server_user_us_per_delivery": pytest.approx(0.75e6 / 100),
        "server_system_us_per_delivery": pytest.approx(0.25e6 / 100),
        "server_cpu_us_per_connection_s": pytest.approx(1e6 / 11 / 2),
        "server_cpu_us_per_empty_poll": None,
        "client_cpu_us_per_delivery": pytest.approx(0.5e6 / 90),
        "client_user_us_per_delivery": pytest.approx(0.25e6 / 90),
        "client_system_us_per_delivery": pytest.approx(0.25e6 / 90),
        "client_cpu_us_per_connection_s": pytest.approx(0.5e6 / 10 / 2),
        "client_cpu_us_per_empty_poll": None,
        "wire_down_bytes_per_delivery": 135 + 52,
        "wire_up_bytes_per_delivery": 52,
        "wire_down_packets_per_delivery": 1,
        "wire_up_packets_per_delivery": 1,
        "wire_down_payload_bytes_per_delivery": 128,
        "wire_down_framing_bytes_per_delivery": 7,
        "wire_down_http_bytes_per_delivery": 0,
        "wire_down_tcpip_bytes_per_delivery": 52,
        "wire_up_framing_bytes_per_delivery": 0,
        "wire_up_http_bytes_per_delivery": 0,
        "wire_up_tcpip_bytes_per_delivery": 52,
        "wire_split_error_percent": pytest.approx(0),
        "wire_down_tls_bytes_per_delivery": None,
        "wire_up_tls_bytes_per_delivery": None,
        "wire_down_bytes_per_connection_s": pytest.approx(90 * 187 / 20),
        "wire_up_bytes_per_connection_s": pytest.approx(90 * 52 / 20),
        "requests_per_delivery": 0,
        "publisher_slip_p99_ms": pytest.approx(1.86),
        "publisher_slip_max_ms": 2,
        "swarm_lag_p99_ms": pytest.approx(60 - 0.01 * 2259),
        "swarm_held_p99_ms": pytest.approx(30 - 0.01 * 2030),
        "server_cpu_percent": 50,
        "swarm_cpu_percent": 25,
        "publisher_cpu_percent": 5,
        "server_wait_percent": 1,
        "swarm_wait_percent": 0.5,
        "publisher_wait_percent": 0,
        "server_stopped_percent": 0,
        "swarm_stopped_percent": 1.5,
        "publisher_stopped_percent": 0,
        "steal_percent": 1.5,
        "swarm_processes": 1,
        "swarm_busiest": None,
        "swarm_late_ms": 0,
        "server_processes": 1,
        "clock_offset_ms": 0,
        "clock_uncertainty_ms": 0,
        "reconnects": 0,
        **dict.fromkeys(NOBODY_CAME_BACK),
        **dict.fromkeys(("slow_delivered", "slow_lost", "slow_ended", "slow_ended_by")),
        **dict.fromkeys((*PEAKS, *NOTICED)),
    }


def test_all_that_is_measured_is_there_but_the_slopes_of_memory() -> None:
    slopes = re.compile(
        r"(server_(user|kernel)|client_user|both_ends).*_bytes_per_connection|server_cpu_us_per_connect$|relay_"
    )
    assert {name for name in MEASURED if not slopes.match(name)} - TLS.keys() - PINGS.keys() == set(conclude().columns)


def test_what_a_relay_reports_is_there_if_there_was_one() -> None:
    relayed = RelayReport(Lag(10 * MS, late_ns=(2 * MS,) * 100, cpu_ns=(MS,) * 100), resets=3, idle_cuts=4)
    columns = conclude(relayed=relayed).columns
    assert (columns["relay_resets"], columns["relay_idle_cuts"]) == (3, 4)
    assert 0 < columns["relay_lag_p99_ms"] < 2


@pytest.mark.parametrize(
    ("changes", "excused_s"),
    [
        ({}, 0.0),
        ({"rtt_ms": 300.0}, 0.0),  # the window's end is later by as much as its beginning
        ({"rtt_ms": 4000.0}, 2.0 - SCHEDULE.warmup_s),
        ({"rtt_ms": 2000.0, "transport": "longpoll"}, 3.0 - SCHEDULE.warmup_s),
        ({"rtt_ms": 900.0, "transport": "polling", "poll_interval_ms": 500}, 0.5 * 2 + 0.45 - SCHEDULE.warmup_s),
        ({"relay_stall_ms": 500}, 0.5),
        ({"rtt_ms": 100.0, "resume_percent": 50.0}, 0.5 * (AWAY_S + 0.2)),
        ({"rtt_ms": 100.0, "join_late_percent": 50.0}, 0.5 * 0.2),
    ],
)
def test_what_the_relay_delays_is_excused_as_far_as_the_warm_up_does_not_make_up_for_it(
    changes: dict[str, Any], excused_s: float
) -> None:
    cell = Load.model_validate(LOAD.model_dump() | changes)
    assert _excused(cell, SCHEDULE) == pytest.approx(excused_s / SCHEDULE.measure_s)


def test_the_histograms_of_both_clocks_are_rows() -> None:
    rows = conclude().latency
    for clock, values_ms in (("due", DUE_MS), ("sent", SENT_MS)):
        found = [(row["value_ms"], row["count"]) for row in rows if row["clock"] == clock]
        assert sum(count for _, count in found) == len(values_ms)
        assert [value for value, count in found for _ in range(count)] == pytest.approx(values_ms, rel=1e-3)


def test_the_time_line_begins_with_the_warm_up_and_has_all_deliveries() -> None:
    rows = conclude().timeline
    assert rows[0]["at_s"] == -1.0
    assert sum(row["deliveries"] for row in rows) == 100


def test_what_ended_early_is_told_with_its_verdict() -> None:
    lost = replace(
        SEEN, ledger=ledger.Ledger(expected=150, delivered=135, lost=15), ended={"ConnectionEnded: EOF": 1, "Gone: x": 2}
    )
    judgement = conclude(lost).judgement
    assert judgement.verdict == Verdict.LOSSY
    assert judgement.reason.endswith("; subscribers ended: 1 × ConnectionEnded: EOF; 2 × Gone: x")
    assert "lost 15" in judgement.evidence


def test_an_early_end_is_a_loss_even_if_every_message_had_arrived() -> None:
    judgement = conclude(replace(SEEN, ended={"ConnectionEnded: EOF": 1})).judgement
    assert (judgement.verdict, judgement.reason) == (Verdict.LOSSY, "subscribers ended: 1 × ConnectionEnded: EOF")


def test_an_early_end_is_a_loss_without_traffic_too() -> None:
    outcome = conclude(replace(SEEN, ended={"ConnectionEnded: EOF": 1}), schedule=None, slips=(), machine=Machine())
    assert outcome.judgement.verdict == Verdict.LOSSY
    assert outcome.judgement.reason == "subscribers ended: 1 × ConnectionEnded: EOF"


def test_a_late_publisher_makes_the_verdict() -> None:
    assert conclude(slips=(11 * MS,) * 15).judgement.verdict == Verdict.PUBLISHER_LATE


def test_when_nothing_arrived_there_is_no_latency_and_no_cost_of_a_delivery() -> None:
    nothing = np.array([], dtype=np.int64)
    seen = replace(
        SEEN,
        ledger=ledger.Ledger(expected=150, lost=150),
        age=age.Age(),
        timeline=timeline.of(nothing, nothing, 0),
        naive_timeline=timeline.of(nothing, nothing, 0),
        due_histogram=histogram.empty().encode(),
        sent_histogram=histogram.empty().encode(),
        deliveries_in_window=0,
        lag=Lag(10 * MS),
    )
    outcome = conclude(seen)
    assert outcome.judgement.verdict == Verdict.LOSSY
    assert math.isnan(outcome.columns["latency_p99_ms"])
    assert math.isnan(outcome.columns["age_mean_ms"])
    assert outcome.columns["server_cpu_us_per_delivery"] is None
    assert outcome.latency == []


def test_a_trial_without_traffic_has_only_what_connecting_says() -> None:
    outcome = conclude(schedule=None, slips=(), machine=Machine())
    assert outcome.judgement == Judgement(Verdict.OK)
    connecting = {"connect_per_s", "connect_p99_ms", "connect_down_bytes", "connect_up_bytes"}
    assert set(outcome.columns) == {*connecting, "swarm_processes"}
    assert (outcome.latency, outcome.timeline) == ([], [])
    assert [row["state"] for row in outcome.memory] == ["baseline"]


def test_no_column_is_made_that_the_results_do_not_know() -> None:
    assert set(conclude().columns) <= set(COLUMNS)


def test_who_joins_late_is_offered_less() -> None:
    late = LOAD.model_copy(update={"join_late_percent": 40.0})
    outcome = concluded(late, SCHEDULE, SEEN, SLIPS_NS, MACHINE, NoMemory())
    assert outcome.columns["offered_per_s"] == pytest.approx((10 - 4 / 2) * 5)


def test_where_some_read_slowly_or_vanish_nothing_is_told_per_delivery_and_they_are_connections_all_the_same() -> None:
    load = LOAD.model_copy(update={"vanish_percent": 50.0})
    columns = concluded(load, SCHEDULE, SEEN, SLIPS_NS, MACHINE, NoMemory()).columns
    for role in ("server", "client"):
        assert columns[f"{role}_cpu_us_per_delivery"] is columns[f"{role}_user_us_per_delivery"] is None
        assert columns[f"{role}_cpu_us_per_empty_poll"] is None
    assert columns["server_cpu_us_per_connection_s"] == pytest.approx(1e6 / 11 / 2)
    assert columns["client_cpu_us_per_connection_s"] == pytest.approx(0.5e6 / 10 / 2)


def test_a_feed_of_the_swarms_own_has_no_server_to_tell_of() -> None:
    alone = Machine({"swarm": MACHINE.shares["swarm"]}, steal_percent=0.0)
    outcome = concluded(LOAD, SCHEDULE, SEEN, SLIPS_NS, alone, None)
    assert outcome.judgement == Judgement(Verdict.OK)
    assert "server_cpu_us_per_delivery" not in outcome.columns
    assert "server_cpu_percent" not in outcome.columns
    assert outcome.memory == []


@pytest.mark.parametrize(
    ("load", "excused"),
    [
        ({}, 0.0),
        ({"resume_percent": 50.0}, 0.5 * 0.5 / 2),
        ({"server_stall_ms": 300}, 0.3 / 2),
        ({"join_late_percent": 50.0}, 0.0),
        ({"join_late_percent": 50.0, "transport": "polling", "poll_interval_ms": 400}, 0.5 * 0.4 / 2),
    ],
)
def test_what_the_load_itself_delays_is_excused(load: dict[str, Any], excused: float) -> None:
    cell = LOAD.model_copy(update=load)
    offered = (10 - cell.join_late / 2) * 5
    for part, verdict in ((0.9 - excused + 0.01, Verdict.OK), (0.9 - excused - 0.01, Verdict.CLIENT_BOUND)):
        seen = replace(
            SEEN,
            deliveries_in_window=part * offered * 2,  # type: ignore[arg-type]
            lag=Lag(10 * MS),
        )
        assert concluded(cell, SCHEDULE, seen, SLIPS_NS, MACHINE, NoMemory()).judgement.verdict == verdict


def test_an_outage_is_in_the_latency_and_excused_in_slip_and_throughput() -> None:
    returned_ns = 100 * MS
    slips = (*(MS,) * 10, *(900 * MS,) * 5)
    seen = replace(SEEN, deliveries_in_window=60, caught_up_ns=(150 * MS,) * 9 + (400 * MS,))
    away = Outage(0.5, returned_ns, held_up=(10, 11, 12, 13, 14))
    outcome = concluded(LOAD, SCHEDULE, seen, slips, MACHINE, NoMemory(), outage=away)
    assert outcome.judgement.verdict == Verdict.OK, outcome.judgement.said
    assert outcome.columns["publisher_slip_max_ms"] == 1
    assert outcome.columns["server_away_ms"] == 500
    assert outcome.columns["recovered_90_percent_ms"] == 50
    assert outcome.columns["recovered_all_ms"] == 300


def test_without_the_outage_the_same_figures_are_doubted() -> None:
    slips = (*(MS,) * 10, *(900 * MS,) * 5)
    seen = replace(SEEN, deliveries_in_window=60)
    assert conclude(seen, slips=slips).judgement.verdict == Verdict.PUBLISHER_LATE
    assert not conclude(seen).judgement.verdict.believable


def test_who_never_caught_up_leaves_recovery_empty() -> None:
    seen = replace(SEEN, caught_up_ns=(150 * MS,) * 9 + (None,))
    columns = concluded(LOAD, SCHEDULE, seen, SLIPS_NS, MACHINE, NoMemory(), outage=Outage(0.5, 100 * MS)).columns
    assert (columns["recovered_90_percent_ms"], columns["recovered_all_ms"]) == (50, None)
