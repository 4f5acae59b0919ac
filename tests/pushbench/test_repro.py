"""`pushbench repro`: what it lists, tells of a run that is there, refuses, and makes."""

import json
from pathlib import Path
from typing import Any

import pytest

from pushbench import cli, results
from pushbench.classics import CLASSICS, page, reading, sequence
from pushbench.columns import COLUMNS
from pushbench.results import ResultsError, Store
from tests.pushbench.classics import LOAD, MADE

ENVIRONMENT = {"cores": 2, "cpu": "CPU", "kernel": "6.1-a", "python": "3.12", "uvicorn": "0.1", "aiohttp": "3.1"}


def store(directory: Path, name: str, finished: bool = True, overrides: tuple[str, ...] = ()) -> Path:
    """A run of a classic with its hand-made trials, once each."""
    source = reading.path(CLASSICS[name]).read_text()
    scenario = {"name": name, "source": source, "overrides": list(overrides)}
    manifest: dict[str, Any] = {
        "title": name, "description": "", "charts": [], "scenario": scenario, "environment": ENVIRONMENT,
        "started_at": "2026-01-02T03:04:05", "finished_at": None,
    }  # fmt: skip
    directory.mkdir(exist_ok=True)
    made = Store.create(directory / name, manifest)
    for cell, trial in enumerate(MADE[name]()):
        row: dict[str, Any] = {**LOAD, **trial, "cell": cell, "trial": 1, "order": cell + 1, "verdict": "ok", "reason": ""}
        made.add({key: value for key, value in row.items() if key in COLUMNS})
    if finished:
        made.finish("2026-01-02T03:05:05")
    return directory / name


def test_alone_it_lists_each_with_source_claim_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.invoke(["repro"]) == 0
    told = capsys.readouterr().out
    for name, classic in CLASSICS.items():
        assert f"{name} (about " in told
        assert classic.source.authors in " ".join(told.split())
    assert "--all runs them all" in told


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["repro", "bozdak"], "bozdak: no such classic"),
        (["repro", "bozdag", "--all"], "bozdag and --all"),
        (["repro", "--run", "somewhere"], "takes the name of a classic"),
        (["repro", "bozdag", "--run", "somewhere", "--resume"], "leave --all, --set, --out and --resume away"),
        (["repro", "bozdag", "--json", "-"], "--json - prints nothing else"),
        (["repro", "bozdag", "--run", "/nowhere"], "/nowhere holds no run"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.invoke(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert says in told.err


def test_a_run_that_is_there_is_told_and_drawn_without_load(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = store(tmp_path, "rfc6202")
    assert cli.invoke(["repro", "rfc6202", "--run", str(directory)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "Source: S. Loreto" in told
    assert "reproduces: the average is close to one transit." in told
    assert "It reproduces in shape: 2 of 2" in told
    assert (directory / "charts" / "classic.png").exists()


def test_as_json_it_is_told_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = store(tmp_path, "cometd")
    assert cli.invoke(["repro", "cometd", "--run", str(directory), "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["reproduces_in_shape"] is True


def test_a_run_of_another_scenario_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = store(tmp_path, "cometd")
    assert cli.invoke(["repro", "bozdag", "--run", str(directory)]) == 2
    assert "is a run of cometd, and not of bozdag" in capsys.readouterr().err


def test_of_a_sequence_what_is_finished_is_told_again_and_what_is_begun_goes_on(tmp_path: Path) -> None:
    store(tmp_path, "bozdag")
    store(tmp_path, "rfc6202", finished=False)
    found = {step.classic.name: (step.begun, step.finished) for step in sequence.steps(tmp_path, [])}
    assert list(found) == list(CLASSICS)
    assert found.pop("bozdag") == (True, True)
    assert found.pop("rfc6202") == (True, False)
    assert set(found.values()) == {(False, False)}


def test_a_finished_run_with_other_overrides_is_not_passed_off_for_what_is_asked(tmp_path: Path) -> None:
    store(tmp_path, "quantum-leap", overrides=("trials=1",))
    with pytest.raises(ResultsError, match="finished and was made with --set trials=1: choose another --out"):
        list(sequence.steps(tmp_path, []))
    assert next(sequence.steps(tmp_path, ["trials=1"])).finished


def test_the_page_has_a_part_for_each_that_a_run_fills(tmp_path: Path) -> None:
    text = page.PAGE.read_text()
    run = page.finished(store(tmp_path, "aquilio"))
    assert run
    part = page.part(CLASSICS["aquilio"], run)
    assert "| longpoll HTTP/1.1: answers | B/update | 119* |" in part
    assert "Measured 2026-01-02 on 2 cores of an CPU" in part
    new = page.with_part(text, "aquilio", part)
    assert part in new
    for name in CLASSICS:
        if name != "aquilio":
            begin, end = page.marks(name)
            assert new.partition(begin)[2].partition(end)[0] == text.partition(begin)[2].partition(end)[0] != ""


def test_the_page_takes_no_run_that_is_not_the_scenario_as_it_stands(tmp_path: Path) -> None:
    store(tmp_path, "aquilio", overrides=("trials=1", "rate_hz=1"))
    store(tmp_path, "bozdag", finished=False)
    with pytest.raises(ResultsError, match="made with --set"):
        page.finished(tmp_path / "aquilio")
    with pytest.raises(ResultsError, match="is not finished"):
        page.finished(tmp_path / "bozdag")
    assert page.finished(tmp_path / "rfc6202") is None
    with pytest.raises(ResultsError, match="has no lines"):
        page.with_part("nothing", "bozdag", "part")


def test_the_page_and_its_pictures_are_written_from_the_runs_that_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store(tmp_path / "runs", "bozdag")
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr(page, "CHECKOUT", tmp_path)
    written = tmp_path / "docs" / "classics.md"
    written.write_text(page.PAGE.read_text())
    monkeypatch.setattr(page, "PAGE", written)
    monkeypatch.setattr(page, "PICTURES", tmp_path / "docs" / "classics")
    assert page.main([str(tmp_path / "runs")]) == 0
    assert "docs/classics.md has 1 of 7" in capsys.readouterr().out
    assert "![When is pull good?](classics/bozdag.png)" in written.read_text()
    assert [path.name for path in (tmp_path / "docs" / "classics").iterdir()] == ["bozdag.png"]
    assert page.main([str(tmp_path / "nowhere")]) == 2
    assert "no classic has a run in" in capsys.readouterr().err


@pytest.mark.parametrize("name", CLASSICS)
def test_the_page_says_of_each_what_the_code_does(name: str) -> None:
    begin, end = page.marks(name)
    there = page.PAGE.read_text().partition(begin)[2].partition(end)[0]
    head = page.part(CLASSICS[name], None).partition(page.WITHOUT)[0]
    assert there.startswith(f"\n{head}")


@pytest.mark.slow
def test_the_shortest_is_made_for_real_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    arguments = [
        "repro",
        "rfc6202",
        "--set",
        "trials=1",
        "--set",
        "measure_s=1",
        "--set",
        "subscribers=3",
        "--out",
        str(out),
    ]
    assert cli.invoke(arguments) in (0, 1)
    assert len(results.load(out).trials) == 5
    told = " ".join(capsys.readouterr().out.split())
    assert "claims of the shape" in told
    assert (out / "charts" / "classic.png").exists()
    assert (out / "report.html").exists()
