"""What a run says of the cheapest way to push: the table, the sentences, and what they say where something is missing."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from pushbench import crossover_costs, crossover_text
from pushbench.crossover import Polled, Pushed
from pushbench.stats import Interval
from tests.pushbench import frames, network

FOUR = ("polling", "longpoll", "sse", "websocket")


def made(transports: Sequence[str] = FOUR, poll_intervals: Sequence[int] = (500,)) -> pd.DataFrame:
    return network.trials(transports, rates=(1.0,), idle=True, plateaus=4, poll_intervals=poll_intervals)


@pytest.fixture(scope="module")
def run() -> pd.DataFrame:
    """Four transports at one message a second, and idle."""
    return made()


def cell(trials: pd.DataFrame, transport: str, staleness: str, column: int) -> str:
    table = crossover_text.table(trials)
    assert table
    [row] = [row for row in table.rows if row[:2] == (transport, staleness)]
    return row[2 + column]


def test_the_costs_are_those_that_the_trials_were_made_from(run: pd.DataFrame) -> None:
    found = crossover_costs.costs(run)
    assert found
    assert (found.subscribers, found.rate_hz, found.n, found.missing) == (100, 1, 3, ())
    polled, pushed = (found.of["bytes"][name] for name in ("polling", "websocket"))
    assert isinstance(polled, Polled)
    assert isinstance(pushed, Pushed)
    assert polled.per_empty[0] == pytest.approx(96 + 52 + 123 + 104, rel=0.02)
    assert polled.per_message[0] == 129
    assert pushed.per_s[0] == pytest.approx(2 * (2 + 52) / 15, rel=0.02)
    assert found.memory["websocket"][0] == pytest.approx((26.8 + 4.2) * 1024, rel=0.05)


def test_the_price_of_a_further_message_in_an_answer_is_measured_at_two_intervals_or_assumed_and_said() -> None:
    one, two = (made(("polling", "websocket"), intervals) for intervals in ((500,), (500, 5000)))
    assumed, measured = (crossover_costs.costs(trials) for trials in (one, two))
    assert assumed
    assert measured
    assert [said.partition(" takes")[0] for said in assumed.assumed] == ["each message in an answer of polling"]
    assert measured.assumed == ()
    cost = measured.of["CPU"]["polling"]
    assert isinstance(cost, Polled)
    assert cost.per_message[0] > 0
    table = crossover_text.table(one)
    assert table
    assert any(note.startswith("Assumed: each message in an answer of polling takes no CPU") for note in table.notes)


def test_a_feed_that_is_fast_enough_to_coalesce_is_where_polling_takes_fewer_bytes(run: pd.DataFrame) -> None:
    """375 / T bytes against 7.2 idle, and 129 a message against 236: 10 s, so (37.5 - 7.2 + answers) / 107 a second."""
    said = cell(run, "polling", "10", 0)
    assert said.startswith("above one update in 2.")


def test_a_poll_that_is_seldom_takes_less_cpu_than_a_connection_that_is_kept_alive() -> None:
    """95 us every 30 s against 4.5 us a second: as long as there is little to say, and again once answers are shared."""
    run = made(poll_intervals=(500, 5000))
    said = cell(run, "polling", "30", 1)
    assert said.startswith("below one update in ")
    assert " and above one update in " in said
    assert said.count("(") == 1  # both intervals in one bracket, which is laid out below
    [sentence] = [one for one in crossover_text.sentences(run) if one.startswith("polling every 30 s takes less CPU")]
    assert " than websocket below one update in " in sentence
    assert sentence.endswith(", for each subscriber.")


def test_the_baseline_is_told_to_be_no_answer_where_it_is_dearer_everywhere(run: pd.DataFrame) -> None:
    dear = network.changed(run, "websocket", [*network.IDLE, *network.WIRE], 100)
    assert cell(dear, "polling", "10", 0) == "always"
    said = [one for one in crossover_text.sentences(dear) if one.startswith("polling every 10 s takes fewer bytes")]
    assert said == [
        "polling every 10 s takes fewer bytes than websocket at every rate between one update in 1,000 s and 100 a second: "
        "websocket is not the answer there."
    ]


def test_no_tie_is_said_where_there_is_none(run: pd.DataFrame) -> None:
    dear = network.changed(run, "polling", ["server_cpu_us_per_delivery", *network.IDLE], 100)
    assert cell(dear, "polling", "1", 1) == "never"
    assert any(
        one.startswith("polling every 1 s takes more CPU than websocket at every rate") and one.endswith("no tie.")
        for one in crossover_text.sentences(dear)
    )


def test_subscribers_are_counted_by_cpu_and_by_memory(run: pd.DataFrame) -> None:
    said = " ".join(crossover_text.sentences(run))
    assert "With one update in 60 s and a staleness of 10 s, one core has CPU for so many subscribers: polling " in said
    assert "A GiB of the server's memory and the kernel's holds so many idle connections: polling " in said


def test_the_staleness_from_which_polling_serves_more_is_that_of_van_de_vyvere(run: pd.DataFrame) -> None:
    """95 us a poll over T against 4.5 us a second and 21 / 60 a message: from about 20 s on."""
    [said] = [one for one in crossover_text.sentences(run) if "from an acceptable staleness of" in one]
    assert said.startswith("At one update in 60 s polling serves more of them than websocket from ")
    costs = crossover_costs.costs(run)
    assert costs
    at = float(said.rpartition("staleness of ")[2].partition(" s")[0])
    of = costs.of["CPU"]
    assert of["polling"].at(1 / 60, at)[0] == pytest.approx(of["websocket"].at(1 / 60, at)[0], rel=0.05)


def test_without_idle_cells_there_is_no_table_and_no_sentence(run: pd.DataFrame) -> None:
    busy = run[run["kind"] != "idle"]
    assert crossover_text.table(busy) is None
    assert crossover_text.sentences(busy) == []
    plain = frames.run(measure_s=1, subscribers=(10,))["trials"]
    assert crossover_text.table(plain) is None
    assert crossover_text.table(plain.iloc[:0]) is None


def test_what_was_not_measured_is_said(run: pd.DataFrame) -> None:
    gap = run.copy()
    gap.loc[gap["transport"] == "sse", network.IDLE] = np.nan
    assert cell(gap.assign(), "longpoll", "–", 0) != "not measured"
    table = crossover_text.table(gap)
    assert table
    assert all(row[0] != "sse" for row in table.rows)
    lacking = "bytes of sse while idle or for each delivery; CPU of sse while idle or for each delivery"
    assert f"Not measured: {lacking}" in table.notes[-1]
    gap.loc[gap["transport"] == "longpoll", network.IDLE[:2]] = np.nan
    assert cell(gap, "longpoll", "–", 0) == "not measured"
    assert cell(gap, "longpoll", "–", 1) != "not measured"


def test_trials_that_are_not_ok_take_no_part(run: pd.DataFrame) -> None:
    spoiled = network.changed(run, "websocket", network.WIRE, 1)
    hit = (spoiled["transport"] == "websocket") & (spoiled["trial"] == 1)
    spoiled.loc[hit, network.WIRE] *= 50
    spoiled.loc[hit, "verdict"] = "client_bound"
    assert cell(spoiled, "polling", "10", 0).partition(" (")[0] == cell(run, "polling", "10", 0).partition(" (")[0]


def test_one_trial_has_no_interval(run: pd.DataFrame) -> None:
    one = run[run["trial"] == 1]
    assert "(" not in cell(one, "polling", "10", 0)


@pytest.mark.parametrize(
    ("low", "mid", "high", "said"),
    [
        (2.0, 2.1, 2.3, "2.1 updates/s (2–2.3)"),
        (1 / 45, 1 / 41, 1 / 37, "one update in 41 s (37–45)"),
        (0.0, 1 / 41, 1 / 37, "one update in 41 s (37 or more)"),
        (1 / 45, 1 / 41, math.inf, "one update in 41 s (up to 45)"),
        (1.0, 3.0, math.inf, "3 updates/s (1 or more)"),
    ],
)
def test_an_end_beyond_the_range_is_left_open(low: float, mid: float, high: float, said: str) -> None:
    assert crossover_text._rate(Interval(low, mid, high, 3)) == said


def test_nothing_is_told_of_more_messages_in_an_answer_than_were_measured(run: pd.DataFrame) -> None:
    found = crossover_costs.costs(run)
    assert found
    polled = found.of["CPU"]["polling"]
    assert np.isfinite(polled.at(0.1, 10)[0])
    assert np.isnan(polled.at(0.11, 10)[0])
    assert np.isfinite(found.of["bytes"]["polling"].at(100, 30)[0])
    assert cell(run, "polling", "1", 1) == "never"
    assert any(
        one.endswith("than websocket at every rate that can be told: no tie.") for one in crossover_text.sentences(run)
    )
