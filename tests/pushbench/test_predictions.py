"""Which formula a load is told by, and when none is."""

from typing import Any

import pytest

from pushbench import predictions
from pushbench.models import CONNECTION, Exchange
from pushbench.scenario_keys import DISTURBANCES
from pushbench.transports import OVER_TCP


def load(transport: str, **changed: object) -> dict[str, Any]:
    common = {"kind": "broadcast", "subscribers": 100, "rate_hz": 10.0, "payload_bytes": 128, "poll_interval_ms": 1000}
    return {"transport": transport, **common, "pacing": "open", **changed}


def mean_ms(transport: str, write_us: float = 0.0, **changed: object) -> float:
    found = predictions.latency(load(transport, **changed), write_us)
    assert found
    return found.mean_ms


def wire(transport: str, **changed: object) -> Exchange:
    found = predictions.wire(load(transport, **changed))
    assert found
    return found


@pytest.mark.parametrize("transport", OVER_TCP)
def test_every_transport_has_a_model_of_latency_and_of_bytes(transport: str) -> None:
    assert mean_ms(transport, rtt_ms=80.0) >= 40
    assert wire(transport).down.payload == 128


@pytest.mark.parametrize(
    ("transport", "expected_ms"), [("polling", 540), ("longpoll", 40), ("stream", 40), ("sse_plain", 40), ("websocket", 40)]
)
def test_a_round_trip_of_80_ms_takes_what_its_transits_do(transport: str, expected_ms: float) -> None:
    assert mean_ms(transport, rtt_ms=80.0) == expected_ms


def test_beyond_the_knee_a_long_poll_takes_two_transits_on_average() -> None:
    assert mean_ms("longpoll", rtt_ms=250.0) == 250


def test_the_fan_out_is_half_of_all_writes_and_none_of_a_pollers_business() -> None:
    assert mean_ms("websocket", write_us=40) == 2
    assert mean_ms("polling", write_us=40) == 500


def test_the_fan_out_of_a_long_poll_is_anything_up_to_that_because_the_next_requests_are_in_it() -> None:
    expected = predictions.latency(load("longpoll"), write_us=40)
    assert expected
    assert (expected.mean_ms - expected.unsure_ms, expected.mean_ms + expected.unsure_ms) == (0, 2)


@pytest.mark.parametrize("key", DISTURBANCES)
def test_no_formula_is_for_a_load_that_is_disturbed(key: str) -> None:
    assert predictions.latency(load("websocket", **{key: 5})) is None
    assert predictions.wire(load("websocket", **{key: 5})) is None


@pytest.mark.parametrize(
    "changed", [{"pacing": "closed"}, {"burst": 10}, {"jitter_ms": 3.0}, {"relay_stall_ms": 10}, {"rate_hz": 0.0}]
)
def test_nor_for_one_that_is_not_steady(changed: dict[str, object]) -> None:
    assert predictions.latency(load("polling", **changed)) is None


def test_an_empty_place_is_taken_for_the_default() -> None:
    assert mean_ms("websocket", rtt_ms=float("nan"), burst=None) == 0


@pytest.mark.parametrize("transport", ["tcp", "null", "carrier_pigeon"])
def test_floors_and_unknown_transports_have_no_model(transport: str) -> None:
    assert predictions.latency(load(transport)) is None
    assert predictions.wire(load(transport)) is None


@pytest.mark.parametrize("changed", [{"headers": "browser"}, {"compression": "permessage-deflate"}, {"poll_empty": "200"}])
def test_bytes_are_told_of_the_usual_headers_alone_and_latency_all_the_same(changed: dict[str, object]) -> None:
    assert predictions.wire(load("polling", **changed)) is None
    assert predictions.latency(load("polling", **changed)) is not None


def test_a_connection_for_each_poll_is_added_to_each_poll() -> None:
    kept, new = (wire("polling", rate_hz=1.0, poll_connection=how) for how in ("kept", "new"))
    assert new.total - kept.total == pytest.approx(CONNECTION.total)


@pytest.mark.parametrize(
    ("transport", "changed", "up", "down"),
    [
        ("stream", {}, (0, 1.0), (135, 1.0)),
        ("sse", {}, (0, 1.0), (152.7, 1.0)),
        ("websocket", {}, (0, 1.0), (132, 1.0)),
        ("websocket", {"rate_hz": 50.0}, (0, 1.0), (132, 1.0)),
        ("longpoll", {}, (122, 2.0), (276, 3.0)),
        ("longpoll", {"rate_hz": 50.0}, (122, 2.0), (276, 2.07)),
        ("polling", {"poll_interval_ms": 50}, (245.4, 4.77), (373.6, 3.03)),
        (
            "polling",
            {"rate_hz": 1.0, "poll_interval_ms": 1000, "poll_connection": "new"},
            (142, 5.0),
            (296, 5.0),
        ),  # and a SYN each way
    ],
)
def test_bytes_and_packets_are_those_that_a_kernel_counted(
    transport: str, changed: dict[str, object], up: tuple[float, float], down: tuple[float, float]
) -> None:
    """Bytes without TCP/IP, and segments, for each of 30 messages to one subscriber: TCP_INFO of its socket."""
    found = wire(transport, **changed)
    for sent, (sent_bytes, packets) in ((found.up, up), (found.down, down)):
        assert sent.payload + sent.framing + sent.http == pytest.approx(sent_bytes, abs=1.5)
        assert sent.packets == pytest.approx(packets, rel=0.06)


def test_beyond_a_relay_nothing_is_told_of_bytes() -> None:
    assert predictions.wire(load("longpoll", rtt_ms=20.0)) is None
    assert predictions.latency(load("longpoll", rtt_ms=20.0)) is not None


@pytest.mark.parametrize(
    ("transport", "post_connection", "expected_ms"), [("post", "kept", 80), ("post", "new", 160), ("websocket", "kept", 80)]
)
def test_an_action_takes_a_round_trip_and_a_new_connection_two(
    transport: str, post_connection: str, expected_ms: float
) -> None:
    assert mean_ms(transport, kind="request", rtt_ms=80.0, post_connection=post_connection) == expected_ms


def test_of_actors_that_would_wait_for_themselves_nothing_is_said() -> None:
    assert predictions.latency(load("websocket", kind="request", subscribers=1, rate_hz=10.0, rtt_ms=100.0)) is None
    assert predictions.latency(load("websocket", kind="request", subscribers=1, rate_hz=10.0, rtt_ms=99.0)) is not None


@pytest.mark.parametrize(
    ("transport", "expected_ms"), [("polling", 580), ("longpoll", 80), ("stream", 80), ("sse", 80), ("websocket", 80)]
)
def test_what_is_said_in_a_room_is_heard_after_a_way_up_and_the_way_down(transport: str, expected_ms: float) -> None:
    assert mean_ms(transport, kind="chat", rtt_ms=80.0, room_size=10) == expected_ms
    assert mean_ms("stream", kind="chat", rtt_ms=80.0, room_size=10, post_connection="new") == 160


def test_the_fan_out_of_a_chat_is_that_of_a_room() -> None:
    assert mean_ms("websocket", kind="chat", room_size=10, write_us=40) == 0.2


@pytest.mark.parametrize("kind", ["request", "chat", "idle"])
def test_the_bytes_of_who_acts_are_in_no_formula(kind: str) -> None:
    assert predictions.wire(load("websocket", kind=kind)) is None
