"""`python -m naive.one_process SUBSCRIBERS HZ SECONDS`: `naive.broadcast`, with the server in the same event loop.

It saves starting a second process. Its mistake: what this process uses is the server's and the clients' together.
"""

import asyncio
import json
import socket
import sys

import uvicorn

from naive.broadcast import measured
from servers.options import Options
from servers.serving import config


async def main(subscribers: int, hz: float, seconds: float) -> dict[str, float]:
    """Serve, and measure meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(config(Options()))
        serving = asyncio.create_task(server.serve([listener]))
        try:
            return await measured(listener.getsockname()[1], subscribers, hz, seconds)
        finally:
            server.should_exit = True
            await serving


if __name__ == "__main__":
    subscribers, hz, seconds = sys.argv[1:]
    print(json.dumps(asyncio.run(main(int(subscribers), float(hz), float(seconds)))))
