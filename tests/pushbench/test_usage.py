"""What processes have used, from two readings of the kernel's counts."""

import os
from dataclasses import replace

import pytest

from pushbench import usage
from pushbench.usage import LEAST_TICKS, Share, Usage, _part, share, together


@pytest.mark.parametrize(
    ("before", "after", "part"),
    [
        ((10, 10), (70, 30), 0.75),
        ((0, 0), (0, LEAST_TICKS), 0.0),
        ((0, 0), (LEAST_TICKS - 1, 0), None),
        ((50, 50), (120, 10), None),
        ((5, 5), (5, 5), None),
    ],
)
def test_the_proportion_of_user_time_is_told_of_enough_ticks_of_one_process(
    before: tuple[int, int], after: tuple[int, int], part: float | None
) -> None:
    assert _part(before, after) == part


def test_a_share_is_what_came_between_two_readings_and_only_of_threads_that_are_still_there() -> None:
    before = Usage(7, 1000, 100, {1: (50, 10), 2: (50, 20)}, (0, 0))
    after = Usage(7, 3000, 700, {1: (650, 40), 3: (0, 605)}, (60, 40))
    assert share(before, after, stopped=0.25) == Share(600, 35, 0.25, 2000, 0.6)
    assert share(before, after).cpu_percent == 30


@pytest.mark.parametrize(
    ("threads", "waited"),
    [
        ({1: (600, 100)}, 100),  # for whatever else there was
        ({1: (600, 0), 2: (5, 500)}, 0),  # the second for the first
        ({1: (600, 0), 2: (5, 700)}, 100),
        ({1: (300, 300), 2: (300, 300)}, 0),  # in turn
        ({1: (300, 350), 2: (300, 360)}, 110),
    ],
)
def test_what_threads_of_a_process_wait_for_each_other_is_no_wait_for_something_else(
    threads: dict[int, tuple[int, int]], waited: int
) -> None:
    before = Usage(7, 0, 0, dict.fromkeys(threads, (0, 0)), (0, 0))
    assert share(before, Usage(7, 1000, 600, threads, (0, 0))).wait_ns == waited


def test_a_process_can_be_read_and_has_used_no_less_later() -> None:
    first, second = usage.read(os.getpid()), usage.read(os.getpid())
    assert first.pid == os.getpid()
    assert second.cpu_ns >= first.cpu_ns > 0
    assert second.at_ns >= first.at_ns


def test_processes_that_stand_in_for_ended_ones_go_on_from_what_these_had_used() -> None:
    ended = (Usage(7, 1000, 100, {1: (100, 10)}, (60, 40)),)
    now = (Usage(8, 2000, 30, {2: (30, 5)}, (1, 1)), Usage(9, 2000, 40, {3: (40, 6)}, (2, 2)))
    first, second = usage.continued(ended, now)
    assert first == Usage(8, 2000, 130, {1: (100, 10), 2: (30, 5)}, (0, 0))
    assert second == replace(now[1], ticks=(0, 0))


QUIET = Share(cpu_ns=200, wait_ns=10, stopped=0.5, of_ns=1000, user=None)
BUSY = Share(cpu_ns=600, wait_ns=100, stopped=0.0, of_ns=1000, user=0.75)
WAITS = Share(cpu_ns=550, wait_ns=300, stopped=0.1, of_ns=1000, user=0.25)


def test_one_process_is_its_role() -> None:
    assert together([BUSY]) is BUSY


def test_several_cost_their_sum_and_the_one_that_wanted_most_says_how_near_the_limit_it_was() -> None:
    role = together([QUIET, BUSY, WAITS])
    assert role.cpu_ns == 1350
    assert role.busiest == 2  # it ran for less, but it would have run for longer
    assert (role.cpu_percent, role.wait_percent, role.stopped_percent) == (55, 30, 50)
    assert role.user == pytest.approx((0.75 * 600 + 0.25 * 550) / 1150)


def test_what_user_code_took_is_not_said_where_too_little_is_known_of_it() -> None:
    assert together([replace(QUIET, cpu_ns=700), BUSY]).user is None


def test_a_process_and_its_children_are_one_and_those_that_came_or_went_meanwhile_do_not_count() -> None:
    def at(pid: int, at_ns: int, cpu_ns: int) -> Usage:
        return Usage(pid, at_ns, cpu_ns, {pid: (cpu_ns, 0)}, (0, 0))

    before = [at(1, 0, 100), at(2, 0, 1000), at(3, 0, 50)]
    after = [at(1, 1000, 150), at(2, 1000, 1200), at(4, 1000, 9999)]
    one = usage.as_one(before, after)
    assert (one.cpu_ns, one.of_ns, one.each) == (250, 1000, ())
    assert usage.as_one(before[:1], after[:1]).cpu_ns == 50
