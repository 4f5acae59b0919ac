"""`python -m naive.sends PORT SUBSCRIBERS SECONDS`: how many deliveries a second does a broadcast server make?

It sends for so long as fast as it can, and multiplies by the subscribers. Its mistake: it does not look at what has
arrived, which is counted here only to be set beside it.
"""

import asyncio
import json
import sys
import time

import aiohttp


async def main(port: int, subscribers: int, seconds: float) -> dict[str, float]:
    """Connect them, and send; returns what was sent, and what arrived until then."""
    received = 0

    async def subscribe(websocket: aiohttp.ClientWebSocketResponse) -> None:
        nonlocal received
        async for _ in websocket:
            received += 1

    url = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        opened = [await http.ws_connect(f"{url}/websocket", compress=0) for _ in range(subscribers)]
        readers = [asyncio.create_task(subscribe(websocket)) for websocket in opened]
        publisher = await http.ws_connect(f"{url}/publish", compress=0)
        sent, began = 0, time.monotonic()
        while (took_s := time.monotonic() - began) < seconds:
            await publisher.send_str("x" * 128)
            sent += 1
        made = {"sent_per_s": sent / took_s, "deliveries_per_s": sent * subscribers / took_s}
        made |= {"received": received, "received_per_s": received / took_s}
        made["connected"] = sum(not reader.done() for reader in readers)
        for reader in readers:
            reader.cancel()
    return made


if __name__ == "__main__":
    port, subscribers, seconds = sys.argv[1:]
    print(json.dumps(asyncio.run(main(int(port), int(subscribers), float(seconds)))))
