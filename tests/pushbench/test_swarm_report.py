"""Reports of several swarms, put together, are the report of one that had all their subscribers."""

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from pushbench import age, fanout, histogram, ledger, timeline
from pushbench.comeback import Arrival, arrivals, caught_up_ns
from pushbench.dissect import Parts
from pushbench.lag import Lag
from pushbench.part import Part
from pushbench.schedule import NS
from pushbench.slow import Slow
from pushbench.swarm_report import SwarmReport, merged
from pushbench.usage import Share
from pushbench.wire import Traffic
from pushbench.witness import Account

MESSAGES = 6
SUBSCRIBERS = 7
WINDOW_NS = (2 * NS, 5 * NS)
Delivery = tuple[int, int, int]
"""Who, which message, how long after the last delivery."""


def report(deliveries: Sequence[Delivery], part: Part, number: int = 0) -> SwarmReport:
    """What a swarm with that part of the subscribers makes of these deliveries to all."""
    when_ns = np.cumsum([NS, *(gap for _, _, gap in deliveries)])[1:]
    mine = [nth for nth, (who, _, _) in enumerate(deliveries) if part.has(who)]
    who = np.array([part.here(deliveries[nth][0]) for nth in mine], dtype=np.int64)
    seq = np.array([deliveries[nth][1] for nth in mine], dtype=np.int64)
    received_ns: NDArray[np.int64] = when_ns[mine].astype(np.int64) if mine else np.array([], dtype=np.int64)
    due_ns = NS // 2 + seq * NS // 10
    here = part.count(SUBSCRIBERS)
    connected = [Arrival(one, 3 * NS, 3 * NS + 5, bool(one % 2)) for one in range(here)]
    return SwarmReport(
        ledger=ledger.reckon(who, seq, subscribers=here, messages=MESSAGES),
        age=age.of(who, seq, received_ns, due_ns, messages=MESSAGES, window_ns=WINDOW_NS),
        timeline=timeline.of(received_ns, received_ns - due_ns, WINDOW_NS[0]),
        naive_timeline=timeline.of(received_ns, received_ns - due_ns - 5, WINDOW_NS[0]),
        due_histogram=histogram.of(received_ns - due_ns).encode(),
        sent_histogram=histogram.of(received_ns - due_ns - 5).encode(),
        deliveries_in_window=int(((received_ns >= WINDOW_NS[0]) & (received_ns < WINDOW_NS[1])).sum()),
        connect_ns=tuple(1000 + one for one in part.numbers(SUBSCRIBERS)),
        connecting_ns=(500, 400),
        lag=Lag(10, tuple(part.numbers(SUBSCRIBERS)), tuple(part.numbers(SUBSCRIBERS))),
        slip_ns=(),
        traffic=Traffic(here, here, len(mine) * 100),
        metered_ns=here * 3 * NS,
        deliveries_metered=len(mine),
        connect_traffic=Traffic(here, here, 50 * here),
        account=Account(Parts(messages=3), Parts(heads=1)) if part.number == 0 else None,
        witnessed=3 if part.number == 0 else 0,
        ended={"gone": here},
        arrivals=arrivals(connected, who, received_ns),
        slow=Slow(here, 2 * here, {"reset": here}),
        caught_up_ns=caught_up_ns(who, seq, received_ns, since=np.zeros(here, dtype=np.int64), due=3),
        shares=(),
        fanout=fanout.of(seq, received_ns - due_ns, range(1, MESSAGES)),
    )


DELIVERIES = st.lists(
    st.tuples(st.integers(0, SUBSCRIBERS - 1), st.integers(0, MESSAGES - 1), st.integers(1, NS // 2)), max_size=60
)


@settings(max_examples=15, deadline=None)
@given(DELIVERIES, st.integers(1, 4))
def test_the_parts_make_the_whole(deliveries: list[Delivery], of: int) -> None:
    whole = report(deliveries, Part())
    made = merged([report(deliveries, Part(number, of)) for number in range(of)])
    for histogram_of in ("due_histogram", "sent_histogram"):
        one, other = (histogram.merged([getattr(each, histogram_of)]) for each in (whole, made))
        assert histogram.buckets(one) == histogram.buckets(other)
        assert histogram.summary_ms(one, "x") == pytest.approx(histogram.summary_ms(other, "x"), nan_ok=True)
    assert _rows(made) == _rows(whole)
    for what in ("mean_ms", "peak_ms"):  # sums of floats, which differ by their order
        assert getattr(made.age, what) == pytest.approx(getattr(whole.age, what), rel=1e-12, nan_ok=True)
    assert made.age.peaks == whole.age.peaks
    assert [made.lag.wait_ms(quantile) for quantile in (0.5, 0.99)] == [whole.lag.wait_ms(q) for q in (0.5, 0.99)]
    assert made.arrivals.columns == whole.arrivals.columns
    bags = ("connect_ns", "caught_up_ns")
    for name in bags:
        assert sorted(getattr(made, name), key=str) == sorted(getattr(whole, name), key=str)
    else_ = {"due_histogram", "sent_histogram", "timeline", "naive_timeline", "age", "lag", "arrivals", *bags}
    for name in {one.name for one in fields(SwarmReport)} - else_:
        assert getattr(made, name) == getattr(whole, name), name


def _rows(of: SwarmReport) -> list[str]:
    return [str(row) for row in timeline.rows(of.timeline, of.naive_timeline, warmup_s=1.0, measure_s=3.0)]


def test_one_report_is_itself() -> None:
    alone = report([(0, 0, 1)], Part())
    assert merged([alone]) is alone


def test_connecting_takes_as_long_as_the_slowest_takes_each_time_and_every_process_is_told_of() -> None:
    first, second = (report([], Part(number, 2)) for number in range(2))
    share = Share(1, 2, 0.0, 3, None)
    made = merged(
        [
            SwarmReport(**{one.name: getattr(first, one.name) for one in fields(first)} | {"shares": (share,)}),
            SwarmReport(
                **{one.name: getattr(second, one.name) for one in fields(second)}
                | {"shares": (share, share), "connecting_ns": (600, 300, 7), "ended": {"gone": 9, "lost": 1}}
            ),
        ]
    )
    assert made.connecting_ns == (600, 400, 7)
    assert made.shares == (share,) * 3
    assert made.ended == {"gone": 9 + 4, "lost": 1}
