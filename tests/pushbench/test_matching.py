"""Cells are matched by their load, also with a run that is older than a load key."""

import pandas as pd

from pushbench import matching
from pushbench.columns import LOAD
from tests.pushbench import frames


def trials() -> pd.DataFrame:
    """Two transports at two loads."""
    return frames.run(("sse", "websocket"), subscribers=(10, 2000), trials=2)["trials"]


def test_the_trials_of_a_load_stand_together_in_the_scenarios_order() -> None:
    cells = matching.cells(trials().sample(frac=1, random_state=1))
    assert [list(cell["trial"]) for cell in cells.values()] == [[1, 2]] * 4
    assert [cell["cell"].iloc[0] for cell in cells.values()] == [0, 1, 2, 3]


def test_a_load_is_named_by_its_transport_and_what_varies() -> None:
    labels = matching.labels(matching.cells(trials()))
    assert list(labels.values()) == [
        "sse, subscribers=10",
        "sse, subscribers=2,000",
        "websocket, subscribers=10",
        "websocket, subscribers=2,000",
    ]


def test_what_varies_is_looked_for_in_all_loads_that_are_named_together() -> None:
    short, long = (matching.cells(frames.run(("sse",), subscribers=(10,), measure_s=s, trials=1)["trials"]) for s in (2, 5))
    assert list(matching.labels([*short, *long]).values()) == ["sse, measure_s=2", "sse, measure_s=5"]


def test_a_key_that_a_run_does_not_know_had_its_default() -> None:
    older = trials().drop(columns="server_loop")
    assert list(matching.cells(older)) == list(matching.cells(trials()))
    [difference] = matching.younger_keys(older, trials())
    assert str(difference) == "load, server_loop: not recorded, taken as asyncio -> asyncio"


def test_with_another_value_than_the_default_a_load_is_another_one() -> None:
    younger = trials().assign(server_loop="uvloop")
    assert not set(matching.cells(trials().drop(columns="server_loop"))) & set(matching.cells(younger))


def test_runs_that_know_the_same_keys_have_no_younger_ones() -> None:
    assert list(matching.younger_keys(trials(), trials())) == []


def test_what_must_be_said_has_no_default() -> None:
    assert matching.default("heartbeat_s") == 15.0
    assert [key for key in LOAD if matching.default(key) is None] == ["transport", "subscribers", "measure_s"]
