"""A floor to measure transports against: lines over bare TCP, by asyncio alone. `python -m targets.tcp` runs it.

A connection's first line says what it is. After `subscribe` it is answered `subscribed`, and then gets every line that is
published; after `publish` each of its lines goes to every subscriber. There is no log: who is away misses what is sent.
"""

import argparse
import asyncio
import json
import os
import signal
import socket

BACKLOG = 4096


class Line(asyncio.Protocol):
    """One connection, a subscriber's or a publisher's."""

    transport: asyncio.Transport

    def __init__(self, subscribers: "dict[Line, None]") -> None:
        self._subscribers = subscribers
        self._publishes = False
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what to write to."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        """Forget it."""
        self._subscribers.pop(self, None)

    def data_received(self, data: bytes) -> None:
        """Pass whole lines on; the first one decides what this connection is."""
        whole, newline, self._rest = (self._rest + data).rpartition(b"\n")
        if not newline:
            return
        if not self._publishes:
            hello, _, whole = whole.partition(b"\n")
            if hello == b"subscribe":
                self._subscribers[self] = None  # in the order in which they came
                self.transport.write(b"subscribed\n")
                return
            if hello != b"publish":
                self.transport.abort()
                return
            self._publishes = True
        if whole:
            lines = whole + newline
            for subscriber in self._subscribers:
                subscriber.transport.write(lines)


async def serve(host: str) -> None:
    """Listen on a free port of that address, say which, and stop at SIGTERM."""
    loop, subscribers = asyncio.get_running_loop(), dict[Line, None]()
    # The protocol is named so that asyncio switches Nagle's algorithm off.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind((host, 0))
    server = await loop.create_server(lambda: Line(subscribers), sock=listener, backlog=BACKLOG)
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    print(json.dumps({"ready": True, "port": listener.getsockname()[1], "pid": os.getpid()}), flush=True)
    await stopped.wait()
    server.close()
    for subscriber in list(subscribers):
        subscriber.transport.abort()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m targets.tcp", description=__doc__, allow_abbrev=False)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (IPv4)")
    asyncio.run(serve(parser.parse_args().host))
