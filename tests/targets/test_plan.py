"""The plan: drawn from a seed alone, and what it says of itself is what a ledger says of it."""

from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pushbench.ledger import reckon
from targets.plan import Counts, Delivery, Distortion, Plan, draw

SHARES = st.floats(0, 1)
DELAYS_MS = st.floats(0.001, 1000)
DISTORTIONS = st.builds(
    Distortion,
    seed=st.integers(0, 2**32),
    subscribers=st.integers(1, 4),
    messages=st.integers(1, 30),
    rate_hz=st.floats(1, 1000),
    drop=SHARES,
    duplicate=SHARES,
    delay_ms=DELAYS_MS,
    delay_max_ms=DELAYS_MS,
)


def planned(*subscribers: str, messages: int = 6) -> Plan:
    """A plan in which each subscriber gets the messages that its digits name, in that order."""
    made = [tuple(Delivery(at, int(digit), 0) for at, digit in enumerate(digits)) for digits in subscribers]
    return Plan(messages, tuple(made))


@pytest.mark.parametrize(
    ("plan", "counts"),
    [
        (planned("012345", "012345"), Counts(12, 12, 0, 0, 0, 0, 0)),
        (planned("0145"), Counts(6, 4, 2, 0, 0, 1, 2)),
        (planned("13", "0123"), Counts(12, 6, 6, 0, 0, 4, 2)),
        (planned(""), Counts(6, 0, 6, 0, 0, 1, 6)),
        (planned("0112345", "0123450"), Counts(12, 12, 0, 2, 0, 0, 0)),
        (planned("120345", "543210"), Counts(12, 12, 0, 0, 6, 0, 0)),
        # A second copy that comes after a later message is a duplicate and no reordering.
        (planned("0120345"), Counts(6, 6, 0, 1, 0, 0, 0)),
    ],
)
def test_what_a_plan_counts(plan: Plan, counts: Counts) -> None:
    assert plan.counts == counts


@given(DISTORTIONS)
def test_a_ledger_over_the_planned_deliveries_counts_what_the_plan_counts(distortion: Distortion) -> None:
    plan = draw(distortion)
    order = sorted((one.at_ns, who, one.seq) for who, mine in enumerate(plan.deliveries) for one in mine)
    who, seq = (np.array([delivery[part] for delivery in order], dtype=np.int64) for part in (1, 2))
    ledger = asdict(reckon(who, seq, subscribers=distortion.subscribers, messages=distortion.messages))
    counts = asdict(plan.counts)
    both = ledger.keys() & counts.keys()
    assert both >= {"expected", "delivered", "lost", "duplicated", "reordered"}
    assert {name: counts[name] for name in both} == {name: ledger[name] for name in both}


@given(DISTORTIONS)
def test_each_delivery_comes_by_its_delay_after_its_message_is_due_and_in_that_order(distortion: Distortion) -> None:
    least, most = distortion.delay_ms, max(distortion.delay_ms, distortion.delay_max_ms)
    for mine in draw(distortion).deliveries:
        assert list(mine) == sorted(mine)
        for one in mine:
            assert one.at_ns == round(one.seq * 1e9 / distortion.rate_hz) + one.delay_ns
            assert round(least * 1e6) <= one.delay_ns <= round(most * 1e6)


@given(DISTORTIONS, SHARES)
def test_a_higher_rate_of_drops_drops_more_and_moves_nothing_else(distortion: Distortion, drop: float) -> None:
    some, more = sorted((distortion.drop, drop))
    for kept, left in zip(
        draw(replace(distortion, drop=some)).deliveries, draw(replace(distortion, drop=more)).deliveries, strict=True
    ):
        assert set(left) <= set(kept)


@given(DISTORTIONS)
def test_the_same_distortion_gives_the_same_plan(distortion: Distortion) -> None:
    assert draw(distortion) == draw(distortion)


def test_without_distortion_everybody_gets_everything_once_in_order_and_at_once() -> None:
    plan = draw(Distortion(subscribers=3, messages=40))
    assert plan.counts == Counts(120, 120, 0, 0, 0, 0, 0)
    assert [[one.seq for one in mine] for mine in plan.deliveries] == [list(range(40))] * 3
    assert plan.latencies_ns() == [0] * 120


def test_the_delays_have_the_tail_that_is_stated() -> None:
    delays_ms = (
        np.array(draw(Distortion(subscribers=100, messages=1000, delay_ms=20, delay_max_ms=500)).latencies_ns()) / 1e6
    )
    assert np.percentile(delays_ms, [50, 90, 99]) == pytest.approx([24.5, 165, 441], rel=0.02)


def test_the_rates_are_the_shares_that_were_asked_for() -> None:
    counts = draw(Distortion(subscribers=100, messages=1000, drop=0.2, duplicate=0.1)).counts
    assert counts.lost / counts.expected == pytest.approx(0.2, rel=0.05)
    assert counts.duplicated / counts.delivered == pytest.approx(0.1, rel=0.05)


def test_latencies_may_begin_behind_a_warm_up_and_have_every_copy() -> None:
    plan = Plan(3, ((Delivery(5, 0, 5), Delivery(20, 1, 10), Delivery(22, 2, 2), Delivery(27, 2, 7)),))
    assert plan.latencies_ns() == [2, 5, 7, 10]
    assert plan.latencies_ns(first=1) == [2, 7, 10]
    assert plan.latencies_ns(first=2) == [2, 7]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"drop": 1.5}, "drop is 1.5: it must be from 0 to 1"),
        ({"duplicate": float("nan")}, "duplicate is nan: it must be from 0 to 1"),
        ({"messages": 0}, "messages is 0: it must be from 1 to 100000"),
        ({"delay_max_ms": 5.0}, "delay_ms is 0 and delay_max_ms is 5: .*; set delay_ms above 0"),
    ],
)
def test_a_distortion_that_cannot_be_is_refused_with_its_bounds(wrong: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Distortion(**wrong)  # type: ignore[arg-type]
