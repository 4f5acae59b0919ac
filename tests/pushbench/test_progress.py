"""Progress: honest about the time left, plain lines where there is no terminal, one live line where there is one."""

import errno
import io
import re

import pytest
from hypothesis import given, strategies as st

from pushbench.progress import OVERHEAD_S, Progress, time_left_s


@pytest.mark.parametrize(
    ("planned_s", "done_planned_s", "done_actual_s", "done", "running_s", "left_s"),
    [
        ([10, 10, 10], 0, 0, 0, 0, 30 + 3 * OVERHEAD_S),  # nothing is known yet of what a trial takes beside its phases
        ([10, 10, 10], 0, 0, 0, 4, 26 + 3 * OVERHEAD_S),
        ([10, 20], 30, 34, 2, 0, 34),  # two trials took 2 s more than planned, each
        ([10, 20], 30, 34, 2, 7, 27),
        ([10, 20], 30, 34, 2, 99, 22),  # one that takes longer than it should delays the others no further
        ([10], 30, 34, 2, 99, 0),
        ([], 30, 34, 2, 0, 0),
    ],
)
def test_the_time_left_is_that_of_the_phases_and_the_overhead_seen_so_far(
    planned_s: list[float], done_planned_s: float, done_actual_s: float, done: int, running_s: float, left_s: float
) -> None:
    assert time_left_s(planned_s, done_planned_s, done_actual_s, done, running_s) == pytest.approx(left_s)


SECONDS = st.floats(0, 1000)


@given(st.lists(SECONDS, min_size=1, max_size=5), SECONDS, SECONDS, st.integers(0, 5), SECONDS, SECONDS)
def test_the_time_left_never_grows_while_a_trial_runs_and_is_never_negative(
    planned_s: list[float], done_planned_s: float, done_actual_s: float, done: int, sooner_s: float, more_s: float
) -> None:
    so_far = (planned_s, done_planned_s, done_actual_s, done)
    sooner, later = (time_left_s(*so_far, running_s) for running_s in (sooner_s, sooner_s + more_s))
    assert 0 <= later <= sooner


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")


def go_through(progress: Progress) -> None:
    with progress:
        for label, verdict, result in (
            ("sse, subscribers=10", "ok", ", p50 1.2 ms"),
            ("websocket", "failed", ", it did not start"),
        ):
            progress.trial(label)
            progress.phase("measure", 10.0)
            progress.live(12_345.6, 4.56)
            progress.live(1.0, None)
            progress.done(verdict, result)


def test_where_there_is_no_terminal_each_trial_is_one_plain_line() -> None:
    stream = io.StringIO()
    go_through(Progress([10.0, 10.0], stream))
    first, second = stream.getvalue().splitlines()
    assert re.fullmatch(r"\[1/2\] sse, subscribers=10: ok, p50 1\.2 ms \(\d+\.\d s, about \d+ s left\)", first)
    assert re.fullmatch(r"\[2/2\] websocket: failed, it did not start \(\d+\.\d s\)", second)


def test_a_line_is_not_broken_however_long_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = io.StringIO()
    with Progress([1.0], stream) as progress:
        progress.trial("sse")
        progress.done("failed", ", " + "because " * 20)
    assert len(stream.getvalue().splitlines()) == 1


def test_what_looks_like_markup_is_printed_as_it_is() -> None:
    stream = io.StringIO()
    with Progress([1.0], stream) as progress:
        progress.trial("sse")
        progress.done("failed", ", [red]1 × [Errno 111][/red]")
    assert "[red]1 × [Errno 111][/red]" in stream.getvalue()


def test_on_a_terminal_the_live_line_has_trial_phase_rate_latency_and_time_left() -> None:
    stream = Terminal()
    go_through(Progress([10.0, 10.0], stream))
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    assert "[1/2] sse, subscribers=10 · measure · 12,346 deliveries/s, p99 4.6 ms · " in shown
    assert re.search(r"measure · 1 deliveries/s · \d+ s left", shown)  # without latencies there is no p99
    assert "[2/2] websocket: failed, it did not start" in shown


def test_a_terminal_stays_as_it_was_if_the_process_is_killed() -> None:
    stream = Terminal()
    with Progress([10.0], stream) as progress:
        progress.trial("sse")
        progress.phase("measure", 10.0)
        so_far = stream.getvalue()
        assert so_far.rfind("\x1b[?25h") > so_far.rfind("\x1b[?25l")  # the cursor is not hidden


def test_a_terminal_that_has_been_closed_does_not_hide_why_the_run_ends() -> None:
    stream = Terminal()

    def gone(text: str) -> int:
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(ZeroDivisionError), Progress([10.0], stream):  # noqa: PT012
        stream.write = gone  # type: ignore[method-assign]
        raise ZeroDivisionError


def test_numbers_are_aligned_when_there_are_many_trials() -> None:
    stream = io.StringIO()
    with Progress([1.0] * 10, stream) as progress:
        for _ in range(10):
            progress.trial("sse")
            progress.done("ok", "")
    lines = stream.getvalue().splitlines()
    assert (lines[0][:7], lines[9][:7]) == ("[ 1/10]", "[10/10]")


def test_long_times_are_told_in_minutes() -> None:
    stream = io.StringIO()
    with Progress([0.0, 125.0], stream) as progress:
        progress.trial("sse")
        progress.done("ok", "")
    assert "about 2:05 min left" in stream.getvalue()


def test_what_is_to_come_may_be_thought_anew_and_is_then_only_about_so_much() -> None:
    stream = io.StringIO()
    with Progress([1.0], stream) as progress:
        for planned_s in ([1.0] * 12, [1.0] * 5, [1.0]):
            progress.expect(planned_s)
            progress.trial("sse")
            progress.done("ok", "")
    counts = [line.partition(" sse")[0] for line in stream.getvalue().splitlines()]
    assert counts == ["[ 1/~12]", "[2/~6]", "[3/~3]"]
    assert ["left" in line for line in stream.getvalue().splitlines()] == [True, True, False]
