"""The console: puts feed, servers, lines and crowd together, does what the page asks for, and knows how all of it is.

    page ── lines ── servers ── feed
      └──────── console ─────────┘

It serves nothing itself (`pushbench.demo.pages`), and everything that it has started ends with it.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pushbench.control import Note, Switchboard
from pushbench.demo import certificate
from pushbench.demo.crowd import CrowdPlan, crowd
from pushbench.demo.feed import FeedPlan, feed
from pushbench.demo.lines import LinesPlan, relay_lanes
from pushbench.demo.lives import Lives
from pushbench.demo.settings import Settings, Unacceptable, bounds, changed
from pushbench.target import TargetFailed
from pushbench.transports import TRANSPORTS
from pushbench.workers import Worker, pool

HOST = "127.0.0.1"
LOOK_EVERY_S = 0.25
"""How often all are asked how they are."""
ANSWER_S = 30.0
"""How long one may take to answer. A machine that is busy with other things is no reason to end."""
LANES = {name: row for name, row in TRANSPORTS.items() if row.variant_of is None}
"""A lane for each transport, in the order of the table."""


class Console:
    """What there is, and what can be done to it. Made by `console`."""

    def __init__(self, lives: Lives, workers: Mapping[str, Worker[None]], secured: certificate.Certificate | None) -> None:
        self.settings = Settings()
        self._lives = lives
        self._workers = workers
        self._talking = {name: asyncio.Lock() for name in workers}  # a note and its answer, and then the next
        self._doing = asyncio.Lock()
        self._cut = False
        self._mended: dict[str, float] | None = None  # when the line was, and how many messages there were then
        self._server = "up"
        self._why = ""
        self._seen: dict[str, Note] = {}
        self.pages = 0
        """How many pages are looking."""
        self.looked = asyncio.Condition()
        """Told whenever it has been looked how all are."""
        self.lanes = {name: row for name, row in LANES.items() if secured or not row.quic}
        self._secured = secured
        self._ports: dict[str, int] = workers["lines"].hello["ports"]
        self._deeds: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "cut": lambda: self._set_cut(True),
            "mend": lambda: self._set_cut(False),
            "stop": self._stop,
            "start": self._start,
        }

    def state(self) -> dict[str, Any]:
        """All that a page is told, again and again."""
        return {
            "settings": asdict(self.settings),
            "cut": self._cut,
            "mended": self._mended,
            "server": self._server,
            "why": self._why,
            "pages": self.pages,
            **self._seen,
        }

    def facts(self) -> dict[str, Any]:
        """What a page is told once."""
        return {
            "bounds": bounds(),
            "lanes": [
                {
                    "name": name,
                    "says": row.says,
                    "base": f"{'https' if row.quic else 'http'}://{HOST}:{self._ports[name]}" if name in self.lanes else "",
                    "why": "" if name in self.lanes else certificate.missing(),
                }
                for name, row in LANES.items()
            ],
            "certificateHash": self._secured.sha256 if self._secured else "",
        }

    async def begin(self) -> None:
        """Have all of them know of each other."""
        await self._lead()

    async def set(self, to: Mapping[str, Any]) -> None:
        """Change settings. Raises `Unacceptable`."""
        self.settings = changed(self.settings, to)
        async with self._doing:
            now = self.settings
            await self._ask("feed", rate_hz=now.rate_hz, payload_bytes=now.payload_bytes)
            await self._ask("lines", round_trip_ms=now.round_trip_ms)
            await self._have_crowd()

    async def do(self, deed: str) -> None:
        """Cut or mend the line, stop or start the server. Raises `Unacceptable`."""
        if deed not in self._deeds:
            raise Unacceptable(f"{deed!r} cannot be done: there are {', '.join(self._deeds)}")
        async with self._doing:
            await self._deeds[deed]()

    async def where(self) -> int:
        """The id of the last message so far."""
        answer = await self._ask("feed")
        count: int = answer["count"]
        return count

    async def exchange(self, lane: str, kind: str | None) -> Note:
        """The last exchange of a lane, of that kind or of any; bytes as base64."""
        return await self._ask("lines", exchange=lane, kind=kind)

    async def look(self) -> None:
        """Look how all are, for ever. Raises `pushbench.workers.WorkerFailed` if one has gone."""
        while True:
            if self._lives.ended.is_set():
                async with self._doing:
                    await self._stop()
            lines, feeding, there = [await self._ask(name) for name in ("lines", "feed", "crowd")]
            self._seen = {
                "lanes": lines["lanes"],
                "counted_ms": lines["at_ms"],
                "feed": feeding,
                "crowd": there["connected"],
            }
            async with self.looked:
                self.looked.notify_all()
            await asyncio.sleep(LOOK_EVERY_S)

    async def _ask(self, name: str, **note: Any) -> Note:
        async with self._talking[name]:
            return await self._workers[name].ask(ANSWER_S, **note)

    async def _set_cut(self, cut: bool) -> None:
        if self._cut and not cut:
            self._mended = {"count": await self.where(), "at_ms": time.monotonic_ns() / 1e6}
        await self._ask("lines", cut=cut)
        self._cut = cut

    async def _stop(self) -> None:
        if self._server == "up":
            self._server = "stopping"
            await self._ask("feed", servers=[])
            self._why = await self._lives.stop()
            self._server = "stopped"

    async def _start(self) -> None:
        if self._server != "stopped":
            return
        self._server = "starting"
        try:
            await self._lives.start()
        except TargetFailed as failed:
            self._server, self._why = "stopped", str(failed)
            return
        self._server, self._why = "up", ""
        await self._lead()

    async def _lead(self) -> None:
        """Tell all where the servers are."""
        plain, *quic = self._lives.running
        at = {name: (quic[0] if row.quic else plain) for name, row in self.lanes.items()}
        await self._ask("lines", servers={name: [one.host, one.port] for name, one in at.items()})
        certificates = ["", self._secured.certificate if self._secured else ""]
        places = [(one.host, one.port, of) for one, of in zip(self._lives.running, certificates, strict=False)]
        await self._ask("feed", servers=places)
        await self._have_crowd()

    async def _have_crowd(self) -> None:
        if not self._lives.running:
            return
        now = self.settings
        wanted = {
            "transport": now.subscribers_by,
            "count": now.subscribers,
            "port": self._lives.running[0].port,
            "poll_interval_ms": now.poll_interval_ms,
        }
        await self._ask("crowd", wanted=wanted)


@asynccontextmanager
async def console(origins: list[str]) -> AsyncIterator[Console]:
    """A console with everything running, for pages of these origins.

    Raises `pushbench.target.TargetFailed` or `pushbench.workers.WorkerFailed` if something does not start.
    """
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pushbench-demo-")))
        secured = None if certificate.missing() else certificate.made(directory)
        board = await stack.enter_async_context(Switchboard())
        lanes = {name: row.quic for name, row in LANES.items() if secured or not row.quic}
        plans: dict[str, tuple[Callable[[Any], None], Any]] = {
            "lines": (relay_lanes, LinesPlan(board.address, lanes)),
            "feed": (feed, FeedPlan(board.address, Settings().rate_hz, Settings().payload_bytes)),
            "crowd": (crowd, CrowdPlan(board.address)),
        }
        workers: dict[str, Worker[None]] = {}
        for role, (work, plan) in plans.items():  # first all are made, so that they start side by side
            workers[role] = Worker(await stack.enter_async_context(pool(1)), board, role, work, plan)
        lives = Lives(directory, origins, secured)
        await asyncio.gather(
            stack.enter_async_context(lives), *(stack.enter_async_context(worker) for worker in workers.values())
        )
        made = Console(lives, workers, secured)
        await made.begin()
        yield made
