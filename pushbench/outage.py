"""An outage: a server is killed on purpose, stays away, and is started again on its port with its log.

It knows two lives of one server. When that is, and what comes of it, is not known here.
"""

import asyncio
import os
import signal
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Self

from pushbench import usage
from pushbench.schedule import NS
from pushbench.target import Running, Target, TargetFailed, running
from pushbench.usage import Usage


class Mortal:
    """A server that can be killed and comes back. From outside it is as `pushbench.target.Running`.

    Its lifetime is that of the `async with`, which raises as `pushbench.target.running` does.
    """

    def __init__(self, target: Target, cores: Sequence[int], journal: str) -> None:
        self._target = target
        self._cores = cores
        self._journal = journal
        self._stack = AsyncExitStack()
        self._life: Running | None = None
        self._watching: asyncio.Task[None] | None = None
        self.host, self.port = "", 0
        self.spent: tuple[Usage, ...] = ()
        """What the life that is over had used."""
        self.killed_ns: int | None = None
        self.returned_ns: int | None = None
        """When it was ready again."""

    async def __aenter__(self) -> Self:
        self.exited: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """Done with its exit code when it has ended by itself."""
        await self._live()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watching:
            self._watching.cancel()
        self.exited.cancel()
        await self._stack.__aexit__(kind, error, trace)

    @property
    def pid(self) -> int:
        """Its process; 0 while there is none."""
        return self._life.pid if self._life else 0

    @property
    def pids(self) -> tuple[int, ...]:
        """All its processes; none while it is away."""
        return self._life.pids if self._life else ()

    @property
    def away_s(self) -> float:
        """How long it was away, from the kill until it was ready again; 0 if it never was."""
        return (self.returned_ns - self.killed_ns) / NS if self.killed_ns and self.returned_ns else 0.0

    async def be_away(self, from_ns: int, for_s: float) -> None:
        """Have it killed at that moment (SIGKILL), and started again so long afterwards; returns when it is ready.

        Raises `TargetFailed` if it does not start again.
        """
        await _until(from_ns)
        assert self._life is not None
        assert self._watching is not None
        pid = self._life.pid
        self._watching.cancel()
        self.spent = tuple(map(usage.read, self._life.pids))
        self._life = None
        self.killed_ns = time.monotonic_ns()
        os.kill(pid, signal.SIGKILL)
        with suppress(TargetFailed):  # which says that it has ended
            await self._stack.aclose()
        await _until(self.killed_ns + round(for_s * NS))
        await self._live()
        self.returned_ns = time.monotonic_ns()

    async def _live(self) -> None:
        life = await self._stack.enter_async_context(running(self._target.mortal(self._journal, self.port), self._cores))
        self._life, self.host, self.port = life, life.host, life.port
        self._watching = asyncio.create_task(self._watch(life))

    async def _watch(self, life: Running) -> None:
        code = await asyncio.shield(life.exited)
        if not self.exited.done():
            self.exited.set_result(code)


async def _until(moment_ns: int) -> None:
    await asyncio.sleep(max(0.0, (moment_ns - time.monotonic_ns()) / NS))
