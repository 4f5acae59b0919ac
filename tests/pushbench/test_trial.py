"""A trial: every transport delivers all, and whatever goes wrong is an outcome with its reason, not an exception."""

import logging
import math
import os
import re
import shutil
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from itertools import cycle

import pytest

from pushbench.checks import Verdict
from pushbench.columns import COLUMNS, LEDGER, MEASURED, PINGS, TLS
from pushbench.outcome import Outcome
from pushbench.plans import Trial
from pushbench.run import target_of
from pushbench.scenario import Phases
from pushbench.target import NO_READY_LINE, Served, Target
from pushbench.transports import FLOORS, OVER_TCP
from pushbench.trial import attempt
from tests.pushbench.otherclock import AHEAD_NS, Elsewhere, swarm_of_another_clock
from tests.pushbench.tiny import (
    GOOD_SERVER,
    PHASES,
    Phased,
    command_of,
    load,
    mostly_slow,
    nothing_left_over,
    ready_on,
    servers_below,
    shell,
    started_below,
    trial,
)

OF_A_RELAY = {name for name in MEASURED if name.startswith("relay_")}
AFTER_TRAFFIC = {name for name in MEASURED if "_traffic_" in name}
SLOPES = {
    name for name in MEASURED if re.match(r"((server|client)_(user|kernel).*|both_ends)_bytes_per_connection", name)
} - AFTER_TRAFFIC
WITH_TRAFFIC = set(MEASURED) - SLOPES - AFTER_TRAFFIC - OF_A_RELAY - TLS.keys() - PINGS.keys()
MISBEHAVING = {f"{what}_p{percent}_ms" for what in ("first_message", "reconnect") for percent in (50, 99)}
MISBEHAVING |= {"connect_peak_per_s", "server_away_ms", "recovered_90_percent_ms", "recovered_all_ms"}
MISBEHAVING |= {"slow_delivered", "slow_lost", "slow_ended", "slow_ended_by", "noticed_p50_ms", "noticed_all_ms"}
OF_LONGER_WINDOWS = ("_empty_poll", "_user_us_per_delivery", "_system_us_per_delivery")
"""What is not there of a window with messages, or of one in which the kernel's clock may not have ticked."""
CONNECTING = {
    "swarm_processes",
    "connect_per_s",
    "connect_p99_ms",
    "connect_down_bytes",
    "connect_up_bytes",
    "server_cpu_us_per_connect",
}


@pytest.fixture(autouse=True)
async def _quiet_and_tidy(caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """However a trial ends, it leaves no process behind and nothing on the terminal."""
    with nothing_left_over():
        yield
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


# The two ways to publish take turns, so that each is tried without trying every pair.
PUBLISHED_VIA = dict(zip(OVER_TCP, cycle(("websocket", "post")), strict=False))


@pytest.mark.parametrize(("transport", "way"), PUBLISHED_VIA.items())
async def test_every_transport_delivers_all_and_every_column_is_there(transport: str, way: str) -> None:
    watch = Phased()
    cell = load(transport, publish_via=way)
    outcome = await attempt(trial(cell), watch)
    columns = outcome.columns
    assert outcome.judgement.verdict not in (Verdict.FAILED, Verdict.LOSSY), outcome.judgement.reason
    assert bool(outcome.judgement.reason) == (outcome.judgement.verdict != Verdict.OK)
    assert set(columns) == WITH_TRAFFIC
    expected = 4 * 16  # 40 Hz for 0.4 s, to four subscribers
    assert {name: columns[name] for name in LEDGER if name != "coalesced"} == {
        "expected": expected,
        "delivered": expected,
        "lost": 0,
        "duplicated": 0,
        "reordered": 0,
        "gaps": 0,
        "gap_longest": 0,
    }
    assert columns["offered_per_s"] == pytest.approx(4 * 40)
    assert 0 < columns["naive_p50_ms"] <= columns["latency_max_ms"]
    assert columns["server_cpu_percent"] > 0
    for clock in ("due", "sent"):
        assert sum(row["count"] for row in outcome.latency if row["clock"] == clock) == 4 * 12
    assert sum(row["deliveries"] for row in outcome.timeline) == expected
    assert outcome.timeline[0]["at_s"] == -0.1
    assert [row["state"] for row in outcome.memory] == ["baseline"]
    assert watch.phases == ["start", "ramp", "warm up", "measure", "drain", "disconnect"]


async def test_a_trial_of_memory_alone_has_plateaus_and_slopes_and_publishes_nothing() -> None:
    watch = Phased()
    phases = Phases(plateaus=4, settle_s=0, warmup_s=0, measure_s=0)
    outcome = await attempt(trial(load("sse", subscribers=8, rate_hz=0.0), phases=phases), watch)
    assert outcome.judgement.verdict == Verdict.OK
    assert set(outcome.columns) == SLOPES | CONNECTING
    assert [(row["state"], row["connections"]) for row in outcome.memory] == [
        ("baseline", 0),
        ("ramp", 2),
        ("ramp", 4),
        ("ramp", 6),
        ("ramp", 8),
        ("residual", 0),
    ]
    assert (outcome.latency, outcome.timeline) == ([], [])
    assert watch.phases == ["start", "ramp", "disconnect"]


@pytest.mark.parametrize("transport", mostly_slow([*OVER_TCP, "tcp"]))
async def test_the_parts_of_what_went_over_the_wire_come_to_what_was_counted(transport: str) -> None:
    cell = load(transport, subscribers=10, rate_hz=200.0)
    outcome = await attempt(trial(cell, target_of(cell)), Phased())
    columns = outcome.columns
    assert columns["wire_down_payload_bytes_per_delivery"] == 128
    if columns["requests_per_delivery"]:  # of which so short a window has one too many or too few
        assert columns["wire_up_http_bytes_per_delivery"] > 100 * columns["requests_per_delivery"]
    else:
        assert columns["wire_split_error_percent"] == pytest.approx(0, abs=5)  # three of the sixty messages at its edges
        assert columns["wire_up_http_bytes_per_delivery"] == columns["wire_down_http_bytes_per_delivery"] == 0


async def test_of_a_window_without_messages_it_is_told_what_it_costs_to_wait() -> None:
    cell = load("polling", subscribers=10, rate_hz=0.0, kind="idle")
    outcome = await attempt(trial(cell, target_of(cell)), Phased())
    columns = outcome.columns
    assert outcome.judgement.verdict != Verdict.FAILED, outcome.judgement.said
    assert columns["expected"] == columns["delivered"] == columns["lost"] == 0
    assert columns["server_cpu_us_per_empty_poll"] > 0
    assert columns["wire_up_bytes_per_connection_s"] > 0
    assert columns["server_cpu_us_per_delivery"] is columns["wire_down_bytes_per_delivery"] is None
    assert math.isnan(columns["latency_p99_ms"])


async def test_memory_is_read_again_after_everybody_got_messages() -> None:
    phases = Phases(plateaus=4, plateau_messages=2, settle_s=0, warmup_s=0, measure_s=0)
    outcome = await attempt(trial(load("sse", subscribers=8, rate_hz=0.0), phases=phases), Phased())
    assert outcome.judgement.verdict == Verdict.OK, outcome.judgement.said
    assert set(outcome.columns) == SLOPES | AFTER_TRAFFIC | CONNECTING - {"server_cpu_us_per_connect"}
    assert [(row["state"], row["connections"]) for row in outcome.memory] == [
        ("baseline", 0),
        *(("ramp", there) for there in (2, 4, 6, 8)),
        ("traffic", 8),
        ("residual", 0),
    ]
    assert (outcome.latency, outcome.timeline) == ([], [])


@pytest.mark.parametrize("name", FLOORS)
async def test_every_floor_delivers_all(name: str) -> None:
    cell = load(name)
    watch = Phased()
    outcome = await attempt(trial(cell, target_of(cell)), watch)
    columns = outcome.columns
    assert outcome.judgement.verdict not in (Verdict.FAILED, Verdict.LOSSY), outcome.judgement.reason
    assert columns["delivered"] == columns["expected"] == 4 * 16
    assert sum(row["count"] for row in outcome.latency if row["clock"] == "due") == 4 * 12
    without = MISBEHAVING | {"swarm_busiest"} | {name for name in WITH_TRAFFIC if name.endswith(OF_LONGER_WINDOWS)}
    if FLOORS[name].feeds_itself:
        without |= {name for name in WITH_TRAFFIC if name.startswith("server_")}
        without |= {"connect_down_bytes", "connect_up_bytes", "host_peak_queue_bytes"}
        without |= {f"publisher_{what}_percent" for what in ("cpu", "wait", "stopped")}
    without |= {name for name in WITH_TRAFFIC if name.startswith(("wire_", "requests_"))}
    assert {name for name in WITH_TRAFFIC if columns.get(name) is None} <= without
    assert watch.phases == ["start", "ramp", "warm up", "measure", "drain", "disconnect"]


@pytest.mark.parametrize("transport", mostly_slow([*OVER_TCP, "tcp", "null"]))
async def test_who_joins_late_and_who_resumes_loses_nothing(transport: str) -> None:
    disturbed: dict[str, object] = {"join_late_percent": 50.0}
    if transport in OVER_TCP:
        disturbed["resume_percent"] = 25.0
    cell = load(transport, **disturbed)
    outcome = await attempt(trial(cell, target_of(cell)), Phased())
    columns = outcome.columns
    assert outcome.judgement.verdict not in (Verdict.FAILED, Verdict.LOSSY), outcome.judgement.said
    # Two get all 16 messages; the other two join after the warm-up's four, at a quarter and at three quarters of the rest.
    assert 32 + 4 < columns["expected"] < 32 + 24
    assert columns["delivered"] == columns["expected"]
    assert columns["duplicated"] == columns["reordered"] == columns["gaps"] == 0


@pytest.mark.quick_once
@pytest.mark.parametrize(("transport", "swarms"), [("websocket", 3), ("polling", 2)])
async def test_subscribers_in_several_processes_get_what_they_would_get_in_one(transport: str, swarms: int) -> None:
    cell = load(transport, subscribers=10, swarms=swarms, join_late_percent=20.0, resume_percent=20.0)
    outcome = await attempt(trial(cell, target_of(cell)), Phased())
    columns = outcome.columns
    assert outcome.judgement.verdict not in (Verdict.FAILED, Verdict.LOSSY), outcome.judgement.said
    assert columns["swarm_processes"] == swarms
    assert 1 <= columns["swarm_busiest"] <= swarms
    # Eight get all 16 messages; the others join after the warm-up's four, at a quarter and three quarters of the rest.
    assert 8 * 16 + 4 < columns["expected"] < 8 * 16 + 24
    assert columns["delivered"] == columns["expected"]
    assert columns["duplicated"] == columns["reordered"] == columns["gaps"] == 0
    assert columns["reconnects"] == 2
    assert columns["wire_down_payload_bytes_per_delivery"] == 128  # by the one witness that there is
    assert sum(row["deliveries"] for row in outcome.timeline) >= columns["delivered"]
    assert columns["client_cpu_us_per_connection_s"] > 0


@pytest.mark.quick_once
@pytest.mark.parametrize("transport", ["sse", "null"])
async def test_by_clocks_that_are_minutes_apart_a_latency_is_what_it_is(
    transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pushbench.trial.swarm", swarm_of_another_clock)
    swarms = 2 if transport in OVER_TCP else 0
    cell = load(transport, swarms=swarms, join_late_percent=50.0)
    outcome = await attempt(trial(cell, target_of(cell)), Phased(), Elsewhere())
    columns = outcome.columns
    assert outcome.judgement.verdict not in (Verdict.FAILED, Verdict.LOSSY), outcome.judgement.said
    assert 32 + 4 < columns["expected"] == columns["delivered"] < 32 + 24
    assert 0 < columns["latency_p50_ms"] <= columns["latency_max_ms"] < AHEAD_NS / 1e6 / 10
    assert sum(row["deliveries"] for row in outcome.timeline) == columns["delivered"]
    assert 0 < columns["connect_peak_per_s"] <= 2 * 10
    assert columns["swarm_cpu_percent"] > 0  # by their own account
    assert columns["swarm_stopped_percent"] is None
    if swarms:
        assert abs(columns["clock_offset_ms"]) == pytest.approx(AHEAD_NS / 1e6, abs=10_000)
        assert 0 < columns["clock_uncertainty_ms"] < 10_000
    else:  # a feed of the swarm's own goes by its clock alone
        assert columns["clock_offset_ms"] == columns["clock_uncertainty_ms"] == 0


@pytest.mark.parametrize("transport", mostly_slow([*OVER_TCP, "tcp"]))
async def test_through_a_relay_all_arrives_and_nothing_sooner_than_the_line_lets_it(transport: str) -> None:
    cell = load(transport, rtt_ms=60.0, jitter_ms=5.0, bandwidth_kbit_s=10_000)
    outcome = await attempt(trial(cell, target_of(cell)), Phased())
    columns = outcome.columns
    assert outcome.judgement.verdict not in (Verdict.FAILED, Verdict.LOSSY), outcome.judgement.said
    assert columns["delivered"] == columns["expected"] == 4 * 16
    assert set(columns) == WITH_TRAFFIC | OF_A_RELAY
    assert min(row["value_ms"] for row in outcome.latency) >= 30  # upper edges of buckets
    assert columns["connect_p99_ms"] >= 120  # a handshake, and a request with its answer
    assert columns["relay_cpu_percent"] > 0
    assert columns["relay_resets"] == columns["relay_idle_cuts"] == 0


async def test_a_relay_that_stalls_is_in_the_latency_of_all_that_was_due_meanwhile() -> None:
    outcome = await attempt(trial(load(relay_stall_ms=STALL_MS, rate_hz=200.0)), Phased())
    assert outcome.judgement.verdict not in (Verdict.FAILED, Verdict.LOSSY), outcome.judgement.said
    assert outcome.columns["latency_max_ms"] >= STALL_MS * 0.9
    waited = sum(row["count"] for row in outcome.latency if row["clock"] == "due" and row["value_ms"] > STALL_MS / 3)
    assert waited >= 4 * (STALL_MS / 5) / 2  # every 5 ms one was due


@pytest.mark.quick_once
@pytest.mark.parametrize(("transport", "held"), [("polling", False), ("stream", True), ("websocket", False)])
async def test_a_relay_that_buffers_holds_streams_and_nothing_else(transport: str, held: bool) -> None:
    short = PHASES.model_copy(update={"drain_s": 0.5})
    outcome = await attempt(trial(load(transport, relay_buffer_bytes=100_000), phases=short), Phased())
    assert outcome.judgement.verdict != Verdict.FAILED, outcome.judgement.said
    assert outcome.columns["lost"] == (outcome.columns["expected"] if held else 0)


async def test_whom_the_relay_resets_is_counted_and_comes_back_without_having_lost_anything() -> None:
    outcome = await attempt(trial(load("stream", relay_reset_percent=50.0)), Phased())
    assert outcome.judgement.verdict not in (Verdict.FAILED, Verdict.LOSSY), outcome.judgement.said
    assert outcome.columns["relay_resets"] == outcome.columns["reconnects"] == 2
    assert outcome.columns["lost"] == outcome.columns["duplicated"] == 0


STALL_MS = 150


async def test_a_server_that_is_stopped_is_in_the_latency_of_all_that_was_due_meanwhile() -> None:
    outcome = await attempt(trial(load(server_stall_ms=STALL_MS, rate_hz=200.0)), Phased())
    assert outcome.judgement.verdict != Verdict.FAILED, outcome.judgement.said
    assert outcome.columns["lost"] == 0
    assert outcome.columns["latency_max_ms"] >= STALL_MS * 0.9  # the first was due a moment after it began
    assert outcome.columns["naive_max_ms"] >= STALL_MS * 0.9  # on time by the socket, so this publisher hides nothing
    waited = sum(row["count"] for row in outcome.latency if row["clock"] == "due" and row["value_ms"] > STALL_MS / 3)
    assert waited >= 4 * (STALL_MS / 5) / 2  # every 5 ms one was due


async def test_a_closed_loop_hides_the_stall_from_all_but_the_message_that_it_caught() -> None:
    cell = load(server_stall_ms=STALL_MS, rate_hz=200.0, pacing="closed")
    outcome = await attempt(trial(cell), Phased())
    assert outcome.judgement.verdict == Verdict.PUBLISHER_LATE
    assert "closed loop" in outcome.judgement.reason

    def share_of_stalled(clock: str) -> float:
        rows = [row for row in outcome.latency if row["clock"] == clock]
        stalled = sum(row["count"] for row in rows if row["value_ms"] > STALL_MS / 3)
        return float(stalled / sum(row["count"] for row in rows))

    assert share_of_stalled("due") > 0.3
    assert share_of_stalled("sent") < 0.1


# What goes wrong


async def failure(made: Trial, watch: Phased | None = None) -> str:
    """The reason of a trial that must fail, and have nothing else to show."""
    outcome = await attempt(made, watch or Phased())
    by_target = outcome.judgement.reason.startswith("the server")
    assert outcome == Outcome(outcome.judgement, by_target=by_target)
    assert outcome.judgement.verdict == Verdict.FAILED
    assert len(outcome.judgement.reason.splitlines()) == 1
    return outcome.judgement.reason


async def test_a_server_that_does_not_start_is_told_with_its_last_lines() -> None:
    reason = await failure(trial(load(), shell("echo cannot bind; echo bye >&2; exit 7")))
    assert reason == "the server fake ended with exit code 7 before it was ready; its last lines: cannot bind | bye"


async def test_a_server_that_is_never_ready_is_given_up() -> None:
    reason = await failure(trial(load(), replace(shell("exec sleep 600"), ready_timeout_s=0.1)))
    assert reason == f"the server fake was not ready after 0.1 s ({NO_READY_LINE}); it printed nothing"


async def test_a_server_that_cannot_even_be_started_is_named() -> None:
    reason = await failure(trial(load(), Target("mine", ("/no/such/server",))))
    assert reason == "the server mine cannot be started: /no/such/server: No such file or directory"


@dataclass(slots=True)
class Killer(Phased):
    """A watch that kills the server when the trial begins to measure."""

    def phase(self, name: str, planned_s: float) -> None:
        Phased.phase(self, name, planned_s)
        if name == "measure":
            # Other tests may have servers of their own, but the trial's is the newest.
            newest = max(servers_below(os.getpid()), key=lambda server: server.create_time())
            newest.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("way", ["websocket", "post"])
async def test_a_server_that_dies_in_the_middle_is_the_reason_whoever_noticed_first(way: str) -> None:
    reason = await failure(trial(load("stream", publish_via=way)), Killer())
    assert reason == "the server starlette ended with exit code -9 during the trial; it printed nothing"


@dataclass(slots=True)
class Sniper(Phased):
    """A watch that kills one of the load processes when the trial begins to measure."""

    role: int = 0
    shots: list[int] = field(default_factory=list)

    def phase(self, name: str, planned_s: float) -> None:
        Phased.phase(self, name, planned_s)
        if name == "measure":
            load_processes = [one for one in started_below(os.getpid()) if "spawn_main" in " ".join(command_of(one))]
            load_processes.sort(key=lambda one: one.create_time())
            load_processes[self.role].kill()
            self.shots.append(load_processes[self.role].pid)


@pytest.mark.quick_once
@pytest.mark.parametrize(("role", "name"), [(0, "swarm"), (1, "publisher"), (2, "relay")])
async def test_a_load_process_that_dies_is_noticed_at_once(role: int, name: str) -> None:
    sniper = Sniper(role=role)
    endless = PHASES.model_copy(update={"measure_s": 600.0})
    reason = await failure(trial(load("stream", rtt_ms=1.0), phases=endless), sniper)
    assert (
        reason == f"the {name} (process {sniper.shots[0]}) was killed; was there too little memory? the kernel's log knows"
    )
    assert sniper.phases[-1] == "measure"


async def test_of_several_swarm_processes_it_is_told_which_one_died_and_what_is_lost_with_it() -> None:
    sniper = Sniper(role=1)
    endless = PHASES.model_copy(update={"measure_s": 600.0})
    reason = await failure(trial(load("stream", swarms=2), phases=endless), sniper)
    assert reason.startswith(f"the swarm process 2 of 2 (process {sniper.shots[0]}) was killed; ")
    assert reason.endswith("; what the others saw is dropped with it, and all earlier trials are kept")


@dataclass(slots=True)
class Stopper(Phased):
    """A watch that stops the server when the trial begins to measure."""

    pids: list[int] = field(default_factory=list)

    def phase(self, name: str, planned_s: float) -> None:
        Phased.phase(self, name, planned_s)
        if name == "measure":
            newest = max(servers_below(os.getpid()), key=lambda server: server.create_time())
            newest.send_signal(signal.SIGSTOP)
            self.pids.append(newest.pid)


async def test_a_server_that_is_stopped_and_does_not_go_on_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pushbench.trial.STOPPED_S", 0.3)
    monkeypatch.setattr("pushbench.target.STOP_TIMEOUT_S", 0.1)
    stopper = Stopper()
    reason = await failure(trial(load("sse"), phases=PHASES.model_copy(update={"measure_s": 600.0})), stopper)
    assert reason.startswith(f"the server (process {stopper.pids[0]}) was stopped (SIGSTOP, or a debugger)")
    assert f"kill -CONT {stopper.pids[0]}" in reason


async def test_a_swarm_that_cannot_connect_says_whom_it_tried_and_why() -> None:
    with socket.socket() as unanswered:  # bound, but it does not listen
        unanswered.bind(("127.0.0.1", 0))
        port = unanswered.getsockname()[1]
        reason = await failure(trial(load("stream", publish_via="post"), ready_on(port)))
    assert reason.startswith("0 of 4 subscribers connected: 4 × ")
    assert f"127.0.0.1:{port}" in reason


async def test_a_swarm_that_is_refused_says_with_what() -> None:
    reason = await failure(trial(load("stream"), replace(GOOD_SERVER, serves={"stream": Served("/nowhere")})))
    assert reason == "0 of 4 subscribers connected: 4 × RequestRefused: /nowhere answered 404: Not Found"


@pytest.mark.parametrize(
    ("way", "says"),
    [
        (
            "websocket",
            "the publisher failed: PublishingFailed: the publisher's WebSocket at /nowhere was refused: "
            "server rejected WebSocket connection: HTTP 403",
        ),
        ("post", "the publisher failed: PublishingFailed: POST /nowhere answered 404: Not Found"),
    ],
)
async def test_a_publisher_that_is_refused_says_with_what(way: str, says: str) -> None:
    assert await failure(trial(load(publish_via=way), replace(GOOD_SERVER, publish={way: "/nowhere"}))) == says


async def test_messages_that_the_server_refuses_are_told_with_its_reason() -> None:
    strict = replace(GOOD_SERVER, command=(*GOOD_SERVER.command, "--max-message-bytes=100"))
    reason = await failure(trial(load(payload_bytes=101), strict))
    assert reason.startswith("the publisher failed: PublishingFailed: the server closed the publisher's WebSocket")
    assert "limit of 100 bytes" in reason


async def test_subscribers_that_fall_off_make_it_lossy_and_are_told() -> None:
    forgetful = replace(GOOD_SERVER, command=(*GOOD_SERVER.command, "--log-messages=1"))
    # Between two polls come some twenty messages, of which the server keeps one.
    slow_pollers = load("polling", rate_hz=200.0, poll_interval_ms=100)
    outcome = await attempt(trial(slow_pollers, forgetful, PHASES.model_copy(update={"drain_s": 0.5})), Phased())
    assert outcome.judgement.verdict in (Verdict.LOSSY, Verdict.PUBLISHER_LATE, Verdict.CLIENT_BOUND)
    assert outcome.columns["lost"] > 0
    assert outcome.columns["lost"] + outcome.columns["delivered"] == outcome.columns["expected"]
    assert "subscribers ended: " in outcome.judgement.reason
    assert "CursorGone: /polling answered 410: cursor_too_old" in outcome.judgement.reason
    assert set(outcome.columns) <= set(COLUMNS)


@pytest.mark.parametrize("transport", mostly_slow(OVER_TCP))
async def test_slow_readers_are_told_apart_and_the_others_get_everything(transport: str) -> None:
    cell = load(transport, subscribers=10, slow_percent=10.0, payload_bytes=20_000)
    outcome = await attempt(trial(cell), Phased())
    columns = outcome.columns
    assert outcome.judgement.verdict not in (Verdict.FAILED, Verdict.LOSSY), outcome.judgement.said
    assert columns["delivered"] == columns["expected"] == 9 * 16
    assert columns["offered_per_s"] == pytest.approx(9 * 40)
    assert columns["slow_delivered"] == 0
    assert columns["slow_lost"] == 16
    assert columns["slow_ended"] == 0
    assert columns["server_peak_user_bytes"] > 0


@pytest.mark.quick_once
@pytest.mark.parametrize("transport", ["polling", "stream", "websocket"])
async def test_bursts_arrive_whole_and_who_takes_turns_in_leaving_loses_nothing(transport: str) -> None:
    cell = load(transport, subscribers=12, burst=4, churn_hz=10.0)
    outcome = await attempt(trial(cell, phases=PHASES.model_copy(update={"measure_s": 1.0})), Phased())
    columns = outcome.columns
    assert outcome.judgement.verdict not in (Verdict.FAILED, Verdict.LOSSY), outcome.judgement.said
    assert columns["delivered"] == columns["expected"] == 12 * 44
    assert 1 <= columns["reconnects"] <= 10  # half a second after the last left, some may not be back yet
    assert columns["reconnect_p50_ms"] > 0


@pytest.mark.parametrize("transport", mostly_slow(["polling", "longpoll", "stream", "websocket"]))
async def test_peers_that_vanish_are_noticed_if_the_server_drops_who_does_not_answer(transport: str) -> None:
    cell = load(transport, subscribers=6, vanish_percent=50.0, drop_unanswered_s=0.3, rate_hz=20.0, longpoll_timeout_s=0.5)
    target = target_of(cell)
    outcome = await attempt(trial(cell, target, PHASES.model_copy(update={"measure_s": 2.0})), Phased())
    columns = outcome.columns
    assert outcome.judgement.verdict not in (Verdict.FAILED, Verdict.LOSSY), outcome.judgement.said
    assert columns["delivered"] == columns["expected"] == 3 * 42
    if transport == "polling":  # of which the server holds nothing
        assert columns["noticed_all_ms"] is None
    else:
        assert 0 < columns["noticed_p50_ms"] <= columns["noticed_all_ms"]


@pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="redis-server is not installed: apt-get install redis-server"
)
async def test_several_processes_of_a_server_are_measured_as_one() -> None:
    cell = load("stream", subscribers=12, server_workers=2, swarms=2)
    outcome = await attempt(trial(cell, target_of(cell)), Phased())
    columns = outcome.columns
    assert outcome.judgement.verdict not in (Verdict.FAILED, Verdict.LOSSY), outcome.judgement.said
    assert columns["delivered"] == columns["expected"] == 12 * 16
    assert columns["server_processes"] == 4  # the one that looks after the two, and Redis
    assert 0 < columns["fanout_first_ms"] <= columns["latency_p50_ms"] <= columns["fanout_last_ms"]


async def test_subscribers_that_ping_are_answered_and_how_long_that_takes_is_told() -> None:
    outcome = await attempt(trial(load("websocket", ping_s=0.05)), Phased())
    columns = outcome.columns
    assert columns["pings_unanswered"] == 0
    assert 0 < columns["ping_p50_ms"] <= columns["ping_p99_ms"]
    assert columns["lost"] == 0
