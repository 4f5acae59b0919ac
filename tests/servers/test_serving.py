"""One serving process: uvicorn's configuration, and each choice of it."""

import socket

import pytest

from servers.options import Options
from servers.pump import PumpingWebSocket
from servers.serving import config
from tests.serving import Server, serving


def test_uvicorn_chooses_nothing_by_itself() -> None:
    chosen = config(Options())
    assert "auto" not in (chosen.loop, chosen.http, chosen.ws, chosen.lifespan, chosen.interface)


def test_uvicorn_is_told_what_the_options_say() -> None:
    options = Options(loop="uvloop", http="h11", keep_alive_s=7, backlog=8, max_message_bytes=9)
    told = config(options)
    assert (told.loop, told.http, told.ws) == ("uvloop", "h11", PumpingWebSocket)
    assert (told.timeout_keep_alive, told.backlog, told.ws_max_size) == (7, 8, 9)


def test_uvicorn_compresses_nothing_and_logs_no_access() -> None:
    assert config(Options()).ws_per_message_deflate is False
    assert config(Options()).access_log is False


def test_a_websockets_heartbeat_is_that_of_the_other_transports_and_ends_no_connection() -> None:
    assert config(Options(heartbeat_s=3)).ws_ping_interval == 3
    assert config(Options(heartbeat_s=0)).ws_ping_interval is None
    assert config(Options()).ws_ping_timeout is None


@pytest.mark.parametrize("http", ["httptools", "h11"])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_each_choice_of_implementation_serves(http: str, loop: str) -> None:
    with serving(http=http, loop=loop) as server:
        assert answer(server).startswith("HTTP/1.1 200")


def answer(server: Server) -> str:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"GET /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return connection.makefile("rb").read().decode()
