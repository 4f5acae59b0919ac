"""Parents and children among processes: nothing that a run starts outlives it, however the run ends.

A load process is our own code, and asks the kernel for its end (`end_with_parent`). A server may be anyone's program: it
may be stopped, be deaf to SIGTERM, or have children, of whom the kernel would not know that they go with the run. So it is
started below a keeper:

    run ── keeper ── server ── whatever it starts

The keeper is a small process that sleeps while the server works. The kernel tells it when the run is gone, and hands it
every orphan below it, daemons too (it is their subreaper: prctl(2)). So it can kill all that is below until nothing is,
and needs to know neither names nor groups nor who is whose child.

This file is the keeper's program too, and imports little: a trial waits for it to start.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress

LET_GO = signal.SIGUSR1
"""Tells a keeper to kill all that is below it, at once. SIGTERM it hands on to the server, and waits.

Not SIGHUP: under nohup a process is born deaf to that.
"""
NOT_STARTED = 127
"""Exit code of a keeper whose command cannot be started, as a shell has it; the reason is the last line of its output."""
BY_SIGNAL = 128
"""Added to the number of the signal that ended the server, it is the keeper's exit code, as a shell has it."""

_LIBC = ctypes.CDLL(None, use_errno=True)  # looked up before any fork, where little may be done
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def end_with_parent(parent_pid: int, with_signal: signal.Signals) -> None:
    """Called in a child: have the kernel send it this signal when its parent ends, or do so now if it has ended.

    The parent is the thread that started the child: it must be one that stays.
    """
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(with_signal))
    if os.getppid() != parent_pid:
        os.kill(os.getpid(), with_signal)


def below_a_keeper(command: Sequence[str], cores: Iterable[int]) -> list[str]:
    """The command that starts a keeper, which starts this command on these cores in a process group of its own.

    The keeper ends when the command has ended, and with its exit code; by then nothing is left of what it has started.
    """
    # Isolated, and without site-packages: it needs none, and no file that lies about may stand in for what it imports.
    here = [sys.executable, "-I", "-S", __file__, str(os.getpid()), ",".join(map(str, cores))]
    return [*here, *command]


def _keep(run_pid: int, cores: set[int], command: list[str]) -> int:
    """Be the keeper; returns its exit code."""
    heard = {signal.SIGTERM, signal.SIGCHLD, LET_GO}
    inherited = signal.pthread_sigmask(signal.SIG_BLOCK, heard)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.sched_setaffinity(0, cores)
    _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    end_with_parent(run_pid, LET_GO)
    server = _start(command, inherited)
    code = None
    while code is None:
        came = signal.sigwait(heard)
        if came == signal.SIGTERM:
            with suppress(ProcessLookupError):
                os.killpg(server, signal.SIGTERM)
        elif came == signal.SIGCHLD:
            code = _reap(server)
        else:
            code = BY_SIGNAL + signal.SIGKILL
    _end_all_below()
    return code


def _start(command: list[str], mask: set[signal.Signals | int]) -> int:
    """Start the server; returns its process id, which is its group's too."""
    keeper = os.getpid()
    pid = os.fork()
    if pid:
        with suppress(PermissionError):  # it has done so itself, and has become another program meanwhile
            os.setpgid(pid, pid)  # here too, so that a signal to the group finds it whoever comes first
        return pid
    try:
        os.setpgid(0, 0)
        end_with_parent(keeper, signal.SIGKILL)
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # by Python, and by nobody else
            signal.signal(ignored, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", flush=True)
    os._exit(NOT_STARTED)


def _reap(server: int) -> int | None:
    """Take note of every child that has ended; returns the server's exit code if it was among them."""
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if pid == 0:
            return code
        if pid == server:
            ended = os.waitstatus_to_exitcode(status)
            code = ended if ended >= 0 else BY_SIGNAL - ended


def _end_all_below() -> None:
    """Kill every child until there is none: the children of one that has ended are the keeper's, and are next."""
    while True:
        for pid in _children():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    """The processes whose parent this one is."""
    from pathlib import Path  # which would make a third of what a trial waits for the keeper

    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            # pid (name) state parent …, where the name may hold anything (proc(5)).
            parent = path.read_bytes().rpartition(b")")[2].split()[1]
            if int(parent) == os.getpid():
                found.append(int(path.parent.name))
    return found


if __name__ == "__main__":
    _, run_pid_, cores_, *command_ = sys.argv
    os._exit(_keep(int(run_pid_), {int(core) for core in cores_.split(",")}, command_))
