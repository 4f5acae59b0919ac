"""How many times: paired by round, at the same load, and no number where none was shown."""

from collections.abc import Sequence

import pandas as pd
import pytest

from pushbench import ratios
from pushbench.ratios import BASELINE, NOT_SHOWN
from pushbench.summary import MARK, ROUGH, Table
from pushbench.transports import TRANSPORTS
from tests.pushbench import frames


def trials(p50: dict[str, Sequence[float]], subscribers: Sequence[int] = (10,)) -> pd.DataFrame:
    """Transports whose trials have these medians of latency at every load."""
    count = len(next(iter(p50.values())))
    made = frames.run(list(p50), subscribers=subscribers, trials=count)["trials"]
    for transport, values in p50.items():
        for trial, value in enumerate(values, start=1):
            made.loc[(made["transport"] == transport) & (made["trial"] == trial), "latency_p50_ms"] = value
    return made


def column(made: Table | None, heading: str) -> list[str]:
    """The cells below a heading that begins so."""
    assert made
    [place] = [number for number, one in enumerate(made.headings) if one.startswith(heading)]
    return [row[place] for row in made.rows]


def test_a_ratio_is_taken_round_by_round_so_that_what_both_suffered_cancels() -> None:
    made = ratios.table(trials({"sse": [2.0, 8.2, 4.0], "websocket": [1.0, 4.0, 2.0]}))
    [told] = column(made, "p50")
    assert told.startswith("2.02 (")


def test_a_ratio_whose_interval_has_one_inside_is_not_told_as_a_number() -> None:
    made = ratios.table(trials({"sse": [2.0, 1.0, 1.5], "websocket": [1.0, 2.0, 1.5]}))
    [told] = column(made, "p50")
    assert told.startswith(f"{NOT_SHOWN} (0.")


@pytest.mark.parametrize(("sse", "told"), [([2.0, 2.1, 1.9], "2.00 (1."), ([0.5, 0.52, 0.48], "0.500 (0.")])
def test_a_ratio_whose_interval_is_on_one_side_of_one_is_a_number(sse: list[float], told: str) -> None:
    made = ratios.table(trials({"sse": sse, "websocket": [1.0, 1.0, 1.0]}))
    assert column(made, "p50")[0].startswith(told)


@pytest.mark.parametrize("transport", ["sse", "websocket"])
def test_a_round_that_only_one_of_the_two_has_does_not_count(transport: str) -> None:
    made = trials({"sse": [2.0, 2.0, 9.0], "websocket": [1.0, 1.0, 1.0]})
    made = made[~((made["transport"] == transport) & (made["trial"] == 3))]
    assert column(ratios.table(made), "p50") == ["2.00"]  # and two rounds are too few for an interval


def test_every_transport_but_the_baseline_has_a_row_for_each_load() -> None:
    made = ratios.table(frames.run(trials=3)["trials"])
    assert made
    assert made.headings[:2] == ("transport", "subscribers")
    others = [transport for transport in frames.FIVE if transport != BASELINE]
    assert [row[:2] for row in made.rows] == [(name, load) for load in ("100", "1,000") for name in others]
    assert all(heading.endswith(f"× {BASELINE}") for heading in made.headings[2:])
    assert "3 rounds" in made.notes[0]


@pytest.mark.parametrize(
    ("transports", "base"),
    [(("websocket", "sse"), "websocket"), (("sse", "polling", "stream"), "sse"), (("stream", "longpoll"), "stream")],
)
def test_the_baseline_is_websocket_or_else_the_last_transport_of_the_table(transports: Sequence[str], base: str) -> None:
    made = ratios.table(frames.run(transports, subscribers=(10,), trials=3)["trials"])
    assert made
    assert made.headings[-1].endswith(f"× {base}")
    assert base not in [row[0] for row in made.rows]
    assert BASELINE in TRANSPORTS


def test_a_load_that_the_baseline_has_not_met_has_no_row() -> None:
    made = frames.run(("sse", "websocket"), subscribers=(10, 100), trials=3)["trials"]
    made = made[~((made["transport"] == "websocket") & (made["subscribers"] == 10))]
    assert column(ratios.table(made), "subscribers") == ["100"]


def test_loads_that_differ_in_anything_else_are_not_compared() -> None:
    made = frames.run(("sse", "websocket"), subscribers=(10,), trials=3)["trials"]
    made["server_loop"] = made["transport"].map({"sse": "asyncio", "websocket": "uvloop"})
    assert ratios.table(made) is None


@pytest.mark.parametrize("transports", [("websocket",), ("sse",)])
def test_one_transport_alone_has_no_ratios(transports: Sequence[str]) -> None:
    assert ratios.table(frames.run(transports, trials=3)["trials"]) is None


def test_transports_that_are_left_out_have_no_row_and_are_no_baseline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratios, "LEFT_OUT", frozenset({"websocket", "polling"}))
    made = ratios.table(frames.run(subscribers=(10,), trials=3)["trials"])
    assert made
    assert made.headings[-1].endswith("× sse")
    assert [row[0] for row in made.rows] == ["longpoll", "stream"]


def test_a_transport_that_the_table_does_not_know_is_compared_and_is_no_baseline() -> None:
    made = frames.run(("sse", "websocket"), subscribers=(10,), trials=3)["trials"]
    made["transport"] = made["transport"].replace("sse", "carrier pigeon")
    told = ratios.table(made)
    assert told
    assert [row[0] for row in told.rows] == ["carrier pigeon"]


@pytest.mark.parametrize("plateaus", [0, 4])
def test_a_figure_that_no_trial_has_is_left_out(plateaus: int) -> None:
    made = ratios.table(frames.run(("sse", "websocket"), subscribers=(10,), trials=3, plateaus=plateaus)["trials"])
    assert made
    assert any("memory" in heading for heading in made.headings) is bool(plateaus)


@pytest.mark.parametrize("doubted", ["sse", "websocket"])
def test_a_ratio_is_marked_if_either_of_the_two_is_not_to_be_believed(doubted: str) -> None:
    made = frames.judge(
        frames.run(("stream", "sse", "websocket"), subscribers=(10,), trials=3), "client_bound", doubted, [2]
    )
    told = ratios.table(made["trials"])
    assert told
    marked = {row[0] for row in told.rows if row[1].startswith(MARK)}
    assert marked == ({"sse"} if doubted == "sse" else {"stream", "sse"})
    assert [note for note in told.notes if note.startswith(MARK)]


@pytest.mark.parametrize(("r2", "told"), [(0.98, f"{ROUGH} "), (0.5, ROUGH)])
def test_a_ratio_of_a_rough_slope_is_marked_or_not_given(r2: float, told: str) -> None:
    made = frames.run(("sse", "websocket"), subscribers=(10,), trials=3, plateaus=4)["trials"]
    made.loc[(made["transport"] == "websocket") & (made["trial"] == 1), "server_user_bytes_per_connection_r2"] = r2
    [text] = column(ratios.table(made), "memory")
    assert text == told if told == ROUGH else text.startswith(told)


def test_one_round_gives_a_ratio_without_an_interval_and_says_so() -> None:
    made = ratios.table(trials({"sse": [3.0], "websocket": [2.0]}))
    assert column(made, "p50") == ["1.50"]
    assert made
    assert "one round" in made.notes[0]


def test_of_a_transport_that_failed_there_is_no_ratio() -> None:
    made = frames.fail(frames.run(("sse", "websocket"), subscribers=(10,), trials=3), "sse")["trials"]
    assert column(ratios.table(made), "p50") == ["–"]
    everything = frames.fail(frames.fail(frames.run(("sse", "websocket"), trials=3), "sse"), "websocket")["trials"]
    assert ratios.table(everything) is None
