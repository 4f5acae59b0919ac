"""`python -m apps`: its flags, its ready line, its doors and its end."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import fields
from pathlib import Path

import aiohttp
import pytest

from apps.__main__ import PROGRAM, parse, serve
from apps.options import NOT_HERE, AppsOptions
from servers import commandline
from servers.options import Options
from servers.serving import config_of
from tests.serving import END_S, Server, ended, serving

TOKEN = "a-token.of_this~test"
PATHS = (
    "/",
    "/tasks",
    "/chat",
    "/ticker",
    "/tasks/items",
    "/tasks/changes/polling",
    "/ticker/channels",
    "/rooms/lobby/history",
    "/rooms/lobby/polling",
)
SOCKETS = ("/tasks/socket", "/ticker/socket", "/ticker/publish", "/tasks/changes/websocket", "/rooms/lobby/websocket")


# --- flags


def test_each_option_but_those_of_several_processes_is_a_flag() -> None:
    assert parse([]) == AppsOptions()
    flags = {option.name for option in fields(AppsOptions)} - NOT_HERE
    assert {option.name for option in fields(Options)} >= NOT_HERE
    told = [f"--{name.replace('_', '-')}={getattr(AppsOptions(), name)}" for name in flags]
    assert parse(told) == AppsOptions()


@pytest.mark.parametrize("flag", ["--ticker-hz=1001", "--ticker-hz=nan", "--ticker-symbols=0", "--workers=2", "--redis=x"])
def test_a_wrong_flag_is_told_on_the_last_line_and_exits_2(capsys: pytest.CaptureFixture[str], flag: str) -> None:
    with pytest.raises(SystemExit) as caught:
        parse([flag])
    assert caught.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("python -m apps: error: ")


def test_it_runs_as_the_server_that_is_measured_does() -> None:
    async def app(scope: object, receive: object, send: object) -> None: ...

    chosen = config_of(app, AppsOptions())
    measured = config_of(app, Options())
    for name in ("loop", "ws_max_size", "ws_ping_interval", "ws_per_message_deflate", "access_log", "backlog"):
        assert getattr(chosen, name) == getattr(measured, name)


def test_a_database_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    options = parse(["--port=0", f"--tasks-database={tmp_path}"])
    says = f"python -m apps: --tasks-database {tmp_path} cannot be used: unable to open database file; name another"
    with pytest.raises(SystemExit, match=re.escape(f"{says} file, which no server has")):
        commandline.run(PROGRAM, serve, options)


# --- life


def started(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


async def test_it_says_that_it_is_ready_and_ends_when_it_is_told_to_whatever_its_connections_do() -> None:
    command = [sys.executable, "-m", "apps", "--port=0", "--ticker-hz=1000"]
    process = started(command)
    with ended(process):
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready == {"ready": True, "port": ready["port"], "pid": process.pid}
        base = f"http://127.0.0.1:{ready['port']}"
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(aiohttp.ClientSession(base))
            sockets = [await stack.enter_async_context(session.ws_connect(path)) for path in SOCKETS]
            await sockets[1].send_json({"op": "subscribe", "channels": ["trades.BTC-EUR"]})
            assert json.loads(await sockets[1].receive_str())["type"] == "subscribed"
            await stack.enter_async_context(session.get("/tasks/changes/stream"))
            process.terminate()
            out, err = await asyncio.to_thread(process.communicate, timeout=END_S)
        assert out == ""
        assert err == f"the applications are at http://127.0.0.1:{ready['port']}/\n"


# --- doors


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    path = tmp_path_factory.mktemp("access") / "token"
    path.write_text(TOKEN)
    with serving(program="apps", ticker_hz=0, token_file=path, allow_origins="https://friend.example") as running:
        yield running


@pytest.mark.parametrize("path", PATHS)
async def test_without_the_token_nothing_is_answered(guarded: Server, http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(guarded.url(path)) as answer:
        assert (answer.status, answer.headers["refusal"]) == (401, "token_missing")
    async with http.get(guarded.url(path), params={"access_token": TOKEN}) as answer:
        assert answer.status in (200, 204)


@pytest.mark.parametrize("path", SOCKETS)
async def test_without_the_token_no_socket_is_opened_nor_for_a_page_elsewhere(
    guarded: Server, server: Server, http: aiohttp.ClientSession, path: str
) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
        await http.ws_connect(guarded.url(path))
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        await http.ws_connect(server.url(path), headers={"Origin": "https://foe.example"})
    async with http.ws_connect(guarded.url(path), params={"access_token": TOKEN}):
        pass
    async with http.ws_connect(guarded.url(path), protocols=["push", f"bearer.{TOKEN}"]) as socket:
        assert socket.protocol == "push"


async def test_a_page_elsewhere_may_change_tasks_only_if_its_origin_is_allowed(
    guarded: Server, http: aiohttp.ClientSession
) -> None:
    wants = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization, content-type"}
    for origin, status in (("https://friend.example", 200), ("https://foe.example", 400)):
        async with http.options(guarded.url("/tasks/items/1"), headers={"Origin": origin, **wants}) as answer:
            assert answer.status == status
