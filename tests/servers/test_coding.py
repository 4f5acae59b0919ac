"""Content codings: only what the client accepts, nothing held back, and what comes out is what was published."""

import asyncio
import zlib
from collections.abc import Iterator
from typing import Any

import aiohttp
import brotli
import pytest

from pushbench.transports import OVER_TCP, Transport, load_class
from servers.coding import CODINGS, coder, coding, told
from servers.options import Options
from tests.conformance.conftest import Feed, take
from tests.serving import Server, serving

HTTP = [row for row in OVER_TCP.values() if row.asks != "upgrade"]


@pytest.fixture(scope="module", params=CODINGS)
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def server(name: str) -> Iterator[Server]:
    with serving(compression=name, heartbeat_s=0.1, longpoll_timeout_s=0.2) as running:
        yield running


@pytest.fixture(params=HTTP, ids=[row.name for row in HTTP])
def row(request: pytest.FixtureRequest) -> Transport:
    found: Transport = request.param
    return found


def client(row: Transport, server: Server, **headers: str) -> Any:
    options = {"interval_s": 0.02} if row.polls else {}
    return load_class(row.client)(server.url(row.path), headers=headers, **options)


async def test_each_message_comes_as_soon_as_it_is_published_and_as_it_was(
    row: Transport, server: Server, name: str
) -> None:
    """None is published before the last has come: a compressor that held one back would wait for ever."""
    got: asyncio.Queue[bytes] = asyncio.Queue()

    def hand_over(messages: list[bytes]) -> None:
        for message in messages:
            got.put_nowait(message)

    async with aiohttp.ClientSession() as http, client(row, server, **{"Accept-Encoding": name}) as subscription:
        receiving = asyncio.ensure_future(subscription.receive(hand_over))
        async with asyncio.timeout(20):
            for number in range(5):
                message = b"message %d " % number + b"again and " * number
                await Feed(server, http).publish(message)
                assert await got.get() == message
        receiving.cancel()


async def test_who_accepts_no_coding_gets_none(row: Transport, server: Server) -> None:
    async with aiohttp.ClientSession() as http, client(row, server) as subscription:
        await Feed(server, http).publish(b"plain")
        assert await take(subscription, 1) == [b"plain"]


async def test_the_answer_names_the_coding_and_that_it_depends_on_the_request(server: Server, name: str) -> None:
    async with aiohttp.ClientSession(auto_decompress=False) as http:
        async with http.get(server.url("/stream"), headers={"Accept-Encoding": name}) as response:
            assert response.headers["content-encoding"] == name
            assert response.headers["vary"] == "accept-encoding"
        async with http.get(server.url("/polling")) as response:
            etag = response.headers["etag"]
        await Feed(server, http).publish(b"x")
        asked = {"If-None-Match": etag, "Accept-Encoding": f"identity, {name};q=0.5"}
        async with http.get(server.url("/polling"), headers=asked) as response:
            assert response.headers["content-encoding"] == name
            assert response.headers["etag"].startswith('W/"')
            body = await response.read()
        plain = zlib.decompress(body, 31) if name == "gzip" else brotli.decompress(body)
        assert plain == b"x\n"


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("gzip", "gzip"), ("br, gzip;q=0.8", "gzip"), ("GZIP", "gzip"), ("*", "gzip"), ("", ""), ("br", ""),
        ("gzip;q=0", ""), ("gzip; q=0.000", ""), ("xgzip", ""), ("identity;q=1, gzip;q=0.1", "gzip"),
    ],
)  # fmt: skip
def test_a_coding_is_used_if_it_is_accepted(header: str, chosen: str) -> None:
    assert coding({"accept-encoding": header}, Options(compression="gzip")) == chosen
    assert coding({"accept-encoding": header}, Options()) == ""
    assert coding({"accept-encoding": header}, Options(compression="permessage-deflate")) == ""


def test_without_a_coding_there_is_nothing_to_tell_and_nothing_that_compresses() -> None:
    assert told("") == {}
    assert coder("") is None
