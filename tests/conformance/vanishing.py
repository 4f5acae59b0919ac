"""A process full of subscribers that is killed.

`python -m tests.conformance.vanishing TRANSPORT PORT COUNT READ` connects so many; with 1 they read, with 0 they do not.
"""

import asyncio
import sys
from contextlib import AsyncExitStack
from importlib import import_module

from pushbench.transports import TRANSPORTS


async def main(name: str, port: int, count: int, read: int) -> None:
    row = TRANSPORTS[name]
    module, _, client = row.client.partition(":")
    subscribe = getattr(import_module(module), client)
    async with AsyncExitStack() as stack:
        url = f"http://127.0.0.1:{port}{row.path}"
        subscriptions = [await stack.enter_async_context(subscribe(url)) for _ in range(count)]
        receiving = [asyncio.ensure_future(each.receive(lambda messages: None)) for each in subscriptions if read]
        print("connected", flush=True)
        await asyncio.gather(*receiving)
        await asyncio.get_running_loop().create_future()


asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
