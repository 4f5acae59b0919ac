"""The schedule: how many messages, when each is due, and which of them are measured."""

import pytest
from hypothesis import given, strategies as st

from pushbench.schedule import NS, Schedule


@pytest.mark.parametrize(
    ("rate_hz", "warmup_s", "measure_s", "warmup_count", "count"),
    [
        (10, 2, 10, 20, 120),
        (10, 0, 1, 0, 10),
        (10, 0.1, 0.1, 1, 2),  # 0.1 * 10 and 0.2 * 10 are not what they seem in binary
        (10, 0.1, 0.2, 1, 3),
        (10, 0.3, 0.3, 3, 6),
        (10, 1.1, 1.1, 11, 22),
        (10, 0.7, 0.1, 7, 8),
        (3, 1, 1, 3, 6),
        (0.5, 0, 2, 0, 1),
        (0.5, 1, 3, 1, 2),
        (0.3, 0, 10, 0, 3),
        (7, 0.5, 0.5, 4, 7),  # 3.5 messages: those at 0, 1/7, 2/7 and 3/7 s are due before 0.5 s
        (1000, 0.001, 0.001, 1, 2),
        (100_000, 0.00001, 1, 1, 100_001),
    ],
)
def test_a_message_is_due_at_the_start_and_at_each_interval_until_the_end(
    rate_hz: float, warmup_s: float, measure_s: float, warmup_count: int, count: int
) -> None:
    schedule = Schedule(rate_hz, warmup_s, measure_s)
    assert (schedule.warmup_count, schedule.count) == (warmup_count, count)


def test_message_i_is_due_i_intervals_after_the_start() -> None:
    schedule = Schedule(rate_hz=3, warmup_s=0, measure_s=1)
    assert [schedule.due_ns(seq) for seq in range(4)] == [0, 333_333_333, 666_666_667, NS]


@pytest.mark.parametrize(
    ("burst", "due_s", "warmup_count"),
    [(1, [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], 4), (3, [0, 0, 0, 0.3, 0.3, 0.3, 0.6, 0.6, 0.6], 6), (10, [0] * 10, 10)],
)
def test_a_burst_is_due_when_its_first_message_is(burst: int, due_s: list[float], warmup_count: int) -> None:
    schedule = Schedule(rate_hz=10, warmup_s=0.4, measure_s=0.4, burst=burst)
    assert [schedule.due_ns(seq) / NS for seq in range(schedule.count)] == due_s
    assert schedule.warmup_count == warmup_count


@pytest.mark.parametrize("burst", [1, 4])
def test_so_many_are_due_by_a_moment(burst: int) -> None:
    schedule = Schedule(rate_hz=7, warmup_s=0.5, measure_s=2, burst=burst)
    for moment_ns in (-1, 0, 1, NS // 7, NS, 10 * NS, *(schedule.due_ns(seq) + off for seq in range(9) for off in (-1, 0))):
        due = sum(schedule.due_ns(seq) <= moment_ns for seq in range(schedule.count))
        assert schedule.due_by(moment_ns) == due


def test_the_window_begins_where_the_warm_up_ends() -> None:
    assert Schedule(10, 0.1, 0.2).window_ns == (100_000_000, 300_000_000)


@pytest.mark.parametrize(
    ("schedule", "metered_s"),
    [
        (Schedule(1, 2, 3), (1.5, 4.5)),
        (Schedule(10, 1, 2, burst=4), (1, 3)),
        (Schedule(10, 0.8, 2, burst=4), (0.6, 2.6)),
        (Schedule(1, 0.25, 1), (0.25, 1.25)),
        (Schedule(1, 0.75, 1), (0.5, 1.5)),
        (Schedule(0.1, 5, 30), (5, 35)),
        (Schedule(1, 0, 5), (0, 4.5)),
        (Schedule(0, 1, 2), (1, 3)),
    ],
)
def test_traffic_is_read_where_no_message_is_due_nor_soon_will_be_and_never_behind_the_window(
    schedule: Schedule, metered_s: tuple[float, float]
) -> None:
    assert schedule.metered_ns == tuple(round(moment * NS) for moment in metered_s)


def test_without_time_there_is_nothing_to_publish() -> None:
    schedule = Schedule(10, 0, 0)
    assert (schedule.count, schedule.warmup_count, schedule.window_ns) == (0, 0, (0, 0))


SCHEDULES = st.builds(
    Schedule,
    rate_hz=st.floats(0.1, 100_000),
    warmup_s=st.floats(0, 100),
    measure_s=st.floats(0.001, 100),
)


@given(SCHEDULES, st.integers(0, 10_000_000))
def test_later_messages_are_due_later_and_never_far_from_the_rate(schedule: Schedule, seq: int) -> None:
    due_ns = schedule.due_ns(seq)
    assert due_ns < schedule.due_ns(seq + 1)
    assert due_ns == pytest.approx(seq / schedule.rate_hz * NS, abs=1, rel=4e-16)  # two steps of a float


@given(SCHEDULES)
def test_the_measured_messages_are_those_that_are_due_in_the_window(schedule: Schedule) -> None:
    start_ns, end_ns = schedule.window_ns
    edge_ns = 1 + 1e-6 * NS / schedule.rate_hz  # a millionth of an interval: so much a float may be off
    for first_behind, edge in ((schedule.warmup_count, start_ns), (schedule.count, end_ns)):
        assert schedule.due_ns(first_behind) >= edge - edge_ns
        if first_behind:
            assert schedule.due_ns(first_behind - 1) < edge + edge_ns


@given(SCHEDULES)
def test_a_longer_warm_up_takes_nothing_from_the_feed(schedule: Schedule) -> None:
    assert 0 <= schedule.warmup_count <= schedule.count


MS = st.integers(0, 5000)
RATES = st.sampled_from([1, 2, 3, 7, 10, 50, 400, 1000, 99_999, 100_000])
"""With lengths in whole milliseconds, every edge is where it is told to be, and nothing is left to the last bit."""


@given(RATES, MS, MS, MS)
def test_the_messages_of_adjoining_windows_are_those_of_both_together(rate_hz: float, a: int, b: int, c: int) -> None:
    first = Schedule(rate_hz, a / 1000, b / 1000)
    second = Schedule(rate_hz, (a + b) / 1000, c / 1000)
    both = Schedule(rate_hz, a / 1000, (b + c) / 1000)
    measured = [schedule.count - schedule.warmup_count for schedule in (first, second, both)]
    assert measured[0] + measured[1] == measured[2]
    assert (first.count, second.count) == (second.warmup_count, both.count)
    assert first.window_ns[1] == second.window_ns[0]


@given(RATES, MS, st.integers(1, 300))
def test_every_measured_message_is_due_in_the_window_and_each_later_than_the_last(
    rate_hz: float, warmup_ms: int, measure_ms: int
) -> None:
    schedule = Schedule(rate_hz, warmup_ms / 1000, measure_ms / 1000)
    start_ns, end_ns = schedule.window_ns
    due_ns = [schedule.due_ns(seq) for seq in range(schedule.warmup_count, schedule.count)]
    assert due_ns == sorted(set(due_ns))
    assert all(start_ns <= due < end_ns for due in due_ns)
    assert schedule.due_ns(schedule.count) >= end_ns
