"""The answer of a search: capacities with their brackets, lower bounds that are called so, and a table of both."""

import pandas as pd
import pytest

from pushbench import summary
from pushbench.capacity import by_load, capacities, doubtful, said, searched, table
from pushbench.search import Side
from tests.pushbench import frames, searches


def trials(**changes: object) -> pd.DataFrame:
    return searches.run(**changes)["trials"]  # type: ignore[arg-type]


def test_a_run_without_searches_has_no_capacities() -> None:
    plain = frames.run(("sse",), trials=1)["trials"]
    assert not searched(plain)
    assert capacities(plain) == []
    assert table(plain) is None
    older = plain.drop(columns=frames.SEARCH)
    assert not searched(older)
    assert doubtful(older) == 0


def test_a_capacity_is_the_median_of_what_the_searches_found() -> None:
    [found] = capacities(trials(edges={"sse": 900.0}))
    assert [(one.held, one.failed) for one in found.brackets] == [(900, 950), (950, 1000), (1000, 1100)]
    assert (found.value.low, found.value.mid, found.value.high) == (900, 950, 1000)
    assert found.between == (900, 1100)
    assert (found.gave_in, found.lower_bound) == ("server", False)
    assert said(found) == "950 (900–1,000)"


def test_where_the_load_side_gave_in_the_answer_is_a_lower_bound() -> None:
    [found] = capacities(trials(edges={"sse": 900.0}, load_side=["sse"], trials=1))
    assert {one.gave_in for one in found.brackets} == {Side.LOAD}
    assert (found.gave_in, found.lower_bound, found.by_load_side) == ("load side", True, 1)
    assert said(found) == "≥ 900"


def test_one_search_of_three_that_was_the_load_sides_makes_a_lower_bound_of_all() -> None:
    made = trials(edges={"sse": 900.0})
    made.loc[(made["search"] == 2) & (made["outcome"] == "server"), "outcome"] = "load"
    [found] = capacities(made)
    assert found.gave_in == "2 server, 1 load side"
    assert said(found) == "≥ 950 (900–1,000)"
    assert doubtful(made) == 1


def test_what_held_up_to_the_limit_is_a_lower_bound_by_nobodys_fault() -> None:
    made = trials(edges={"sse": 9000.0}, trials=1)
    [found] = capacities(made)
    assert found.between == (3000, None)
    assert (found.gave_in, said(found)) == ("nobody up to the limit", "≥ 3,000")
    assert doubtful(made) == 0


def test_a_search_that_was_cut_off_says_so() -> None:
    [found] = capacities(trials(edges={"sse": 900.0}, steps=3))
    assert (found.gave_in, said(found)) == ("search not finished", "≥ 400")


def test_of_a_search_that_knows_nothing_yet_nothing_is_said() -> None:
    [found] = capacities(trials(edges={"sse": 0.5}, steps=1))
    made = table(trials(edges={"sse": 0.5}, steps=1))
    assert said(found) == "–"
    assert made
    assert made.rows[0][1:5] == ("–", "–", "search not finished", "–")


def test_what_never_held_is_below_the_least_that_was_tried() -> None:
    [found] = capacities(trials(edges={"sse": 0.5}, trials=1))
    assert said(found) == "below 1"
    [unknown] = capacities(trials(edges={"sse": 0.5}, load_side=["sse"], trials=1))
    assert said(unknown) == "–"
    assert found.steps_at(held=True).empty


def test_what_broke_the_objective_is_told_with_its_figure_at_the_failing_step() -> None:
    [found] = capacities(trials(edges={"sse": 900.0}, trials=1))
    assert found.steps_at(held=False)["subscribers"].tolist() == [950, 950]
    assert found.broke == "latency_p99_ms 111"
    [lossy] = capacities(trials(edges={"sse": 900.0}, lossy=["sse"], trials=1))
    assert (lossy.broke, lossy.gave_in) == ("latency_p99_ms 111, lossy", "server")


def test_the_table_has_a_row_for_each_cell_and_explains_its_marks() -> None:
    made = table(trials(load_side=["stream"]))
    assert made
    assert made.headings[:4] == ("transport", "capacity, subscribers", "edge between", "gave in")
    assert [row[0] for row in made.rows] == list(searches.EDGES)
    assert made.keys == 1
    assert [row[1].startswith("≥ ") for row in made.rows] == [False, False, True, False, False]
    assert "latency_p99_ms <= 100" in made.notes[0]
    assert made.notes[1].startswith("Gave in: server: the objective was missed")
    assert "It is not the server's capacity." in made.notes[2]
    clean = table(trials())
    assert clean
    assert len(clean.notes) == 2


def test_a_rate_is_told_by_what_it_is_called() -> None:
    made = table(trials(edges={"sse": 333.3}, key="rate_hz", trials=1))
    assert made
    assert made.headings[1] == "capacity, messages/s"
    assert made.rows[0][1:3] == ("325", "325–350")


@pytest.mark.parametrize("column", ["latency_p99_ms", "deliveries_per_s"])
def test_the_steps_can_be_shown_as_if_they_were_a_grids_cells(column: str) -> None:
    made = trials(edges={"sse": 900.0, "websocket": 1700.0})
    cells = by_load(made)
    assert cells.groupby("cell")[["transport", "subscribers"]].nunique().eq(1).all(axis=None)
    assert cells["cell"].nunique() == len(made.groupby(["transport", "subscribers"]))
    assert sorted(cells[column]) == sorted(made[column])
    for shown in summary.tables(cells):
        assert len(shown.rows) == cells["cell"].nunique()
