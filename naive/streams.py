"""`python -m naive.streams PORT SUBSCRIBERS HZ SECONDS`: how many deliveries a second does a server make by SSE?

Its mistake is a default: aiohttp's connection pool lets 100 connections through, and has the others wait without a word.
"""

import asyncio
import json
import sys
import time

import aiohttp

CONNECTING_S = 1.0


async def main(port: int, subscribers: int, hz: float, seconds: float) -> dict[str, float]:
    """Publish so often for so long to what is thought to be so many subscribers."""
    received = 0

    async def subscribe() -> None:
        nonlocal received
        async with http.get(f"{url}/sse") as answer:
            async for line in answer.content:
                received += line.startswith(b"data:")

    url = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession() as http, aiohttp.ClientSession() as feed:
        readers = [asyncio.create_task(subscribe()) for _ in range(subscribers)]
        await asyncio.sleep(CONNECTING_S)
        publisher = await feed.ws_connect(f"{url}/publish")
        sent, began = 0, time.monotonic()
        while (took_s := time.monotonic() - began) < seconds:
            await publisher.send_str("x" * 128)
            sent += 1
            await asyncio.sleep(1 / hz)
        for reader in readers:
            reader.cancel()
    return {"sent": sent, "received": received, "deliveries_per_s": received / took_s}


if __name__ == "__main__":
    port, subscribers, hz, seconds = sys.argv[1:]
    print(json.dumps(asyncio.run(main(int(port), int(subscribers), float(hz), float(seconds)))))
