"""A scenario that searches: it becomes cells at their start, and what contradicts the search is refused in one line."""

import pytest

from pushbench.scenario import Scenario, ScenarioError, check_files, loads
from pushbench.search import Range

GOOD = """\
title = "How many?"

[grid]
transport = ["sse", "polling"]

[search]
key = "subscribers"
start = 100
limit = 1000

[load]
rate_hz = 10
poll_interval_ms = 50

[phases]
warmup_s = 1
measure_s = 2
"""

SEARCH = """\
[search]
key = "subscribers"
start = 100
limit = 1000
"""
GRID = GOOD.replace(SEARCH, "").replace("[load]", "[load]\nsubscribers = 5")


def scenario(*overrides: str, text: str = GOOD) -> Scenario:
    return loads(text, "mine.toml", overrides)


def refused(*overrides: str, text: str = GOOD) -> str:
    with pytest.raises(ScenarioError) as caught:
        scenario(*overrides, text=text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_search_has_a_cell_for_each_combination_of_the_grid_at_its_start() -> None:
    read = scenario()
    assert [(cell.transport, cell.subscribers) for cell in read.cells] == [("sse", 100), ("polling", 100)]
    assert read.search
    assert (read.search.precision, read.search.objective) == (0.1, "latency_p99_ms <= 100")
    assert read.within == Range(start=100, lowest=1, limit=1000, precision=0.1, whole=True)


def test_without_a_search_the_cells_are_as_heavy_as_they_are() -> None:
    read = loads(
        GOOD.replace("[search]", "[load]").replace(
            'key = "subscribers"\nstart = 100\nlimit = 1000\n\n[load]', "subscribers = 7"
        ),
        "m",
    )
    assert read.search is None
    assert read.heaviest == read.cells


def test_what_is_searched_is_always_in_a_cells_label() -> None:
    read = scenario("transport=sse")
    assert read.label(read.heaviest[0]) == "sse, subscribers=1000"


def test_a_search_can_be_changed_for_one_run() -> None:
    read = scenario("search.start=50", "limit=500", "search.precision=0.5", "objective=lost <= 0")
    assert read.within == Range(start=50, lowest=1, limit=500, precision=0.5, whole=True)
    assert read.cells[0].subscribers == 50
    assert read.search
    assert read.search.objective == "lost <= 0"


def test_a_rate_is_searched_in_fractions_and_not_below_one_message_a_window() -> None:
    text = GOOD.replace('"subscribers"', '"rate_hz"').replace("rate_hz = 10", "subscribers = 10")
    assert scenario(text=text).within == Range(start=100, lowest=1, limit=1000, precision=0.1, whole=False)
    assert scenario("measure_s=0.1", text=text).within.lowest == 10
    assert scenario(text=text.replace("subscribers = 10", "subscribers = 10\nburst = 20")).within.lowest == 10
    text = text.replace('"rate_hz"', '"payload_bytes"').replace("[load]", "[load]\nrate_hz = 10")
    assert scenario(text=text).within == Range(start=100, lowest=83, limit=1000, precision=0.1, whole=True)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('key = "subscribers"', 'key = "subscriber"', 'mine.toml:7: search.key: "subscriber" is not one of subscribers,'),
        ('key = "subscribers"', 'key = "transport"', 'mine.toml:7: search.key: "transport" is not one of subscribers,'),
        ('key = "subscribers"\n', "", "mine.toml:6: search.key: missing, expected one of subscribers, rate_hz,"),
        ("start = 100\n", "", "mine.toml:6: search.start: missing, expected a number from 1 to 1000000"),
        ("start = 100", "start = 0", "mine.toml:8: search.start: 0 is not a number from 1 to 1000000"),
        ("start = 100", "start = 2000", "mine.toml:8: search.start: 2000 is above the limit of 1000, expected at most"),
        ("start = 100", "start = 10.5", "mine.toml:8: search.start: 10.5 is no value of subscribers, expected an integer"),
        ("limit = 1000", "limit = 1000\nprecision = 0", "mine.toml:10: search.precision: 0 is not a number from 0.01 to 1"),
        ("limit = 1000", "limit = 1000\nprecison = 1", "mine.toml:10: search.precison: unknown key, did you mean"),
        ("limit = 1000", 'limit = 1000\nobjective = "latency_p9_ms <= 1"',
         "mine.toml:10: search.objective: latency_p9_ms is no column that is measured, did you mean latency_p99_ms?"),
        ("limit = 1000", 'limit = 1000\nobjective = "reason <= 1"', "mine.toml:10: search.objective: reason is no column"),
        ("limit = 1000", 'limit = 1000\nobjective = "latency_p99_ms"',
         "mine.toml:10: search.objective: 'latency_p99_ms' is no condition, expected a column, one of <=, <, >=,"),
        ("[load]", "[load]\nsubscribers = 5", "mine.toml:12: load.subscribers: 5 is given here, and [search] varies"),
        ("[grid]", "[grid]\nsubscribers = [5]", "mine.toml:4: grid.subscribers: [5] is given here, and [search] varies"),
        ("measure_s = 2", "measure_s = 2\nplateaus = 4", "mine.toml:18: phases.plateaus: 4, and a search measures no"),
        ("warmup_s = 1\nmeasure_s = 2", "warmup_s = 0\nmeasure_s = 0",
         "mine.toml:17: phases.measure_s: 0 measures no traffic"),
        ("warmup_s = 1", "warmup_s = 0", "mine.toml:16: phases.warmup_s: 0 s is below the poll interval of 50 ms"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_search_is_told_with_its_place(old: str, new: str, told: str) -> None:
    assert old in GOOD
    assert refused(text=GOOD.replace(old, new, 1)).startswith(told)


def test_both_ends_of_a_search_must_go_with_the_phases() -> None:
    text = GOOD.replace('"subscribers"', '"server_stall_ms"').replace("[load]", "[load]\nsubscribers = 5")
    assert scenario(text=text)
    assert refused("limit=5000", text=text).startswith(
        "--set limit=5000: search.limit: 5000 ms do not fit into a window of 2 s"
    )


@pytest.mark.parametrize(
    ("objective", "kept"),
    [("latency_p99_ms <= 45", True), ("latency_p99_ms <= 40", False), ("latency_p50_ms < 20", False), ("lost <= 0", True)],
)
def test_a_latency_that_polling_keeps_at_no_load_is_refused(objective: str, kept: bool) -> None:
    if kept:
        assert scenario(f"objective={objective}")
        return
    assert refused(f"objective={objective}").startswith(
        f"--set objective={objective}: search.objective: {objective} is beyond polling, which asks every 50 ms, "
        "at any load; set poll_interval_ms to"
    )
    assert scenario(f"objective={objective}", "transport=[sse]")


def test_an_override_makes_no_search_of_a_grid_and_varies_no_key_twice() -> None:
    grid = GOOD.replace('[search]\nkey = "subscribers"\nstart = 100\nlimit = 1000\n', "").replace(
        "[load]", "[load]\nsubscribers = 5"
    )
    assert refused("search.start=50", text=grid).startswith(
        "--set search.start=50: search: this scenario searches for nothing"
    )
    assert refused("subscribers=50").startswith("--set subscribers=50: load.subscribers: 50 is given here, and [search]")
    assert refused("subscribers=[50]").startswith("--set subscribers=[50]: grid.subscribers: [50] is given here")


def test_the_limit_is_held_to_the_files_that_a_process_may_open() -> None:
    with pytest.raises(ScenarioError, match=r"^mine.toml:9: search.limit: 1000 .* needs 1064 open files"):
        check_files(scenario(), 1063)
    check_files(scenario(), 1064)
