"""The target: waited for by its ready line, ended with all that it started, and quoted when it fails."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from pushbench import target as targets
from pushbench.target import LAST_LINES, NO_READY_LINE, Target, TargetFailed, filled, running
from tests.pushbench.tiny import GOOD_SERVER, nothing_left_over, ready_on, shell

CORES = sorted(os.sched_getaffinity(0))


async def failure(target: Target) -> str:
    with nothing_left_over(), pytest.raises(TargetFailed) as error:
        async with running(target, CORES):
            pytest.fail("it became ready")
    return str(error.value)


async def test_the_servers_own_port_and_process_are_known_once_it_is_ready() -> None:
    with nothing_left_over():
        async with running(GOOD_SERVER, CORES[:1]) as server:
            process = psutil.Process(server.pid)
            assert process.cmdline()[1:3] == ["-m", "servers"]
            assert process.cpu_affinity() == CORES[:1]
            listening = {one.laddr.port for one in process.net_connections("tcp") if one.status == psutil.CONN_LISTEN}
            assert listening == {server.port}


async def test_what_is_printed_before_and_after_the_ready_line_does_no_harm() -> None:
    chatter = """printf 'hello\\n[1]\\n{"ready": false}\\n{"ready": true}\\n7\\n'; """
    ready = ready_on(4711)
    async with running(shell(chatter + ready.command[-1]), CORES) as server:
        assert server.port == 4711


async def test_a_server_may_name_processes_beside_the_one_that_is_ready() -> None:
    ready = """echo '{"ready": true, "port": 4711, "pid": '$$', "pids": ['$$', 12, 13]}'; exec sleep 600"""
    async with running(shell(ready), CORES) as server:
        assert server.pids == (server.pid, 12, 13)
    async with running(shell(ready_on(4711).command[-1]), CORES) as server:
        assert server.pids == (server.pid,)


async def test_a_server_is_told_to_listen_where_it_is_to_be_reached() -> None:
    async with running(GOOD_SERVER.at("127.0.0.2"), CORES) as server:
        assert server.host == "127.0.0.2"
        socket.create_connection((server.host, server.port)).close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port))


async def test_a_command_that_is_not_there_is_named() -> None:
    said = await failure(Target("mine", ("/no/such/server",)))
    assert said == "the server mine cannot be started: /no/such/server: No such file or directory"


async def test_of_a_server_that_ends_before_it_is_ready_code_and_last_lines_are_told() -> None:
    said = await failure(shell("echo port taken; echo giving up >&2; exit 3", name="mine"))
    assert said == "the server mine ended with exit code 3 before it was ready; its last lines: port taken | giving up"


async def test_only_the_last_lines_are_told() -> None:
    said = await failure(shell("for n in $(seq 1 99); do echo line $n.; done; exit 1"))
    assert said.endswith(" | line 99.")
    assert said.count("line ") == LAST_LINES


async def test_a_server_that_says_nothing_and_ends_is_told_as_such() -> None:
    assert (await failure(shell("exit 0"))).endswith("ended with exit code 0 before it was ready; it printed nothing")


async def test_a_server_that_is_never_ready_is_given_up_and_ended() -> None:
    said = await failure(replace(shell("echo thinking; exec sleep 600"), ready_timeout_s=0.2))
    assert said == f"the server fake was not ready after 0.2 s ({NO_READY_LINE}); its last lines: thinking"


async def test_a_server_that_closes_its_output_and_hangs_is_given_up_too() -> None:
    said = await failure(replace(shell("exec >/dev/null 2>&1; exec sleep 600"), ready_timeout_s=0.2))
    assert said == f"the server fake was not ready after 0.2 s ({NO_READY_LINE}); it printed nothing"


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    """Every process that the loop starts, as the loop knows it: the keepers."""
    started: list[Process] = []
    create = asyncio.create_subprocess_exec

    async def create_and_note(*command: Any, **options: Any) -> Process:
        started.append(await create(*command, **options))
        return started[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", create_and_note)
    return started


async def killed_within(target: Target, processes: list[Process], then: Exception | None = None) -> None:
    """Run a target, kill it, and leave it when its end is known, or at once with an exception."""
    async with running(target, CORES) as server:
        os.kill(server.pid, signal.SIGKILL)
        if then:
            raise then
        await processes[0].wait()


async def test_a_server_that_ends_during_the_trial_is_told_with_its_last_lines(processes: list[Process]) -> None:
    dies = shell("""printf '{"ready": true, "port": 1, "pid": %s}\nout of memory\n' $$; exec sleep 600""")
    with nothing_left_over(), pytest.raises(TargetFailed) as error:
        await killed_within(dies, processes)
    assert str(error.value) == "the server fake ended with exit code -9 during the trial; its last lines: out of memory"


async def test_that_the_server_ended_explains_whatever_went_wrong_of_it_and_was_known_first(
    processes: list[Process],
) -> None:
    with pytest.raises(TargetFailed, match="ended with exit code -9 during the trial") as error:
        await killed_within(ready_on(1), processes, ConnectionResetError("the connection broke"))
    assert isinstance(error.value.__cause__, ConnectionResetError)


@pytest.mark.parametrize(("script", "code"), [("exit 255", 255), ("kill -TERM $$", -15), ("exit 1", 1)])
async def test_an_exit_code_is_told_as_it_was_and_a_signal_as_negative(script: str, code: int) -> None:
    assert f"ended with exit code {code} before" in await failure(shell(script))


async def test_what_goes_wrong_while_the_server_lives_is_not_its_fault() -> None:
    with nothing_left_over(), pytest.raises(ConnectionResetError):
        async with running(ready_on(1), CORES):
            raise ConnectionResetError("the connection broke")


async def test_a_server_that_ignores_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "STOP_TIMEOUT_S", 0.1)
    with nothing_left_over():
        async with running(shell(f"trap '' TERM; {ready_on(1).command[-1]}"), CORES):
            pass


@pytest.mark.parametrize(
    "start", ["sleep 600 & echo $! >{}", "setsid --fork sh -c 'echo $$ >{}; exec sleep 600' & wait $!"]
)
async def test_what_the_server_started_is_ended_with_it(start: str, tmp_path: Path) -> None:
    child = tmp_path / "child"
    waits = f"""while ! [ -s {child} ]; do sleep 0.01; done; echo '{{"ready": true, "port": 1, "pid": '$$'}}'; sleep 600"""
    async with running(shell(f"{start.format(child)}; {waits}"), CORES):
        process = psutil.Process(int(child.read_text()))
        assert process.is_running()
    assert psutil.wait_procs([process], timeout=30) == ([process], [])


async def test_a_server_has_no_terminal_to_read_from() -> None:
    async with running(shell(f"cat; {ready_on(1).command[-1]}"), CORES):  # which waits for the end of its input
        pass


# When the run is told to end

STUBBORN = f"trap '' TERM; {ready_on(1).command[-1]}"


async def test_a_server_that_nobody_waits_for_any_more_is_not_asked_to_end_but_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(targets, "STOP_TIMEOUT_S", 600.0)
    with nothing_left_over(), pytest.raises(asyncio.CancelledError):
        async with running(shell(STUBBORN), CORES):
            raise asyncio.CancelledError


async def test_a_stop_that_is_itself_cut_off_leaves_nothing_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "STOP_TIMEOUT_S", 600.0)
    ready = asyncio.Event()

    async def use() -> None:
        async with running(shell(STUBBORN), CORES):
            ready.set()

    with nothing_left_over():
        using = asyncio.create_task(use())
        await ready.wait()
        using.cancel()  # it is at the end of the block by now, and waits for a server that does not end
        with pytest.raises(asyncio.CancelledError):
            await using


ANSWERS = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(404 if self.path == "/ready" else 500)
        self.end_headers()
    def do_POST(self):
        said = self.rfile.read(int(self.headers["content-length"]))
        open(sys.argv[2], "wb").write(said)
        self.send_response(201 if said == b"hello" else 500)
        self.end_headers()
    def log_message(self, *arguments): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def answering(tmp_path: Path, **changes: Any) -> Target:
    """A server that says nothing of itself, and is ready when it answers; below a shell."""
    command = ("sh", "-c", f"{sys.executable} {{directory}}/server.py {{port}} {tmp_path}/posted & wait")
    return replace(Target("mine", command, files={"server.py": ANSWERS}, ready_path="/ready"), **changes)


async def test_a_server_that_says_nothing_is_ready_when_it_answers_and_all_its_processes_are_its_own(
    tmp_path: Path,
) -> None:
    with nothing_left_over():
        async with running(answering(tmp_path), CORES[:1]) as server:
            socket.create_connection((server.host, server.port)).close()
            names = [psutil.Process(pid).name() for pid in server.pids]
            assert names[0] == "sh"
            assert len(names) == 2


async def test_its_first_message_is_posted_before_anybody_comes(tmp_path: Path) -> None:
    async with running(answering(tmp_path, first_message="hello"), CORES):
        assert (tmp_path / "posted").read_bytes() == b"hello"
    said = await failure(answering(tmp_path, first_message="no", publish={"post": "/in"}))
    assert said == "the server mine did not answer to its first message, posted to /in"


async def test_one_that_ends_before_it_answers_is_told_with_its_last_words(tmp_path: Path) -> None:
    said = await failure(replace(shell("echo I cannot; exit 3"), ready_path="/ready"))
    assert said == "the server fake ended with exit code 3 before it was ready; its last lines: I cannot"


async def test_one_that_never_answers_is_given_up() -> None:
    said = await failure(replace(shell("exec sleep 600"), ready_path="/ready", ready_timeout_s=0.1))
    assert said == "the server fake was not ready after 0.1 s (/ready was not answered); it printed nothing"


async def test_a_server_that_is_there_already_is_not_started_and_has_no_processes() -> None:
    async with running(Target("mine", (), url="https://push.example/feed"), CORES) as server:
        assert (server.host, server.port, server.pids) == ("push.example", 443, ())
        assert not server.exited.done()


@pytest.mark.parametrize(
    ("text", "is_"),
    [
        ("{port}", "80"),
        ("a{port}b{port}", "a80b80"),
        ("events { worker {port} }", "events { worker 80 }"),
        ("{other}", "{other}"),
    ],
)
def test_only_known_names_are_filled_in(text: str, is_: str) -> None:
    assert filled(text, {"port": "80"}) == is_
