"""The order of trials: searches go on side by side, round by round, and what was cut off goes on as if it had not been."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from pushbench.objective import parse
from pushbench.order import Task, columns_needed, following, outcome_of, to_come
from pushbench.scenario import Scenario, loads
from pushbench.search import Side

TOML = """\
title = "How many?"

[grid]
transport = ["longpoll", "sse", "websocket"]

[search]
key = "subscribers"
start = 100
limit = 1000
precision = 0.5

[load]
rate_hz = 10

[phases]
settle_s = 0
warmup_s = 1
measure_s = 2

[repeat]
trials = 2
"""

EDGES = {"longpoll": 30, "sse": 330, "websocket": 5000}


def scenario(*overrides: str) -> Scenario:
    return loads(TOML, "mine.toml", overrides)


def row(task: Task, side: Side) -> dict[str, Any]:
    """The task's trial as it is kept."""
    return {"cell": task.cell, "trial": task.trial, **task.load.model_dump(), **task.columns, "outcome": side.value}


def by_edge(task: Task) -> Side:
    return Side.HELD if task.load.subscribers <= EDGES[task.load.transport] else Side.SERVER


def all_of(read: Scenario) -> tuple[list[Task], list[dict[str, Any]]]:
    tasks: list[Task] = []
    kept: list[dict[str, Any]] = []
    while task := following(read, kept):
        tasks.append(task)
        kept.append(row(task, by_edge(task)))
    return tasks, kept


def test_without_a_search_the_trials_are_those_of_the_schedule() -> None:
    text = TOML.replace('[search]\nkey = "subscribers"\nstart = 100\nlimit = 1000\nprecision = 0.5\n', "")
    read = loads(text.replace("[load]", "[load]\nsubscribers = 5"), "mine.toml")
    tasks = []
    kept: list[dict[str, Any]] = []
    while task := following(read, kept):
        assert len(to_come(read, kept)) == 6 - len(kept)
        tasks.append(task)
        kept.append({"cell": task.cell, "trial": task.trial})
    assert [(task.cell, task.trial) for task in tasks] == list(read.schedule)
    assert [task.order for task in tasks] == [1, 2, 3, 4, 5, 6]
    assert tasks[0].label == f"{tasks[0].load.transport} #1"
    assert to_come(read, kept) == []


def test_every_search_is_made_and_its_steps_are_numbered() -> None:
    tasks, _ = all_of(scenario())
    found = {(task.load.transport, task.columns["search"], task.columns["step"]): task.load.subscribers for task in tasks}
    for number in (1, 2):
        path = [found[key] for key in sorted(found) if key[:2] == ("sse", number)]
        assert path == [100, 200, 400, 400, 300]
    assert [task.order for task in tasks] == list(range(1, len(tasks) + 1))


def test_no_two_trials_have_the_same_cell_and_number() -> None:
    tasks, _ = all_of(scenario())
    assert max(Counter((task.cell, task.trial) for task in tasks).values()) == 1


def test_a_round_makes_one_step_of_every_search_that_is_not_over_and_all_first_searches_come_first() -> None:
    tasks, _ = all_of(scenario())
    assert [task.columns["search"] for task in tasks] == sorted(task.columns["search"] for task in tasks)
    steps = [task.columns["step"] for task in tasks if task.columns["search"] == 1]
    assert steps == sorted(steps)
    assert Counter(steps)[1] == Counter(steps)[4] == 3


def test_the_order_within_a_round_is_drawn_from_the_seed() -> None:
    orders = {tuple(task.cell for task in all_of(scenario(f"seed={seed}"))[0][:6]) for seed in range(5)}
    assert len(orders) > 1
    assert all(set(order[:3]) == set(order[3:]) == {0, 1, 2} for order in orders)


def test_a_step_says_what_it_is_a_step_of() -> None:
    task = following(scenario("transport=sse"), [])
    assert task
    assert task.label == "sse, subscribers=100 #1, step 1"
    assert task.columns == {
        "search": 1,
        "step": 1,
        "search_key": "subscribers",
        "search_limit": 1000,
        "objective": "latency_p99_ms <= 100",
    }


@settings(max_examples=20)
@given(st.data())
def test_a_run_that_was_cut_off_goes_on_as_if_it_had_not_been(data: st.DataObject) -> None:
    read = scenario()
    kept: list[dict[str, Any]] = []
    tasks = []
    while task := following(read, kept):
        tasks.append(task)
        kept.append(row(task, data.draw(st.sampled_from(Side))))
    for made in range(len(tasks)):
        as_stored = [{name: one[name] for name in columns_needed(read)} for one in kept[:made]]
        assert following(read, as_stored) == tasks[made]


def test_what_is_to_come_is_estimated_by_the_phases() -> None:
    read = scenario()
    _, kept = all_of(read)
    assert set(to_come(read, [])) == {3.0}
    assert len(kept) / 2 < len(to_come(read, [])) < len(kept) * 2
    assert to_come(read, kept) == []


@pytest.mark.parametrize(
    ("verdict", "p99_ms", "told"),
    [
        ("ok", 90.0, (Side.HELD, "held")),
        ("ok", 1234.5, (Side.SERVER, "not held: latency_p99_ms 1,234")),
        ("client_bound", 110.04, (Side.LOAD, "the load side gave in: latency_p99_ms 110")),
        ("publisher_late", 90.0, (Side.LOAD, "the load side gave in")),
        ("failed", None, (Side.LOAD, "the load side gave in: latency_p99_ms not measured")),
    ],
)
def test_the_outcome_of_a_step_is_said_with_the_figure_that_broke_it(
    verdict: str, p99_ms: float | None, told: tuple[Side, str]
) -> None:
    assert outcome_of(parse("latency_p99_ms <= 100"), verdict, {"latency_p99_ms": p99_ms}) == told
