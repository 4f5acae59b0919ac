"""Being told to end: by Ctrl-C, by a terminal that closes, or by SIGTERM, as CI sends it when the time is up.

The first such signal is an exception, or cancels what `run` runs, so that what there is can still be shown. After it Ctrl-C
ends the process on the spot: what it has started goes with it (`pushbench.kinship`), and its files are whole at any moment
(`pushbench.files`). Another SIGTERM or SIGHUP changes nothing, for one request may bring several: `timeout` signals its
child and then the whole group, and make hands on what its child has had already.

It imports next to nothing, so that it listens before anything slow is imported.
"""

import os
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """This process was told to end, and is to do so within two seconds."""

    def __init__(self, by: signal.Signals) -> None:
        super().__init__(by.name)
        self.exit_code = 128 + by
        """As a shell has it: 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP."""


_told: signal.Signals | None = None
_instead: Callable[[], None] | None = None
"""What to do when told to end, instead of raising."""


def listen() -> None:
    """From now on these signals raise `Interrupted` in the main thread; those that it was started to ignore do not."""
    global _told
    _told = None
    for one in SIGNALS:
        if signal.getsignal(one) is not signal.SIG_IGN:
            signal.signal(one, _on_signal)


def ignore() -> None:
    """From now on these signals do nothing: there is nothing left to interrupt."""
    for one in SIGNALS:
        signal.signal(one, signal.SIG_IGN)


@contextmanager
def deferred() -> Iterator[None]:
    """Whoever tells this process to end must wait until the block is left; `Interrupted` is raised then.

    Also for one who told it before, if that exception was lost: one that is raised in a callback of the interpreter's is.
    """
    global _instead
    _instead = _nothing
    try:
        yield
    finally:
        _instead = None
    if _told is not None:
        raise Interrupted(_told)


def run(work: Coroutine[object, object, None], hurry: Callable[[], None]) -> None:
    """Run a coroutine to its end.

    If the process is told to end meanwhile, the coroutine is cancelled, and `hurry` is called, which may shorten its
    cleaning up. Once that is done `Interrupted` is raised.
    """
    import asyncio  # it takes a while, in which one can be told

    async def until_told() -> None:
        global _instead
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def end() -> None:
            task.cancel()
            hurry()

        def wake() -> None:
            loop.call_soon_threadsafe(end)  # not here and now, in the middle of whatever the loop is at

        _instead = wake
        try:
            await work
        finally:
            _instead = _nothing

    with deferred():
        if _told is not None:
            work.close()
            return
        try:
            asyncio.run(until_told())
        except asyncio.CancelledError:
            if _told is None:
                raise


def _on_signal(number: int, frame: FrameType | None) -> None:
    global _told
    if _told is None:
        _told = signal.Signals(number)
        if _instead is None:
            raise Interrupted(_told)
        _instead()
    elif number == signal.SIGINT:
        os._exit(128 + _told)


def _nothing() -> None:
    pass
