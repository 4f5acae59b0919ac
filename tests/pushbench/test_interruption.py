"""Interruption: the first signal can be answered, a second Ctrl-C cannot, and what was told to be ignored is."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from pushbench import interruption
from pushbench.interruption import SIGNALS, Interrupted, deferred, listen
from tests.pushbench.tiny import PYTHON, listening


@pytest.fixture(autouse=True)
def _listening() -> Iterator[None]:
    with listening():
        yield


def tell(what: signal.Signals) -> None:
    os.kill(os.getpid(), what)


@pytest.mark.parametrize(("what", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_being_told_to_end_is_an_exception_with_the_exit_code_of_a_shell(what: signal.Signals, code: int) -> None:
    with pytest.raises(Interrupted) as told:
        tell(what)
    assert told.value.exit_code == code
    assert not isinstance(told.value, Exception)  # nobody who catches what goes wrong catches this


def test_only_the_first_signal_counts_unless_it_is_ctrl_c() -> None:
    with pytest.raises(Interrupted):
        tell(signal.SIGTERM)
    tell(signal.SIGTERM)
    tell(signal.SIGHUP)


@pytest.mark.parametrize("one", SIGNALS)
def test_a_signal_that_the_process_was_started_to_ignore_is_ignored(one: signal.Signals) -> None:
    signal.signal(one, signal.SIG_IGN)  # as nohup does, and a shell for what it starts in the background
    listen()
    tell(one)


@pytest.mark.parametrize("one", SIGNALS)
def test_when_all_is_done_there_is_nothing_to_interrupt(one: signal.Signals) -> None:
    interruption.ignore()
    tell(one)


def test_a_second_ctrl_c_ends_the_process_on_the_spot() -> None:
    script = """
import os, signal
from pushbench import interruption
interruption.listen()
try:
    os.kill(os.getpid(), signal.SIGTERM)
except interruption.Interrupted:
    print("first", flush=True)
    os.kill(os.getpid(), signal.SIGINT)
    print("still here", flush=True)
"""
    ended = subprocess.run([PYTHON, "-c", script], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (143, "first\n", "")


def test_it_listens_before_anything_is_imported_that_takes_long() -> None:
    script = "import sys; before = set(sys.modules); import pushbench.interruption; print(*set(sys.modules) - before)"
    imported = subprocess.run([PYTHON, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert "pushbench.interruption" in imported
    assert not {"asyncio", "typing", "typer", "numpy", "pyarrow", "rich"} & set(imported)


# What must not be cut in the middle


def test_who_is_told_meanwhile_is_interrupted_when_it_is_over() -> None:
    steps = []
    with pytest.raises(Interrupted), deferred():  # noqa: PT012
        tell(signal.SIGTERM)
        steps.append("over")
    assert steps == ["over"]


def test_an_interruption_that_was_lost_on_its_way_is_not_forgotten() -> None:
    with contextlib.suppress(Interrupted):  # as the interpreter does in callbacks of its own
        tell(signal.SIGTERM)
    work = never_ends([])
    with pytest.raises(Interrupted):
        interruption.run(work, hurry=pytest.fail)
    with pytest.raises(Interrupted), deferred():
        pass


def test_what_fails_while_interruptions_wait_is_told_as_what_it_is() -> None:
    with pytest.raises(ZeroDivisionError), deferred():
        raise ZeroDivisionError


# A coroutine


async def never_ends(steps: list[str]) -> None:
    tell(signal.SIGINT)
    steps.append("told")
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)
        steps.append("cleaned up")


def test_a_coroutine_is_cancelled_hurried_and_cleans_up() -> None:
    steps: list[str] = []
    with pytest.raises(Interrupted):
        interruption.run(never_ends(steps), hurry=lambda: steps.append("hurried"))
    assert steps == ["told", "hurried", "cleaned up"]


def test_a_coroutine_that_ends_although_it_was_told_is_interrupted_all_the_same() -> None:
    async def ends() -> None:
        tell(signal.SIGINT)

    with pytest.raises(Interrupted):
        interruption.run(ends(), hurry=pytest.fail)


def test_a_coroutine_that_nobody_interrupts_runs_to_its_end_and_may_fail() -> None:
    async def ends() -> None:
        await asyncio.sleep(0)

    async def fails() -> None:
        raise ZeroDivisionError

    async def cancels() -> None:
        raise asyncio.CancelledError

    interruption.run(ends(), hurry=pytest.fail)
    with pytest.raises(ZeroDivisionError):
        interruption.run(fails(), hurry=pytest.fail)
    with pytest.raises(asyncio.CancelledError):
        interruption.run(cancels(), hurry=pytest.fail)
    with pytest.raises(Interrupted):
        tell(signal.SIGINT)


def test_a_coroutine_that_fails_when_it_was_told_to_end_has_failed() -> None:
    async def fails() -> None:
        tell(signal.SIGINT)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interruption.run(fails(), hurry=pytest.fail)
