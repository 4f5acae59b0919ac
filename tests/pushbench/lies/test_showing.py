"""Two lies for real: the cheapest ones, as the command runs them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pushbench.cli import invoke
from pushbench.lies import gallery
from pushbench.lies.record import Pair, Shown
from pushbench.lies.stage import NotShown, Stage
from pushbench.lies.store import load
from pushbench.lies.table import LIES


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_two_lies_are_shown_kept_and_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "kept"
    code = invoke(["lies", "rss_over_n", "connection_limit", "--times", "1", "--out", str(out), "--json", "-"])
    printed = json.loads(capsys.readouterr().out)
    assert [lie["name"] for lie in printed["lies"]] == ["rss_over_n", "connection_limit"]
    memory, limit = load(out).shown
    assert code == (0 if memory.holds and limit.holds else 1)
    assert memory.wrong > memory.right > 0
    assert limit.pairs[0].wrong_says.endswith(": 100 each")
    assert (out / "charts" / "lies.png").stat().st_size > 0


@pytest.mark.slow
async def test_a_program_that_prints_no_numbers_is_told_with_its_last_words() -> None:
    with Stage() as stage, pytest.raises(NotShown, match=r"naive.polls ended with 1: ValueError: "):
        await stage.naive("polls", "none", served=False)


async def test_rounds_are_kept_one_by_one_and_a_failure_does_not_end_them(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: Iterator[Pair | NotShown] = iter(
        [Pair(10, 1, "", ""), NotShown("the server ended"), Pair(12, 2, "", ""), Pair(0, 2, "", "")]
    )

    async def both(stage: Stage) -> Pair:
        came = next(rounds)
        if isinstance(came, NotShown):
            raise came
        return came

    monkeypatch.setattr("pushbench.lies.ways.rss_over_n.both", both)
    told: list[str] = []
    kept: list[list[Shown]] = []
    await gallery.told([LIES["rss_over_n"]], 4, told.append, kept.append)
    assert told == [
        "[1/4] rss_over_n: 10.0 KiB instead of 1.00 KiB, 10.0 times too high",
        "[2/4] rss_over_n: no number, because the server ended",
        "[3/4] rss_over_n: 12.0 KiB instead of 2.00 KiB, 6.00 times too high",
        "[4/4] rss_over_n: no number, because 0 beside 2 has no factor",
    ]
    assert [len(shown.pairs) for [shown] in kept] == [1, 1, 2, 2]
    assert kept[-1][0].failures == ("the server ended", "0 beside 2 has no factor")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["averges"], "no lie is called averges: did you mean averages?"),
        (["--times", "0"], "--times 0 is not from 1 to 100"),
    ],
)
def test_wrong_input_is_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["lies", *arguments]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""


def test_a_directory_that_has_lies_already_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lies.json").write_text("{}")
    assert invoke(["lies", "averages", "--out", str(tmp_path)]) == 2
    assert "is there already: name another directory with --out" in capsys.readouterr().err
