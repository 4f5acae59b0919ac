"""The command line: exit codes, one line for wrong input and nothing started, and an example in every help."""

import json
import os
import re
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pushbench import report, results, run, scenario
from pushbench.checks import Judgement, Verdict
from pushbench.cli import app, invoke
from pushbench.diagnosis import Finding, Severity
from pushbench.environment import CHECKOUT
from pushbench.outcome import Outcome
from pushbench.plans import Trial
from pushbench.results import LOCK, SCHEMA
from tests.pushbench import frames, searches
from tests.pushbench.full import room_for
from tests.pushbench.tiny import PYTHON, listening
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

COMMANDS = ("run", "list", "report", "check", "compare", "advise", "repro", "conform", "lies", "wire", "serve", "doctor")


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
        (["doctor", "overvew"], ["overvew", "did you mean overview"]),
        (["doctor", "."], ["directory"]),
        (["doctor", "overview", "smoke"], ["smoke", "pushbench --help"]),
        (["list", "everything"], ["everything"]),
    ],
)
def test_wrong_input_is_told_in_one_line_with_the_way_out_and_nothing_is_started(
    arguments: list[str], parts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("good.toml").write_text(GOOD)
    Path("future").mkdir()
    Path("future", "run.json").write_text(f'{{"schema": {SCHEMA + 1}, "environment": {{"commit": "9.9.9"}}}}')
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


@pytest.mark.quick_once
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


@pytest.fixture
def told_to_end() -> Iterator[Callable[[], None]]:
    """Tells this process to end, as SIGTERM does; `pushbench` listens to that."""
    with listening():
        yield lambda: os.kill(os.getpid(), signal.SIGTERM)


def test_a_run_that_is_told_to_end_while_it_draws_shows_its_table_and_says_how_to_draw(
    outcomes: list[Verdict],
    told_to_end: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("good.toml").write_text(GOOD)
    outcomes += [Verdict.OK] * 2
    monkeypatch.setattr(report, "draw", lambda *arguments: told_to_end())
    assert invoke(["run", "good.toml", "--set", "trials=1", "--out", "mine"]) == 143
    said = capsys.readouterr()
    assert "deliveries/s" in said.out
    assert said.out.splitlines()[-1] == "mine/report.html"
    *trials, last = said.err.splitlines()
    assert len(trials) == 2
    assert last == "pushbench: interrupted; all 2 trials are finished and kept: pushbench report mine draws the charts"
    assert "draws its charts" in Path("mine/report.html").read_text()
    assert results.load("mine").manifest["finished_at"]


def test_a_run_that_is_told_to_end_before_its_first_trial_says_so_in_one_line(
    told_to_end: Callable[[], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("good.toml").write_text(GOOD)
    monkeypatch.setattr("pushbench.doctor.examine", lambda scenarios: told_to_end())
    assert invoke(["run", "good.toml"]) == 143
    told = capsys.readouterr().err
    assert told == (
        "pushbench: interrupted before a trial was finished; the same command with --resume goes on from there\n"
    )


def test_a_command_that_is_told_to_end_says_so_in_one_line(
    told_to_end: Callable[[], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pushbench.doctor.examine", lambda scenarios: told_to_end())
    assert invoke(["doctor"]) == 143
    assert capsys.readouterr().err == "pushbench: interrupted\n"


def test_the_command_can_be_told_to_end_while_it_is_still_being_imported() -> None:
    script = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
from pushbench.__main__ import main
main()
"""
    ended = subprocess.run([PYTHON, "-c", script], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "pushbench: interrupted\n")


# When there is no room

BEGUN = 5  # files: run.json and four tables
TRIAL = 4  # the tables, anew
FINISHED = BEGUN + 2 * TRIAL + 1


@pytest.mark.parametrize(
    ("room", "parts"),
    [
        (0, ["mine cannot be written", "--out"]),
        (BEGUN - 1, ["mine cannot be written", "--out"]),
        (BEGUN, ["mine cannot be written", "0 finished trials are kept", "--resume"]),
        (BEGUN + 2 * TRIAL - 1, ["mine cannot be written", "1 finished trials are kept", "--resume"]),
        (BEGUN + 2 * TRIAL, ["mine cannot be written", "2 finished trials are kept", "--resume"]),
        (FINISHED, ["mine/charts/overview.png cannot be written", "pushbench report"]),
        (FINISHED + 2, ["mine/report.html cannot be written", "pushbench report"]),
    ],
)
@pytest.mark.slow
def test_wherever_the_disk_is_full_it_is_told_in_one_line_and_resume_goes_on_once_there_is_room(
    room: int,
    parts: list[str],
    outcomes: list[Verdict],
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("good.toml").write_text(GOOD.replace("[grid]", 'charts = ["overview"]\n[grid]'))
    outcomes += [Verdict.OK] * 4
    run = ["run", "good.toml", "--set", "trials=1", "--out", "mine"]
    with room_for(room):
        assert invoke(run) == 2
    *trials, last = capsys.readouterr().err.splitlines()
    assert all(line.startswith("[") for line in trials)
    for part in ("pushbench: ", "No space left on device", *parts):
        assert part in last
    begun = room >= BEGUN
    assert Path("mine", "run.json").exists() == begun
    if begun:
        assert len(results.load("mine").trials) == min(2, (room - BEGUN) // TRIAL)
    assert [path.name for path in Path("mine").rglob(".*")] in ([], [LOCK])
    assert invoke([*run, "--resume"] if begun else run) == 0
    assert len(results.load("mine").trials) == 2
    assert Path("mine/report.html").stat().st_size


@pytest.mark.slow
def test_a_chart_that_is_too_large_for_the_disk_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    made("mine")
    done = subprocess.run(
        [PYTHON, "-m", "pushbench", "report", "results/mine"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert re.fullmatch(r"pushbench: results/mine/charts/overview.png cannot be written: File too large; .*\n", done.stderr)


@pytest.mark.parametrize("command", ["list", "doctor"])
def test_what_cannot_be_printed_is_told_in_one_line(command: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([PYTHON, "-m", "pushbench", command], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr == "pushbench: what it prints cannot be written: No space left on device; make room\n"


# What is imported when

IMPORTED = "print(*({'pandas', 'matplotlib'} & set(sys.modules)), file=sys.stderr)"


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["doctor"], ["run", "absent"], ["run", "--frob"]])
def test_what_draws_nothing_does_not_wait_for_what_draws(arguments: list[str]) -> None:
    script = f"import sys; from pushbench.cli import invoke; invoke({arguments}); {IMPORTED}"
    told = subprocess.run([PYTHON, "-c", script], capture_output=True, text=True, check=True).stderr
    assert told.splitlines()[-1] == ""


@pytest.mark.slow
def test_a_run_imports_what_draws_before_its_first_trial_and_not_when_time_is_short() -> None:
    Path("good.toml").write_text(GOOD)
    script = f"""
import sys
from pushbench import cli, run
async def attempt(*arguments):
    {IMPORTED}
    raise SystemExit
run.attempt = attempt
cli.invoke(["run", "good.toml"])
"""
    told = subprocess.run([PYTHON, "-c", script], capture_output=True, text=True, check=True).stderr
    assert set(told.split()) == {"pandas", "matplotlib"}


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


@pytest.mark.slow
def test_report_prints_latency_with_the_naive_beside_it_and_then_what_it_cost(capsys: pytest.CaptureFixture[str]) -> None:
    made("mine")
    assert invoke(["report", "results/mine"]) == 0
    lines = capsys.readouterr().out.splitlines()
    latency, cost = lines.index("Latency"), lines.index("Delivered, and what it cost")
    assert latency < cost
    assert any(line.split().count("naive") == 4 for line in lines[latency:cost])
    assert any("deliveries/s" in line for line in lines[cost:])


@pytest.mark.parametrize(("verdict", "code"), [("server_bound", 0), ("client_bound", 1)])
def test_check_tells_each_verdict_that_has_a_reason_its_figures_and_what_to_change(
    verdict: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    made("mine", verdict)
    assert invoke(["check", "results/mine"]) == code
    assert capsys.readouterr().out.splitlines() == [
        f"websocket, trial 1: {verdict}",
        f"  reason  made {verdict} for a test",
        "  figures lost 7",
        "  change  undo it",
        f"{2 - code} of 2 trials may be believed",
    ]


@pytest.mark.parametrize(("verdict", "code"), [("client_bound", 0), ("publisher_late", 0), ("lossy", 1), ("failed", 1)])
def test_check_for_loss_alone_does_not_mind_a_busy_machine(
    verdict: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    made("mine", verdict)
    assert invoke(["check", "results/mine", "--only-loss"]) == code
    assert capsys.readouterr().out.splitlines()[-1] == "1 of 2 trials may be believed"


def test_check_of_a_run_that_has_no_trial_yet_does_not_call_it_well(capsys: pytest.CaptureFixture[str]) -> None:
    nothing = {name: frame.iloc[:0] for name, frame in frames.run(("sse",), trials=1).items()}
    write_run(Path("empty"), nothing)
    assert invoke(["check", "empty"]) == 1
    assert capsys.readouterr().out == "empty has no finished trial yet: go on with --resume\n"


def test_check_names_a_cell_by_whatever_tells_it_from_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    found = frames.run(("sse",), subscribers=(1, 100), pacings=("open", "closed"), server_stall_ms=500, trials=1)
    write_run(Path("results", "mine"), found)
    assert invoke(["check", "results/mine"]) == 1
    blocks = [line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
    assert blocks == [
        "sse, 1 subscriber, closed loop, trial 1: publisher_late",
        "sse, 100 subscribers, closed loop, trial 1: publisher_late",
        "2 of 4 trials may be believed",
    ]


def slowed(name: str, factor: float, **manifest: Any) -> Path:
    """A run of six trials a cell with latencies of so many times the usual."""
    run = frames.run(("sse", "websocket"), subscribers=(10,), trials=6)
    run["trials"]["latency_p99_ms"] *= factor
    return write_run(Path("results", name), run, **manifest)


@pytest.mark.quick_once
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


@pytest.mark.slow
def test_report_prints_what_is_beside_the_models_only_if_there_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["report", str(made("two"))]) == 0
    assert "Beside the models\n" in capsys.readouterr().out
    floor = write_run(Path("floor"), frames.run(("tcp",), subscribers=(10,), trials=1), charts=["latency_percentiles"])
    assert invoke(["report", str(floor)]) == 0
    assert "Beside the models" not in capsys.readouterr().out


@pytest.mark.slow
def test_report_prints_how_many_times_only_if_there_is_something_to_compare(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["report", str(made("two"))]) == 0
    assert "How many times websocket" in capsys.readouterr().out
    one = write_run(Path("one"), frames.run(("sse",), subscribers=(10,), trials=1), charts=["overview"])
    assert invoke(["report", str(one)]) == 0
    assert "How many times" not in capsys.readouterr().out


# Searches

SEARCH = """\
title = "How many?"
charts = ["capacity"]
[grid]
transport = ["sse", "websocket"]
[search]
key = "subscribers"
start = 2
limit = 4
[load]
rate_hz = 10
[phases]
warmup_s = 1
measure_s = 1
[repeat]
trials = 1
"""


@pytest.mark.quick_once
@pytest.mark.parametrize(
    ("worst", "code", "last"),
    [
        (Verdict.SERVER_BOUND, 0, ""),
        pytest.param(Verdict.LOSSY, 0, "", marks=pytest.mark.slow),
        (Verdict.CLIENT_BOUND, 1, "lower bounds, because the load side gave in: 1 of 2 capacities"),
    ],
)
def test_a_search_prints_its_capacities_and_its_code_says_whether_the_load_side_gave_in(
    monkeypatch: pytest.MonkeyPatch, worst: Verdict, code: int, last: str, capsys: pytest.CaptureFixture[str]
) -> None:
    row = frames.run(("sse",), subscribers=(10,), trials=1)["trials"].iloc[0]
    columns = {name: row[name] for name in frames.MEASURED if name.startswith(("latency", "deliveries", "server_cpu"))}

    async def attempt(trial: Trial, *others: object) -> Outcome:
        if trial.load.transport == "sse" and trial.load.subscribers > 2:
            return Outcome(Judgement(worst, f"made {worst}"), columns | {"latency_p99_ms": 200.0})
        return Outcome(Judgement(Verdict.OK), columns | {"latency_p99_ms": 20.0})

    monkeypatch.setattr(run, "attempt", attempt)
    Path("how_many.toml").write_text(SEARCH)
    assert invoke(["run", "how_many.toml", "--out", "mine"]) == code
    said = capsys.readouterr()
    head = said.out.splitlines()[1]
    assert re.fullmatch(r"2 searches, about \d+ trials, into mine", head)
    assert "capacity," in said.out
    assert "server_bound" not in said.out
    assert (last in said.out) if last else ("lower bounds, because" not in said.out)
    assert "sse, subscribers=4 #1, step 2: " in said.err
    assert "latency_p99_ms 200" in said.err
    assert Path("mine/charts/capacity.png").exists()
    assert "Capacity" in Path("mine/report.html").read_text()
    assert invoke(["check", "mine"]) == code
    assert capsys.readouterr().out.splitlines()[-1].endswith(f"because the load side gave in: {code} of 2 capacities")
    assert invoke(["report", "mine"]) == code


def test_a_search_that_is_told_to_end_says_about_how_much_is_left(
    monkeypatch: pytest.MonkeyPatch, told_to_end: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    made = 0
    row = frames.run(("sse",), subscribers=(10,), trials=1)["trials"].iloc[0]
    columns = {name: row[name] for name in frames.MEASURED if name.startswith(("latency", "deliveries"))}

    async def attempt(*arguments: object) -> Outcome:
        nonlocal made
        made += 1
        if made == 2:
            told_to_end()
        return Outcome(Judgement(Verdict.OK), columns)

    monkeypatch.setattr(run, "attempt", attempt)
    Path("how_many.toml").write_text(SEARCH)
    assert invoke(["run", "how_many.toml", "--out", "mine"]) == 143
    said = capsys.readouterr()
    assert re.match(r"pushbench: interrupted; 1 of about \d+ trials are finished", said.err.splitlines()[-1])
    assert "search not finished" in said.out


@pytest.mark.parametrize("order", [["searched", "plain"], ["plain", "searched"], ["searched", "searched"]])
def test_compare_refuses_runs_that_searched_in_one_line(order: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    write_run(Path("searched"), searches.run({"sse": 900.0}, trials=1))
    write_run(Path("plain"), frames.run(("sse",), trials=1))
    assert "searched searched for a capacity, and its steps are no cells to be" in refused(capsys, "compare", *order)


def test_serve_becomes_the_server_with_the_options_that_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda path, command: commands.append([path, *command]))
    invoke(["serve", "--port", "0", "--heartbeat-s=1"])
    assert commands == [[PYTHON, PYTHON, "-m", "servers", "--port", "0", "--heartbeat-s=1"]]


FINE = Finding(Severity.OK, "cores", "two cores", "Nobody is in the way.")
NOTED = Finding(Severity.NOTE, "frequency", "unknown", "It may change.")
ILL = Finding(Severity.WARN, "open files", "20", "Too few.", "ulimit -Hn 84")


@pytest.fixture
def examined(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the scenarios that the machine was examined for; it always has the same three findings."""
    names: list[str] = []

    def examine(scenarios: list[scenario.Scenario]) -> list[Finding]:
        names.extend(one.name for one in scenarios)
        return [FINE, NOTED, ILL] if names != ["smoke"] else [FINE, NOTED]

    monkeypatch.setattr("pushbench.doctor.examine", examine)
    return names


def test_doctor_prints_every_finding_and_exits_with_1_if_one_is_a_warning(
    examined: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["doctor"]) == 1
    assert sorted(examined) == sorted(path.stem for path in scenario.SCENARIOS.glob("*.toml"))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == ["ok", "note", "warn", "1"]
    assert lines[-1] == "1 of 3 should be better"
    assert "→ ulimit -Hn 84" in lines[-2]


def test_doctor_judges_for_the_scenario_that_it_is_told(examined: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["doctor", "smoke"]) == 0
    assert examined == ["smoke"]
    assert capsys.readouterr().out.splitlines()[-1] == "fit to measure on"


def test_a_run_prints_what_the_doctor_warns_of_and_no_more(
    examined: list[str], outcomes: list[Verdict], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("good.toml").write_text(GOOD)
    outcomes += [Verdict.FAILED] * 2
    assert invoke(["run", "good.toml", "--set", "trials=1"]) == 1
    assert examined == ["good"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:5] == [line for line in lines if "open files" in line] + [f"{'':18}Too few.", f"{'':18}→ ulimit -Hn 84"]
    assert not [line for line in lines if "two cores" in line or "It may change" in line]


@pytest.mark.parametrize(("columns", "widest"), [("50", 50), ("20", 40), ("300", 110)])
def test_what_the_doctor_says_is_as_wide_as_the_terminal_within_what_reads_well(
    columns: str, widest: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    long = Finding(Severity.OK, "cores", "word " * 100, "words " * 100)
    monkeypatch.setattr("pushbench.doctor.examine", lambda scenarios: [long])
    monkeypatch.setenv("COLUMNS", columns)
    assert invoke(["doctor", "smoke"]) == 0
    width = max(len(line) for line in capsys.readouterr().out.splitlines())
    assert widest - len("words") <= width <= widest


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


def test_wire_shows_a_kept_exchange_and_writes_it_as_json_and_as_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    kept = str(CHECKOUT / "results/reference/wire/websocket.json")
    assert invoke(["wire", kept, "--json", "made.json", "--html", "made.html"]) == 0
    assert "Who waited for whom" in capsys.readouterr().out
    assert json.loads(Path("made.json").read_text()) == json.loads(Path(kept).read_text())
    assert "<svg" in Path("made.html").read_text()
    assert invoke(["wire", kept, "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["transport"] == "websocket"


def test_wire_shows_the_examples_of_the_standard(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["wire", "--example"]) == 0
    assert "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in capsys.readouterr().out


def test_wire_refuses_what_there_is_not_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "did you mean polling" in refused(capsys, "wire", "pollin")
    kept = str(CHECKOUT / "results/reference/wire/sse.json")
    assert "choose another file" in refused(capsys, "wire", kept, "--html", "nowhere/made.html")
