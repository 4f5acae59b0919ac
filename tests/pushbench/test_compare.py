"""A comparison calls what is different, calls nothing else, and says so where it cannot know."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pushbench.compare import GRAIN, METRICS, compare
from pushbench.comparison import Call, Cell, Change, Comparison, failures
from pushbench.results import Run
from pushbench.stats import each_of, mean_unpaired_ratio, unpaired_ratio
from tests.proofs.error_rates import cells_called, comparisons
from tests.pushbench import frames
from tests.pushbench.written import MANIFEST

JITTER = (1.0, 1.004, 0.996)
"""How three trials of a cell differ."""
VALUE = {metric.column: 10.0 for metric in METRICS} | {"client_cpu_us_per_delivery": 5.0, "publisher_cpu_percent": 1.0}


def trials(*transports: str, count: int = 3, **columns: Any) -> pd.DataFrame:
    """Cells whose trials differ a little, with these columns instead of the usual; lists have a value a trial."""
    return having(columns, *transports, count=count)


def having(columns: dict[str, Any], *transports: str, count: int = 3) -> pd.DataFrame:
    """The same, where a column's name is not known beforehand."""
    made = frames.run(transports or ("sse",), subscribers=(100,), trials=count, plateaus=4)["trials"]
    made = made.sort_values(["cell", "trial"], ignore_index=True)
    cells = len(transports or ("sse",))
    jitter = np.tile(np.resize(JITTER, count), cells)
    for column, value in (VALUE | columns).items():
        values = np.tile(value, cells) if isinstance(value, Sequence) and not isinstance(value, str) else value
        made[column] = values * jitter if column in VALUE and np.isscalar(value) else values
    return made


def run(made: pd.DataFrame, **manifest: Any) -> Run:
    """A run that has only trials."""
    none = pd.DataFrame()
    return Run(Path("somewhere"), MANIFEST | manifest, made, none, none, none)


def compared(base: pd.DataFrame, candidate: pd.DataFrame) -> Comparison:
    return compare(run(base), run(candidate))


def only_cell(made: Comparison) -> Cell:
    [cell] = made.cells
    return cell


def change(cell: Cell, column: str) -> Change:
    [heading] = [metric.heading for metric in METRICS if metric.column == column]
    [found] = [change for change in cell.changes if change.heading == heading]
    return found


def headings(cell: Cell) -> set[str]:
    return {change.heading for change in cell.changes}


# Calls


def test_a_run_does_not_differ_from_itself() -> None:
    made = compared(trials("sse", "websocket"), trials("sse", "websocket"))
    assert [cell.differs for cell in made.cells] == [False, False]
    assert made.differences == ()
    assert {change.call for change in made.together} == {Call.UNCLEAR}
    assert failures(made, 0) == ()


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.column)
def test_each_metric_is_called_in_its_own_direction(metric: Any) -> None:
    base, candidate = trials(), having({metric.column: 13.0})
    up, down = (only_cell(made) for made in (compared(base, candidate), compared(candidate, base)))
    more, less = (Call.WORSE, Call.BETTER) if metric.lower_is_better else (Call.BETTER, Call.WORSE)
    assert change(up, metric.column).call == more
    assert change(down, metric.column).call == less
    assert change(up, metric.column).ratio.mid == pytest.approx(1.3)
    assert change(up, metric.column).worse_by == pytest.approx(0.3 if metric.lower_is_better else -0.3)
    assert [one.call for one in up.changes].count(Call.UNCLEAR) == len(METRICS) - 1


def test_fewer_deliveries_are_worse_by_what_is_missing() -> None:
    fewer = only_cell(compared(trials(), trials(deliveries_per_s=8.0)))
    assert change(fewer, "deliveries_per_s").worse_by == pytest.approx(0.2)


def test_figures_are_geometric_means_in_the_unit_of_the_table() -> None:
    memory = "server_user_bytes_per_connection"
    cell = only_cell(compared(having({memory: [1024.0, 2048.0, 4096.0]}), having({memory: [4096.0] * 3})))
    assert (change(cell, memory).base, change(cell, memory).candidate) == pytest.approx((2, 4))


def test_the_interval_is_so_wide_that_those_of_the_cell_hold_together() -> None:
    slow = [12.0, 14.0, 13.0]
    cell = only_cell(compared(trials(), trials(latency_p50_ms=slow)))
    base = [10 * one for one in JITTER]
    assert change(cell, "latency_p50_ms").ratio == unpaired_ratio(slow, base, each_of(len(METRICS)))


def test_a_figure_that_is_the_same_in_all_trials_takes_no_share_of_the_error() -> None:
    slow, same = [12.0, 14.0, 13.0], [1000.0] * 3
    cell = only_cell(compared(trials(deliveries_per_s=same), trials(deliveries_per_s=same, latency_p50_ms=slow)))
    base = [10 * one for one in JITTER]
    assert change(cell, "latency_p50_ms").ratio == unpaired_ratio(slow, base, each_of(len(METRICS) - 1))
    assert change(cell, "deliveries_per_s").call == Call.UNCLEAR


def test_a_figure_that_a_side_has_once_takes_no_share_of_the_error() -> None:
    slow, once = [12.0, 14.0, 13.0], [7.0, math.nan, math.nan]
    cell = only_cell(compared(trials(), trials(latency_p50_ms=slow, latency_p99_ms=once)))
    assert change(cell, "latency_p50_ms").ratio == unpaired_ratio(
        slow, [10 * one for one in JITTER], each_of(len(METRICS) - 1)
    )
    assert change(cell, "latency_p99_ms").why == "1 trial"


@pytest.mark.parametrize(
    ("factor", "call"),
    [
        (1 + 0.9 * GRAIN, Call.UNCLEAR),
        (1 + 1.1 * GRAIN, Call.WORSE),
        (1 / (1 + 0.9 * GRAIN), Call.UNCLEAR),
        (1 / (1 + 1.1 * GRAIN), Call.BETTER),
    ],
)
def test_a_change_within_the_grain_is_not_called_however_sure_it_is(factor: float, call: Call) -> None:
    base = trials(latency_p50_ms=[10.0] * 3)
    assert change(only_cell(compared(base, trials(latency_p50_ms=[10 * factor] * 3))), "latency_p50_ms").call == call


@pytest.mark.parametrize("count", [1, 2])
def test_with_a_single_trial_on_a_side_nothing_can_be_distinguished(count: int) -> None:
    cell = only_cell(compared(trials(count=count), trials(count=1, latency_p50_ms=30.0)))
    found = change(cell, "latency_p50_ms")
    assert (found.call, found.why) == (Call.UNCLEAR, "1 trial")
    assert found.ratio.mid == pytest.approx(3, rel=0.01)


# What is compared with what


def test_what_neither_has_is_left_out_and_what_one_has_is_named() -> None:
    kernel, user = "server_kernel_bytes_per_connection", "server_user_bytes_per_connection"
    made = compared(having({kernel: math.nan}), having({kernel: math.nan, user: math.nan}))
    assert headings(only_cell(made)) == {metric.heading for metric in METRICS if metric.column not in (kernel, user)}
    assert (made.base.alone, made.candidate.alone) == (("memory, KiB/conn.",), ())


def test_a_column_that_a_file_does_not_have_is_as_good_as_empty() -> None:
    made = compared(trials().drop(columns=["latency_p99_ms", "client_cpu_us_per_delivery"]), trials())
    assert made.candidate.alone == ("p99, ms",)
    assert [witness.heading for witness in made.witnesses] == ["publisher CPU, %"]


@pytest.mark.parametrize("r2", [[0.999, 0.98, 0.999], [0.999, math.nan, 0.999]])
def test_a_rough_slope_on_either_side_is_not_compared(r2: list[float]) -> None:
    rough = trials(server_kernel_bytes_per_connection_r2=r2)
    for made in (compared(trials(), rough), compared(rough, trials())):
        assert "kernel, KiB/conn." not in headings(only_cell(made))
        assert "memory, KiB/conn." in headings(only_cell(made))


def test_a_slope_of_which_nothing_says_that_it_is_straight_is_not_compared() -> None:
    made = compared(trials().drop(columns="server_user_bytes_per_connection_r2"), trials())
    assert "memory, KiB/conn." not in headings(only_cell(made))


@pytest.mark.parametrize("value", [0.0, -2.0])
def test_a_figure_that_is_not_above_zero_has_no_ratio_and_is_not_compared(value: float) -> None:
    odd = trials(server_kernel_bytes_per_connection=[10.0, value, 10.0])
    assert "kernel, KiB/conn." not in headings(only_cell(compared(trials(), odd)))


def test_cells_are_matched_by_load_and_those_of_one_run_alone_are_named() -> None:
    made = compared(trials("sse", "polling"), trials("websocket", "sse"))
    assert [cell.label for cell in made.cells] == ["sse"]
    assert (made.base.alone, made.candidate.alone) == (("polling",), ("websocket",))


def test_windows_of_another_length_are_another_load() -> None:
    made = compared(trials(), trials(measure_s=5.0))
    assert made.cells == ()
    assert (made.base.alone, made.candidate.alone) == (("sse, measure_s=10",), ("sse, measure_s=5",))


def test_a_run_that_does_not_know_a_load_key_is_compared_and_that_is_told() -> None:
    made = compared(trials().drop(columns="server_loop"), trials())
    assert len(made.cells) == 1
    assert [difference.key for difference in made.differences] == ["load, server_loop"]


def test_loads_that_read_alike_are_still_two() -> None:
    apart = trials("sse", "sse_plain").assign(transport="sse")
    apart["rate_hz"] = [1_000_000.0] * 3 + [1_000_000.5] * 3
    made = compared(apart, apart)
    assert len(made.cells) == 2


def test_the_sides_say_what_they_are() -> None:
    made = compare(run(trials()), run(trials(count=2), finished_at=None))
    assert (made.base.path, made.base.commit, made.base.finished, made.base.trials) == (
        "somewhere",
        "unknown commit",
        True,
        3,
    )
    assert (made.candidate.finished, made.candidate.trials) == (False, 2)


# Verdicts


def test_trials_that_are_not_to_be_believed_take_no_part_and_are_counted() -> None:
    verdicts = ["ok", "client_bound", "ok", "server_bound"]
    candidate = trials(count=4, verdict=verdicts, latency_p50_ms=[10.0, 99.0, 10.1, 10.2])
    cell = only_cell(compared(trials(), candidate))
    assert (cell.base_left_out, cell.candidate_left_out) == (0, 1)
    assert cell.candidate_verdicts == "2 ok, 1 client_bound, 1 server_bound"
    found = change(cell, "latency_p50_ms")
    assert found.ratio.n == 3
    assert found.candidate == pytest.approx((10 * 10.1 * 10.2) ** (1 / 3))


def test_of_a_cell_without_a_trial_to_believe_only_the_verdict_is_compared() -> None:
    cell = only_cell(compared(trials(), trials(verdict="lossy")))
    assert cell.changes == ()
    assert (cell.verdict, cell.differs) == (Call.WORSE, True)


@pytest.mark.parametrize(
    ("before", "after", "call"),
    [
        ("ok ok ok", "ok ok ok", Call.UNCLEAR),
        ("ok ok ok", "ok server_bound ok", Call.UNCLEAR),
        ("ok ok ok", "ok client_bound ok", Call.UNCLEAR),
        ("ok ok ok", "ok publisher_late ok", Call.UNCLEAR),
        ("ok ok ok", "ok lossy ok", Call.WORSE),
        ("client_bound ok ok", "client_bound client_bound client_bound", Call.WORSE),
        ("client_bound ok ok", "lossy ok ok", Call.WORSE),
        ("lossy ok ok", "failed ok ok", Call.UNCLEAR),
        ("lossy ok ok", "ok lossy ok", Call.UNCLEAR),
        ("lossy ok ok", "lossy lossy lossy", Call.WORSE),
        ("lossy ok ok", "lossy lossy ok", Call.WORSE),
        ("failed failed failed", "lossy lossy lossy", Call.UNCLEAR),
        ("failed failed ok", "failed ok ok", Call.BETTER),
        ("client_bound client_bound client_bound", "ok client_bound client_bound", Call.BETTER),
        ("client_bound ok ok", "ok ok ok", Call.UNCLEAR),
        ("lossy ok ok", "server_bound ok ok", Call.BETTER),
    ],
)
def test_a_verdict_is_worse_with_new_doubts_losses_or_failures(before: str, after: str, call: Call) -> None:
    cell = only_cell(compared(trials(verdict=before.split()), trials(verdict=after.split())))
    assert cell.verdict == call


# All cells together


def test_what_each_cell_shows_too_faintly_all_cells_together_show() -> None:
    rng = np.random.default_rng(4)
    transports = ("polling", "longpoll", "stream", "sse", "websocket")
    base, candidate = (
        trials(*transports).assign(server_cpu_us_per_delivery=factor * np.exp(0.05 * rng.normal(size=15)))
        for factor in (10, 11.2)
    )
    made = compared(base, candidate)
    assert not any(cell.differs for cell in made.cells)
    [found] = [change for change in made.together if change.call != Call.UNCLEAR]
    assert (found.heading, found.call) == ("server CPU, µs/delivery", Call.WORSE)
    assert math.isnan(found.base)


def test_the_intervals_of_all_cells_together_hold_together_too() -> None:
    slow = [12.0, 14.0, 13.0]
    made = compared(trials("sse", "websocket"), trials("sse", "websocket", latency_p50_ms=slow))
    [found] = [change for change in made.together if change.heading == "p50, ms"]
    assert found.ratio == mean_unpaired_ratio([(slow, [10 * one for one in JITTER])] * 2, each_of(len(METRICS)))


def test_a_single_cell_is_not_put_together_with_anything() -> None:
    assert compared(trials(), trials()).together == ()
    assert compared(trials("sse", "websocket", count=1), trials("sse", "websocket", count=1)).together == ()


def test_what_the_load_itself_cost_is_told_and_whether_it_moved() -> None:
    made = compared(trials("sse", "websocket"), trials("sse", "websocket", client_cpu_us_per_delivery=4.0))
    swarm, publisher = made.witnesses
    assert (swarm.heading, swarm.moved) == ("swarm CPU, µs/delivery", True)
    assert swarm.ratio.mid == pytest.approx(0.8)
    assert not publisher.moved
    assert not any(cell.differs for cell in made.cells)


# Failing


@pytest.mark.parametrize(("load", "call"), [(1.0, Call.WORSE), (1.1, Call.WORSE), (1.35, Call.UNCLEAR), (0.7, Call.WORSE)])
def test_what_changed_by_no_more_than_the_load_itself_is_not_called(load: float, call: Call) -> None:
    rng = np.random.default_rng(1)
    noise = np.exp(0.005 * rng.normal(size=3))
    base = trials(
        latency_p50_ms=10 * noise, client_cpu_us_per_delivery=20 * noise, server_user_bytes_per_connection=1e4 * noise
    )
    candidate = trials(
        latency_p50_ms=13 * noise[::-1],
        client_cpu_us_per_delivery=20 * load * noise[::-1],
        server_user_bytes_per_connection=1.3e4 * noise[::-1],
    )
    cell = only_cell(compared(base, candidate))
    found = change(cell, "latency_p50_ms")
    assert found.call == call
    assert (found.why == "no more than the load's own CPU") == (call == Call.UNCLEAR)
    assert change(cell, "server_user_bytes_per_connection").call == Call.WORSE  # a slow machine takes no memory


def test_a_comparison_fails_by_what_is_called_worse_and_is_so_by_the_limit() -> None:
    slower = trials("sse", "websocket", latency_p50_ms=12.0, latency_p99_ms=11.5)
    found = failures(compared(trials("sse", "websocket"), slower), 0.1)
    assert [failure.cell for failure in found] == ["all cells together", "sse", "websocket"]
    assert [isinstance(failure.what, Change) and failure.what.heading for failure in found] == ["p50, ms"] * 3
    assert [failure.others for failure in found] == [1] * 3
    assert failures(compared(trials("sse", "websocket"), slower), 0.21) == ()


def test_what_is_large_and_not_called_does_not_fail() -> None:
    assert failures(compared(trials(), trials(latency_p50_ms=[5.0, 10.0, 50.0])), 0.1) == ()


def test_what_is_better_does_not_fail() -> None:
    assert failures(compared(trials(), trials(latency_p50_ms=1.0, deliveries_per_s=99.0)), 0) == ()


def test_what_the_candidate_no_longer_has_has_not_passed() -> None:
    both = trials("sse", "websocket")
    made = compared(both, both[both["transport"] == "sse"])
    [gone] = failures(made, 0.1)
    assert (gone.cell, gone.what) == ("websocket", "not in the candidate")


def test_a_verdict_that_got_worse_fails_whatever_the_limit_and_is_told_first() -> None:
    made = compared(
        trials("sse", "websocket"), trials("sse", "websocket", verdict=["ok", "ok", "lossy"], latency_p50_ms=20.0)
    )
    first, *_ = failures(made, 0.1)
    assert (first.cell, first.what) == ("sse", "2 ok, 1 lossy")
    assert [failure.what for failure in failures(made, 10)] == ["2 ok, 1 lossy"] * 2


# Error rates: seeded, with fewer draws than the simulation that docs/method.md quotes


@pytest.mark.parametrize("kind", ["normal", "heavy tails", "disturbed"])
@pytest.mark.parametrize("count", [3, 6])
@pytest.mark.slow
def test_of_the_same_server_at_most_about_one_cell_in_twenty_is_called(count: int, kind: str) -> None:
    assert cells_called(comparisons(20, kind, count, 0.1), Call.WORSE, Call.BETTER) <= 0.06


@pytest.mark.parametrize(("count", "spread", "least"), [(3, 0.05, 0.8), (6, 0.1, 0.8), (6, 0.05, 0.98)])
def test_a_server_that_is_slower_by_30_percent_is_called_worse(count: int, spread: float, least: float) -> None:
    made = comparisons(10, "normal", count, spread, slower=1.3)
    assert cells_called(made, Call.WORSE) >= least
    assert cells_called(made, Call.BETTER) <= 0.05
    assert all(failures(one, 0.1) for one in made)


@pytest.mark.parametrize(("uncertainty_ms", "call"), [(0.0, Call.WORSE), (0.9, Call.WORSE), (1.1, Call.UNCLEAR)])
def test_a_latency_that_changed_by_less_than_both_runs_clocks_can_tell_is_not_called(
    uncertainty_ms: float, call: Call
) -> None:
    columns = {"latency_p50_ms": 12.0, "server_cpu_us_per_delivery": 12.0, "clock_uncertainty_ms": uncertainty_ms}
    made = compared(trials(clock_uncertainty_ms=uncertainty_ms), having(columns))
    found = change(only_cell(made), "latency_p50_ms")
    assert (found.call, found.why) == (call, "no more than the clocks can tell" if call == Call.UNCLEAR else "")
    assert change(only_cell(made), "server_cpu_us_per_delivery").call == Call.WORSE  # which needs no clock but its own
