"""The table: medians with their intervals, what varies and nothing else, and what is not to be believed is marked."""

import pandas as pd
import pytest

from pushbench.stats import Interval
from pushbench.summary import MARK, ROUGH, digits, plain, said, table, varied
from tests.pushbench import frames


def trials(*latencies: float, verdicts: tuple[str, ...] = (), lost: int | None = 0) -> pd.DataFrame:
    """One cell whose trials have these mean latencies."""
    made = frames.run(("sse",), subscribers=(100,), trials=len(latencies))["trials"]
    made["latency_mean_ms"] = list(latencies)
    made["verdict"] = list(verdicts or ["ok"] * len(latencies))
    made["lost"] = pd.array([lost] * len(latencies), dtype="Int64")
    return made


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (4.1, "4.10"),
        (0.0123, "0.0123"),
        (0.00001234, "0.0000123"),
        (12_345, "12,300"),
        (999.4, "999"),
        (999.6, "1,000"),
        (99.96, "100"),
        (0.9996, "1.00"),
        (1_234_567, "1,230,000"),
        (-4.1, "-4.10"),
        (-0.0996, "-0.0996"),
    ],
)
def test_figures_have_three_significant_digits(value: float, text: str) -> None:
    assert digits(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [("sse", "sse"), (1000, "1,000"), (10.0, "10"), (0.5, "0.5"), (25_000.0, "25,000")]
)
def test_a_loads_value_is_written_plainly(value: object, text: str) -> None:
    assert plain(value) == text


def test_an_interval_follows_its_figure_where_there_is_one() -> None:
    assert said(Interval(mid=4.1, low=3.954, high=4.306, n=3)) == "4.10 (3.95–4.31)"
    assert said(Interval(mid=4.1, low=4.1, high=4.1, n=1)) == "4.10"
    assert said(Interval(mid=float("nan"), low=float("nan"), high=float("nan"), n=0)) == "–"


def test_a_cell_is_a_row_with_its_median_and_the_range_of_its_trials() -> None:
    made = table(trials(3.0, 1.0, 2.0))
    assert made.headings[:2] == ("transport", "mean latency, ms")
    assert made.headings[-2:] == ("lost", "verdict")
    [row] = made.rows
    assert row[:2] == ("sse", "2.00 (1.00–3.00)")
    assert row[-2:] == ("0", "ok")
    assert made.notes == (
        "Median of 3 trials, each with a fresh server process; in brackets the 95 % bootstrap interval "
        "(of so few, their range).",
    )


def test_the_load_keys_that_vary_are_columns_and_no_others() -> None:
    run = frames.run(("sse", "websocket"), subscribers=(10, 1000), rates=(2.5,), trials=1)["trials"]
    assert varied(run) == ["transport", "subscribers"]
    assert [row[:2] for row in table(run).rows] == [
        ("sse", "10"),
        ("sse", "1,000"),
        ("websocket", "10"),
        ("websocket", "1,000"),
    ]
    assert varied(frames.run(("sse",), subscribers=(10,), trials=1)["trials"]) == ["transport"]


def test_cells_are_in_the_scenarios_order_whatever_the_order_of_execution() -> None:
    run = frames.run(("websocket", "sse", "polling"), subscribers=(10,), trials=2)["trials"]
    assert [row[0] for row in table(run.iloc[::-1]).rows] == ["websocket", "sse", "polling"]


def test_figures_that_no_trial_has_are_left_out() -> None:
    without, with_memory = (table(frames.run(("sse",), trials=1, plateaus=p)["trials"]).headings for p in (0, 4))
    assert not [heading for heading in without if "memory" in heading]
    assert len([heading for heading in with_memory if "memory" in heading or "kernel" in heading]) == 2


def test_memory_is_told_in_kib() -> None:
    run = frames.run(("sse",), subscribers=(100,), trials=1, plateaus=4)["trials"]
    run["server_user_bytes_per_connection"] = 2048.0
    made = table(run)
    [column] = [number for number, heading in enumerate(made.headings) if heading.startswith("memory")]
    assert made.rows[0][column] == "2.00"


def test_a_slope_to_which_one_trial_does_not_keep_is_rough_and_no_other_figure_is() -> None:
    made = frames.run(("sse",), subscribers=(100,), trials=2, plateaus=4)["trials"]
    made["server_kernel_bytes_per_connection_r2"] = [0.999, 0.989]
    [row] = table(made).rows
    assert [cell.startswith(ROUGH) for cell in row].count(True) == 1
    assert dict(zip(table(made).headings, row, strict=True))["kernel, KiB/conn."].startswith(ROUGH)
    assert any(ROUGH in note for note in table(made).notes)
    made["server_kernel_bytes_per_connection_r2"] = [0.999, 0.5]
    assert ROUGH in table(made).rows[0]
    made["server_kernel_bytes_per_connection_r2"] = 0.99
    assert not any(ROUGH in text for text in (*table(made).rows[0], *table(made).notes))


def test_what_is_not_to_be_believed_is_marked_and_counted() -> None:
    made = table(trials(1.0, 2.0, 3.0, verdicts=("ok", "client_bound", "client_bound"), lost=7))
    [row] = made.rows
    assert row[1].startswith(f"{MARK} 2.00")
    assert row[-2:] == ("21", "2 client_bound, 1 ok")
    assert any(MARK in note for note in made.notes)


@pytest.mark.parametrize("verdict", ["ok", "server_bound"])
def test_what_is_to_be_believed_has_no_mark(verdict: str) -> None:
    made = table(trials(1.0, 2.0, verdicts=(verdict, verdict)))
    assert MARK not in "".join([*made.rows[0], *made.notes])
    assert made.rows[0][-1] == verdict


def test_duplicates_and_reorderings_are_told_beside_the_losses() -> None:
    run = trials(1.0, lost=1)
    run["duplicated"], run["reordered"] = pd.array([1200], dtype="Int64"), pd.array([3], dtype="Int64")
    assert table(run).rows[0][-2] == "1, 1,200 duplicated, 3 reordered"


def test_a_cell_that_failed_has_dashes() -> None:
    run = frames.fail(frames.run(("sse", "websocket"), subscribers=(10,), trials=3), "sse")["trials"]
    failed, made = table(run).rows
    assert failed[0] == "sse"
    assert set(failed[1:-1]) == {"–"}
    assert failed[-1] == "failed"
    assert "–" not in made


def test_a_run_in_which_all_failed_still_has_a_table() -> None:
    run = frames.fail(frames.run(("sse",), subscribers=(10,), trials=1), "sse")["trials"]
    assert table(run).rows == (("sse", "–", "failed"),)


def test_of_a_single_trial_it_is_said_that_there_is_no_interval() -> None:
    made = table(trials(1.0))
    assert made.notes == ("One trial of each cell: there is nothing to say how far another would differ.",)
    assert made.rows[0][1] == "1.00"


def test_a_run_that_was_cut_off_says_how_many_trials_its_cells_have() -> None:
    run = frames.run(("sse", "websocket"), subscribers=(10,), trials=3)["trials"]
    assert table(run.iloc[:-1]).notes[0].startswith("Median of 2 to 3 trials, ")
