"""Where a run agrees with the models, and where not: what is said, and of which cells nothing is."""

import numpy as np
import pandas as pd
import pytest

from pushbench import agreement
from pushbench.environment import CHECKOUT
from pushbench.results import load
from tests.pushbench import frames, network

LATENCIES = [f"latency_{name}_ms" for name in frames.STATISTICS]


@pytest.fixture(scope="module")
def run() -> pd.DataFrame:
    """Five transports at two round trips, as the models say."""
    return network.trials(rtts=(0.0, 250.0))


def test_a_run_that_is_as_the_models_say_has_no_disagreement_and_says_that_it_agrees(run: pd.DataFrame) -> None:
    assert agreement.disagreements(run) == []
    said = agreement.told(run)
    assert said[0] == "Mean latency agrees with the model within 10 % and 5 ms in 10 of 10 cells that have a model."
    assert said[1] == "Traffic for each delivery agrees with the model within 10 % in 5 of 5 cells that have a model."


def test_the_reference_run_agrees() -> None:
    trials = load(CHECKOUT / "results/reference").trials
    assert agreement.disagreements(trials) == []
    assert len(agreement.told(trials)) == 2  # latency and traffic


def test_a_latency_beyond_the_model_is_said_with_both_figures_and_what_was_tolerated(run: pd.DataFrame) -> None:
    slow = network.changed(run[run["rtt_ms"] == 250], "websocket", LATENCIES, 1.4)
    [said] = agreement.disagreements(slow)
    assert said.startswith("websocket: mean latency is 17")
    assert ", above the 126 ms of the model by more than its interval and what is tolerated (144 ms)." in said


def test_one_that_is_faster_than_the_network_is_said_too(run: pd.DataFrame) -> None:
    [said] = agreement.disagreements(network.changed(run[run["rtt_ms"] == 250], "sse", LATENCIES, 0.5))
    assert said.startswith("sse: mean latency is ")
    assert ", below the 12" in said


def test_bytes_beyond_the_model_are_said(run: pd.DataFrame) -> None:
    fat = network.changed(run[run["rtt_ms"] == 0], "polling", ["wire_up_bytes_per_delivery"], 10)
    [said] = agreement.disagreements(fat)
    assert said.startswith("polling: traffic for each delivery is")
    assert " bytes of the model " in said


def test_what_is_beyond_the_tolerance_by_less_than_its_interval_is_let_pass(run: pd.DataFrame) -> None:
    slow = network.changed(run[run["rtt_ms"] == 250], "websocket", LATENCIES, 1.4)
    first = (slow["transport"] == "websocket") & (slow["trial"] == 1)
    slow.loc[first, "latency_mean_ms"] = 126
    assert agreement.disagreements(slow) == []


@pytest.mark.parametrize("verdict", ["server_bound", "client_bound", "lossy"])
def test_a_server_at_its_limit_and_a_trial_not_to_be_believed_are_compared_with_nothing(
    run: pd.DataFrame, verdict: str
) -> None:
    slow = network.changed(run, "websocket", LATENCIES, 3)
    slow.loc[slow["transport"] == "websocket", "verdict"] = verdict
    assert agreement.disagreements(slow) == []
    assert "8 of 8 cells" in agreement.told(slow)[0]


def test_without_bytes_latency_alone_is_compared() -> None:
    trials = frames.run(("polling", "websocket"), subscribers=(100,), measure_s=1)["trials"]
    assert {one.what for one in agreement.compared(trials)} == {"mean latency"}


@pytest.mark.parametrize("transports", [("tcp", "null"), ()])
def test_a_run_without_a_model_says_nothing(transports: tuple[str, ...]) -> None:
    trials = frames.run(("tcp", "null"), subscribers=(10,), measure_s=1)["trials"]
    assert agreement.told(trials[trials["transport"].isin(transports)]) == []


def test_a_trial_of_which_nothing_arrived_is_no_disagreement(run: pd.DataFrame) -> None:
    silent = run.copy()
    silent[[*LATENCIES, *network.WIRE, "server_cpu_us_per_delivery"]] = np.nan
    assert agreement.told(silent) == []


def test_one_cell_is_not_said_to_be_one_of_one() -> None:
    [said] = agreement.told(frames.run(("polling",), subscribers=(100,), measure_s=1)["trials"])
    assert said == "Mean latency agrees with the model within 10 % and 5 ms in the one cell that has a model."


def test_the_claim_of_871_bytes_against_2_is_told_beside_what_was_measured() -> None:
    [said] = agreement.claim(network.trials(("polling", "websocket"), rates=(1.0,)))
    assert "871 bytes of HTTP headers a poll against 2 bytes of a frame's, 435 to 1" in said
    assert "Here it is with lean headers 271 against 4.00, 67.8 to 1" in said


def test_the_claim_is_not_told_where_a_poll_brought_several_updates_or_one_of_the_two_is_missing() -> None:
    assert agreement.claim(network.trials(("polling", "websocket"), rates=(10.0,))) == []
    assert agreement.claim(network.trials(("websocket",), rates=(1.0,))) == []
    assert agreement.claim(frames.run(("websocket",), subscribers=(10,), measure_s=1)["trials"]) == []
