"""`python -m servers`: the application under uvicorn, with every choice named, as it is measured.

When it accepts connections it prints one JSON line, `{"ready": true, "port": …, "pid": …}`.
"""

import argparse
import asyncio
import errno
import json
import os
import socket
from dataclasses import fields

import uvicorn

from servers.app import create_app
from servers.frames import FrameWriter
from servers.journal import JournalUnusable
from servers.options import Options

WEBSOCKETS: dict[str, type[asyncio.Protocol]] = {"websockets-sansio": FrameWriter}
"""What `Options.ws` names."""
GRACE_S = 0.5
"""How long a connection may take to end by itself when the server is told to stop."""


class ReadyServer(uvicorn.Server):
    """A uvicorn server that says when it is ready."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then print the ready line."""
        await super().startup(sockets)
        assert sockets
        port = sockets[0].getsockname()[1]
        print(json.dumps({"ready": True, "port": port, "pid": os.getpid()}), flush=True)


def parse(arguments: list[str] | None = None) -> Options:
    """The options from command-line flags, one for each field of `Options`. Ends the process (2) for what is none."""
    parser = argparse.ArgumentParser(
        prog="python -m servers",
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    for option in fields(Options):
        parser.add_argument(
            "--" + option.name.replace("_", "-"),
            type=type(option.default),
            default=option.default,
            choices=option.metadata["choices"],
            help=option.metadata["help"],
        )
    flags = vars(parser.parse_args(arguments))
    try:
        return Options(**flags)
    except ValueError as error:
        parser.error(str(error))


def config(options: Options) -> uvicorn.Config:
    """uvicorn's configuration: nothing on auto, compression and access log off, heartbeats as everywhere else."""
    return uvicorn.Config(
        create_app(options),
        loop=options.loop,
        http=options.http,
        ws=WEBSOCKETS[options.ws],
        ws_max_size=options.max_message_bytes,
        ws_ping_interval=options.heartbeat_s or None,
        ws_ping_timeout=options.drop_unanswered_s or None,
        ws_per_message_deflate=options.compression == "permessage-deflate",
        lifespan="on",
        interface="asgi3",
        log_level="warning",
        access_log=False,
        proxy_headers=False,  # nothing stands in front
        backlog=options.backlog,
        timeout_keep_alive=options.keep_alive_s,
        timeout_graceful_shutdown=GRACE_S,  # type: ignore[arg-type]  # asyncio.wait_for's, which takes a fraction too
    )


def listen(host: str, port: int, drop_unanswered_s: float = 0) -> socket.socket:
    """A socket that is bound; its accepted connections will have Nagle's algorithm off. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, because asyncio switches Nagle's algorithm off only where it is: with it, the two writes of a
    # response (head, body) wait for each other's delayed acknowledgement, 40 ms each time.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # An accepted connection inherits it. The kernel then ends one whose data is not acknowledged, or finds no room
        # (tcp(7), TCP_USER_TIMEOUT); uvicorn would wait for the room, and no transport can look past its own write.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(drop_unanswered_s * 1000))
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def main() -> None:
    """Bind, serve, and stop within a second of SIGTERM or Ctrl-C."""
    options = parse()
    try:
        listener = listen(options.host, options.port, options.drop_unanswered_s)
    except OSError as error:
        way_out = "; --port 0 takes a free port" if error.errno == errno.EADDRINUSE else ""
        raise SystemExit(
            f"python -m servers: cannot bind {options.host}:{options.port}: {error.strerror}{way_out}"
        ) from None
    with listener:
        try:
            ReadyServer(config(options)).run([listener])
        except JournalUnusable as unusable:
            raise SystemExit(f"python -m servers: {unusable}") from None
        except KeyboardInterrupt:  # uvicorn raises the signal again when it has stopped
            raise SystemExit(130) from None


if __name__ == "__main__":
    main()
