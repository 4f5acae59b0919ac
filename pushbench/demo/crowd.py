"""The crowd: a process of background subscribers, made of the clients that there are. Nobody counts what they get.

They go to the server itself and not by the lanes, so that the lanes' bytes are the page's own.
"""

import asyncio
import os
import random
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from clients.ends import ENDS
from pushbench.control import ChannelClosed, Contact, Note, connect
from pushbench.environment import raise_file_limit
from pushbench.transports import TRANSPORTS, load_class

AT_ONCE = 50
"""So many connect at a time."""
BACKOFF_S = 0.5, 2.0
"""Between these they wait, at random, before they come back."""


@dataclass(frozen=True, slots=True)
class CrowdPlan:
    """What the process is told when it is made."""

    control: Contact


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who is to be there."""

    transport: str = "websocket"
    count: int = 0
    port: int = 0
    poll_interval_ms: int = 1000


def crowd(plan: CrowdPlan) -> None:
    """Be the crowd until the channel is closed. Runs in a process of its own."""
    raise_file_limit()
    asyncio.run(_crowd(plan))


async def _crowd(plan: CrowdPlan) -> None:
    channel = await connect(plan.control, "crowd")
    channel.send(ready=True, pid=os.getpid())
    there = Crowd()
    with suppress(ChannelClosed):
        while True:
            channel.send(**there.do(await channel.receive()))
    there.dismiss()


class Crowd:
    """Who is there."""

    def __init__(self) -> None:
        self._wanted = Wanted()
        self._tasks: list[asyncio.Task[None]] = []
        self._connected = 0
        self._connecting = asyncio.Semaphore(AT_ONCE)

    def do(self, note: Note) -> Note:
        """Do as a note says; returns how many are connected."""
        if "wanted" in note:
            wanted = Wanted(**note["wanted"])
            if (wanted.transport, wanted.port, wanted.poll_interval_ms) != (
                self._wanted.transport,
                self._wanted.port,
                self._wanted.poll_interval_ms,
            ):
                self.dismiss()
            self._wanted = wanted
            while len(self._tasks) > wanted.count:
                self._tasks.pop().cancel()
            while len(self._tasks) < wanted.count:
                self._tasks.append(asyncio.create_task(self._subscribe(wanted)))
        return {"connected": self._connected}

    def dismiss(self) -> None:
        """Have all leave."""
        while self._tasks:
            self._tasks.pop().cancel()

    async def _subscribe(self, wanted: Wanted) -> None:
        row = TRANSPORTS[wanted.transport]
        options: dict[str, Any] = {"interval_s": wanted.poll_interval_ms / 1000} if row.polls else {}
        subscribe = load_class(row.client)
        while True:
            if row.polls:
                options["phase"] = random.random()
            with suppress(*ENDS):
                async with self._connecting:
                    subscription = await subscribe(f"http://127.0.0.1:{wanted.port}{row.path}", **options).__aenter__()
                self._connected += 1
                try:
                    await subscription.receive(_let_go)
                finally:
                    self._connected -= 1
                    await subscription.__aexit__(None, None, None)
            await asyncio.sleep(random.uniform(*BACKOFF_S))


def _let_go(messages: list[bytes]) -> None:
    """Nobody wants them."""
