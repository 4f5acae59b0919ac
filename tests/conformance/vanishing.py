"""A process full of subscribers that is killed.

`python -m tests.conformance.vanishing TRANSPORT URL COUNT READ` connects so many; with 1 they read, with 0 they do not. Who
has signed the server's certificate comes by standard input.
"""

import asyncio
import ssl
import sys
from contextlib import AsyncExitStack
from importlib import import_module

from pushbench.transports import TRANSPORTS


async def main(name: str, url: str, count: int, read: int, authority: str) -> None:
    row = TRANSPORTS[name]
    module, _, client = row.client.partition(":")
    subscribe = getattr(import_module(module), client)
    async with AsyncExitStack() as stack:
        tls = ssl.create_default_context(cadata=authority) if authority else None
        subscriptions = [await stack.enter_async_context(subscribe(url, tls=tls)) for _ in range(count)]
        receiving = [asyncio.ensure_future(each.receive(lambda messages: None)) for each in subscriptions if read]
        print("connected", flush=True)
        await asyncio.gather(*receiving)
        await asyncio.get_running_loop().create_future()


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.stdin.read()))
