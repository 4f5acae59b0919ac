"""The formulas: hand-computed values, properties, and simulations that know the protocol and not the formula."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st
from numpy.typing import NDArray

from pushbench import models
from pushbench.models import Exchange, Heads, Latency, Wire

HEADS = Heads(request=121, answer=146, nothing=94)

ms = st.floats(0.1, 10_000)


# Latency.


@pytest.mark.parametrize(
    ("made", "mean", "p50", "p99", "longest"),
    [
        (models.polling(1000), 500, 500, 990, 1000),
        (models.polling(1000, 100), 550, 550, 1040, 1050),
        (models.polling(1000, 100, round_trips=2), 550, 550, 1040, 1050),  # a handshake shifts all requests alike
        (models.polling(60, 100), 110, 110, 168.8, 170),  # every second request is left out
        (models.push(80), 40, 40, 40, 40),
        (models.push(80, 1000, 20), 50, 50, 59.8, 60),  # 1,000 writes of 20 us: 20 ms
        (models.longpoll_steady(80, 100), 40, 40, 40, 40),
        (models.longpoll_steady(200, 100), 200, 200, 298, 300),  # one to three transits
        (models.longpoll_random(100, 1e9), 50, 50, 50, 150),
    ],
)
def test_latencies_are_those_computed_by_hand(made: Latency, mean: float, p50: float, p99: float, longest: float) -> None:
    found = [made.mean_ms, made.quantile_ms(0.5), made.quantile_ms(0.99), made.longest_ms]
    assert found == pytest.approx([mean, p50, p99, longest], rel=1e-6)


def test_a_random_feed_of_one_message_a_round_trip_finds_most_of_them_waiting() -> None:
    made = models.longpoll_random(100, 100)
    assert made.waits == pytest.approx(1 / (1 + math.exp(-1)))  # 73 %
    assert made.mean_ms == pytest.approx(50 + 0.7311 * 50, abs=0.01)
    assert made.quantile_ms(0.2) == 50
    assert made.quantile_ms(1.0) == 150


def longpoll_simulated(due: NDArray[np.float64], rtt_ms: float) -> NDArray[np.float64]:
    """Latencies of messages due then, by the protocol: a request waits, is answered, and the next is there a rtt later."""
    request_at, next_message = -math.inf, 0
    received = np.empty_like(due)
    while next_message < due.size:
        answered_at = max(request_at, due[next_message])
        behind = int(np.searchsorted(due, answered_at, side="right"))
        received[next_message:behind] = answered_at + rtt_ms / 2
        request_at, next_message = answered_at + rtt_ms, behind
    return received - due


@pytest.mark.parametrize(("rtt_ms", "between_ms"), [(1, 100), (50, 100), (100, 100), (250, 100), (1000, 100)])
def test_a_simulated_random_feed_has_the_latencies_of_the_model(rtt_ms: float, between_ms: float) -> None:
    due = np.asarray(np.cumsum(np.random.default_rng(3).exponential(between_ms, 200_000)), dtype=np.float64)
    found = longpoll_simulated(due, rtt_ms)
    model = models.longpoll_random(rtt_ms, between_ms)
    assert found.mean() == pytest.approx(model.mean_ms, rel=0.01)
    assert found.max() <= model.longest_ms + 1e-6
    for q in (0.5, 0.9, 0.99):
        assert float(np.quantile(found, q)) == pytest.approx(model.quantile_ms(q), rel=0.02)


@pytest.mark.parametrize("rtt_ms", [10.0, 99.0, 100.1, 130.3, 250.7, 977.7])
def test_a_simulated_steady_feed_has_the_latencies_of_the_model(rtt_ms: float) -> None:
    found = longpoll_simulated(np.arange(100_000, dtype=np.float64) * 100, rtt_ms)
    model = models.longpoll_steady(rtt_ms, 100)
    assert found.mean() == pytest.approx(model.mean_ms, rel=0.01)
    assert float(np.quantile(found, 0.9)) == pytest.approx(model.quantile_ms(0.9), rel=0.02)


@given(multiple=st.integers(1, 8), phase=st.floats(0, 1))
def test_a_steady_feed_that_keeps_step_stays_within_what_the_model_is_unsure_of(multiple: int, phase: float) -> None:
    rtt_ms = 100.0 * multiple
    due = np.arange(1, 2000, dtype=np.float64) * 100
    due[0] -= 100 * phase  # the first answer, and with it every other, is so much before a message
    found = longpoll_simulated(due, rtt_ms)[10:-10]
    model = models.longpoll_steady(rtt_ms, 100)
    assert abs(found.mean() - model.mean_ms) <= model.unsure_ms * 1.05


@pytest.mark.parametrize(
    ("interval_ms", "rtt_ms", "round_trips"), [(1000, 80, 1), (1000, 80, 2), (300, 700, 1), (500, 300, 2)]
)
def test_a_simulated_poller_has_the_latencies_of_the_model(interval_ms: float, rtt_ms: float, round_trips: int) -> None:
    between = models.between_polls_ms(interval_ms, rtt_ms, round_trips)
    asked = np.arange(20_000) * interval_ms
    kept, free_at = [], -1.0
    for at in asked:
        if at >= free_at:
            kept.append(at)
            free_at = at + round_trips * rtt_ms
    assert np.diff(kept).mean() == pytest.approx(between)
    arrived = np.array(kept) + (round_trips - 0.5) * rtt_ms
    due = np.random.default_rng(5).uniform(0, arrived[-1], 200_000)
    found = arrived[np.searchsorted(arrived, due)] + rtt_ms / 2 - due
    model = models.polling(interval_ms, rtt_ms, round_trips)
    inside = due > arrived[0]
    assert found[inside].mean() == pytest.approx(model.mean_ms, rel=0.01)
    assert float(np.quantile(found[inside], 0.99)) == pytest.approx(model.quantile_ms(0.99), rel=0.01)


@given(ms, ms, ms)
def test_polling_less_often_is_never_faster(rtt_ms: float, one: float, other: float) -> None:
    short, long = sorted((one, other))
    assume(short >= rtt_ms)
    assert models.polling(short, rtt_ms).mean_ms <= models.polling(long, rtt_ms).mean_ms


@given(ms, ms, ms, st.sampled_from(["push", "polling", "longpoll_steady", "longpoll_random"]))
def test_a_longer_round_trip_is_never_faster(one: float, other: float, period: float, name: str) -> None:
    def mean(rtt_ms: float) -> float:
        made: Latency = models.push(rtt_ms) if name == "push" else (
            models.polling(period, rtt_ms) if name == "polling" else getattr(models, name)(rtt_ms, period)
        )  # fmt: skip
        return made.mean_ms

    near, far = sorted((one, other))
    assert mean(near) <= mean(far) + 1e-9


@given(ms, ms, st.floats(0, 1), st.floats(0, 1))
def test_quantiles_rise_and_lie_between_the_fixed_part_and_the_longest(
    rtt: float, between: float, a: float, b: float
) -> None:
    for made in (models.longpoll_steady(rtt, between), models.longpoll_random(rtt, between), models.polling(between, rtt)):
        low, high = (made.quantile_ms(q) for q in sorted((a, b)))
        assert made.fixed_ms <= low <= high <= made.longest_ms + 1e-9


@given(ms, ms)
def test_a_long_poll_takes_between_one_and_three_transits(rtt_ms: float, between_ms: float) -> None:
    for made in (models.longpoll_steady(rtt_ms, between_ms), models.longpoll_random(rtt_ms, between_ms)):
        assert rtt_ms / 2 <= made.mean_ms <= rtt_ms + 1e-9
        assert made.longest_ms <= 1.5 * rtt_ms + 1e-9


@given(ms)
def test_a_random_feed_has_no_jump_at_the_knee_and_a_steady_one_no_more_than_it_is_unsure_of(between_ms: float) -> None:
    knee = models.longpoll_knee_ms(1000 / between_ms)
    assert knee == pytest.approx(between_ms)
    before, behind = (models.longpoll_random(knee * factor, between_ms).mean_ms for factor in (1 - 1e-7, 1 + 1e-7))
    assert behind == pytest.approx(before, rel=1e-5)
    steady = [models.longpoll_steady(knee * factor, between_ms) for factor in (1 - 1e-7, 1 + 1e-7)]
    assert steady[1].mean_ms - steady[1].unsure_ms == pytest.approx(steady[0].mean_ms, rel=1e-5)


def test_a_quantile_beyond_all_deliveries_is_refused() -> None:
    with pytest.raises(ValueError, match=r"quantile 1\.5, and it must be between 0 and 1"):
        models.push(1).quantile_ms(1.5)


# Requests.


def test_requests_are_those_computed_by_hand() -> None:
    assert models.polls_per_s(1000, 30_000) == pytest.approx(33.33, abs=0.01)
    assert models.polls_per_core_s(200) == 5000
    assert models.shortest_interval_ms(10_000, 200) == 2000  # 10,000 users over 5,000 requests/s
    assert models.share_answered(0.1, 1000) == 0.1
    assert models.share_answered(10, 1000) == 1
    assert models.share_answered_random(1, 1000) == pytest.approx(0.632, abs=0.001)
    assert models.messages_per_answer(10, 1000) == 10
    assert models.messages_per_answer(0.1, 1000) == 1


@given(st.floats(0.001, 1000), ms)
def test_a_steady_feed_fills_at_least_as_many_polls_as_a_random_one(rate_hz: float, interval_ms: float) -> None:
    random, steady = models.share_answered_random(rate_hz, interval_ms), models.share_answered(rate_hz, interval_ms)
    assert 0 <= random <= steady <= 1


# Bytes. The sizes of real messages, taken from a server's socket: 128 bytes of data each.


def test_framing_is_what_a_server_was_seen_to_send() -> None:
    assert models.stream_bytes(128) == 135 - 128
    assert models.sse_bytes(128) == 151 - 128
    assert models.sse_bytes(128, line_end_bytes=1) == 151 - 128 - 3
    assert models.websocket_bytes(128) == 132 - 128


@pytest.mark.parametrize(("payload", "header"), [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)])
def test_the_header_of_a_frame_grows_where_the_rfc_says(payload: int, header: int) -> None:
    assert models.websocket_bytes(payload) == header
    assert models.websocket_bytes(payload, masked=True) == header + 4


def test_a_pushed_message_is_one_packet_and_its_acknowledgement() -> None:
    sent = models.pushed(128, models.websocket_bytes(128))
    assert sent == Exchange(Wire(128, 4, 0, 1), Wire(packets=1))
    assert (sent.down.total, sent.up.total, sent.total) == (128 + 4 + 52, 52, 236)


def test_a_message_larger_than_a_segment_is_several_packets() -> None:
    assert models.pushed(4096, 4).down.packets == 3
    assert models.pushed(4096, 4, segment_bytes=65_483).down.packets == 1
    assert models.pushed(4096, 4, acks=0.5).up.packets == 1.5


def test_an_answer_with_ten_messages_shares_its_head_among_them() -> None:
    each = models.polled(128, HEADS, rate_hz=10, interval_ms=1000)
    assert (each.down.payload, each.down.framing) == (128, 1)
    assert (each.down.http, each.down.packets) == pytest.approx((14.6, 0.1))
    assert (each.up.http, each.up.packets) == pytest.approx((12.1, 0.2))


def test_a_seldom_message_pays_for_the_polls_that_found_nothing() -> None:
    each = models.polled(128, HEADS, rate_hz=0.1, interval_ms=1000)
    assert each.up.http == pytest.approx(10 * 121)
    assert each.down.http == pytest.approx(146 + 9 * 94)
    assert (each.down.packets, each.up.packets) == pytest.approx((10, 20))


def test_head_and_body_written_apart_are_one_packet_more() -> None:
    one, two = (models.polled(128, HEADS, 1, 1000, answer_packets=packets) for packets in (1, 2))
    assert two.down.total - one.down.total == models.PACKET_BYTES
    assert models.longpolled(128, HEADS, answer_packets=2).down.packets == 3


def test_a_long_poll_carries_a_request_and_an_answer_for_each_message_or_shares_them() -> None:
    alone, shared = (models.longpolled(128, HEADS, messages=count) for count in (1, 4))
    assert (alone.down, alone.up) == (Wire(128, 1, 146, 2), Wire(http=121, packets=1))
    assert shared.up.total == alone.up.total / 4
    assert models.longpolled(128, HEADS, held_acks=0).down.packets == 1


def test_a_connection_of_its_own_for_each_poll_is_seven_packets_more_and_a_header_each_way() -> None:
    assert models.CONNECTION.down.total == 19 + 60 + 3 * 52
    assert models.CONNECTION.up.total == 19 + 60 + 2 * 52
    added = models.longpolled(128, HEADS).plus(models.CONNECTION, 2)
    assert added.total == models.longpolled(128, HEADS).total + 2 * models.CONNECTION.total


@given(st.integers(1, 65_000), st.floats(0.01, 100), ms)
def test_polling_more_often_never_takes_fewer_bytes(payload: int, rate_hz: float, interval_ms: float) -> None:
    often, seldom = (models.polled(payload, HEADS, rate_hz, interval_ms * factor).up.total for factor in (1, 2))
    assert often > seldom


def test_the_claim_of_1_in_435_is_of_headers_alone() -> None:
    assert models.LUBBERS_GRECO_POLL_BYTES / models.LUBBERS_GRECO_FRAME_BYTES == 435.5
    with_packets = (871 + 3 * models.PACKET_BYTES) / (2 + 2 * models.PACKET_BYTES)
    assert 9 < with_packets < 10
