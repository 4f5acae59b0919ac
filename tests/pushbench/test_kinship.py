"""Kinship: a child that asked for it ends with its parent, and nothing that a server has started outlives its keeper."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from pushbench.kinship import BY_SIGNAL, LET_GO, NOT_STARTED, below_a_keeper
from tests.pushbench.tiny import PYTHON

pytestmark = pytest.mark.slow

PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE, text=True)
print(child.stdout.readline(), flush=True)
child.wait()
"""
CHILD = """
import os, signal
from pushbench.kinship import end_with_parent
end_with_parent(os.getppid(), signal.SIGTERM)
print(os.getpid(), flush=True)
signal.pause()
"""
TOO_LATE = """
import signal, sys
from pushbench.kinship import end_with_parent
end_with_parent(int(sys.argv[1]), signal.SIGTERM)
print("it lives on")
"""
WAIT_S = 30
CORES = sorted(os.sched_getaffinity(0))


def test_a_child_does_not_outlive_its_killed_parent() -> None:
    with subprocess.Popen([PYTHON, "-c", PARENT, CHILD], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running()
        parent.send_signal(signal.SIGKILL)
        gone, alive = psutil.wait_procs([child], timeout=WAIT_S)
        for process in alive:
            process.kill()
    assert gone == [child]


def test_a_child_whose_parent_ended_before_it_asked_ends_at_once() -> None:
    someone_elses_pid = os.getppid()
    ended = subprocess.run([PYTHON, "-c", TOO_LATE, str(someone_elses_pid)], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (-signal.SIGTERM, "")


# The keeper

RUN = """
import subprocess, sys
from pushbench.kinship import below_a_keeper
subprocess.run(below_a_keeper(["sh", "-c", sys.argv[1]], [int(sys.argv[2])]), start_new_session=True)
"""
"""Stands in for a run: it starts a server, and waits."""

SERVERS = {
    "plain": "echo $$; exec sleep 600",
    "deaf to SIGTERM": "trap '' TERM; echo $$; while :; do sleep 600; done",
    "stopped": "echo $$; kill -STOP $$; sleep 600",
    "with a child before it became another program": "sleep 600 & echo $$ $!; exec sleep 600",
    "with children of children": "(sleep 600 & echo $!; sleep 600) & echo $$ $!; wait",
    "with a daemon of its own session": "setsid --fork sh -c 'echo $$; exec sleep 600'; echo $$; exec sleep 600",
    "with a child that is deaf and stopped": "sh -c 'trap \"\" TERM; kill -STOP $$' & echo $$ $!; wait",
}
"""Shell scripts that print their process id and those of what they start, and go on for ever."""


@contextmanager
def run_with(server: str) -> Iterator[tuple[subprocess.Popen[str], list[psutil.Process]]]:
    """A run with a server, and the processes below the run: the keeper, and those that the server has told of."""
    with subprocess.Popen([PYTHON, "-c", RUN, server, str(CORES[-1])], stdout=subprocess.PIPE, text=True) as run:
        below: list[psutil.Process] = []
        try:
            assert run.stdout is not None
            expected = server.count("$!") + server.count("echo $$")
            told: list[str] = []
            while len(told) < expected:
                told += run.stdout.readline().split()
            [keeper] = psutil.Process(run.pid).children()
            below = [keeper, *(psutil.Process(int(pid)) for pid in told)]
            yield run, below
        finally:
            run.kill()
            for process in psutil.wait_procs(below, timeout=WAIT_S)[1]:
                process.kill()


@pytest.mark.parametrize("server", SERVERS)
def test_nothing_of_a_server_outlives_a_run_that_is_killed(server: str) -> None:
    with run_with(SERVERS[server]) as (run, below):
        assert all(process.is_running() for process in below)
        run.send_signal(signal.SIGKILL)
        assert psutil.wait_procs(below, timeout=WAIT_S)[1] == []


@pytest.mark.parametrize("server", SERVERS)
def test_nothing_of_a_server_outlives_a_keeper_that_is_told_to_let_go(server: str) -> None:
    with run_with(SERVERS[server]) as (run, below):
        below[0].send_signal(LET_GO)
        assert run.wait(WAIT_S) == 0
        assert psutil.wait_procs(below, timeout=WAIT_S)[1] == []


def test_the_server_itself_ends_with_a_keeper_that_is_killed() -> None:
    with run_with(SERVERS["plain"]) as (run, below):
        below[0].kill()
        assert run.wait(WAIT_S) == 0
        assert psutil.wait_procs(below, timeout=WAIT_S)[1] == []


def kept(script: str) -> subprocess.Popen[str]:
    """A keeper of a shell script, of which this process is the run."""
    return subprocess.Popen(below_a_keeper(["sh", "-c", script], CORES[-1:]), stdout=subprocess.PIPE, text=True)


def test_what_is_left_of_a_server_that_has_ended_ends_with_it() -> None:
    with kept("sleep 600 & echo $!; exit 3") as keeper:
        assert keeper.stdout is not None
        child = psutil.Process(int(keeper.stdout.readline()))
        assert keeper.wait(WAIT_S) == 3
        assert not child.is_running()


def test_sigterm_is_handed_on_and_the_server_takes_its_time() -> None:
    with kept("trap 'echo bye; exit 4' TERM; echo up; while :; do sleep 0.01; done") as keeper:
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == "up\n"
        keeper.terminate()
        assert keeper.wait(WAIT_S) == 4
        assert keeper.stdout.read() == "bye\n"


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", BY_SIGNAL + signal.SIGKILL)])
def test_a_keepers_exit_code_is_that_of_its_server(script: str, code: int) -> None:
    with kept(script) as keeper:
        assert keeper.wait(WAIT_S) == code


def test_a_command_that_cannot_be_started_is_told_on_the_last_line(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program")
    for command, reason in (
        ("/no/such/server", "No such file or directory"),
        (str(tmp_path / "text"), "Permission denied"),
    ):
        ended = subprocess.run(below_a_keeper([command], CORES), capture_output=True, text=True)
        assert (ended.returncode, ended.stdout, ended.stderr) == (NOT_STARTED, f"{command}: {reason}\n", "")


def test_a_server_finds_signals_group_and_cores_as_if_nobody_kept_it() -> None:
    # Neither Python, which would ignore two signals, nor a shell, which blocks them now and then.
    command = ["cat", "/proc/self/status", "/proc/self/stat"]
    ended = subprocess.run(below_a_keeper(command, CORES[-1:]), capture_output=True, text=True, check=True)
    *lines, stat = ended.stdout.splitlines()
    status = dict(line.split(":\t", 1) for line in lines)
    here = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines())
    pythons = 1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1  # which every child of Python finds as they usually are
    for kind in ("SigBlk", "SigIgn"):  # of the 31 standard signals; above them are the C library's own
        assert int(status[kind], 16) & 0x7FFFFFFF == int(here[kind], 16) & 0x7FFFFFFF & ~pythons
    assert status["Cpus_allowed_list"] == str(CORES[-1])
    assert stat.rpartition(")")[2].split()[2] == status["Pid"]  # its process group
