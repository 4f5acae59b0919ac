"""`python -m servers`: its flags, its ready line, its refusals, and uvicorn's configuration."""

import asyncio
import json
import socket
import subprocess
import sys
from dataclasses import fields

import pytest

from servers.__main__ import config, listen, parse
from servers.frames import FrameWriter
from servers.options import Options
from tests.serving import END_S, Server, ended, serving


def run(*flags: str) -> subprocess.CompletedProcess[str]:
    """For flags with which it ends at once."""
    return subprocess.run([sys.executable, "-m", "servers", *flags], capture_output=True, text=True, timeout=END_S)


# --- flags


def test_without_flags_the_options_are_the_defaults() -> None:
    assert parse([]) == Options()


def test_each_option_is_a_flag() -> None:
    other = Options(
        host="::1",
        port=1,
        loop="uvloop",
        http="h11",
        heartbeat_s=0.5,
        longpoll_timeout_s=1.5,
        keep_alive_s=2,
        log_messages=3,
        log_bytes=5,
        max_message_bytes=4,
        backlog=6,
    )
    flags = [f"--{option.name.replace('_', '-')}={getattr(other, option.name)}" for option in fields(Options)]
    assert parse(flags) == other


def test_help_tells_of_each_flag_its_meaning_and_its_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as caught:
        parse(["--help"])
    assert caught.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    for option in fields(Options):
        assert f"--{option.name.replace('_', '-')} " in told
        assert f"{option.metadata['help']} (default: {option.default})" in told


@pytest.mark.parametrize(
    ("flag", "says"),
    [
        ("--prot=80", "unrecognized arguments: --prot=80"),
        (
            "--log-m=3",
            "unrecognized arguments: --log-m=3",
        ),  # a shortened flag would change its meaning with the next option
        ("--port=http", "invalid int value: 'http'"),
        ("--loop=auto", "invalid choice: 'auto'"),
        ("--port=99999", "port is 99999: it must be at most 65535"),
        ("--log-bytes=1", "log_bytes is 1: it must be at least max_message_bytes"),
    ],
)
def test_a_wrong_flag_is_told_on_the_last_line_and_exits_2(
    capsys: pytest.CaptureFixture[str], flag: str, says: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse([flag])
    assert caught.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("python -m servers: error: ")
    assert says in last


def test_a_wrong_flag_ends_the_process_with_2() -> None:
    refused = run("--unheard-of")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "Traceback" not in refused.stderr


# --- binding


def test_the_ready_line_is_one_json_line_with_the_port_and_the_pid() -> None:
    command = [sys.executable, "-m", "servers", "--port=0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with ended(process):
        assert process.stdout is not None
        assert process.stderr is not None
        ready = json.loads(process.stdout.readline())
        assert ready == {"ready": True, "port": ready["port"], "pid": process.pid}
        with socket.create_connection(("127.0.0.1", ready["port"])):  # at once: that is what ready means
            pass
        process.terminate()
        assert process.communicate(timeout=END_S) == ("", "")


def test_a_port_in_use_is_one_line_with_the_way_out() -> None:
    with serving() as first:
        second = run(f"--port={first.port}")
    assert second.returncode == 1
    assert second.stdout == ""
    assert second.stderr == (
        f"python -m servers: cannot bind 127.0.0.1:{first.port}: Address already in use; --port 0 takes a free port\n"
    )


def test_an_address_that_is_not_this_hosts_is_one_line() -> None:
    refused = run("--host=192.0.2.1", "--port=0")  # RFC 5737: an address for documentation
    assert refused.returncode == 1
    assert refused.stderr == "python -m servers: cannot bind 192.0.2.1:0: Cannot assign requested address\n"


def test_a_server_of_the_other_address_family_serves() -> None:
    if not socket.has_ipv6:
        pytest.skip("this Python has no IPv6")
    try:
        listen("::1", 0).close()
    except OSError as error:
        pytest.skip(f"this host has no IPv6 loopback: {error}")
    with serving(host="::1") as server, socket.create_connection(("::1", server.port)) as connection:
        connection.sendall(b"GET /status HTTP/1.0\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"


async def test_accepted_connections_send_what_they_have_at_once() -> None:
    """asyncio switches Nagle's algorithm off only on sockets whose protocol is named."""
    accepted: asyncio.Future[socket.socket] = asyncio.get_running_loop().create_future()

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set_result(writer.get_extra_info("socket"))
        await reader.read()
        writer.close()

    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        async with await asyncio.start_server(note, sock=listener):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            assert (await accepted).getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            writer.close()
            await writer.wait_closed()


# --- uvicorn's configuration


def test_uvicorn_chooses_nothing_by_itself() -> None:
    chosen = config(Options())
    assert "auto" not in (chosen.loop, chosen.http, chosen.ws, chosen.lifespan, chosen.interface)


def test_uvicorn_is_told_what_the_options_say() -> None:
    options = Options(loop="uvloop", http="h11", keep_alive_s=7, backlog=8, max_message_bytes=9)
    told = config(options)
    assert (told.loop, told.http, told.ws) == ("uvloop", "h11", FrameWriter)
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
