"""The servers that the lanes lead to: started, stopped and started again at the same ports, with the log that they had.

One speaks plain HTTP, so that what passes can be read; one more is there for what goes over QUIC, which is always TLS.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from pushbench.demo.certificate import Certificate
from pushbench.target import Running, Target, TargetFailed, running

RETRY_MS = 500
"""After so long an EventSource comes back; the lanes that the page brings back begin with half of that."""


class Lives:
    """Its lifetime is that of the `async with`; raises `pushbench.target.TargetFailed` if they do not start."""

    def __init__(self, directory: Path, origins: Sequence[str], certificate: Certificate | None) -> None:
        common = ["-m", "servers", "--host={host}", "--port={port}", "--journal={journal}"]
        common += [f"--allow-origins={','.join(origins)}", f"--sse-retry-ms={RETRY_MS}"]
        self._targets = [Target("of the demo", (sys.executable, *common))]
        self._journals = [str(directory / "plain.journal")]
        if certificate:
            tls = ["--webtransport", f"--tls-certificate={certificate.certificate}", f"--tls-key={certificate.key}"]
            self._targets.append(Target("of the demo that speaks WebTransport", (sys.executable, *common, *tls)))
            self._journals.append(str(directory / "quic.journal"))
        self._ports = [0] * len(self._targets)
        self._life: AsyncExitStack | None = None
        self._lock = asyncio.Lock()
        self._watching: list[asyncio.Task[None]] = []
        self.running: list[Running] = []
        """Those that are there: the plain one, and perhaps another; none while they are stopped."""
        self.ended = asyncio.Event()
        """Set when one has ended by itself."""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end(kind, error, trace)

    async def start(self) -> None:
        """Have them there, if they are not."""
        async with self._lock:
            if self._life:
                return
            async with AsyncExitStack() as life:
                started = []
                for nth, (target, journal) in enumerate(zip(self._targets, self._journals, strict=True)):
                    mortal = target.mortal(journal, self._ports[nth])
                    started.append(await life.enter_async_context(running(mortal, sorted(os.sched_getaffinity(0)))))
                    self._ports[nth] = started[-1].port
                self._life = life.pop_all()
            self.running = started
            self.ended.clear()
            self._watching = [asyncio.create_task(self._watch(one)) for one in started]

    async def stop(self) -> str:
        """Have them stop, if they are there; returns what those said that had ended before."""
        async with self._lock:
            try:
                await self._end(None, None, None)
            except TargetFailed as failed:
                return str(failed)
            return ""

    async def _end(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._watching:
            task.cancel()
        life, self._life, self.running = self._life, None, []
        if life:
            await life.__aexit__(kind, error, trace)

    async def _watch(self, one: Running) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.shield(one.exited)
            self.ended.set()
