"""Trials in which the subscribers act: they are answered, or heard by their rooms; and what is found if they are not."""

import sys
from dataclasses import replace

import pytest

from pushbench.checks import Verdict
from pushbench.outcome import Outcome
from pushbench.scenario import Phases
from pushbench.target import Target
from pushbench.transports import TRANSPORTS
from pushbench.trial import attempt
from tests.pushbench.tiny import Phased, good_server, load, mostly_slow, trial

IN_ROOMS = [name for name, row in TRANSPORTS.items() if not row.quic]


async def tried(transport: str, **keys: object) -> Outcome:
    return await attempt(trial(load(transport, **keys)), Phased())


def nothing_is_wrong_with(outcome: Outcome) -> None:
    assert outcome.judgement.verdict not in (Verdict.FAILED, Verdict.LOSSY), outcome.judgement.said
    columns = outcome.columns
    assert (columns["lost"], columns["duplicated"], columns["reordered"]) == (0, 0, 0)
    assert columns["delivered"] == columns["expected"] > 0
    assert columns["latency_p50_ms"] > 0
    assert columns["wire_down_bytes_per_delivery"] > 0
    assert columns["wire_up_bytes_per_delivery"] > 0
    assert columns["server_cpu_us_per_delivery"] is not None
    assert columns["publisher_slip_p99_ms"] is not None


@pytest.mark.parametrize(
    ("transport", "keys"),
    [
        ("post", {}),
        ("post", {"post_connection": "new"}),
        pytest.param("post", {"http": "2", "target": "hypercorn"}, marks=pytest.mark.slow),
        ("websocket", {}),
        pytest.param("websocket", {"swarms": 2}, marks=pytest.mark.slow),
        pytest.param("websocket", {"payload_bytes": 65_536, "payload": "json"}, marks=pytest.mark.slow),
        pytest.param("post", {"payload_bytes": 65_536, "headers": "browser"}, marks=pytest.mark.slow),
        pytest.param("post", {"target": "node"}, marks=pytest.mark.slow),
    ],
)
async def test_every_action_is_answered(transport: str, keys: dict[str, object]) -> None:
    outcome = await tried(transport, kind="request", subscribers=6, rate_hz=60.0, **keys)
    nothing_is_wrong_with(outcome)
    assert outcome.columns["expected"] == 24  # 60/s for 0.4 s, each heard by one
    connects = "new" not in keys.values()
    assert (outcome.columns.get("connect_per_s") is not None) == connects
    assert (outcome.columns["connect_p99_ms"] is not None) == connects


@pytest.mark.parametrize("transport", mostly_slow(IN_ROOMS, quick=("longpoll", "websocket")))
async def test_all_of_a_room_hear_what_one_says_and_nobody_else(transport: str) -> None:
    outcome = await tried(transport, kind="chat", subscribers=12, room_size=4, rate_hz=60.0)
    nothing_is_wrong_with(outcome)
    assert outcome.columns["expected"] == 24 * 4


@pytest.mark.slow
@pytest.mark.parametrize("transport", ["stream", "websocket"])
async def test_rooms_may_be_divided_among_several_processes(transport: str) -> None:
    outcome = await tried(transport, kind="chat", subscribers=12, room_size=4, rate_hz=60.0, swarms=3)
    nothing_is_wrong_with(outcome)
    assert outcome.columns["swarm_processes"] == 3
    assert outcome.columns["expected"] == 24 * 4


@pytest.mark.parametrize(
    ("transport", "keys", "round_trips"),
    [
        pytest.param("websocket", {}, 1, marks=pytest.mark.slow),
        ("post", {"post_connection": "new"}, 2),
        pytest.param("post", {}, 1, marks=pytest.mark.slow),
    ],
)
async def test_nobody_is_answered_sooner_than_the_line_allows(
    transport: str, keys: dict[str, object], round_trips: int
) -> None:
    outcome = await tried(transport, kind="request", subscribers=6, rate_hz=20.0, rtt_ms=40.0, **keys)
    nothing_is_wrong_with(outcome)
    assert outcome.columns["latency_p50_ms"] >= 40 * round_trips


@pytest.mark.slow
async def test_an_action_that_had_to_wait_for_the_answer_before_counts_from_when_it_was_due() -> None:
    """Ten a second by one, on a line of 200 ms: when one is answered the next has been due for 100 ms, or for more."""
    outcome = await tried("websocket", kind="request", subscribers=1, rate_hz=10.0, rtt_ms=200.0)
    columns = outcome.columns
    assert columns["lost"] == 0
    assert columns["latency_max_ms"] >= columns["naive_max_ms"] + 100
    assert columns["latency_max_ms"] >= 400


async def test_what_nobody_came_to_say_is_expected_of_nobody_and_is_told_with_the_way_out() -> None:
    cell = load("websocket", kind="request", subscribers=1, rate_hz=100.0, rtt_ms=200.0)
    outcome = await attempt(trial(cell, phases=soon_over()), Phased())
    assert outcome.judgement.verdict == Verdict.PUBLISHER_LATE, outcome.judgement.said
    assert "never came to do all" in outcome.judgement.said
    assert "take more subscribers" in outcome.judgement.said
    assert outcome.columns["lost"] == 0
    assert 0 < outcome.columns["expected"] < 40


def twisted(kind: str, cell: object) -> Target:
    """The suite's server with something wrong with it."""
    target = good_server(cell)  # type: ignore[arg-type]
    return replace(target, command=(sys.executable, "-m", "tests.pushbench.twisted", kind, *target.command[3:]))


@pytest.mark.parametrize(
    ("kind", "transport", "keys", "says"),
    [
        ("one_room", "websocket", {"kind": "chat", "room_size": 2}, "what it heard was not of its room"),
        pytest.param("deaf", "websocket", {"kind": "chat", "room_size": 2}, "lost", marks=pytest.mark.slow),
        pytest.param("twice", "websocket", {"kind": "request"}, "duplicated", marks=pytest.mark.slow),
        pytest.param("other", "post", {"kind": "request"}, "subscribers ended", marks=pytest.mark.slow),
        ("mute", "websocket", {"kind": "request"}, "lost"),
        pytest.param("deaf", "longpoll", {"kind": "chat", "room_size": 2}, "lost", marks=pytest.mark.slow),
    ],
)
async def test_a_server_that_does_otherwise_is_found_out(
    kind: str, transport: str, keys: dict[str, object], says: str
) -> None:
    cell = load(transport, subscribers=4, rate_hz=60.0, **keys)
    phases = soon_over()
    outcome = await attempt(trial(cell, twisted(kind, cell), phases), Phased())
    assert says in outcome.judgement.said
    assert not outcome.judgement.verdict.believable


def soon_over() -> Phases:
    return Phases(settle_s=0, warmup_s=0.1, measure_s=0.3, drain_s=1)
