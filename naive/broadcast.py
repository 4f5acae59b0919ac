"""`python -m naive.broadcast PORT SUBSCRIBERS HZ SECONDS`: a usual WebSocket benchmark, a script on the library websockets.

All subscribers are in one process, decode every message, and the publisher is one more task beside them.
Its mistake: nothing tells when this process, and not the server, is what takes the time.
"""

import asyncio
import json
import sys
import time
from statistics import median

from websockets.asyncio.client import ClientConnection, connect


async def measured(port: int, subscribers: int, hz: float, seconds: float) -> dict[str, float]:
    """Publish so often for so long; returns deliveries a second, their median latency, and the CPU time of each here."""
    latencies: list[float] = []

    async def subscribe(websocket: ClientConnection) -> None:
        async for message in websocket:
            latencies.append(time.monotonic() - json.loads(message)["sent"])  # noqa: PERF401  each as it comes

    url = f"ws://127.0.0.1:{port}"
    opened = [await connect(f"{url}/websocket", compression=None) for _ in range(subscribers)]
    readers = [asyncio.create_task(subscribe(websocket)) for websocket in opened]
    publisher = await connect(f"{url}/publish", compression=None)
    began, used = time.monotonic(), time.process_time()
    while (took_s := time.monotonic() - began) < seconds:
        await publisher.send(json.dumps({"sent": time.monotonic(), "pad": "x" * 80}))
        await asyncio.sleep(1 / hz)
    used = time.process_time() - used
    count = len(latencies)
    for reader in readers:
        reader.cancel()
    return {
        "deliveries_per_s": count / took_s,
        "p50_ms": 1000 * median(latencies),
        "cpu_us_per_delivery": 1e6 * used / count,
    }


if __name__ == "__main__":
    port, subscribers, hz, seconds = sys.argv[1:]
    print(json.dumps(asyncio.run(measured(int(port), int(subscribers), float(hz), float(seconds)))))
