"""The sentences of a run: who is first only where it is shown, ties as ties, and nothing from trials that are in doubt."""

import pandas as pd
import pytest

from pushbench.conclusions import told
from tests.pushbench import frames, network, searches

BASE = {"polling": 500.0, "sse": 4.0, "stream": 2.0, "websocket": 2.0}
NOISE = (0.99, 1.0, 1.01, 1.0, 0.995)


def trials(
    p50: dict[str, float] = BASE, subscribers: tuple[int, ...] = (100,), repeats: int = 5, **columns: float | str
) -> pd.DataFrame:
    """Trials whose p50 is this, with a noise that differs from transport to transport."""
    made = frames.run(tuple(p50), subscribers=subscribers, trials=repeats)["trials"]
    shifts = {name: place for place, name in enumerate(p50)}
    noise = [
        (name, int(trial)) for name, trial in zip(made["transport"].astype(str), made["trial"].to_numpy(), strict=True)
    ]
    made["latency_p50_ms"] = [p50[name] * NOISE[(trial * (shifts[name] + 1)) % 5] for name, trial in noise]
    return made.assign(**columns)


def about(table: pd.DataFrame, word: str) -> list[str]:
    return [sentence for sentence in told(table) if word in sentence]


def test_who_is_first_is_told_with_its_figure_and_by_how_many_times_the_others_are_not() -> None:
    [sentence] = about(trials({"polling": 500.0, "sse": 4.0, "websocket": 2.0}), "p50")
    assert sentence.startswith("websocket is the quickest, p50 2.00 ms (")
    assert "; sse takes 2.00 times (" in sentence
    assert ") as long, polling 250 times (" in sentence


def test_a_tie_is_told_as_one() -> None:
    [sentence] = about(trials(), "p50")
    assert "is the quickest" not in sentence
    assert "p50 is lowest with" in sentence
    assert "but no difference is shown from" in sentence
    assert "sse takes 2.0" in sentence


def test_of_a_difference_below_the_grain_of_the_instrument_nothing_is_claimed() -> None:
    table = trials({"sse": 2.01, "websocket": 2.0})
    table["latency_p50_ms"] = table["transport"].map({"sse": 2.01, "websocket": 2.0})
    assert "no difference is shown from sse (2.01 ms)" in about(table, "p50")[0]


def test_what_two_clocks_cannot_tell_is_no_difference() -> None:
    table = trials({"sse": 4.0, "websocket": 2.0}, clock_uncertainty_ms=1.5)
    assert "no difference is shown from sse" in about(table, "p50")[0]
    assert "is the quickest" in about(trials({"sse": 4.0, "websocket": 2.0}, clock_uncertainty_ms=0.1), "p50")[0]


def test_with_too_few_rounds_there_are_figures_and_no_claim() -> None:
    [sentence] = about(trials(repeats=2), "p50")
    assert "lowest with" in sentence
    assert "highest with polling" in sentence
    assert "rounds that both have: 2, of the 3" in sentence
    assert "times" not in sentence


def test_of_whom_too_few_rounds_are_believed_neither_a_tie_nor_a_difference_is_told() -> None:
    table = trials({"polling": 500.0, "sse": 4.0, "websocket": 2.0})
    table.loc[(table["transport"] == "polling") & (table["trial"] > 2), "verdict"] = "client_bound"
    [sentence] = about(table, "p50")
    assert "too few rounds may be believed to tell it from polling (50" in sentence
    assert "no difference" not in sentence
    assert "p50 is lowest with websocket" in sentence
    assert "sse takes 2.0" in sentence
    assert "as long as websocket" in sentence


def test_rounds_that_both_have_are_those_of_the_two_that_are_named() -> None:
    table = trials({"polling": 500.0, "sse": 4.0, "websocket": 2.0}, repeats=2)
    table.loc[(table["transport"] == "polling") & (table["trial"] == 2), "verdict"] = "lossy"
    [sentence] = about(table, "p50")
    assert "highest with polling" in sentence
    assert "rounds that both have: 1, of the 3" in sentence


def test_the_ends_of_several_loads_are_told_with_the_load_in_words() -> None:
    sentences = about(trials(subscribers=(10, 100, 1000)), "p50")
    assert [sentence.partition(":")[0] for sentence in sentences] == ["10 subscribers", "1,000 subscribers"]


@pytest.mark.parametrize("verdict", ["lossy", "client_bound", "publisher_late", "failed", "nonconforming"])
def test_trials_that_may_not_be_believed_make_no_claim_and_are_counted(verdict: str) -> None:
    table = trials({"sse": 4.0, "websocket": 2.0, "stream": 1.0})
    table.loc[table["transport"] == "stream", "verdict"] = verdict
    assert about(table, "p50")[0].startswith("websocket is the quickest")
    assert "stream" not in about(table, "p50")[0]
    [doubts] = about(table, "may not be believed")
    assert f"5 of 15 trials may not be believed (5 {verdict})" in doubts
    assert doubts.endswith(": stream.")


def test_a_server_at_its_limit_is_compared_and_told() -> None:
    table = trials({"sse": 4.0, "websocket": 2.0})
    table.loc[table["transport"] == "sse", "verdict"] = "server_bound"
    assert "sse takes 2.0" in about(table, "p50")[0]
    assert "(server_bound) in 5 of 10 trials: sse." in about(table, "server_bound")[0]


def test_what_was_lost_is_told_and_by_whom_and_else_that_nothing_was() -> None:
    table = trials()
    assert about(table, "none was lost, doubled or out of order")
    table.loc[table["transport"] == "sse", "lost"] = 3
    [ledger] = about(table, " lost")
    assert "15 lost (sse)" in ledger


def test_floors_take_no_part() -> None:
    table = trials({"sse": 4.0, "websocket": 2.0, "null": 0.1})
    assert about(table, "p50")[0].startswith("websocket is the quickest")


def test_a_run_of_one_transport_says_what_it_has_at_the_ends_of_what_was_tried() -> None:
    [sentence] = about(trials({"sse": 4.0}, subscribers=(10, 100, 1000)), "p50")
    assert sentence.startswith("sse: p50 4.00 ms (")
    assert sentence.endswith("with 1,000 subscribers.")


def test_where_only_one_cell_is_believed_the_sentence_still_names_its_load() -> None:
    table = trials({"sse": 4.0}, subscribers=(10, 100))
    table.loc[table["subscribers"] == 10, "verdict"] = "client_bound"
    assert about(table, "p50")[0].endswith("with 100 subscribers.")


def test_idle_connections_are_compared_by_what_waiting_costs() -> None:
    table = network.trials(idle=True)
    sentences = told(table[table["kind"] == "idle"])
    assert any("server CPU per connection and second" in sentence for sentence in sentences)
    assert not any("p50" in sentence or "per delivery" in sentence for sentence in sentences)


def test_an_outage_is_compared_by_how_long_it_lasts_and_slow_readers_not_at_all() -> None:
    table = trials({"sse": 4.0, "websocket": 2.0}, server_down_ms=500)
    table["recovered_all_ms"] = table["transport"].map({"sse": 900.0, "websocket": 300.0}) * [*NOISE, *NOISE]
    assert about(table, "caught up soonest")[0].startswith("websocket has everybody caught up soonest")
    assert not about(table, "p50")
    assert not about(trials(slow_percent=10), "p50")


@pytest.mark.parametrize("key", ["slow_percent", "vanish_percent", "server_down_ms", "server_stall_ms"])
def test_cells_that_are_disturbed_leave_the_others_their_race(key: str) -> None:
    calm = trials({"sse": 4.0, "websocket": 2.0})
    worse = trials({"sse": 1.0, "websocket": 9.0}).assign(**{key: 10}, recovered_all_ms=[300.0] * 5 + [900.0] * 5)
    worse["cell"] += 2
    sentences = about(pd.concat([calm, worse], ignore_index=True), "p50")
    assert [sentence.partition(", p50")[0].split(": ")[-1] for sentence in sentences] == ["websocket is the quickest"]


def test_of_an_outage_in_some_cells_the_outage_is_told_first() -> None:
    away = trials({"sse": 1.0, "websocket": 9.0}, server_down_ms=500)
    away["recovered_all_ms"] = away["transport"].map({"sse": 300.0, "websocket": 900.0}) * [*NOISE, *NOISE[::-1]]
    away["cell"] += 2
    first, second, *_ = told(pd.concat([trials({"sse": 4.0, "websocket": 2.0}), away], ignore_index=True))
    assert "sse has everybody caught up soonest" in first
    assert "websocket is the quickest" in second


def test_answers_to_requests_are_not_called_deliveries() -> None:
    sentences = told(trials(kind="request"))
    assert any("CPU per answer" in sentence for sentence in sentences)
    assert not any("deliver" in sentence for sentence in sentences)


def test_what_the_first_chart_is_about_is_told_first() -> None:
    assert "CPU per delivery" in told(trials(), ["cpu", "overview"])[0]
    assert "to the subscribers per delivery" in told(network.trials(), ["bytes"])[0]


def test_a_search_tells_its_capacities_and_that_a_lower_bound_is_one() -> None:
    first, bound = told(searches.run({"sse": 900.0, "websocket": 1500.0}, load_side=["sse"], trials=1)["trials"])
    assert first.startswith("the most subscribers with which ")
    assert "sse ≥ " in first
    assert "websocket " in first
    assert bound.startswith("≥: a lower bound")
    assert bound.endswith("(sse).")


@pytest.mark.parametrize("subscribers", [(10,), (10, 100, 1000)])
def test_there_are_never_more_than_six_sentences(subscribers: tuple[int, ...]) -> None:
    table = trials(subscribers=subscribers)
    table.loc[table["transport"] == "sse", "verdict"] = "lossy"
    table.loc[table["transport"] == "polling", "verdict"] = "server_bound"
    assert 4 <= len(told(table)) <= 6


def test_a_run_in_which_everything_failed_says_so_and_nothing_else() -> None:
    table = frames.fail(frames.run(("sse",), subscribers=(10,), trials=1), "sse")["trials"]
    [sentence] = told(table)
    assert sentence.startswith("1 of 1 trials may not be believed (1 failed)")
