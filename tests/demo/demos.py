"""A demo for tests: started as a process, found by the address that it prints; and a page that is none, for its control."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

WAIT_S = 30
"""How long something may take before its test fails. It is generous: how fast it is, is no test's business."""


@dataclass(frozen=True, slots=True)
class Demo:
    process: subprocess.Popen[str]
    url: str
    """Without a slash at the end."""


@contextmanager
def showing(*flags: str, stderr: int = subprocess.DEVNULL) -> Iterator[Demo]:
    command = [sys.executable, "-m", "pushbench", "serve", "--demo", "--port=0", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert "http://" in line, f"it printed {line!r}"
            yield Demo(process, line.split()[4].rstrip("/"))
            process.terminate()
            process.wait(WAIT_S)
        finally:
            process.kill()


class Page:
    """What a page is to the console."""

    def __init__(self, http: aiohttp.ClientSession, control: aiohttp.ClientWebSocketResponse) -> None:
        self.http = http
        self._control = control
        self.facts: dict[str, Any] = {}
        self.state: dict[str, Any] = {}

    async def hear(self) -> dict[str, Any]:
        note: dict[str, Any] = await self._control.receive_json(timeout=WAIT_S)
        self.facts = note.get("facts", self.facts)
        self.state = note.get("state", self.state)
        return note

    async def ask(self, key: str, **note: Any) -> dict[str, Any]:
        """Send a note; returns the first that is heard with this key."""
        await self._control.send_json(note)
        while key not in (heard := await self.hear()):
            pass
        return heard

    async def until(self, true_of: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until that is true of the state."""
        async with asyncio.timeout(WAIT_S):
            while not (self.state.get("lanes") and true_of(self.state)):
                await self.hear()

    def base(self, lane: str) -> str:
        found: str = next(one["base"] for one in self.facts["lanes"] if one["name"] == lane)
        return found


@asynccontextmanager
async def page_of(demo: Demo, **headers: str) -> AsyncIterator[Page]:
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{demo.url}/control", headers={"origin": demo.url} | headers) as control,
    ):
        page = Page(http, control)
        await page.hear()
        yield page


def seq_of(text: str) -> int:
    seq: int = json.loads(text)["seq"]
    return seq
