"""Bystanders: shares are differences of what the kernel counted, and only of the time in between."""

import os
import time
from pathlib import Path

import pytest

from pushbench import bystanders, machine
from pushbench.bystanders import TICKS_PER_S, Look, Ticks, between
from tests.pushbench import machines

SECOND_NS = 1_000_000_000


def test_a_cores_shares_are_of_all_its_ticks_in_between() -> None:
    first = Look(0, {0: Ticks(1000, 5000, 3), 1: Ticks(0, 0, 0)}, waited_us=100)
    second = Look(SECOND_NS, {0: Ticks(1030, 5060, 13), 1: Ticks(0, 100, 0)}, waited_us=250_100)
    seen = between(first, second, {}, {})
    assert seen.busy == {0: 0.3, 1: 0.0}
    assert seen.stolen == {0: 0.1, 1: 0.0}
    assert seen.waiting == 0.25


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (Ticks(5, 5, 0), Ticks(5, 5, 0)),  # no tick has passed
        (Ticks(5, 5, 0), Ticks(4, 4, 0)),  # /proc/stat says that idle may go back
    ],
)
def test_a_core_that_counted_nothing_was_not_busy(then: Ticks, now: Ticks) -> None:
    seen = between(Look(0, {0: then}, None), Look(SECOND_NS, {0: now}, None), {}, {})
    assert (seen.busy, seen.stolen, seen.waiting) == ({0: 0.0}, {0: 0.0}, None)


def test_a_core_that_came_in_between_was_not_busy() -> None:
    assert between(Look(0, {}, 1), Look(SECOND_NS, {3: Ticks(9, 1, 0)}, 1), {}, {}).busy == {3: 0.0}


def test_processes_are_named_the_busiest_first_and_those_of_one_name_together() -> None:
    half, tenth = TICKS_PER_S // 2, TICKS_PER_S // 10
    before = {(1, "init"): 7, (2, "cc1"): 100, (3, "cc1"): 0, (4, "gone"): 50}
    after = {(1, "init"): 7, (2, "cc1"): 100 + half, (3, "cc1"): tenth, (5, "new"): 9999, (6, "old"): 10}
    seen = between(Look(0, {}, 0), Look(SECOND_NS, {}, 0), before, after | {(4, "gone"): 50 + 2 * tenth})
    assert seen.busiest == (("cc1", 0.6), ("gone", 0.2))


def test_two_looks_are_taken_at_the_machine_and_subtracted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sleeping is when the machine's counters go on."""
    files = machines.SERVER | {
        "proc/7/stat": "7 (a (sh) \t) S 1 7 7 0 -1 4194304 100 0 0 0 10 5 0 0 20 0 1 0 5 0 0",
        "proc/8/stat": "8 (",
        f"proc/{os.getpid()}/stat": f"{os.getpid()} (python) R 1 7 7 0 -1 4194304 100 0 0 0 10 5 0 0 20 0 1 0 5 0 0",
        "proc/self/stat": "7 (",
    }
    monkeypatch.setattr(machine, "ROOT", machines.build(tmp_path, files))
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        later = {
            "proc/stat": "cpu  0\ncpu0 60 1 5 130 2 1 1 0 0 0\ncpu1 20 0 0 150 0 0 0 30 7 0\n",
            "proc/7/stat": files["proc/7/stat"].replace(" 10 5 ", " 11 6 "),
            f"proc/{os.getpid()}/stat": files[f"proc/{os.getpid()}/stat"].replace(" 10 5 ", " 99 99 "),
        }
        machines.build(tmp_path, later)

    monkeypatch.setattr(time, "sleep", sleep)
    seen = bystanders.watch()
    assert slept == [bystanders.LOOK_S]
    assert seen.busy == {0: 0.5, 1: 0.0}
    assert seen.stolen == {0: 0.0, 1: 0.25}
    assert seen.waiting == 0.0
    assert [name for name, _ in seen.busiest] == ["a (sh) ?"]  # a name cannot harm a terminal


def test_what_was_stolen_since_the_start_is_of_all_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "ROOT", machines.build(tmp_path, machines.SERVER))
    assert bystanders.stolen_since_boot() == 5 / 200


def test_of_a_machine_that_tells_nothing_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "ROOT", tmp_path)
    seen = bystanders.watch()
    assert (seen.busy, seen.stolen, seen.waiting, seen.busiest) == ({}, {}, None, ())
    assert bystanders.stolen_since_boot() is None


def test_this_machine_has_a_share_for_every_core_that_may_be_used() -> None:
    seen = bystanders.watch()
    assert os.sched_getaffinity(0) <= seen.busy.keys()
    assert all(0 <= share <= 1 for share in (*seen.busy.values(), *seen.stolen.values()))
