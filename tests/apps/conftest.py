"""One process with all applications, for what is asked of them from outside."""

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from tests.serving import Server, serving

MAX_MESSAGE_BYTES = 4096


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """It makes no trades by itself, so that what is published is all that is heard."""
    with serving(program="apps", ticker_hz=0, ticker_channels=4, max_message_bytes=MAX_MESSAGE_BYTES) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session
