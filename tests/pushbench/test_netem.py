"""netem: whether it can be used is found out without touching anything, and told in a line."""

import subprocess
from pathlib import Path

import pytest

from pushbench import netem
from pushbench.cli import invoke


def tried(monkeypatch: pytest.MonkeyPatch, code: int, says: str) -> None:
    done = subprocess.CompletedProcess(netem.TRY, code, "", says)
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **options: done)


@pytest.mark.parametrize(
    ("code", "says", "why"),
    [
        (0, "", ""),
        (2, "Error: Specified qdisc kind is unknown.\n", "this kernel has no netem (CONFIG_NET_SCH_NETEM)"),
        (2, "RTNETLINK answers: No such file or directory\n", "this kernel has no netem (CONFIG_NET_SCH_NETEM)"),
        (1, "unshare: unshare failed: Operation not permitted\n", "it takes root"),
        (127, "unshare: failed to execute tc: No such file or directory\n", "unshare: failed to execute tc: No such file"),
        (1, "", "tc ended with exit code 1"),
    ],
)
def test_why_it_cannot_be_used_is_told_in_a_few_words(
    monkeypatch: pytest.MonkeyPatch, code: int, says: str, why: str
) -> None:
    tried(monkeypatch, code, says)
    assert netem.unusable().startswith(why)
    assert bool(netem.unusable()) == bool(why)


def test_a_machine_without_the_tools_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert netem.unusable().startswith("unshare cannot be run: ")


@pytest.mark.parametrize(
    ("code", "says", "why"), [(0, "", "does not set it up yet"), (1, "not permitted", "it takes root")]
)
def test_a_run_that_asks_for_it_is_refused_in_one_line_and_makes_nothing(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    code: int,
    says: str,
    why: str,
) -> None:
    tried(monkeypatch, code, says)
    out = tmp_path / "run"
    assert invoke(["run", "smoke", "--netem", "--out", str(out)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    [line] = said.err.splitlines()
    assert line.startswith("pushbench: --netem: ")
    assert why in line
    assert "set rtt_ms" in line
    assert not out.exists()
