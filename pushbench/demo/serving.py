"""`pushbench serve --demo`: the console and its page at one port of loopback, until told to end."""

import argparse
import asyncio
import errno
import socket
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

import uvicorn

from pushbench import interruption
from pushbench.demo.console import HOST, console
from pushbench.demo.pages import pages
from pushbench.environment import raise_file_limit
from pushbench.target import TargetFailed
from pushbench.workers import WorkerFailed

PORT = 8700


class DemoError(Exception):
    """It cannot be shown; the text says why, and the way out."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for."""

    port: int
    open: bool


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise DemoError(f"serve --demo: {message}; it takes --port N and --open")


def asked(arguments: Sequence[str]) -> Asked:
    """What these arguments ask for. Raises `DemoError`."""
    parser = _Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--open", action="store_true")
    found = parser.parse_args(arguments)
    if not 0 <= found.port <= 65_535:
        raise DemoError(f"port is {found.port}: it must be from 0 (a free one) to 65535")
    return Asked(found.port, found.open)


def serve(arguments: Sequence[str]) -> None:
    """Show the demo until told to end, which raises `pushbench.interruption.Interrupted`. Raises `DemoError`."""
    what = asked(arguments)
    raise_file_limit()
    with _listening(what.port) as listener:
        try:
            interruption.run(_serve(listener, what), hurry=lambda: None)
        except (TargetFailed, WorkerFailed) as failed:
            raise DemoError(str(failed)) from None


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen()  # so that who reads the address may come at once
        except OSError as error:
            way_out = "; name another with --port, or --port 0 for a free one"
            used = "in use" if error.errno == errno.EADDRINUSE else error.strerror
            raise DemoError(f"port {port} of {HOST} is {used}{way_out}") from None
        yield listener


class _Server(uvicorn.Server):
    """One that leaves signals to whoever runs it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


async def _serve(listener: socket.socket, what: Asked) -> None:
    port = listener.getsockname()[1]
    origins = [f"http://{name}:{port}" for name in (HOST, "localhost")]
    async with console(origins) as made:
        config = uvicorn.Config(
            pages(made, origins),
            loop="asyncio",
            http="httptools",
            ws="websockets-sansio",
            lifespan="off",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=0,
        )
        server = _Server(config)
        tasks = [asyncio.create_task(server.serve([listener])), asyncio.create_task(made.look())]
        try:
            print(f"the demo is at http://{HOST}:{port}/ (Ctrl-C ends it)", flush=True)
            if what.open:
                await asyncio.to_thread(webbrowser.open, f"http://{HOST}:{port}/")
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
