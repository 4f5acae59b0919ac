"""Which cells can be tried here: on servers that are installed, claim the transport and heed the load."""

from pathlib import Path

import pytest

from pushbench import candidates
from pushbench.contract import known
from pushbench.scenario import Scenario, ScenarioError, loads
from tests.pushbench.test_contract import GOOD

TOML = """
title = "Which can be tried?"
[grid]
target = {targets}
transport = ["sse", "websocket"]
[load]
subscribers = 4
rate_hz = 10
{more}
[phases]
warmup_s = 0
measure_s = 1
"""


@pytest.fixture
def mine(tmp_path: Path) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace("post =", 'websocket = "/in"\npost ='))
    return str(path)


@pytest.fixture
def absent(tmp_path: Path) -> str:
    path = tmp_path / "absent.toml"
    path.write_text(GOOD.replace("title", 'needs = ["no-such-program"]\ninstall = "install it"\ntitle'))
    return str(path)


def scenario(*targets: str, more: str = "") -> Scenario:
    return loads(TOML.format(targets=list(targets), more=more), "which.toml")


def test_where_all_can_be_tried_all_are() -> None:
    read = scenario("starlette")
    assert candidates.possible(read) == (read, ())


def test_what_is_not_claimed_or_not_installed_is_skipped_with_the_reason(mine: str, absent: str) -> None:
    tried, skipped = candidates.possible(scenario("starlette", mine, absent))
    assert [(cell.target, cell.transport) for cell in tried.cells] == [
        ("starlette", "sse"),
        ("starlette", "websocket"),
        (mine, "sse"),
    ]
    assert skipped == (
        "skipped, 1 of 6 cells: mine does not claim websocket",
        "skipped, 2 of 6 cells: absent is not installed (no-such-program is missing): install it",
    )
    assert tried.refusal(tried.cells[2], "target", "x").args[0].startswith("which.toml:4")  # places go with their cells


def test_if_none_can_be_tried_that_is_an_error_which_points_at_the_target(absent: str) -> None:
    with pytest.raises(ScenarioError, match=r"which.toml:4: grid.target: absent is not installed .*: install it"):
        candidates.possible(scenario(absent))


def test_a_target_that_there_is_not_is_an_error_even_beside_others() -> None:
    with pytest.raises(ScenarioError, match=r"which.toml:4: grid.target: nchann: no such target, did you mean nchan"):
        candidates.possible(scenario("starlette", "nchann"))


def test_a_run_remembers_the_contracts_of_servers_that_are_compared_and_nothing_of_its_own_alone(mine: str) -> None:
    assert candidates.described(scenario("starlette"), ()) == {"contracts": {}, "versions": {}, "skipped": []}
    described = candidates.described(candidates.possible(scenario("starlette", mine))[0], ("one",))
    assert described["contracts"] == {"starlette": known("starlette").text, mine: known(mine).text}
    assert described["skipped"] == ["one"]


@pytest.mark.parametrize(
    ("command", "says"),
    [(["echo", "v1", "of", "it"], "v1 of it"), (["no-such-program"], ""), (["sh", "-c", "echo v3 >&2"], "v3")],
)
def test_a_version_is_what_the_command_prints_on_either_stream(tmp_path: Path, command: list[str], says: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace("title", f"version = {command}\ntitle"))
    assert candidates.version(known(str(path))) == says
