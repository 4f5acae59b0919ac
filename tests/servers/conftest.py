"""One server process for all that is asked of it from outside, as curl would."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from tests.rediserver import RedisServer, redis_server
from tests.serving import Server, serving

HEARTBEAT_S = 0.05
MAX_MESSAGE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Caller:
    """Asks a server, and publishes on it."""

    server: Server
    http: aiohttp.ClientSession

    def get(self, path: str, **headers: str) -> "aiohttp.client._RequestContextManager":
        return self.http.get(
            self.server.url(path), headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    async def publish(self, *messages: bytes) -> int:
        """Returns the id of the last one."""
        for data in messages:
            async with self.http.post(self.server.url("/publish"), data=data) as response:
                assert response.status == 200, await response.text()
                last_id: int = (await response.json())["id"]
        return last_id

    async def cursors(self) -> int:
        async with self.get("/status") as response:
            cursors: int = (await response.json())["cursors"]
            return cursors


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with serving(heartbeat_s=HEARTBEAT_S, longpoll_timeout_s=0.1, max_message_bytes=MAX_MESSAGE_BYTES) as running:
        yield running


@pytest.fixture(scope="session")
def patient_server() -> Iterator[Server]:
    """It holds long polls, and beats no heart, for longer than any test takes."""
    with serving(heartbeat_s=0, longpoll_timeout_s=3600) as running:
        yield running


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One that lives, for many logs: each has a key of its own."""
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def mortal_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """One that may be killed."""
    with redis_server(tmp_path) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def ask(server: Server, http: aiohttp.ClientSession) -> Caller:
    return Caller(server, http)


@pytest.fixture
def ask_patiently(patient_server: Server, http: aiohttp.ClientSession) -> Caller:
    return Caller(patient_server, http)
