"""One process with all applications, for what is asked of them from outside."""

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from tests.serving import Server, serving

MAX_MESSAGE_BYTES = 4096


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """It makes no trades by itself, so that what is published is all that is heard."""
    limits = {"ticker_channels": 4, "room_log_messages": 3, "max_message_bytes": MAX_MESSAGE_BYTES}
    with serving(program="apps", ticker_hz=0, **limits) as running:
        yield running


@pytest.fixture(scope="session")
def later_server(server: Server) -> Iterator[Server]:
    """One that was started after the other, as if that had been started again."""
    with serving(program="apps", ticker_hz=0) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session
