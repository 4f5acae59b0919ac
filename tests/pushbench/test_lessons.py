"""What a lesson is shown: the cells that differ in one thing, the reader's own if there are such, and whose they are."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pushbench import lessons
from pushbench.lessons import Family, Lesson, NotMeasured, family
from pushbench.scenario import find, load
from tests.pushbench import frames
from tests.pushbench.written import write_run

FIVE = list(frames.FIVE)


def run(*transports: tuple[str, ...], **keys: Any) -> dict[str, pd.DataFrame]:
    """A short one, which is quick to write."""
    return frames.run(*transports, **({"measure_s": 1.0, "warmup_s": 0.5} | keys))


def together(*runs: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Several runs as one: the cells of each behind those of the one before."""
    parts: dict[str, list[pd.DataFrame]] = {name: [] for name in runs[0]}
    behind = 0
    for one in runs:
        for name, frame in one.items():
            parts[name].append(frame.assign(cell=frame["cell"] + behind))
        behind += int(one["trials"]["cell"].max()) + 1
    return {name: pd.concat(frames, ignore_index=True) for name, frames in parts.items()}


def lesson(tmp_path: Path, own: dict[str, pd.DataFrame], *behind: dict[str, pd.DataFrame]) -> Lesson:
    paths = [write_run(tmp_path / f"behind-{at}", one) for at, one in enumerate(behind)]
    return Lesson(write_run(tmp_path / "own", own), paths)


def test_a_family_differs_in_its_transport_and_in_one_key_alone() -> None:
    trials = together(run(subscribers=(10, 100)), run(subscribers=(50,), rates=(1.0, 4.0, 20.0)))["trials"]
    by_subscribers, by_rate = family(trials, "subscribers", {}), family(trials, "rate_hz", {})
    assert by_subscribers is not None
    assert by_rate is not None
    assert (set(by_subscribers["subscribers"]), set(by_subscribers["rate_hz"])) == ({10, 100}, {10.0})
    assert (set(by_rate["subscribers"]), set(by_rate["rate_hz"])) == ({50}, {1.0, 4.0, 20.0})


def test_of_several_families_it_is_the_one_with_the_most_values_then_transports_then_the_first() -> None:
    few = run(("sse",), subscribers=(10, 20, 30), rates=(1.0,))
    many = run(("sse", "websocket"), subscribers=(10, 20, 30), rates=(2.0,))
    again = run(("sse", "websocket"), subscribers=(10, 20, 30), rates=(3.0,))
    found = family(together(few, many, again)["trials"], "subscribers", {})
    assert found is not None
    assert set(found["rate_hz"]) == {2.0}


def test_what_only_pollers_heed_parts_nobody_else_from_them() -> None:
    trials = together(run(("polling",), poll_intervals=(250,)), run(("sse",)))["trials"]
    found = family(trials, "subscribers", {})
    assert found is not None
    assert set(found["transport"]) == {"polling", "sse"}


def test_of_several_poll_intervals_another_question_is_answered_by_the_usual_one() -> None:
    found = family(run(poll_intervals=(250, 1000))["trials"], "subscribers", {})
    assert found is not None
    assert set(found.loc[found["transport"] == "polling", "poll_interval_ms"]) == {1000}


def test_by_the_poll_interval_the_pollers_vary_and_the_others_stand_beside_them() -> None:
    trials = together(run(subscribers=(100,)), run(("polling",), subscribers=(100,), poll_intervals=(250,)))["trials"]
    found = family(trials, "poll_interval_ms", {})
    assert found is not None
    assert set(found["poll_interval_ms"]) == {250, 1000}
    assert set(found["transport"]) == set(FIVE)


def test_a_closed_loop_is_shown_to_nobody_who_does_not_ask_for_it() -> None:
    trials = run(("sse",), subscribers=(10, 20), pacings=("open", "closed"))["trials"]
    found, asked = family(trials, "subscribers", {}), family(trials, "pacing", {})
    assert found is not None
    assert asked is not None
    assert (set(found["pacing"]), set(asked["pacing"])) == ({"open"}, {"open", "closed"})


@pytest.mark.parametrize("along", ["rtt_ms", "transport"])
def test_one_value_alone_is_no_family(along: str) -> None:
    assert family(run(("sse",), subscribers=(10,))["trials"], along, {}) is None


def test_the_readers_own_cells_are_shown_if_there_are_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = lesson(tmp_path, run(subscribers=(5, 6)), run(subscribers=(100, 200)))
    assert asked.ask("subscribers").values == [5, 6]
    assert "because" not in capsys.readouterr().out


def test_else_those_of_a_run_behind_it_and_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = lesson(tmp_path, run(subscribers=(5,)), run(("sse",), subscribers=(9,)), run(subscribers=(100, 200)))
    assert asked.ask("subscribers").values == [100, 200]
    said = capsys.readouterr().out
    assert "behind-1" in said
    assert "own has no such cells" in said


def test_what_nobody_has_measured_is_said_with_what_was_asked(tmp_path: Path) -> None:
    with pytest.raises(NotMeasured, match=r"no run has cells that differ in rtt_ms with subscribers = \[7\]"):
        lesson(tmp_path, run()).ask("rtt_ms", subscribers=[7])


def test_a_guess_stands_beside_what_was_measured_and_what_the_model_says(tmp_path: Path) -> None:
    found = lesson(tmp_path, run(subscribers=(100,))).ask()
    table = found.beside({"polling": 250.0, "sse": None})
    mean = float(found.trials.loc[found.trials["transport"] == "polling", "latency_mean_ms"].median())
    assert table.loc["polling", "your guess"] == "250"
    assert table.loc["polling", "model"] == "500"
    assert table.loc["polling", "you were off by"] == f"× {mean / 250:.2f}"
    assert table.loc["sse", "your guess"] == "none yet"
    assert table.loc["sse", "you were off by"] == ""


def test_a_figure_that_is_not_to_be_believed_is_marked(tmp_path: Path) -> None:
    judged = frames.judge(run(("sse", "websocket"), subscribers=(10, 20)), "client_bound", "sse", [1])
    found = lesson(tmp_path, judged).ask("subscribers")
    table = found.across("latency_p50_ms")
    assert table.loc["sse"].str.startswith("○ ").all()
    assert not table.loc["websocket"].str.startswith("○ ").any()
    assert "2 of 12 trials are not to be believed" in found.said


def test_medians_are_numbers_by_transport_and_value(tmp_path: Path) -> None:
    found = lesson(tmp_path, run(("sse", "websocket"), subscribers=(10, 20))).ask("subscribers")
    table = found.medians("latency_p50_ms")
    assert list(table.index) == ["sse", "websocket"]
    assert [int(value) for value in table.columns] == [10, 20]
    rows = found.trials[(found.trials["transport"] == "sse") & (found.trials["subscribers"] == 20)]
    assert table.loc["sse", 20] == rows["latency_p50_ms"].median()


def test_the_other_tables_are_of_the_same_trials(tmp_path: Path) -> None:
    found: Family = lesson(tmp_path, run(subscribers=(10, 100))).ask()
    kept = set(found.trials["cell"])
    assert all(set(frame["cell"]) <= kept for frame in found.frames.values())
    assert set(found.frames["latency"]["cell"]) == kept


def test_the_first_run_that_can_tell_is_asked_the_readers_before_the_others(tmp_path: Path) -> None:
    asked = lesson(tmp_path, run(subscribers=(5,)), run(subscribers=(100,)))
    first, told = asked.first(lambda trials: f"{trials['subscribers'].max()}" if trials["subscribers"].max() > 50 else None)
    assert (first.path.name, told) == ("behind-0", "100")
    with pytest.raises(NotMeasured):
        asked.first(lambda trials: None)


def test_the_scenario_of_the_lessons_has_a_family_for_each_of_their_questions() -> None:
    cells = pd.DataFrame([cell.model_dump() for cell in load(find("lessons")).cells])
    trials = cells.assign(cell=range(len(cells)), trial=1, verdict="ok")
    for along in ("transport", "subscribers", "rtt_ms", "poll_interval_ms", "payload_bytes", "headers", "compression"):
        assert family(trials, along, {}) is not None, along
    assert family(trials, "pacing", {"server_stall_ms": [500]}) is not None
    assert family(trials, "transport", {"kind": ["idle"]}) is not None


def test_the_runs_behind_are_there_to_be_read() -> None:
    for path in lessons.BEHIND:
        assert (path / "run.json").exists(), path
