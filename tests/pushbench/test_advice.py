"""What a need takes, with hand-made costs whose answers can be computed on paper."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pushbench import advice, advice_choice, advice_grounds, advice_text
from pushbench.advice_choice import apart, choose, simplicity
from pushbench.advice_values import Act, Figure, Fit, Heard, How, Known, Need, Option, Prices
from pushbench.crossover import Draws, Polled, Pushed
from pushbench.stats import Interval

NO_PRICES = Prices()
NEED = Need(rate_hz=10, subscribers=1000, staleness_ms=500)


def exactly(value: float) -> Draws:
    return np.full(501, float(value))


def heard(subscribers: float, p50_ms: float, p99_ms: float) -> Heard:
    return Heard(subscribers, Interval(p50_ms, p50_ms, p50_ms, 3), Interval(p99_ms, p99_ms, p99_ms, 3))


WEBSOCKET = Known(
    "websocket",
    1000,
    10.0,
    128.0,
    down=Pushed(exactly(184), exactly(4)),
    up=Pushed(exactly(52), exactly(3)),
    cpu=Pushed(exactly(10), exactly(5)),
    heard=(heard(100, 2, 4), heard(1000, 6, 14)),
    rates_hz=(0.0, 10.0),
    connections=(100, 1000),
    per_s=10_000,
    payloads=(128.0, 128.0),
    memory=exactly(30_000),
    base_bytes=30e6,
    n=3,
)
SSE = replace(WEBSOCKET, transport="sse", cpu=Pushed(exactly(10.5), exactly(5)))
POLLING = replace(
    WEBSOCKET,
    transport="polling",
    down=Polled(exactly(150), exactly(250), exactly(129)),
    up=Polled(exactly(230), exactly(230), exactly(0)),
    cpu=Polled(exactly(95), exactly(100), exactly(2)),
    intervals_ms=(100.0, 5000.0),
    late_ms=(3.0, 3.0),
    per_s=10_000,
)


def option(need: Need, known: Known = WEBSOCKET, prices: Prices = NO_PRICES) -> Option:
    [made] = advice.options(need, [known], prices)
    return made


def value(figure: Any) -> float:
    return float(figure.value.mid)


def how(figure: Any) -> How:
    found: How = figure.how
    return found


def test_a_push_takes_its_idle_connection_and_so_much_for_each_update() -> None:
    made = option(NEED)
    assert made.fit == Fit.YES
    assert value(made.down) == 4 + 10 * 184
    assert value(made.up) == 3 + 10 * 52
    assert value(made.cores) == pytest.approx(1000 * (5 + 100) / 1e6)
    assert value(made.mbit_s) == pytest.approx(1000 * (1844 + 523) * 8 / 1e6)
    assert value(made.memory_gib) == pytest.approx((1000 * 30_000 + 30e6) / 1024**3)
    assert (value(made.p50_ms), value(made.p99_ms)) == (6, 14)
    assert (made.processes, made.per_process) == (1, 1000)
    assert made.cores
    assert made.cores.how == How.MEASURED


def test_a_poller_asks_as_seldom_as_the_staleness_and_the_way_back_allow() -> None:
    made = option(Need(10, 100, 500, rtt_ms=50), POLLING)
    assert made.interval_ms == 470  # 500 - 25 - 3, in two digits
    assert value(made.p50_ms) == pytest.approx(470 / 2 + 25 + 3)
    assert value(made.p99_ms) == pytest.approx(0.99 * 470 + 25 + 3)
    assert value(made.up) == pytest.approx(230 / 0.47)
    assert value(made.down) == pytest.approx(250 / 0.47 + 10 * 129)
    assert value(made.cores) == pytest.approx(100 * (100 / 0.47 + 20) / 1e6)


def test_a_poller_cannot_know_sooner_than_a_round_trip_and_a_half() -> None:
    made = option(Need(10, 100, 120, rtt_ms=100), POLLING)
    assert made.fit == Fit.NO
    assert made.why == "it would have to ask every 67 ms, and an answer takes 100 ms"
    assert option(Need(10, 100, 160, rtt_ms=100), POLLING).fit == Fit.YES


def test_a_poller_asks_more_often_than_it_must_where_longer_intervals_were_not_measured() -> None:
    seldom = option(Need(0.01, 100, 55_000), replace(POLLING, intervals_ms=(1000.0, 1000.0)))
    assert seldom.interval_ms == 10_000
    assert seldom.interval_from == "10 times the longest that was measured"
    capped = replace(POLLING, cpu=Polled(exactly(95), exactly(100), exactly(0), most_messages=10))
    few = option(Need(10, 100, 5000), capped)
    assert few.interval_ms == 1000
    assert "10 messages in an answer" in few.interval_from
    assert value(few.cores) > 0


def test_a_transport_that_comes_too_late_does_not_meet_the_need() -> None:
    made = option(replace(NEED, staleness_ms=3))
    assert made.fit == Fit.NO
    assert made.why == "of 100 subscribers, the fewest that were measured, p99 is too late"
    assert value(made.p99_ms) == 4
    far = option(replace(NEED, staleness_ms=53, rtt_ms=100))
    assert far.fit == Fit.NO


def test_it_is_in_doubt_where_only_some_of_the_trials_were_in_time() -> None:
    wide = Heard(100, Interval(1, 1, 1, 3), Interval(8, 9, 12, 3))
    made = option(replace(NEED, staleness_ms=10), replace(WEBSOCKET, heard=(wide,)))
    assert made.fit == Fit.DOUBT


def test_a_process_has_no_more_subscribers_than_are_in_time() -> None:
    made = option(replace(NEED, staleness_ms=9))
    assert (made.processes, made.per_process) == (2, 500)  # 4 at 100, 14 at 1,000: 9 at 550
    assert made.full == "the staleness"
    assert value(made.p99_ms) == pytest.approx(4 + 10 * 400 / 900)


def test_a_process_is_full_with_half_of_a_core_and_more_of_them_are_a_multiplication() -> None:
    dear = replace(WEBSOCKET, cpu=Pushed(exactly(50), exactly(0)))
    made = option(replace(NEED, subscribers=1_000_000), dear)
    assert (made.processes, made.per_process) == (1000, 1000)  # half of 1e6 / 500 us
    assert made.full == "50 % of a core"
    assert value(made.cores) == pytest.approx(500)


def test_a_process_never_has_more_than_ten_times_what_was_measured() -> None:
    idle = replace(WEBSOCKET, cpu=Pushed(exactly(1), exactly(0)))
    made = option(Need(0.01, 100_000, 60_000), idle)
    assert made.per_process == 10_000
    assert made.full == "10 times the subscribers that were measured"
    busy = option(Need(10, 100_000, 60_000), replace(idle, per_s=1000))
    assert busy.per_process == 1000


def test_a_server_that_was_full_sets_a_limit() -> None:
    made = option(replace(NEED, subscribers=4000), replace(WEBSOCKET, limit_per_s=20_000))
    assert made.per_process == 1000
    assert made.full == "50 % of what a full server delivered"


@pytest.mark.parametrize(
    ("need", "expected"),
    [
        (NEED, How.MEASURED),
        (replace(NEED, rate_hz=1), How.RECKONED),
        (replace(NEED, rate_hz=100, subscribers=100), How.EXTRAPOLATED),
        (replace(NEED, payload_bytes=200), How.EXTRAPOLATED),
        (replace(NEED, subscribers=2000), How.EXTRAPOLATED),
        (replace(NEED, subscribers=500), How.RECKONED),
    ],
)
def test_it_is_said_how_the_cpu_is_known(need: Need, expected: How) -> None:
    assert how(option(need).cores) == expected


@pytest.mark.parametrize(
    ("need", "says"),
    [
        (replace(NEED, rate_hz=101), "rate 101 updates/s is above 100: at most 10 was measured"),
        (replace(NEED, payload_bytes=1281), "payload 1,280 bytes is above 1,280: at most 128 was measured"),
    ],
)
def test_nothing_is_told_beyond_ten_times_what_was_measured(need: Need, says: str) -> None:
    made = option(need)
    assert made.fit == Fit.REFUSED
    assert made.why.startswith(says)
    assert made.cores is None


def test_a_rate_below_the_least_is_told_only_if_idle_connections_were_measured() -> None:
    busy = replace(WEBSOCKET, rates_hz=(10.0, 10.0))
    assert option(replace(NEED, rate_hz=0.9), busy).fit == Fit.REFUSED
    assert option(replace(NEED, rate_hz=1.0), busy).fit == Fit.YES
    assert option(replace(NEED, rate_hz=1e-4)).fit == Fit.YES


def test_a_round_trip_is_always_the_models() -> None:
    made = option(replace(NEED, rtt_ms=80))
    assert made.fit == Fit.YES
    assert value(made.p99_ms) == 14 + 40
    assert [how(made.p50_ms), how(made.p99_ms)] == [How.RECKONED] * 2
    assert how(option(NEED).p99_ms) == How.MEASURED


def test_between_two_loads_that_were_measured_nothing_is_called_measured() -> None:
    two_rates = replace(WEBSOCKET, rates_hz=(1.0, 10.0))
    at_the_rate, between = option(NEED, two_rates), option(replace(NEED, rate_hz=6), two_rates)
    assert {how(at_the_rate.down), how(at_the_rate.cores), how(at_the_rate.p99_ms)} == {How.MEASURED}
    assert {how(between.down), how(between.cores), how(between.p99_ms)} == {How.RECKONED}
    fewer = option(replace(NEED, subscribers=500))
    assert {how(fewer.cores), how(fewer.p99_ms)} == {How.RECKONED}


def test_latency_with_another_payload_is_extrapolated_as_its_cpu_is() -> None:
    sizes = replace(WEBSOCKET, payloads=(128.0, 1024.0))
    made = option(replace(NEED, payload_bytes=512), sizes)
    assert {how(made.p50_ms), how(made.p99_ms), how(made.cores)} == {How.EXTRAPOLATED}
    assert how(made.down) == How.RECKONED


@pytest.mark.parametrize("known", [WEBSOCKET, POLLING], ids=["pushed", "polled"])
@pytest.mark.parametrize("rtt_ms", [0.0, 12.0, 101.0, 333.0])
@pytest.mark.parametrize("staleness_ms", [120.0, 159.0, 503.0, 509.0])
def test_whoever_meets_a_need_is_in_time_by_its_own_latency(known: Known, rtt_ms: float, staleness_ms: float) -> None:
    made = option(Need(10, 100, staleness_ms, rtt_ms=rtt_ms), known)
    if made.fit == Fit.YES:
        assert value(made.p99_ms) <= staleness_ms
        assert (made.interval_ms or rtt_ms) >= rtt_ms


def test_a_poller_is_never_told_to_ask_more_often_than_its_round_trip_allows() -> None:
    made = option(Need(10, 100, 159, rtt_ms=101), POLLING)  # at most 105.5 ms, in two digits 100
    assert made.interval_ms == 101
    assert value(made.up) == pytest.approx(230 / 0.101)
    few = replace(POLLING, cpu=Polled(exactly(95), exactly(100), exactly(0), most_messages=1))
    refused = option(Need(20, 100, 500, rtt_ms=80), few)
    assert refused.fit == Fit.REFUSED
    assert (
        refused.why == "it would ask every 50 ms, the 1 messages in an answer that were measured, and an answer takes 80 ms"
    )
    assert advice_text.refused([refused]).endswith(
        "measure it (pushbench run overview --set poll_interval_ms=80 --set warmup_s=1), and name that run too"
    )


def test_a_poller_is_as_late_as_its_p99_was() -> None:
    made = option(Need(10, 100, 500), replace(POLLING, late_ms=(3.0, 60.0)))
    assert made.interval_ms == 440
    assert value(made.p50_ms) == pytest.approx(220 + 3)
    assert value(made.p99_ms) == pytest.approx(0.99 * 440 + 60)


def test_what_is_late_with_more_subscribers_may_be_in_time_with_fewer() -> None:
    few = replace(NEED, subscribers=50, staleness_ms=3)
    made = option(few)
    assert made.fit == Fit.DOUBT
    assert made.why.endswith("too late; measure fewer (pushbench run overview --set subscribers=50), and name that run too")
    assert option(replace(few, rtt_ms=20)).fit == Fit.NO  # half of the round trip is too late of itself
    assert choose([made], two_way=False) is None


def test_the_payload_is_arithmetic_in_bytes() -> None:
    assert value(option(replace(NEED, payload_bytes=228)).down) == 4 + 10 * 284


ACT = Act(exactly(40), exactly(190), exactly(200), p50_ms=0.5, p99_ms=2.0, per_s=200, payload_bytes=128, source="x")


def test_what_clients_say_is_added_and_its_way_up_is_in_the_latency() -> None:
    made = option(replace(NEED, two_way_hz=2, rtt_ms=20), replace(WEBSOCKET, act=ACT))
    assert value(made.up) == 3 + 520 + 2 * 200
    assert value(made.down) == 4 + 1840 + 2 * 190
    assert value(made.cores) == pytest.approx(1000 * (105 + 80) / 1e6)
    assert value(made.p99_ms) == 14 + 10 + 10 + 2
    assert made.per_process == 1000  # 2,000 actions a second, ten times 200


def test_who_posts_one_after_the_other_cannot_say_more_than_one_thing_a_round_trip() -> None:
    need = replace(NEED, two_way_hz=30, rtt_ms=40)
    assert "each takes a round trip of 40 ms" in option(need, replace(SSE, act=ACT)).why
    assert option(need, replace(WEBSOCKET, act=ACT)).fit == Fit.YES


def test_what_saying_something_takes_is_not_guessed() -> None:
    made = option(replace(NEED, two_way_hz=2))
    assert made.fit == Fit.DOUBT
    assert made.why == "what saying something takes was not measured"


def test_money_is_of_the_prices_that_are_known() -> None:
    assert option(NEED).month is None
    made = option(NEED, prices=Prices(egress_gb=0.1, core_hour=0.05))
    traffic, cpu = 0.1 * 1000 * 1844 * 730 * 3600 / 1e9, 0.05 * 730 * 0.105 / 0.5
    assert value(made.month) == pytest.approx(traffic + cpu)
    assert dict(made.shares) == pytest.approx({"traffic": traffic, "CPU": cpu})
    assert value(option(NEED, prices=Prices(gib_hour=2)).month) == pytest.approx(2 * 730 * value(option(NEED).memory_gib))


def test_memory_that_is_not_known_is_not_told() -> None:
    made = option(NEED, replace(WEBSOCKET, memory=None))
    assert made.memory_gib is None
    assert made.fit == Fit.YES


def test_a_tie_is_a_tie_and_the_simpler_one_is_preferred() -> None:
    prices = Prices(core_hour=1.0)
    choice = choose(advice.options(NEED, [SSE, WEBSOCKET], prices), two_way=False)
    assert choice
    assert (choice.chosen, choice.tied, choice.cheapest) == ("sse", ("websocket", "sse"), "websocket")
    dear = replace(SSE, cpu=Pushed(exactly(20), exactly(5)))
    choice = choose(advice.options(NEED, [dear, WEBSOCKET], prices), two_way=False)
    assert choice
    assert (choice.chosen, choice.tied, choice.runner_up) == ("websocket", ("websocket",), "sse")


def test_polling_wins_where_it_may_be_stale_for_long() -> None:
    need = Need(10, 1000, 10_000)
    choice = choose(advice.options(need, [POLLING, SSE, WEBSOCKET], Prices(core_hour=1.0)), two_way=False)
    assert choice
    assert choice.chosen == "polling"
    assert choice.tied == ("polling",)


def test_without_prices_what_takes_more_of_something_and_less_of_nothing_is_out() -> None:
    dear = replace(SSE, cpu=Pushed(exactly(20), exactly(5)))
    choice = choose(advice.options(NEED, [dear, WEBSOCKET], NO_PRICES), two_way=False)
    assert choice
    assert (choice.chosen, choice.tied, choice.priced) == ("websocket", ("websocket",), False)
    heavy = replace(WEBSOCKET, memory=exactly(90_000))
    choice = choose(advice.options(NEED, [dear, heavy], NO_PRICES), two_way=False)
    assert choice
    assert choice.tied == ("sse", "websocket")
    assert choice.chosen == "sse"


def test_memory_that_is_not_known_of_one_is_in_no_sum() -> None:
    prices = Prices(core_hour=0.001, gib_hour=100)
    pushed, unknown = advice.options(NEED, [WEBSOCKET, replace(SSE, memory=None)], prices)
    assert dict(pushed.shares).keys() == dict(unknown.shares).keys() == {"CPU"}
    said = list(advice_grounds.rests_on(NEED, [pushed, unknown], [WEBSOCKET, SSE], prices))
    assert "Memory is in no sum, for that of sse was not measured, or the points were on no line." in said
    [alone] = advice.options(NEED, [replace(SSE, memory=None)], Prices(gib_hour=100))
    assert alone.month is None


def test_of_three_that_are_each_worse_than_another_the_simplest_is_chosen() -> None:
    def takes(name: str, *amounts: float) -> Option:
        cores, mbit_s, memory = (Figure(Interval(one, one, one, 3), How.MEASURED) for one in amounts)
        return Option(name, Fit.YES, cores=cores, mbit_s=mbit_s, memory_gib=memory)

    circle = [takes("websocket", 1.2, 1.12, 1.05), takes("sse", 1.05, 1.2, 1.12), takes("stream", 1.12, 1.05, 1.2)]
    choice = choose(circle, two_way=False)
    assert choice
    assert (choice.chosen, choice.tied) == ("sse", ("websocket", "sse", "stream"))


def test_what_does_not_meet_the_need_is_not_chosen() -> None:
    assert choose(advice.options(replace(NEED, staleness_ms=3), [SSE, WEBSOCKET], NO_PRICES), two_way=False) is None


def test_figures_differ_if_their_intervals_do_and_by_more_than_a_tenth() -> None:
    assert apart(Interval(1, 1, 1, 3), Interval(1.2, 1.2, 1.2, 3))
    assert not apart(Interval(1, 1, 1.3, 3), Interval(1.2, 1.25, 1.3, 3))
    assert not apart(Interval(1.09, 1.09, 1.09, 3), Interval(1, 1, 1, 3))


def test_the_order_of_simplicity() -> None:
    names = ("polling", "sse", "stream", "longpoll", "websocket", "webtransport")
    ranks = [simplicity(name) for name in names]
    assert ranks == sorted(set(ranks))
    assert min(names, key=lambda name: simplicity(name, two_way=True)) == "websocket"


def test_what_was_measured_at_another_rate_alone_is_not_preferred_to_what_was_measured_near() -> None:
    need = replace(NEED, rate_hz=2, subscribers=1000)
    near = replace(WEBSOCKET, rate_hz=2.0, rates_hz=(2.0, 10.0), cpu=Pushed(exactly(40), exactly(5)))
    far = replace(SSE, rates_hz=(10.0, 10.0))
    options = advice.options(need, [near, far], NO_PRICES)
    assert [one.fit for one in options] == [Fit.YES, Fit.YES]
    assert value(options[1].cores) < value(options[0].cores)
    choice = choose(options, two_way=False)
    assert choice is not None
    assert choice.tied == ("websocket",)
    assert any(
        line.startswith("Left out of the choice: sse,") for line in advice_text.answer(need, options, choice, NO_PRICES)
    )


def test_if_all_was_measured_far_away_all_are_candidates() -> None:
    need = replace(NEED, rate_hz=2)
    options = advice.options(need, [replace(one, rates_hz=(10.0, 10.0)) for one in (WEBSOCKET, SSE)], NO_PRICES)
    assert advice_choice.left_out(options) == []
