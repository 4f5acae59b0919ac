"""Load processes: heard, asked, reported on, and told apart from those that failed, went silent or ended."""

import asyncio
import gc
import logging
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

import psutil
import pytest

from pushbench import workers
from pushbench.control import BlockingChannel, ChannelClosed, Contact, Switchboard, connect
from pushbench.workers import Worker, WorkerFailed, pool

WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Desk:
    """Where workers are made."""

    executor: Executor
    board: Switchboard

    def worker(self, work: Callable[[Any], Any]) -> Worker[Any]:
        return Worker(self.executor, self.board, "porter", work, self.board.address)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with pool(1) as executor, Switchboard() as board:
        yield Desk(executor, board)


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    async with Switchboard() as opened:
        yield opened


class Nobody(Executor):
    """Runs nothing, and says nothing of it."""

    def __init__(self) -> None:
        self.made: list[Future[Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.made.append(Future())
        return self.made[-1]


# What is done in the load process


def answers(control: Contact) -> str:
    with BlockingChannel(control, "porter") as channel:
        channel.send(pid=os.getpid())
        while "report" not in (note := channel.receive()):
            channel.send(progress=True, doing=note["do"])
            channel.send(did=note["do"])
    return "all done"


def stays_silent(control: Contact) -> None:
    with BlockingChannel(control, "porter") as channel:
        channel.send(pid=os.getpid())
        channel.receive()
        try:
            channel.receive()
        except ChannelClosed:
            return


def stays_whatever_happens(control: Contact) -> None:
    with BlockingChannel(control, "porter") as channel:
        channel.send(pid=os.getpid())
        while True:
            signal.pause()


def never_calls(control: Contact) -> None:
    while True:
        signal.pause()


def fails_at_once(control: Contact) -> None:
    raise OSError("no room for this")


def fails_when_asked(control: Contact) -> None:
    with BlockingChannel(control, "porter") as channel:
        channel.send(pid=os.getpid())
        channel.receive()
        raise ValueError("cannot do that")


def returns_when_asked(control: Contact) -> None:
    with BlockingChannel(control, "porter") as channel:
        channel.send(pid=os.getpid())
        channel.receive()


def how_it_takes_signals(control: Contact) -> bool:
    with BlockingChannel(control, "porter") as channel:
        channel.send(pid=os.getpid())
        channel.receive()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())  # since before it could say what it ignores
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN and signal.SIGINT in blocked


# What the run sees of it


async def test_a_worker_answers_what_it_is_asked_and_reports_in_the_end(desk: Desk) -> None:
    async with desk.worker(answers) as worker:
        assert worker.pid != os.getpid()
        assert psutil.Process(worker.pid).ppid() == os.getpid()
        assert await worker.ask(WITHIN_S, do="lift") == {"did": "lift"}
        worker.tell(do="carry")
        assert await worker.hear(WITHIN_S) == {"did": "carry"}
        assert worker.latest == {"doing": "carry"}
        worker.tell(report=True)
        assert await worker.report(WITHIN_S) == "all done"


async def test_a_worker_that_fails_before_it_has_called_is_told_with_its_reason(desk: Desk) -> None:
    with pytest.raises(WorkerFailed, match=r"^the porter failed: OSError: no room for this$"):
        async with desk.worker(fails_at_once):
            pass


async def test_a_worker_that_fails_at_work_is_told_with_its_reason(desk: Desk) -> None:
    with pytest.raises(WorkerFailed, match=r"^the porter failed: ValueError: cannot do that$"):
        async with desk.worker(fails_when_asked) as worker:
            await worker.ask(WITHIN_S, do="lift")


async def test_a_worker_that_returns_early_is_told_as_ended(desk: Desk) -> None:
    with pytest.raises(WorkerFailed, match="the porter ended before it was told to"):
        async with desk.worker(returns_when_asked) as worker:
            await worker.ask(WITHIN_S, do="lift")


async def test_a_worker_that_is_killed_is_told_as_failed(desk: Desk) -> None:
    async with desk.worker(answers) as worker:
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(WorkerFailed, match=rf"the porter \(process {worker.pid}\) was killed"):
            await worker.hear(WITHIN_S)


async def test_that_a_worker_has_gone_is_noticed_by_who_only_watches(desk: Desk) -> None:
    async with desk.worker(answers) as worker:
        watching = asyncio.ensure_future(worker.gone())
        assert await worker.ask(WITHIN_S, do="lift") == {"did": "lift"}
        assert not watching.done()
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(WorkerFailed, match=rf"the porter \(process {worker.pid}\) was killed"):
            await watching


async def test_a_worker_whose_end_nobody_tells_of_has_gone_when_it_has_hung_up(
    board: Switchboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on another host, that was lost with what ran it."""
    monkeypatch.setattr(workers, "GONE_S", 0.01)
    killed: list[int] = []
    async with await connect(board.address, "porter") as theirs:
        theirs.send(pid=4711)
        worker = Worker(Nobody(), board, "porter", answers, None, "its load is lost", end=killed.append)
        async with worker:
            watching = asyncio.ensure_future(worker.gone())
            async with theirs:
                pass
            with pytest.raises(
                WorkerFailed, match=r"the porter \(process 4711\) has gone without a word; its load is lost"
            ):
                await watching
            monkeypatch.setattr(workers, "DISMISSAL_S", 0.01)
    assert killed == [4711]  # which it would be told to do; that there is such a process here is by chance


async def test_a_worker_that_was_given_up_by_what_ran_it_is_told_as_failed(board: Switchboard) -> None:
    nobody = Nobody()
    async with await connect(board.address, "porter") as theirs:
        theirs.send(pid=4711)
        async with Worker(nobody, board, "porter", answers, None) as worker:
            nobody.made[0].cancel()
            with pytest.raises(WorkerFailed, match="the porter was given up by what ran it"):
                await worker.gone()


async def test_a_worker_that_has_reported_has_not_gone(desk: Desk) -> None:
    async with desk.worker(answers) as worker:
        watching = asyncio.ensure_future(worker.gone())
        worker.tell(report=True)
        await worker.report(WITHIN_S)
        await asyncio.sleep(0)
        assert not watching.done()
        watching.cancel()


async def test_a_worker_that_does_not_answer_is_not_waited_for_without_end(desk: Desk) -> None:
    async with desk.worker(stays_silent) as worker:
        with pytest.raises(WorkerFailed, match=r"the porter did not answer within 0\.01 s"):
            await worker.ask(0.01, do="lift")
        with pytest.raises(WorkerFailed, match=r"the porter did not report within 0\.01 s"):
            await worker.report(0.01)


async def test_a_worker_that_does_not_call_is_not_waited_for_without_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "START_TIMEOUT_S", 0.01)
    with pytest.raises(WorkerFailed, match=r"the porter did not start within 0\.01 s"):
        async with desk.worker(answers):
            pass


async def test_a_worker_that_does_not_leave_is_killed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "DISMISSAL_S", 0.01)
    async with desk.worker(stays_whatever_happens) as worker:
        process = psutil.Process(worker.pid)
    # The pool reaps it when it is left; that it is left at all is half of this test.
    assert await asyncio.to_thread(psutil.wait_procs, [process], WITHIN_S) == ([process], [])


async def test_whoever_is_still_at_work_when_the_pool_is_left_is_ended() -> None:
    others = set(multiprocessing.active_children())
    async with Switchboard() as board, pool(1) as executor:
        Worker(executor, board, "porter", never_calls, None)
    assert set(multiprocessing.active_children()) <= others


async def test_ctrl_c_is_left_to_the_run(desk: Desk) -> None:
    async with desk.worker(how_it_takes_signals) as worker:
        worker.tell(go=True)
        assert await worker.report(WITHIN_S) is True


async def test_a_failure_that_nobody_waits_for_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A trial whose server does not start never enters its workers, which then cannot reach the run any more."""
    async with Switchboard() as closed_already:
        pass
    with caplog.at_level(logging.WARNING):
        async with pool(1) as executor:
            Worker(executor, closed_already, "porter", fails_at_once, None)
        for _ in range(3):  # the loop hears of the failure, and then asyncio logs what is collected unseen
            await asyncio.sleep(0)
            gc.collect()
    assert caplog.text == ""
