"""Kinship: a child that asked for it ends with its parent, even if that is killed, and even if it was before the asking."""

import os
import signal
import subprocess

import psutil

from tests.pushbench.tiny import PYTHON

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
