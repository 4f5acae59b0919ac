"""Age of information: the areas and peaks of an integration done step by step, with exact fractions."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, strategies as st

from pushbench import age
from pushbench.age import Age
from tests.pushbench.streams import INTERVAL_NS, Stream, streams

HALF_NS = INTERVAL_NS // 2  # the grid on which everything in a random stream happens
WINDOWS = st.tuples(st.integers(0, 14), st.integers(1, 14)).map(
    lambda begin_length: (begin_length[0] * HALF_NS, sum(begin_length) * HALF_NS)
)


def step_by_step(stream: Stream, window_ns: tuple[int, int]) -> tuple[Fraction, Fraction, Fraction, int]:
    """Area in s², time in s, peaks in s, and their number, one step of the grid after the other.

    Within a step nothing arrives, so that the age grows as a straight line and its mean is that of its ends.
    """
    area = time = peaks = Fraction(0)
    count = 0
    for subscriber in range(stream.subscribers):
        newest = -1
        for step in range(window_ns[1] // HALF_NS):
            now_ns = step * HALF_NS
            arrived = [seq for who, seq, at in stream.deliveries if who == subscriber and at == now_ns]
            if max(arrived, default=-1) > newest:
                if newest >= 0 and now_ns > window_ns[0]:  # it falls, from what it had grown to
                    peaks += Fraction(now_ns - newest * INTERVAL_NS, 10**9)
                    count += 1
                newest = max(arrived)
            if newest >= 0 and now_ns >= window_ns[0]:
                length = Fraction(HALF_NS, 10**9)
                area += length * (Fraction(now_ns - newest * INTERVAL_NS, 10**9) + length / 2)
                time += length
    return area, time, peaks, count


def age_of(stream: Stream, window_ns: tuple[int, int]) -> Age:
    return age.of(
        stream.subscriber,
        stream.seq,
        stream.received_ns,
        stream.due_ns,
        messages=stream.messages,
        window_ns=window_ns,
    )


@given(streams(), WINDOWS)
def test_the_age_is_that_of_an_integration_step_by_step(stream: Stream, window_ns: tuple[int, int]) -> None:
    found = age_of(stream, window_ns)
    area, time, peaks, count = step_by_step(stream, window_ns)
    assert found.area == pytest.approx(float(area), abs=1e-12)
    assert found.time_s == pytest.approx(float(time), abs=1e-12)
    assert found.peaks_s == pytest.approx(float(peaks), abs=1e-12)
    assert found.peaks == count


def at_once(subscribers: int = 1, delay_ns: int = 0) -> Stream:
    """Ten messages, each received so long after it was due."""
    return Stream(
        subscribers, 10, [(who, seq, seq * INTERVAL_NS + delay_ns) for seq in range(10) for who in range(subscribers)]
    )


@pytest.mark.parametrize("subscribers", [1, 7])
def test_of_a_feed_that_arrives_at_once_it_is_half_an_interval_on_average_and_one_at_its_peaks(subscribers: int) -> None:
    found = age_of(at_once(subscribers), (0, 10 * INTERVAL_NS))
    assert found.mean_ms == pytest.approx(5)
    assert found.peak_ms == pytest.approx(10)
    assert found.time_s == pytest.approx(0.1 * subscribers)


def test_a_delay_is_added_to_mean_and_peaks() -> None:
    found = age_of(at_once(delay_ns=3_000_000), (2 * INTERVAL_NS, 9 * INTERVAL_NS))
    assert found.mean_ms == pytest.approx(8)
    assert found.peak_ms == pytest.approx(13)


def test_an_old_message_that_comes_late_makes_nobody_younger() -> None:
    stream = at_once()
    late = Stream(1, 10, sorted([*stream.deliveries, (0, 1, 5 * INTERVAL_NS + 1)], key=lambda delivery: delivery[2]))
    assert age_of(late, (0, 10 * INTERVAL_NS)) == age_of(stream, (0, 10 * INTERVAL_NS))


def test_who_knows_nothing_yet_has_no_age() -> None:
    found = age_of(at_once(), (0, 0))
    assert found == Age()
    assert math.isnan(found.mean_ms)
    assert math.isnan(found.peak_ms)


def test_far_from_the_clocks_zero_it_is_as_exact() -> None:
    near = at_once(delay_ns=3_000_000)
    uptime_ns = 10**17  # three years
    far = age.of(
        near.subscriber,
        near.seq,
        near.received_ns + uptime_ns,
        near.due_ns + uptime_ns,
        messages=near.messages,
        window_ns=(uptime_ns, uptime_ns + 9 * INTERVAL_NS),
    )
    assert far.mean_ms == pytest.approx(age_of(near, (0, 9 * INTERVAL_NS)).mean_ms, rel=1e-9)


@given(streams(), WINDOWS, st.data())
def test_the_ages_of_two_swarms_add_up_to_that_of_both_together(
    stream: Stream, window_ns: tuple[int, int], data: st.DataObject
) -> None:
    split = data.draw(st.integers(0, stream.subscribers))
    parts = [
        Stream(stream.subscribers, stream.messages, [one for one in stream.deliveries if (one[0] < split) == first])
        for first in (True, False)
    ]
    whole, summed = age_of(stream, window_ns), age_of(parts[0], window_ns) + age_of(parts[1], window_ns)
    assert summed.peaks == whole.peaks
    assert (summed.area, summed.time_s, summed.peaks_s) == pytest.approx((whole.area, whole.time_s, whole.peaks_s))
