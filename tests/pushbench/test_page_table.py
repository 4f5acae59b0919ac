"""What a table on a page sorts by, and where its headings lead."""

import pytest

from pushbench import capacity, crossover_text, every_trial, page_table, ratios, summary
from pushbench.checks import Verdict
from pushbench.columns import COLUMNS
from pushbench.glossary import COMPUTED, TIMES, VERDICTS, meaning
from pushbench.summary import MARK, ROUGH, Table
from tests.pushbench import frames, network, searches


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4.10 (3.95–4.31)", 4.1),
        ("12,300 (12,000–12,500)", 12300),
        ("0.0123", 0.0123),
        (f"{MARK} {ROUGH} 3.73 (2.89–3.86)", 3.73),
        (f"{MARK} < 0.35", 0.35),
        ("≥ 1,600", 1600),
        ("7, 2 duplicated", 7),
        ("-41.0 % (-46.7 % to -34.8 %)", -41),
        ("no difference shown (0.920–1.12)", 1),
        ("0", 0),
        (ROUGH, None),
        ("–", None),
        ("", None),
        ("ok", None),
        ("2 ok, 1 lossy", None),
        ("1,300–1,600", None),
        ("below 100", None),
    ],
)
def test_a_figure_sorts_by_what_stands_before_its_interval(text: str, value: float | None) -> None:
    assert page_table.value(text) == value


def test_an_interval_is_set_apart_from_its_figure() -> None:
    assert (page_table.entry("4.10 (3.95–4.31)").figure, page_table.entry("4.10 (3.95–4.31)").interval) == (
        "4.10",
        "(3.95–4.31)",
    )


def test_keys_and_texts_are_told_from_figures() -> None:
    table = Table(("transport", "p50, ms", "naive p50, ms", "verdict"), (("sse", "4", "3", "ok"),), (), columns=(
        "transport", "latency_p50_ms", "naive_p50_ms", "verdict",
    ))  # fmt: skip
    assert [heading.kind for heading in page_table.of(table, "a").headings] == ["key", "", "naive", "text"]


def every_table() -> list[Table]:
    idle, search = network.trials(idle=True), searches.run({"sse": 900.0}, trials=1)["trials"]
    run = frames.run(plateaus=4)["trials"]
    found = [capacity.table(search), crossover_text.table(idle), ratios.table(run), every_trial.table(search)]
    return [*summary.tables(run), *summary.tables(idle), every_trial.table(run), *(table for table in found if table)]


def test_every_heading_of_every_table_has_a_definition() -> None:
    tables = every_table()
    assert len(tables) > 10
    for table in tables:
        made = page_table.of(table, "a")  # which raises if there are more headings than columns
        assert all(meaning(heading.column) for heading in made.headings)


def test_a_column_that_two_tables_have_is_defined_once_and_leads_back_to_the_first() -> None:
    tables = [
        page_table.of(Table((heading,), (), (), columns=("latency_p50_ms",)), id_)
        for id_, heading in (("a", "p50"), ("b", "half"))
    ]
    [one] = page_table.meanings(tables)
    assert (one.headings, one.used_at, one.says) == (("p50", "half"), "a-0", COLUMNS["latency_p50_ms"].says)


def test_a_ratio_is_explained_by_its_column_and_every_verdict_by_itself() -> None:
    assert COLUMNS["latency_p50_ms"].says in meaning(f"{TIMES}latency_p50_ms")
    assert set(VERDICTS) == set(Verdict)
    assert not set(COMPUTED) & set(COLUMNS) - {"cell"}


def test_what_is_computed_for_a_page_is_told_from_what_the_run_has_kept() -> None:
    names = ("latency_p50_ms", "capacity", "change", "cell", f"{TIMES}latency_p50_ms")
    table = page_table.of(Table(names, (), (), columns=names), "a")
    assert [one.column for one in page_table.meanings([table]) if one.kept] == ["latency_p50_ms"]


def test_of_many_trials_each_has_a_row_with_its_round_its_order_and_its_verdict() -> None:
    trials = frames.judge(frames.run(("sse", "websocket"), subscribers=(10,), trials=3), "lossy", "sse", [2])["trials"]
    table = every_trial.table(trials)
    assert len(table.rows) == 6
    assert [row[:2] for row in table.rows[:3]] == [("sse", "1"), ("sse", "2"), ("sse", "3")]
    assert [row[-1] for row in table.rows[:3]] == ["ok", "lossy", "ok"]
    assert table.rows[0][table.headings.index("p50, ms")] == summary.digits(trials["latency_p50_ms"][0])


def test_a_figure_that_a_trial_has_not_is_a_dash() -> None:
    made = frames.fail(frames.run(("sse", "websocket"), subscribers=(10,), trials=1), "sse")
    table = every_trial.table(made["trials"])
    assert "–" in table.rows[0]
    assert "–" not in table.rows[1]
