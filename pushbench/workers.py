"""Load processes: started through an executor, spoken to through the control channel, and never waited for without end.

It knows that a worker is a function with a plan that returns a report, and answers notes meanwhile; not what it does.
"""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from types import TracebackType
from typing import Any, Generic, NoReturn, Self, TypeVar

from pushbench.control import Channel, ChannelClosed, Note, Switchboard
from pushbench.kinship import end_with_parent

START_TIMEOUT_S = 30.0
DISMISSAL_S = 5.0
"""How long a process may take to end once its channel is closed."""

GONE_S = 5.0
"""How long after it has hung up a process's report, or what became of it, may take to come."""

Report = TypeVar("Report")


class WorkerFailed(Exception):
    """A load process ended early, or did not answer in time."""


def obey_the_run(run_pid: int) -> None:
    """In a load process: leave Ctrl-C to the run, and end if the run is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent(run_pid, signal.SIGKILL)


@contextmanager
def _unheard_of_ctrl_c() -> Iterator[None]:
    """What is started inside does not hear Ctrl-C, from before it can say so itself; for this process it waits so long.

    Else a load process that is still importing would put its traceback between the lines of the run.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@asynccontextmanager
async def pool(processes: int) -> AsyncIterator[Executor]:
    """An executor with fresh processes: spawned, so that they inherit neither loops nor files."""
    spawn = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(processes, mp_context=spawn, initializer=obey_the_run, initargs=(os.getpid(),))
    others = set(multiprocessing.active_children())
    try:
        yield executor
    finally:
        # Its processes have nothing left to do; the next trial need neither wait until they have tidied up, nor share
        # its cores with them meanwhile.
        for process in set(multiprocessing.active_children()) - others:
            process.kill()
        await asyncio.to_thread(executor.shutdown, cancel_futures=True)


def _noticed(report: asyncio.Future[Any]) -> None:
    """Keep asyncio from logging a failure that nobody waits for any more: if it matters it has been raised already."""
    if not report.cancelled():
        report.exception()


def kill(pid: int) -> None:
    """Have a process end now, if it has not ended already."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def let_be(pid: int) -> None:
    """Leave a process to itself: it is another's."""


class Worker(Generic[Report]):
    """One load process, from the run's side. Its lifetime is that of the `async with`."""

    def __init__(
        self,
        executor: Executor,
        board: Switchboard,
        role: str,
        work: Callable[[Any], Report],
        plan: Any,
        loses: str = "",
        end: Callable[[int], object] = kill,
    ) -> None:
        """`loses` is said, in half a sentence, if it ends before its time: what is lost with it.

        `end` is told the process of one that does not end in time.
        """
        self.role = role
        self._end = end
        self._loses = f"; {loses}" if loses else ""
        self.pid = 0
        """Known once it has started."""
        self.hello: Note = {}
        """What it said then."""
        self.latest: Note = {}
        """The last note that was no answer: how it goes."""
        with _unheard_of_ctrl_c():
            self._report = asyncio.wrap_future(executor.submit(work, plan))
        self._report.add_done_callback(_noticed)
        self._board = board
        self._answers: asyncio.Queue[Note] = asyncio.Queue()
        self._channel: Channel | None = None
        self._listening: asyncio.Task[None] | None = None
        self._hung_up: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    @property
    def pids(self) -> tuple[int, ...]:
        """Its process, as a role has one or several."""
        return (self.pid,)

    async def __aenter__(self) -> Self:
        self._channel = await self._first(self._board.channel(self.role), START_TIMEOUT_S, "start")
        self._listening = asyncio.create_task(self._listen(self._channel))
        self.hello = await self.hear(START_TIMEOUT_S)
        self.pid = self.hello["pid"]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._channel is not None
        assert self._listening is not None
        self._listening.cancel()
        await self._channel.__aexit__(kind, error, trace)  # which ends it, if it is still at work
        # After an error nobody wants its report, and it may be at work for long before it looks at the channel.
        await asyncio.wait({self._report}, timeout=0 if error else DISMISSAL_S)
        if not self._report.done():
            self._end(self.pid)

    async def ask(self, within_s: float, **note: Any) -> Note:
        """Send a note and wait for its answer."""
        self.tell(**note)
        return await self.hear(within_s)

    def tell(self, **note: Any) -> None:
        """Send a note."""
        assert self._channel is not None
        self._channel.send(**note)

    async def hear(self, within_s: float) -> Note:
        """The next answer. Raises `WorkerFailed` if the process ends first or takes longer."""
        note: Note = await self._first(self._answers.get(), within_s, "answer")
        return note

    async def gone(self) -> NoReturn:
        """Wait for the process to end badly, and raise `WorkerFailed`; for ever if it does not."""
        await asyncio.wait({self._report, self._hung_up}, return_when=asyncio.FIRST_COMPLETED)
        # Who runs it may not know that it has ended, if that was on another host.
        await asyncio.wait({self._report}, timeout=GONE_S)
        if not self._report.done():
            raise WorkerFailed(f"the {self.role} (process {self.pid}) has gone without a word{self._loses}")
        self._raise_its_failure()
        await asyncio.Event().wait()
        raise AssertionError("nobody sets that event")

    async def report(self, within_s: float) -> Report:
        """What the function returned. Raises `WorkerFailed` if it raised, or takes longer."""
        await asyncio.wait({self._report}, timeout=within_s)
        if not self._report.done():
            raise WorkerFailed(f"the {self.role} did not report within {within_s:g} s")
        self._raise_its_failure()
        return self._report.result()

    async def _listen(self, channel: Channel) -> None:
        try:
            while True:
                note = await channel.receive()
                if note.pop("progress", False):
                    self.latest = note
                else:
                    self._answers.put_nowait(note)
        except ChannelClosed:
            self._hung_up.set_result(None)  # its report says more

    async def _first(self, waited_for: Awaitable[Any], within_s: float, what: str) -> Any:
        """Await something, unless the process ends first."""
        waiting = asyncio.ensure_future(waited_for)
        try:
            await asyncio.wait({waiting, self._report}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return waiting.result()
            if self._report.done():
                self._raise_its_failure()
                raise WorkerFailed(f"the {self.role} ended before it was told to")
            raise WorkerFailed(f"the {self.role} did not {what} within {within_s:g} s")
        finally:
            waiting.cancel()

    def _raise_its_failure(self) -> None:
        if self._report.cancelled():
            raise WorkerFailed(f"the {self.role} was given up by what ran it{self._loses}")
        error = self._report.exception()
        if isinstance(error, BrokenExecutor):
            raise WorkerFailed(
                f"the {self.role} (process {self.pid}) was killed; was there too little memory? the kernel's log knows"
                f"{self._loses}"
            ) from error
        if error:
            raise WorkerFailed(f"the {self.role} failed: {type(error).__name__}: {error}{self._loses}") from error
