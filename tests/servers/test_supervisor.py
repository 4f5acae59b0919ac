"""The parent of several workers: its ready line, its end and theirs, and what happens when one dies."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from servers.supervisor import CRASHES
from tests.rediserver import RedisServer
from tests.servers.conftest import Caller
from tests.servers.test_main import run
from tests.serving import END_S, Server, ended, serving


@contextmanager
def two_workers(redis: RedisServer, key: str, stderr: int | None = None) -> Iterator[Server]:
    with serving(stderr=stderr, workers=2, redis=redis.url, redis_key=key) as server:
        yield server


def is_there(pid: int) -> bool:
    """Whether the process runs: one that has ended and was not waited for does not."""
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_the_ready_line_names_the_parent_and_its_workers_and_all_of_them_end_on_sigterm(redis: RedisServer) -> None:
    command = [sys.executable, "-m", "servers", "--port=0", "--workers=2", f"--redis={redis.url}", "--redis-key=ready"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with ended(process):
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready == {"ready": True, "port": ready["port"], "pid": process.pid, "pids": ready["pids"]}
        parents = [int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) for pid in ready["pids"]]
        assert parents == [process.pid] * 2
        with socket.create_connection(("127.0.0.1", ready["port"])):  # at once: that is what ready means
            pass
        taken = run(f"--port={ready['port']}")
        assert "Address already in use; --port 0 takes a free port" in taken.stderr
        process.terminate()
        assert process.communicate(timeout=END_S) == ("", "")
        assert process.returncode == -signal.SIGTERM
        assert [pid for pid in ready["pids"] if is_there(pid)] == []


def test_ctrl_c_ends_all_of_them_without_a_traceback(redis: RedisServer) -> None:
    with two_workers(redis, "ctrl-c", stderr=subprocess.PIPE) as server:
        for pid in (server.process.pid, *server.pids):  # a terminal tells everybody
            os.kill(pid, signal.SIGINT)
        assert server.process.wait(END_S) == 130
        assert server.process.stderr is not None
        assert server.process.stderr.read() == ""
        assert [pid for pid in server.pids if is_there(pid)] == []


def test_workers_end_with_a_parent_that_is_killed(redis: RedisServer) -> None:
    with two_workers(redis, "orphans") as server:
        server.process.kill()
        server.process.wait()
        while any(is_there(pid) for pid in server.pids):
            pass


async def test_a_worker_that_is_killed_is_told_and_started_again(redis: RedisServer, http: aiohttp.ClientSession) -> None:
    with two_workers(redis, "again", stderr=subprocess.PIPE) as server:
        ask = Caller(server, http)
        await ask.publish(b"1", b"2")
        os.kill(server.pids[0], signal.SIGKILL)
        assert server.process.stderr is not None
        assert server.process.stderr.readline() == (
            f"python -m servers: worker {server.pids[0]} ended by SIGKILL, and is started again\n"
        )
        workers: list[dict[str, int]] = []
        while len(workers) < 2:
            with suppress(aiohttp.ClientError):  # of the one that is gone
                async with ask.get("/status") as response:
                    workers = (await response.json())["workers"]
        assert server.pids[0] not in {worker["pid"] for worker in workers}
        assert server.pids[1] in {worker["pid"] for worker in workers}
        assert [worker["last_id"] for worker in workers] == [2, 2]
        assert await ask.publish(b"3") == 3


def test_a_redis_that_is_not_there_is_one_line_with_the_way_out() -> None:
    for workers in (1, 2):
        refused = run("--port=0", f"--workers={workers}", "--redis=redis://:secret@127.0.0.1:1/0")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert len(refused.stderr.splitlines()) == 1
        assert refused.stderr.startswith("python -m servers: the backplane redis://127.0.0.1:1/0 cannot be used: ")
        assert refused.stderr.endswith("; start a Redis there, or name another with --redis\n")


def test_workers_that_cannot_even_start_end_the_server_with_one_line(tmp_path: Path) -> None:
    """As they would if the interpreter's environment were broken."""
    (tmp_path / "uvicorn.py").write_text("raise SystemExit(7)")
    command = [sys.executable, "-m", "servers", "--port=0", "--workers=2", "--redis=redis://127.0.0.1:1/0"]
    process = subprocess.run(
        command, capture_output=True, text=True, timeout=END_S, env=os.environ | {"PYTHONPATH": str(tmp_path)}
    )
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr == (
        "python -m servers: a worker ended with exit code 7 before it was ready: what it printed says why\n"
    )


@pytest.mark.slow
def test_a_worker_that_can_not_be_started_again_and_again_ends_the_server(redis: RedisServer, tmp_path: Path) -> None:
    """uvicorn is there for those that are started first, and not any more when they are killed."""
    broken = tmp_path / "uvicorn.py"
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "servers", "--port=0", "--workers=2", f"--redis={redis.url}", "--redis-key=broken"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    with ended(process):
        assert process.stdout is not None
        pids = json.loads(process.stdout.readline())["pids"]
        broken.write_text("raise SystemExit(7)")
        os.kill(pids[0], signal.SIGKILL)
        _, said = process.communicate(timeout=END_S)
        assert process.returncode == 1
        assert len(said.splitlines()) == 1 + (CRASHES - 1) + 1
        assert said.splitlines()[-1] == (
            f"python -m servers: a worker ended with exit code 7 before it was ready, {CRASHES} times in a row: "
            "what it printed says why"
        )
        assert not is_there(pids[1])
