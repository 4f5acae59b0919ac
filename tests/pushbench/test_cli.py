"""The command line: exit codes, one line for wrong input and nothing started, and an example in every help."""

import asyncio
import json
import os
import re
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pushbench import results, run, scenario
from pushbench.checks import Judgement, Verdict
from pushbench.cli import app, invoke
from pushbench.doctor import Finding
from pushbench.outcome import Outcome
from pushbench.results import SCHEMA
from tests.pushbench import frames
from tests.pushbench.tiny import PYTHON
from tests.pushbench.written import write_run

GOOD = """\
title = "Which?"
[grid]
transport = ["sse", "websocket"]
[load]
subscribers = 2
rate_hz = 10
[phases]
warmup_s = 1
measure_s = 1
"""

COMMANDS = ("run", "list", "report", "check", "compare", "serve", "doctor")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory in which a command is given."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def never_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No trial may be begun."""

    async def attempt(*arguments: object) -> Outcome:
        pytest.fail("a trial was begun")

    monkeypatch.setattr(run, "attempt", attempt)


def everything_below(directory: Path) -> dict[Path, bytes | None]:
    return {path: path.read_bytes() if path.is_file() else None for path in directory.rglob("*")}


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line on stderr of a command that must refuse, and touch nothing."""
    before = everything_below(Path())
    capsys.readouterr()
    assert invoke(list(arguments)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert said.err.startswith("pushbench: ")
    assert everything_below(Path()) == before
    return said.err


# Wrong input


WRONG_SCENARIOS: dict[str, tuple[str, str, list[str]]] = {
    "unknown key": ("rate_hz = 10", "rate_hs = 10", ["mine.toml:6:", "rate_hs", "rate_hz"]),
    "wrong type": ("rate_hz = 10", 'rate_hz = "ten"', ["mine.toml:6:", "rate_hz", "ten", "number"]),
    "negative rate": ("rate_hz = 10", "rate_hz = -1", ["mine.toml:6:", "rate_hz", "-1"]),
    "warm-up without measuring": ("measure_s = 1", "measure_s = 0", ["mine.toml:8:", "warmup_s", "measure_s = 0"]),
    "unknown transport": ('"sse"', '"ssse"', ["mine.toml:3:", "ssse", "did you mean sse"]),
    "empty list": ('["sse", "websocket"]', "[]", ["mine.toml:3:", "empty"]),
    "empty grid": ('[grid]\ntransport = ["sse", "websocket"]', "[grid]", ["mine.toml:2:", "grid", "empty"]),
    "not TOML": ("rate_hz = 10", "rate_hz: 10", ["mine.toml:6:", "not TOML"]),
}


@pytest.mark.usefixtures("never_tried")
@pytest.mark.parametrize("wrong", WRONG_SCENARIOS)
def test_a_wrong_scenario_is_told_in_one_line_with_its_place(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    old, new, parts = WRONG_SCENARIOS[wrong]
    assert GOOD.count(old) == 1
    Path("mine.toml").write_text(GOOD.replace(old, new))
    told = refused(capsys, "run", "mine.toml")
    for part in parts:
        assert part in told


OVER_LIMIT = "--set=subscribers=1000000"


@pytest.mark.usefixtures("never_tried")
@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["run", "overvew"], ["overvew", "did you mean overview"]),
        (["run", "absent.toml"], ["absent.toml", "no such scenario"]),
        (["run", "."], ["directory"]),
        (["run", "good.toml", "--set", "rate=5"], ["--set rate=5", "unknown key"]),
        (["run", "good.toml", "--set", "rate_hz"], ["--set rate_hz", "key=value"]),
        (["run", "good.toml", "--set", "rate_hz=-5"], ["rate_hz", "-5"]),
        (["run", "good.toml", "--out", "good.toml/run"], ["good.toml/run", "cannot be written", "--out"]),
        (["run", "good.toml", "--out", "good.toml"], ["good.toml", "cannot be written", "--out"]),
        (["run", "good.toml", OVER_LIMIT], ["1000064 open files", "ulimit -n 1000064"]),
        (["run", "good.toml", "--resume"], ["no unfinished run", "without --resume"]),
        (["run", "good.toml", "--resume", "--out", "absent"], ["absent", "no run"]),
        (["run", "good.toml", "--resume", "--out", "future"], ["future", f"schema version {SCHEMA + 1}"]),
        (["run", "good.toml", "--out", "future"], ["future", "holds a run already"]),
        (["run"], ["Missing argument"]),
        (["run", "good.toml", "--frob"], ["--frob", "pushbench --help"]),
        (["run", "good.toml", "another"], ["another", "pushbench --help"]),
        (["run", "good.toml", "--out"], ["--out", "requires an argument"]),
        (["frobnicate"], ["frobnicate", "pushbench --help"]),
        (["--frob"], ["--frob", "pushbench --help"]),
        (["report"], ["no run is in results"]),
        (["report", "absent"], ["absent", "no run", "pushbench list"]),
        (["report", "."], ["no run", "pushbench list"]),
        (["report", "good.toml"], ["good.toml", "holds no run"]),
        (["report", "future"], ["future", f"schema version {SCHEMA + 1}", "9.9.9"]),
        (["check"], ["no run is in results"]),
        (["check", "absent"], ["absent", "no run"]),
        (["check", "future"], ["future", f"schema version {SCHEMA + 1}"]),
        (["compare", "absent", "future"], ["absent", "no run", "pushbench list"]),
        (["compare", "future", "future"], ["future", f"schema version {SCHEMA + 1}"]),
        (["compare", "future"], ["Missing argument"]),
        *((["compare", "a", "b", "--fail-on-worse", text], [text, "10%"]) for text in ("10", "0.1", "ten%", "-5%", "%")),
        (["doctor", "--frob"], ["--frob"]),
        (["list", "everything"], ["everything"]),
    ],
)
def test_wrong_input_is_told_in_one_line_with_the_way_out_and_nothing_is_started(
    arguments: list[str], parts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("good.toml").write_text(GOOD)
    Path("future").mkdir()
    Path("future", "run.json").write_text(f'{{"schema": {SCHEMA + 1}, "environment": {{"pushbench": "9.9.9"}}}}')
    told = refused(capsys, *arguments)
    for part in parts:
        assert part in told


def test_a_grid_that_needs_more_files_than_the_process_may_open_is_refused_before_anything_is_started(here: Path) -> None:
    Path("good.toml").write_text(GOOD)
    done = subprocess.run(
        [PYTHON, "-m", "pushbench", "run", "good.toml", "--set", "subscribers=[10,200]"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert re.fullmatch(r"pushbench: --set subscribers=\[10,200\]: .*264 open files.* may open 128.*\n", done.stderr)
    assert [path.name for path in here.iterdir()] == ["good.toml"]


# What a run comes to


@pytest.fixture
def outcomes(monkeypatch: pytest.MonkeyPatch) -> list[Verdict]:
    """The verdicts of the trials to come; each has the numbers of a synthetic run."""
    coming: list[Verdict] = []
    row = frames.run(("sse",), subscribers=(10,), trials=1)["trials"].iloc[0]

    async def attempt(*arguments: object) -> Outcome:
        verdict = coming.pop(0)
        if verdict == Verdict.FAILED:
            return Outcome(Judgement(verdict, "it did not start"))
        columns = {name: row[name] for name in frames.MEASURED if name.startswith(("latency", "deliveries"))}
        return Outcome(Judgement(verdict, "" if verdict == Verdict.OK else f"made {verdict}"), columns | {"lost": 0})

    monkeypatch.setattr(run, "attempt", attempt)
    return coming


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([Verdict.OK, Verdict.OK], 0),
        ([Verdict.OK, Verdict.SERVER_BOUND], 0),
        ([Verdict.OK, Verdict.FAILED], 1),
        ([Verdict.LOSSY, Verdict.OK], 1),
    ],
)
def test_a_finished_run_prints_its_table_and_the_page_and_says_by_its_code_whether_all_may_be_believed(
    outcomes: list[Verdict], verdicts: list[Verdict], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("good.toml").write_text(GOOD.replace("[grid]", 'charts = ["overview"]\n[grid]'))
    outcomes += verdicts
    assert invoke(["run", "good.toml", "--set", "trials=1", "--out", "mine"]) == code
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[:2] == ["Which?", "2 trials, into mine"]
    for word in ("transport", "deliveries/s", "sse", "websocket", *verdicts):
        assert word in said.out
    assert "mine/report.html" in lines
    assert Path("mine/report.html").stat().st_size
    assert len(said.err.splitlines()) == 2  # a line a trial
    assert results.load("mine").manifest["finished_at"]
    assert invoke(["check", "mine"]) == code


def test_without_out_a_run_lands_below_results(outcomes: list[Verdict], capsys: pytest.CaptureFixture[str]) -> None:
    Path("good.toml").write_text(GOOD)
    outcomes += [Verdict.FAILED] * 2
    assert invoke(["run", "good.toml", "--set", "trials=1"]) == 1
    [directory] = results.runs(Path("results"))
    assert directory.name.startswith("good-")
    assert f"into {directory}" in capsys.readouterr().out


def test_ctrl_c_is_told_in_one_line_with_the_way_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def interrupted(*arguments: object) -> Outcome:
        await asyncio.sleep(0)
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "attempt", interrupted)
    Path("good.toml").write_text(GOOD)
    assert invoke(["run", "good.toml"]) == 130
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert "--resume" in told


# The other commands


def made(name: str, verdict: str = "ok", **manifest: Any) -> Path:
    return write_run(
        Path("results", name),
        frames.judge(frames.run(("sse", "websocket"), subscribers=(10,), trials=1), verdict, "websocket"),
        charts=["overview"],
        **manifest,
    )


def test_list_has_every_scenario_with_its_question_and_every_run(capsys: pytest.CaptureFixture[str]) -> None:
    made("older")
    made("newer", finished_at=None)
    Path("results", "broken").mkdir()
    Path("results", "broken", "run.json").write_text("{")
    assert invoke(["list"]) == 0
    said = capsys.readouterr().out
    for path in scenario.SCENARIOS.glob("*.toml"):
        assert re.search(rf"^  {path.stem} +{re.escape(scenario.load(path).title)}$", said, re.MULTILINE)
    assert re.search(r"^  older +Who delivers <first>\?$", said, re.MULTILINE)
    assert re.search(r"^  newer +Who delivers <first>\? +\(not finished\)$", said, re.MULTILINE)
    assert re.search(r"^  broken .*cannot be read", said, re.MULTILINE)


def test_list_says_so_where_there_are_no_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["list"]) == 0
    assert capsys.readouterr().out.endswith("  none yet\n")


def test_report_draws_the_newest_run_anew(capsys: pytest.CaptureFixture[str]) -> None:
    os.utime(made("older") / "run.json", (1, 1))
    newer = made("newer")
    assert invoke(["report"]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [f"{newer}/report.html", f"{newer}/charts/overview.png"]
    assert not Path("results", "older", "report.html").exists()


def test_report_of_a_run_that_has_no_trial_yet_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    nothing = {name: frame.iloc[:0] for name, frame in frames.run(("sse",), trials=1).items()}
    write_run(Path("empty"), nothing)
    told = refused(capsys, "report", "empty")
    assert "no finished trial yet" in told
    assert "--resume" in told


@pytest.mark.parametrize(("verdict", "code"), [("server_bound", 0), ("client_bound", 1)])
def test_check_tells_each_verdict_that_has_a_reason(verdict: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    made("mine", verdict)
    assert invoke(["check", "results/mine"]) == code
    assert capsys.readouterr().out == f"cell 1 (websocket) trial 1: {verdict}: made {verdict} for a test\n"


def slowed(name: str, factor: float, **manifest: Any) -> Path:
    """A run of six trials a cell with latencies of so many times the usual."""
    run = frames.run(("sse", "websocket"), subscribers=(10,), trials=6)
    run["trials"]["latency_p99_ms"] *= factor
    return write_run(Path("results", name), run, **manifest)


@pytest.mark.parametrize(
    ("options", "code", "last"),
    [
        ([], 0, "changes are"),
        (["--fail-on-worse", "10%"], 1, "failed (limit 10 %): all cells together: p99, ms +50.0 %; sse: p99"),
        (["--fail-on-worse", "60%"], 0, "passed: nothing is called worse by 60 % or more"),
    ],
)
def test_compare_says_what_is_worse_and_fails_if_it_is_told_to(
    options: list[str], code: int, last: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = slowed("before", 1), slowed("after", 1.5, environment={"kernel": "6.18", "commit": None})
    assert invoke(["compare", str(before), str(after), *options]) == code
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.splitlines()[-1].startswith(last)
    assert "kernel: 6.1 -> 6.18" in said.out
    assert re.search(r"^  p99, ms .* \+50\.0 % .* worse$", said.out, re.MULTILINE)


def test_compare_with_json_on_stdout_says_on_stderr_what_failed(capsys: pytest.CaptureFixture[str]) -> None:
    before, after = slowed("before", 1), slowed("after", 1.5)
    assert invoke(["compare", str(before), str(after), "--json", "-", "--fail-on-worse", "10%"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["cells"][0]["label"] == "sse"
    assert said.err.startswith("failed (limit 10 %)")


def test_compare_shows_cells_in_which_nothing_differs_only_if_asked(capsys: pytest.CaptureFixture[str]) -> None:
    run = str(slowed("before", 1))
    assert invoke(["compare", run, run]) == 0
    assert "0 of 2 cells differ; 2 are not shown" in capsys.readouterr().out
    assert invoke(["compare", run, run, "--all"]) == 0
    assert "\nsse\n" in capsys.readouterr().out


def test_compare_writes_all_of_it_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    run = str(slowed("before", 1))
    assert invoke(["compare", run, run, "--json", "made.json"]) == 0
    assert "0 of 2 cells differ" in capsys.readouterr().out
    assert [cell["label"] for cell in json.loads(Path("made.json").read_text())["cells"]] == ["sse", "websocket"]


def test_compare_refuses_runs_that_have_nothing_in_common_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    short, long = (frames.run(("sse",), subscribers=(10,), trials=1, measure_s=measure_s) for measure_s in (2, 5))
    told = refused(capsys, "compare", str(write_run(Path("short"), short)), str(write_run(Path("long"), long)))
    assert "short and long have no load in common" in told


@pytest.mark.parametrize("order", [["empty", "full"], ["full", "empty"]])
def test_compare_refuses_a_run_that_has_no_trial_yet(order: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    full = frames.run(("sse",), trials=1)
    write_run(Path("full"), full)
    write_run(Path("empty"), {name: frame.iloc[:0] for name, frame in full.items()})
    assert "empty has no finished trial yet" in refused(capsys, "compare", *order)


def test_compare_says_in_one_line_that_json_cannot_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    run = str(slowed("before", 1))
    assert "absent/made.json cannot be written" in refused(capsys, "compare", run, run, "--json", "absent/made.json")


def test_report_prints_how_many_times_only_if_there_is_something_to_compare(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["report", str(made("two"))]) == 0
    assert "How many times websocket" in capsys.readouterr().out
    one = write_run(Path("one"), frames.run(("sse",), subscribers=(10,), trials=1), charts=["overview"])
    assert invoke(["report", str(one)]) == 0
    assert "How many times" not in capsys.readouterr().out


def test_serve_becomes_the_server_with_the_options_that_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda path, command: commands.append([path, *command]))
    invoke(["serve", "--port", "0", "--heartbeat-s=1"])
    assert commands == [[PYTHON, PYTHON, "-m", "servers", "--port", "0", "--heartbeat-s=1"]]


@pytest.mark.parametrize(("well", "code"), [(True, 0), (False, 1)])
def test_doctor_prints_its_findings(
    well: bool, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [Finding(True, "two cores"), Finding(well, "load average")]
    monkeypatch.setattr("pushbench.doctor.examine", lambda: iter(found))
    assert invoke(["doctor"]) == code
    assert capsys.readouterr().out == f"ok   two cores\n{'ok  ' if well else 'warn'} load average\n"


# Help


def test_the_commands_that_are_tested_here_are_all_that_there_are() -> None:
    def name(command: Any) -> str:
        function: Callable[..., Any] = command.callback
        return command.name or function.__name__

    assert sorted(name(command) for command in app.registered_commands) == sorted(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_commands_help_shows_an_example_of_it(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke([command, "--help"]) == 0
    assert f"Example: pushbench {command}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_without_a_command_the_help_names_all_of_them(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(arguments) == 0
    said = capsys.readouterr()
    assert said.err == ""
    for command in COMMANDS:
        assert re.search(rf"^  {command} ", said.out, re.MULTILINE)


def test_the_module_is_the_command() -> None:
    done = subprocess.run([PYTHON, "-m", "pushbench", "list"], capture_output=True, text=True, check=True)
    assert "scenarios" in done.stdout
    assert done.stderr == ""
