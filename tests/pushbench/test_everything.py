import signal
import subprocess
from typing import Any

import pytest

from pushbench import everything
from pushbench.interruption import Interrupted
from pushbench.scenario import SCENARIOS


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The scenarios that were run; the last argument of each command. `idle` cannot be made, `smoke` is doubted."""
    names: list[str] = []

    class Run:
        def __init__(self, command: list[str], **options: Any) -> None:
            names.append(command[-1])

        def wait(self) -> int:
            return {"idle": 70, "smoke": 1}.get(names[-1], 0)

    monkeypatch.setattr(subprocess, "Popen", Run)
    return names


def test_every_scenario_is_run_the_shortest_first_after_saying_how_long_all_take(
    made: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert everything.main([]) == 70
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert sorted(made) == sorted(path.stem for path in SCENARIOS.glob("*.toml"))
    assert made[0] == "smoke"
    assert [line.partition("trials  ")[2].partition(":")[0] for line in lines[:-1]] == made
    assert " min in all, " in lines[-1]
    assert told.err == "idle could not be made: exit code 70\n"


def test_a_doubted_run_has_been_made(made: list[str]) -> None:
    assert everything.main(["smoke", "churn"]) == 0
    assert made == ["smoke", "churn"]


@pytest.mark.parametrize(("ended", "code"), [(130, 130), (-signal.SIGKILL, 137)])
def test_after_a_run_that_was_told_to_end_no_other_is_begun(
    ended: int, code: int, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(name: str) -> int:
        made.append(name)
        return ended

    monkeypatch.setattr(everything, "_run", run)
    assert everything.main(["smoke", "churn"]) == code
    assert made == ["smoke"]


def test_who_ends_it_ends_the_run_that_is_being_made_and_waits_for_what_that_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    class Run:
        def __init__(self, command: list[str], **options: Any) -> None:
            pass

        def wait(self) -> int:
            if not told:
                raise Interrupted(signal.SIGTERM)
            told.append("waited")
            return 143

        def terminate(self) -> None:
            told.append("terminated")

    monkeypatch.setattr(subprocess, "Popen", Run)
    assert everything.main(["smoke", "churn"]) == 143
    assert told == ["terminated", "waited"]


def test_a_scenario_that_is_not_there_is_told_before_anything_runs(
    made: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert everything.main(["smoke", "chrun"]) == 2
    assert "chrun: no such scenario, did you mean churn?" in capsys.readouterr().err
    assert made == []
