"""The tables: medians with their intervals, naive beside due, what varies and nothing else, and doubts are marked."""

from dataclasses import replace

import pandas as pd
import pytest

from pushbench.scenario_keys import RELAYED
from pushbench.stats import Interval
from pushbench.summary import MARK, ROUGH, Table, digits, said, tables, varied
from tests.pushbench import frames


def trials(*latencies: float, verdicts: tuple[str, ...] = (), lost: int | None = 0) -> pd.DataFrame:
    """One cell whose trials have these mean latencies."""
    made = frames.run(("sse",), subscribers=(100,), trials=len(latencies))["trials"]
    made["latency_mean_ms"] = list(latencies)
    made["verdict"] = list(verdicts or ["ok"] * len(latencies))
    made["lost"] = pd.array([lost] * len(latencies), dtype="Int64")
    return made


def latency(run: pd.DataFrame) -> Table:
    return tables(run)[0]


def titled(run: pd.DataFrame, title: str) -> Table:
    [found] = [table for table in tables(run) if table.title == title]
    return found


def cost(run: pd.DataFrame) -> Table:
    """What a delivery costs, with what is said below the last table, which holds for all."""
    return replace(titled(run, "Delivered, and what it cost"), notes=tables(run)[-1].notes)


def test_a_latency_that_the_clocks_cannot_tell_is_said_to_be_less_than_they_can() -> None:
    run = trials(0.21, 0.22, 0.23)
    run["latency_max_ms"] = 40.0
    run["clock_uncertainty_ms"] = [0.1, 0.35, 0.2]
    table = latency(run)
    row = dict(zip(table.headings, table.rows[0], strict=True))
    assert row["mean, ms"] == "< 0.35"
    assert row["max, ms"] == "40.0 (40.0–40.0)"
    run["verdict"] = "client_bound"
    assert latency(run).rows[0][table.headings.index("mean, ms")] == f"{MARK} < 0.35"


def test_what_the_line_is_and_what_it_is_not_is_said_below_the_latencies() -> None:
    run = frames.run(("sse", "websocket"))["trials"]
    assert len(latency(run).notes) == 1
    run["rtt_ms"] = 50.0
    run["jitter_ms"] = [0.0, 5.0] * (len(run) // 2)
    _, line, limits = latency(run).notes
    assert line == "The line: 50 ms round trip."
    assert "loses and reorders nothing" in limits
    run["rtt_ms"] = [0.0, 50.0] * (len(run) // 2)
    assert [note.startswith("The line: ") for note in latency(run).notes] == [False, False]


def test_a_run_that_is_older_than_a_key_of_the_load_is_shown_without_it() -> None:
    run = frames.run(("sse",))["trials"].drop(columns=list(RELAYED))
    assert len(latency(run).notes) == 1
    assert "rtt_ms" not in varied(run)


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


def test_an_interval_follows_its_figure_where_there_is_one() -> None:
    assert said(Interval(mid=4.1, low=3.954, high=4.306, n=3)) == "4.10 (3.95–4.31)"
    assert said(Interval(mid=4.1, low=4.1, high=4.1, n=1)) == "4.10"
    assert said(Interval(mid=float("nan"), low=float("nan"), high=float("nan"), n=0)) == "–"


def test_a_cell_is_a_row_with_its_median_and_the_range_of_its_trials() -> None:
    made = latency(trials(3.0, 1.0, 2.0))
    assert made.headings[:2] == ("transport", "mean, ms")
    [row] = made.rows
    assert row[:2] == ("sse", "2.00 (1.00–3.00)")
    assert row[-1] == "ok"
    assert cost(trials(3.0, 1.0, 2.0)).headings[-2:] == ("lost", "verdict")
    assert cost(trials(3.0, 1.0, 2.0)).rows[0][-2:] == ("0", "ok")
    assert cost(trials(3.0, 1.0, 2.0)).notes == (
        "Median of 3 trials, each with a fresh server process; in brackets the 95 % bootstrap interval "
        "(of so few, their range).",
    )


def test_every_latency_from_the_due_time_has_the_naive_one_right_beside_it() -> None:
    run = trials(3.0, 1.0, 2.0)
    run["naive_p99_ms"] = [0.3, 0.1, 0.2]
    made = latency(run)
    assert made.headings[1:-1] == (
        "mean, ms", "naive mean, ms", "p50, ms", "naive p50, ms", "p99, ms", "naive p99, ms", "max, ms", "naive max, ms",
    )  # fmt: skip
    assert dict(zip(made.headings, made.rows[0], strict=True))["naive p99, ms"] == "0.200 (0.100–0.300)"
    assert "naive: from when it was sent" in made.notes[0]


def test_without_a_latency_there_is_no_table_of_latencies() -> None:
    made = tables(frames.run(("sse",), subscribers=(10,), measure_s=0, trials=1, plateaus=4)["trials"])
    assert [table.title for table in made] == ["Delivered, and what it cost", "Connecting"]
    assert all("verdict" in table.headings for table in made)


def test_every_table_says_of_each_row_which_cell_it_is_and_whether_to_believe_it() -> None:
    run = frames.run(("sse", "websocket"), subscribers=(10, 1000), trials=1)["trials"]
    for made in tables(run):
        assert made.keys == 2
        assert made.headings[:2] == ("transport", "subscribers")
        assert made.headings[-1] == "verdict"
        assert len(made.rows) == 4


@pytest.mark.slow
def test_what_goes_wrong_on_purpose_has_a_table_of_its_own_with_the_cells_in_which_it_does() -> None:
    run = frames.run(("sse", "websocket"), subscribers=(10,), trials=1)["trials"]
    for title in ("After the server was killed and is back", "Who reads slowly", "Peers that vanished"):
        assert title not in [table.title for table in tables(run)]
    only = run["transport"] == "sse"
    told: dict[str, float | str] = {"server_down_ms": 1000, "recovered_all_ms": 450.0, "vanish_percent": 50.0}
    told |= {"slow_percent": 10.0, "slow_delivered": 3, "slow_lost": 97, "slow_ended": 1, "slow_ended_by": "1 × cut"}
    for column, value in (told | {"noticed_p50_ms": 1600.0}).items():
        run.loc[only, column] = value
    for title, figure in (
        ("After the server was killed and is back", "450"),
        ("Who reads slowly", "1 × cut"),
        ("Peers that vanished", "1,600"),
    ):
        [row] = titled(run, title).rows
        assert row[0] == "sse"
        assert figure in row
    assert "all noticed, ms" not in titled(run, "Peers that vanished").headings


def test_who_needed_several_processes_is_told_what_both_ends_take_and_who_is_first_and_last() -> None:
    title = "Over several processes: a connection's memory, and who is told first and last"
    run = frames.run(("sse", "websocket"), subscribers=(100,), trials=1, plateaus=4)["trials"]
    assert title not in [table.title for table in tables(run)]
    told = {"swarm_processes": 6, "both_ends_bytes_per_connection": 40 * 1024.0, "both_ends_bytes_per_connection_r2": 1.0}
    for column, value in (told | {"fanout_first_ms": 2.5, "fanout_last_ms": 1760.0}).items():
        run.loc[run["transport"] == "sse", column] = value
    [row] = titled(run, title).rows
    figures = dict(zip(titled(run, title).headings, row, strict=True))
    assert (row[0], figures["with the kernel, KiB"]) == ("sse", "40.0")
    assert (figures["first, ms"], figures["last, ms"]) == ("2.50", "1,760")


def test_floors_are_last_and_explained() -> None:
    run = frames.run(("tcp", "sse", "null", "websocket"), subscribers=(10,), trials=1, plateaus=4)["trials"]
    assert [row[0] for row in latency(run).rows] == ["sse", "websocket", "tcp", "null"]
    assert cost(run).notes[-1] == "Floors, which no transport can beat: tcp (bare TCP), null (instrument alone)."
    null = dict(zip(cost(run).headings, cost(run).rows[-1], strict=True))
    assert null["server CPU, µs/delivery"] == null["memory, KiB/conn."] == "–"
    assert null["deliveries/s"] != "–"


def test_a_closed_loop_is_said_in_its_row_even_if_all_are_and_its_naive_figures_are_explained() -> None:
    run = frames.run(("sse",), subscribers=(50,), pacings=("open", "closed"), server_stall_ms=500, measure_s=3)["trials"]
    opened, closed = latency(run).rows
    assert (opened[:2], closed[:2]) == (("sse", "open"), ("sse", "closed"))
    assert opened[-1] == "ok"
    assert closed[-1] == "publisher_late"
    assert all(figure.startswith(MARK) for figure in closed[2:-1])
    closed_note, on_purpose = cost(run).notes[-2:]
    assert closed_note.startswith("closed: the publisher waited")
    assert on_purpose.startswith("On purpose: server stopped for 500 ms")
    assert varied(run[run["pacing"] == "closed"]) == ["transport", "pacing"]
    assert varied(run[run["pacing"] == "open"]) == ["transport"]


def test_the_load_keys_that_vary_are_columns_and_no_others() -> None:
    run = frames.run(("sse", "websocket"), subscribers=(10, 1000), rates=(2.5,), trials=1)["trials"]
    assert varied(run) == ["transport", "subscribers"]
    assert [row[:2] for row in latency(run).rows] == [
        ("sse", "10"),
        ("sse", "1,000"),
        ("websocket", "10"),
        ("websocket", "1,000"),
    ]
    assert varied(frames.run(("sse",), subscribers=(10,), trials=1)["trials"]) == ["transport"]


def test_cells_are_in_the_scenarios_order_whatever_the_order_of_execution() -> None:
    run = frames.run(("websocket", "sse", "polling"), subscribers=(10,), trials=2)["trials"]
    assert [row[0] for row in latency(run.iloc[::-1]).rows] == ["websocket", "sse", "polling"]


def test_figures_that_no_trial_has_are_left_out() -> None:
    without, with_memory = (cost(frames.run(("sse",), trials=1, plateaus=p)["trials"]).headings for p in (0, 4))
    assert not [heading for heading in without if "memory" in heading]
    assert len([heading for heading in with_memory if "memory" in heading or "kernel" in heading]) == 2


def test_memory_is_told_in_kib() -> None:
    run = frames.run(("sse",), subscribers=(100,), trials=1, plateaus=4)["trials"]
    run["server_user_bytes_per_connection"] = 2048.0
    made = cost(run)
    [column] = [number for number, heading in enumerate(made.headings) if heading.startswith("memory")]
    assert made.rows[0][column] == "2.00"


@pytest.mark.slow
def test_a_slope_to_which_one_trial_does_not_keep_is_rough_and_no_other_figure_is() -> None:
    made = frames.run(("sse",), subscribers=(100,), trials=2, plateaus=4)["trials"]
    made["server_kernel_bytes_per_connection_r2"] = [0.999, 0.989]
    [row] = cost(made).rows
    assert [cell.startswith(ROUGH) for cell in row].count(True) == 1
    assert dict(zip(cost(made).headings, row, strict=True))["kernel, KiB/conn."].startswith(ROUGH)
    assert any(ROUGH in note for note in cost(made).notes)
    made["server_kernel_bytes_per_connection_r2"] = [0.999, 0.5]
    assert ROUGH in cost(made).rows[0]
    made["server_kernel_bytes_per_connection_r2"] = 0.99
    assert not any(ROUGH in text for text in (*cost(made).rows[0], *cost(made).notes))


def test_what_is_not_to_be_believed_is_marked_and_counted() -> None:
    run = trials(1.0, 2.0, 3.0, verdicts=("ok", "client_bound", "client_bound"), lost=7)
    assert latency(run).rows[0][1].startswith(f"{MARK} 2.00")
    assert latency(run).rows[0][-1] == "2 client_bound, 1 ok"
    assert cost(run).rows[0][-2:] == ("21", "2 client_bound, 1 ok")
    assert any(MARK in note for note in cost(run).notes)


@pytest.mark.parametrize("verdict", ["ok", "server_bound"])
def test_what_is_to_be_believed_has_no_mark(verdict: str) -> None:
    for made in tables(trials(1.0, 2.0, verdicts=(verdict, verdict))):
        assert MARK not in "".join([*made.rows[0], *made.notes])
        assert made.rows[0][-1] == verdict


def test_duplicates_and_reorderings_are_told_beside_the_losses() -> None:
    run = trials(1.0, lost=1)
    run["duplicated"], run["reordered"] = pd.array([1200], dtype="Int64"), pd.array([3], dtype="Int64")
    assert cost(run).rows[0][-2] == "1, 1,200 duplicated, 3 reordered"


def test_a_cell_that_failed_has_dashes() -> None:
    run = frames.fail(frames.run(("sse", "websocket"), subscribers=(10,), trials=3), "sse")["trials"]
    for table in tables(run):
        failed, made = table.rows
        assert failed[0] == "sse"
        assert set(failed[1:-1]) == {"–"}
        assert failed[-1] == "failed"
        assert "–" not in made


def test_a_run_in_which_all_failed_still_has_a_table() -> None:
    run = frames.fail(frames.run(("sse",), subscribers=(10,), trials=1), "sse")["trials"]
    [only] = tables(run)
    assert only.rows == (("sse", "–", "failed"),)


def test_of_a_single_trial_it_is_said_that_there_is_no_interval() -> None:
    run = trials(1.0)
    assert cost(run).notes == ("One trial of each cell: there is nothing to say how far another would differ.",)
    assert latency(run).rows[0][1] == "1.00"


def test_a_run_that_was_cut_off_says_how_many_trials_its_cells_have() -> None:
    run = frames.run(("sse", "websocket"), subscribers=(10,), trials=3)["trials"]
    assert cost(run.iloc[:-1]).notes[0].startswith("Median of 2 to 3 trials, ")
