"""Advice from runs: which cells tell what, what is said of it, what is refused in one line, and the page's cases."""

import json
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pushbench import advice_cases, advice_measured, advice_text, advising
from pushbench.advice_values import Fit, How, Known, Need, Prices
from pushbench.cli import invoke
from pushbench.crossover import Polled, Pushed
from pushbench.results import ResultsError, Run, load
from tests.pushbench import frames, network
from tests.pushbench.written import MANIFEST, write_run

NEED = Need(1, 100, 20_000)
OTHERS = {name: frames.run(subscribers=(10,), measure_s=1)[name].iloc[:0] for name in frames.OTHERS}


def run(trials: pd.DataFrame, **environment: Any) -> Run:
    manifest = MANIFEST | {"environment": MANIFEST["environment"] | environment}
    return Run(Path("made/up"), manifest, trials, **{name: frame.copy() for name, frame in OTHERS.items()})


def known(trials: pd.DataFrame, need: Need = NEED) -> dict[str, Known]:
    return {one.transport: one for one in advice_measured.known([run(trials)], need)}


def beside(trials: pd.DataFrame, **others: Any) -> pd.DataFrame:
    """The trials, and the same again with other values."""
    return pd.concat([trials, trials.assign(cell=trials["cell"] + 100, **others)], ignore_index=True)


def asking(trials: pd.DataFrame) -> pd.DataFrame:
    """The same with cells of requests, by POST and by WebSocket: 60 and 40 us."""
    rows = trials[(trials["transport"] == "websocket") & (trials["rate_hz"] == 10)]
    parts = [trials]
    for name, cost_us in (("post", 60.0), ("websocket", 40.0)):
        part = rows.assign(kind="request", transport=name, rate_hz=200.0, server_cpu_us_per_delivery=cost_us)
        parts.append(part.assign(cell=rows["cell"] + len(trials) * len(parts)))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def trials() -> pd.DataFrame:
    """Five transports at two rates, and idle."""
    return network.trials(subscribers=100, rates=(1.0, 10.0), idle=True, plateaus=4, poll_intervals=(500, 5000), repeats=3)


@pytest.fixture(scope="module", autouse=True)
def _read_once() -> Iterator[None]:
    """A run on disk is read from there once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(advice_measured, "load", cache(load))
        yield


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory, trials: pd.DataFrame) -> Path:
    """Two trials of three of them on disk, with requests beside them."""
    few = asking(trials[(trials["trial"] < 3) & trials["transport"].isin(("polling", "sse", "websocket"))])
    return write_run(tmp_path_factory.mktemp("runs") / "all", {"trials": few} | OTHERS)


def test_costs_are_those_of_the_nearest_rate_and_subscribers(trials: pd.DataFrame) -> None:
    both = beside(trials, subscribers=1000)
    for rate, subscribers, expected in ((0.5, 90, (1, 100)), (8, 5000, (10, 1000)), (10, 200, (10, 100))):
        found = known(both, Need(rate, subscribers, 20_000))["websocket"]
        assert (found.rate_hz, found.subscribers) == expected


def test_down_up_and_cpu_are_those_that_the_trials_were_made_from(trials: pd.DataFrame) -> None:
    found = known(trials)
    pushed, polled = found["websocket"], found["polling"]
    assert isinstance(pushed.up, Pushed)
    assert isinstance(polled.down, Polled)
    assert isinstance(polled.up, Polled)
    assert pushed.up.per_s[0] == pytest.approx(54 / 15, rel=0.03)
    assert pushed.up.at(1, 1)[0] == pytest.approx(52, rel=0.03)
    assert polled.down.per_empty[0] == pytest.approx(96 + 52, rel=0.03)
    assert (polled.down.per_message[0], polled.up.per_message[0]) == (129, 0)
    assert pushed.rates_hz == (0, 10)
    assert polled.intervals_ms == (500, 5000)
    assert pushed.memory is not None


def test_without_idle_cells_a_poll_that_finds_nothing_takes_what_an_answer_does(trials: pd.DataFrame) -> None:
    found = known(trials[trials["kind"] != "idle"])
    polled = found["polling"].cpu
    assert isinstance(polled, Polled)
    assert polled.per_empty[0] == polled.per_answer[0]
    rows = trials[(trials["transport"] == "polling") & (trials["poll_interval_ms"] == 500) & (trials["rate_hz"] == 1)]
    assert polled.at(1, 0.5)[0] == pytest.approx(rows["server_cpu_us_per_delivery"].median())
    assert found["sse"].rates_hz == (1, 10)
    assert found["sse"].assumed == ("nothing is taken while idle, for no cost of an idle connection was measured",)


def test_an_idle_cell_without_its_costs_is_none(trials: pd.DataFrame) -> None:
    holes = trials.copy()
    holes.loc[(holes["transport"] == "sse") & (holes["kind"] == "idle"), "wire_up_bytes_per_connection_s"] = np.nan
    found = known(holes)
    assert found["sse"].rates_hz == (1, 10)
    assert found["sse"].assumed == ("nothing is taken while idle, for no cost of an idle connection was measured",)
    assert found["websocket"].rates_hz == (0, 10)


def test_cells_with_a_line_between_take_no_part_for_what_it_does_is_reckoned(trials: pd.DataFrame) -> None:
    for disturbed in ({"rtt_ms": 200.0}, {"jitter_ms": 5.0}, {"bandwidth_kbit_s": 1000}, {"loss_percent": 1.0}):
        assert known(trials.assign(**disturbed)) == {}
    both = beside(trials[trials["transport"] == "sse"], subscribers=50, rtt_ms=200.0)
    assert [one.subscribers for one in known(both)["sse"].heard] == [100]
    need = Need(1, 100, 20_000, two_way_hz=1)
    asked = asking(trials)
    asked.loc[asked["kind"] == "request", "rtt_ms"] = 200.0
    assert known(asked, need)["websocket"].act is None


def test_a_poller_is_as_late_as_at_the_nearest_load(trials: pd.DataFrame) -> None:
    polled = trials[(trials["transport"] == "polling") & (trials["kind"] != "idle")]
    at = polled["poll_interval_ms"]
    made = polled.assign(latency_mean_ms=at / 2 + 4, latency_p99_ms=0.99 * at + 9)
    busy = made.assign(
        subscribers=5000, cell=made["cell"] + 100, latency_mean_ms=at / 2 + 400, latency_p99_ms=0.99 * at + 900
    )
    both = pd.concat([made, busy], ignore_index=True)
    assert known(both, Need(1, 100, 20_000))["polling"].late_ms == pytest.approx((4, 9))
    assert known(both, Need(1, 6000, 20_000))["polling"].late_ms == pytest.approx((400, 900))


def test_how_far_was_measured_is_told_of_the_cells_that_figures_are_from(trials: pd.DataFrame) -> None:
    sizes = beside(trials[trials["kind"] != "idle"], payload_bytes=1024)
    sizes = sizes[(sizes["payload_bytes"] == 128) | (sizes["rate_hz"] == 1)]
    assert known(sizes, Need(1, 100, 20_000, payload_bytes=1024))["sse"].rates_hz == (1, 1)
    loads = beside(trials, subscribers=1000)
    loads = loads[(loads["subscribers"] == 100) | (loads["rate_hz"] == 1)]
    assert known(loads, Need(10, 100, 20_000))["sse"].connections == (100, 100)


def test_disturbed_trials_and_those_that_are_not_ok_take_no_part(trials: pd.DataFrame) -> None:
    spoiled = trials.copy()
    hit = (spoiled["transport"] == "sse") & (spoiled["rate_hz"] == 10)
    spoiled.loc[hit, "server_stall_ms"] = 500
    assert known(spoiled, Need(10, 100, 20_000))["sse"].rate_hz == 1
    spoiled.loc[spoiled["transport"] == "stream", "verdict"] = "client_bound"
    assert "stream" not in known(spoiled)


def test_a_full_server_tells_its_limit(trials: pd.DataFrame) -> None:
    full = trials.copy()
    full.loc[(full["transport"] == "sse") & (full["rate_hz"] == 10), "verdict"] = "server_bound"
    assert known(full)["sse"].limit_per_s == pytest.approx(1000, rel=0.1)
    assert known(full)["websocket"].limit_per_s == float("inf")


def test_saying_something_is_the_websockets_own_or_a_post(trials: pd.DataFrame) -> None:
    need = Need(1, 100, 20_000, two_way_hz=1)
    assert known(trials, need)["sse"].act is None
    found = known(asking(trials), need)
    told = {name: one.act.cpu_us[0] for name, one in found.items() if one.act}
    assert told == {"polling": 60, "longpoll": 60, "stream": 60, "sse": 60, "websocket": 40}


def test_a_chat_tells_what_a_message_takes_beyond_its_deliveries(trials: pd.DataFrame) -> None:
    rows = trials[(trials["transport"] == "sse") & (trials["rate_hz"] == 1)]
    columns = ["server_cpu_us_per_delivery", *network.WIRE]
    chat = rows.assign(kind="chat", room_size=10, cell=rows["cell"] + 500)
    chat[columns] *= 2
    found = known(pd.concat([trials, chat], ignore_index=True), Need(1, 100, 20_000, two_way_hz=1))["sse"].act
    assert found
    assert found.cpu_us[0] == pytest.approx(10 * rows["server_cpu_us_per_delivery"].median())
    assert "in a chat" in found.source


def test_it_is_said_that_runs_of_different_machines_are_hardly_comparable(trials: pd.DataFrame) -> None:
    runs = (run(trials, cpu="Abacus"), run(trials, cpu="Enigma"))
    both = advising.Advice(NEED, Prices(), runs, (), (), None)
    assert advice_text.before(both)[-1].startswith("These runs are of different machines, Abacus and Enigma")
    one = advising.Advice(NEED, Prices(), runs[:1], (), (), None)
    assert not any("different machines" in line for line in advice_text.before(one))


def test_two_runs_tell_more_than_one(trials: pd.DataFrame) -> None:
    busy, idle = (run(trials[(trials["kind"] == "idle") == silent]) for silent in (False, True))
    [*_, found] = advice_measured.known([busy, idle], NEED)
    assert found.rates_hz == (0, 10)


def advice(directory: Path, need: Need, prices: Prices | None = None) -> advising.Advice:
    return advising.advise(need, prices or Prices(), [directory])


def said(made: advising.Advice) -> str:
    return "\n".join([*advice_text.table(made).notes, *advice_text.after(made)])


def test_polling_is_the_answer_where_a_minute_is_fine(directory: Path) -> None:
    made = advice(directory, Need(0.0033, 1_000_000, 60_000), Prices(egress_gb=0.05, core_hour=0.04))
    assert made.choice
    assert made.choice.chosen == "polling"
    text = said(made)
    assert "a cache or a CDN (RFC 9111, section 4), which with 1,000,000 readers is most of the load" in text
    assert "rate 0.0033 updates/s: between idle and busy" in text
    assert "processes behind a balancer" in text
    assert "Not in it: memory, for there is no price." in text


def test_what_is_extrapolated_is_marked_and_named(directory: Path) -> None:
    made = advice(directory, Need(30, 100, 20_000))
    row = next(row for row in advice_text.table(made).rows if row[0] == "websocket")
    assert row[5].startswith("≈ ")
    assert "rate 30 updates/s: extrapolated, 3 times the most that was measured (10) (all)." in said(made)


def test_an_answer_names_what_it_would_cost_not_to_take_it(directory: Path) -> None:
    made = advice(directory, Need(10, 100, 200), Prices(core_hour=1.0))
    assert made.choice
    first, second, *_ = advice_text.answer(made.need, made.options, made.choice, made.prices)
    assert first.startswith(f"{made.choice.chosen}, at ")
    assert second.startswith(f"The next is {made.choice.runner_up}, at ")
    assert "most of the difference is CPU" in second


def test_what_does_not_meet_the_need_has_its_reason_below_the_table(directory: Path) -> None:
    made = advice(directory, Need(10, 100, 200, rtt_ms=150))
    polling = made.options[0]
    assert polling.fit == Fit.NO
    assert f"polling: no, {polling.why}." in advice_text.table(made).notes
    assert advice_text.table(made).rows[0][2:] == ("–",) * 9


def test_the_figures_of_a_document_are_numbers_and_it_says_how_they_are_known(directory: Path) -> None:
    made = json.loads(json.dumps(advice_text.document(advice(directory, Need(30, 100, 20_000)))))
    option = made["options"][-1]
    assert option["cores"]["how"] == How.EXTRAPOLATED.name.lower()
    assert option["cores"]["value"]["mid"] > 0
    assert made["choice"]["chosen"] in [one["transport"] for one in made["options"]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rate", "-1"], ["--rate is -1", "above 0"]),
        (["--rate", "0"], ["--rate is 0", "above 0"]),
        (["--rate", "nan"], ["--rate is nan"]),
        (["--staleness", "0"], ["--staleness is 0", "above 0"]),
        (["--subscribers", "0"], ["--subscribers is 0", "1 or more"]),
        (["--rtt", "-1"], ["--rtt is -1", "0 or more"]),
        (["--two-way", "inf"], ["--two-way is inf"]),
        (["--payload", "0"], ["--payload is 0", "1 or more"]),
        (["--core-hour", "-0.1"], ["--core-hour is -0.1", "0 or more"]),
        (["--rate", "101"], ["rate 101", "above 100", "pushbench run overview --set rate_hz=101"]),
        (["--payload", "5000"], ["payload 5,000", "above 1,280", "--set payload_bytes=5000"]),
        (["absent"], ["absent", "holds no run"]),
    ],
)
def test_bad_input_is_one_line(
    directory: Path, arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    usual = ["advise", "--rate", "10", "--subscribers", "100", "--staleness", "500"]
    assert invoke([*usual, *arguments, str(directory)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    [line] = err.splitlines()
    assert all(word in line for word in words), line


def test_a_rate_below_what_was_measured_needs_idle_cells(tmp_path: Path, trials: pd.DataFrame) -> None:
    few = trials[(trials["kind"] != "idle") & (trials["rate_hz"] == 1) & (trials["trial"] == 1)]
    few = few[few["transport"] == "sse"]
    busy = write_run(tmp_path / "busy", {"trials": few} | OTHERS)
    with pytest.raises(ResultsError, match=r"rate 0\.01 .* below 0\.1: at least 1 was measured.*pushbench run crossover"):
        advice(busy, Need(0.01, 100, 500))


def test_a_run_that_tells_nothing_is_refused(tmp_path: Path, trials: pd.DataFrame) -> None:
    few = trials[(trials["transport"] == "sse") & (trials["trial"] == 1) & (trials["poll_interval_ms"] == 500)]
    spoiled = write_run(tmp_path / "spoiled", {"trials": few.assign(verdict="lossy")} | OTHERS)
    with pytest.raises(ResultsError, match="spoiled has no trial with the verdict ok"):
        advice(spoiled, NEED)
    silent = write_run(tmp_path / "silent", {"trials": few[few["kind"] == "idle"]} | OTHERS)
    with pytest.raises(ResultsError, match="deliveries of a steady broadcast"):
        advice(silent, NEED)
    far = write_run(tmp_path / "far", {"trials": few[few["kind"] != "idle"].assign(rtt_ms=200.0)} | OTHERS)
    with pytest.raises(ResultsError, match=r"without a line \(rtt_ms and the like\) or a disturbance"):
        advice(far, NEED)
    empty = write_run(tmp_path / "empty", {"trials": trials.iloc[:0]} | OTHERS)
    with pytest.raises(ResultsError, match="no finished trial"):
        advice(empty, NEED)


def test_the_exit_code_says_whether_anything_meets_the_need(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    usual = ["advise", str(directory), "--rate", "10", "--subscribers", "100", "--staleness"]
    assert invoke([*usual, "500"]) == 0
    assert "Answer" in capsys.readouterr().out
    assert invoke([*usual, "0.5"]) == 1
    assert "None of those that were measured is known to meet the need" in capsys.readouterr().out
    assert invoke([*usual, "500", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["need"]["rate_hz"] == 10


def test_by_default_the_curated_runs_are_read(tmp_path: Path) -> None:
    for name in ("", "request", "lessons", "another"):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "run.json").touch()
    assert advice_measured.curated(tmp_path) == [tmp_path, tmp_path / "lessons", tmp_path / "request"]


@pytest.mark.parametrize("case", advice_cases.CASES, ids=lambda case: case.title)
def test_the_commands_of_the_page_are_accepted(
    case: advice_cases.Case, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program, *arguments = shlex.split(case.command)
    assert program == "pushbench"
    assert invoke([*arguments, str(directory)]) in (0, 1)
    assert capsys.readouterr().out.startswith("Asked: ")


def test_the_page_says_what_the_curated_runs_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")  # as below
    text = advice_cases.PAGE.read_text()
    assert advice_cases.with_part(text, advice_cases.part()) == text, "write it anew: python -m pushbench.advice_cases"


def test_a_page_without_its_marks_is_refused() -> None:
    with pytest.raises(SystemExit, match="has no lines <!-- made by"):
        advice_cases.with_part("# Nothing", "")


def test_a_case_is_printed_up_to_what_its_figures_rest_on(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")  # which is set anew, and must not stay so
    printed = advice_cases.printed([*shlex.split(advice_cases.CASES[0].command)[1:], str(directory)])
    assert "Answer" in printed
    assert advice_cases.CUT not in printed
    assert not np.any([line.endswith(" ") for line in printed])
