"""The raw reader: it speaks every transport, reads at its pace, stops reading so that the server feels it, and vanishes."""

import asyncio

import aiohttp
import pytest

from clients.ends import SubscriptionEnded
from clients.raw import Raw
from pushbench.audience import SLOW_BUFFER_BYTES
from pushbench.transports import OVER_TCP
from tests.serving import serving

ASKS = {name: row.asks for name, row in OVER_TCP.items()}


@pytest.mark.parametrize(("transport", "asks"), ASKS.items())
@pytest.mark.parametrize("bytes_per_s", [100_000.0, float("inf")])
async def test_it_hands_over_what_is_published(transport: str, asks: str, bytes_per_s: float) -> None:
    with serving() as server:
        taken = bytearray()
        enough = asyncio.Event()

        def hand_over(pieces: list[bytes]) -> None:
            taken.extend(b"".join(pieces))
            if b"one" in taken and b"two" in taken:
                enough.set()

        async with (
            aiohttp.ClientSession() as http,
            Raw(server.url(f"/{transport}"), asks=asks, bytes_per_s=bytes_per_s, interval_s=0.01) as reader,
        ):
            receiving = asyncio.ensure_future(reader.receive(hand_over))
            for data in (b"one", b"two"):
                async with http.post(server.url("/publish"), data=data) as response:
                    assert response.status == 200
            await asyncio.wait_for(enough.wait(), 20)
            receiving.cancel()


@pytest.mark.quick_once
@pytest.mark.parametrize("transport", ["stream", "sse", "sse_plain", "websocket"])
async def test_one_that_does_not_read_is_dropped_if_the_server_is_told_to_and_hears_of_it(transport: str) -> None:
    with serving(drop_unanswered_s=0.5) as server:
        async with (
            aiohttp.ClientSession() as http,
            Raw(
                server.url(f"/{transport}"),
                asks=ASKS[transport],
                bytes_per_s=0,
                receive_buffer_bytes=SLOW_BUFFER_BYTES,
            ) as reader,
        ):
            receiving = asyncio.ensure_future(reader.receive(lambda pieces: None))
            await _until_cursors(http, server.url("/status"), 1)
            while await _cursors(http, server.url("/status")):  # as much as it takes to fill every buffer on the way
                async with http.post(server.url("/publish"), data=b"x" * 60_000) as response:
                    assert response.status == 200
            with pytest.raises(ConnectionResetError):
                await asyncio.wait_for(receiving, 20)


@pytest.mark.parametrize("transport", ["stream", "sse", "sse_plain", "websocket"])
async def test_one_that_vanishes_is_noticed_by_the_heartbeat_if_the_server_is_told_to(transport: str) -> None:
    with serving(drop_unanswered_s=0.5, heartbeat_s=0.1) as server:
        async with (
            aiohttp.ClientSession() as http,
            Raw(server.url(f"/{transport}"), asks=ASKS[transport], bytes_per_s=float("inf")) as reader,
        ):
            await _until_cursors(http, server.url("/status"), 1)
            reader.vanish()
            await _until_cursors(http, server.url("/status"), 0)


async def test_the_end_of_the_connection_is_told() -> None:
    with serving() as server:
        async with Raw(server.url("/stream"), asks="once", bytes_per_s=float("inf")) as reader:
            server.process.terminate()
            with pytest.raises(SubscriptionEnded, match="ended the connection"):
                await reader.receive(lambda pieces: None)


async def test_one_that_reads_answers_pings_and_so_is_not_dropped() -> None:
    with serving(drop_unanswered_s=0.2, heartbeat_s=0.1) as server:
        beats = asyncio.Queue[bytes]()
        reader = Raw(server.url("/websocket"), asks="upgrade", bytes_per_s=float("inf"))
        async with reader:
            receiving = asyncio.ensure_future(reader.receive(lambda pieces: beats.put_nowait(b"".join(pieces))))
            for _ in range(10):  # one beat after the other, for five times as long as it may be silent
                waiting = asyncio.ensure_future(beats.get())
                await asyncio.wait((receiving, waiting), return_when=asyncio.FIRST_COMPLETED)
                assert waiting.done()
            receiving.cancel()


async def _cursors(http: aiohttp.ClientSession, url: str) -> int:
    async with http.get(url) as response:
        cursors: int = (await response.json())["cursors"]
        return cursors


async def _until_cursors(http: aiohttp.ClientSession, url: str, count: int) -> None:
    while await _cursors(http, url) != count:
        pass
