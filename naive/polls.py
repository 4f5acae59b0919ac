"""`python -m naive.polls PORT POLLERS INTERVAL_S SECONDS [PHASES]`: how long does a server take to answer a poll?

Its mistake: all pollers start in the same moment, so they ask in the same moment for ever. With PHASES, any word, each
first waits for a random part of the interval, as clients do that nobody has started together. A poll counts from before
its request is built, so what it waits in this process behind the others' is counted with the server's.
"""

import asyncio
import json
import random
import sys
import time
from statistics import median

import aiohttp


async def main(port: int, pollers: int, interval_s: float, seconds: float, phases: bool) -> dict[str, float]:
    """Poll so often for so long, after a first interval that makes the connections."""
    took_s: list[float] = []
    counted_from = time.monotonic() + interval_s
    ends = counted_from + seconds

    async def poll() -> None:
        if phases:
            await asyncio.sleep(random.random() * interval_s)
        position = '"0"'
        while (asked := time.monotonic()) < ends:
            async with http.get(f"http://127.0.0.1:{port}/polling", headers={"If-None-Match": position}) as answer:
                await answer.read()
            position = answer.headers["ETag"]
            if asked > counted_from:
                took_s.append(time.monotonic() - asked)
            await asyncio.sleep(interval_s - (time.monotonic() - asked))

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        await asyncio.gather(*(poll() for _ in range(pollers)))
    return {"polls": len(took_s), "p50_ms": 1000 * median(took_s)}


if __name__ == "__main__":
    port, pollers, interval_s, seconds, *phases = sys.argv[1:]
    print(json.dumps(asyncio.run(main(int(port), int(pollers), float(interval_s), float(seconds), bool(phases)))))
