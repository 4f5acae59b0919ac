"""Probes: what they say of processes is what those processes are known to have done."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pushbench import probes
from pushbench.probes import ProbeError

MIB = 2**20
HOLD_MIB = 64
HOLDING = f"""
import sys
print("started", flush=True)
sys.stdin.readline()
held = bytearray(b"x" * {HOLD_MIB * MIB})
print("holding", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def holder() -> Iterator[subprocess.Popen[str]]:
    """A process that says that it has started and, when it gets a line, takes memory and says so."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_memory_that_a_process_takes_is_seen_from_outside(holder: subprocess.Popen[str]) -> None:
    assert line_of(holder) == "started"
    before = probes.user_bytes(holder.pid)
    assert holder.stdin is not None
    holder.stdin.write("\n")
    holder.stdin.flush()
    assert line_of(holder) == "holding"
    # The constant, the bytearray or both, as the interpreter likes; no other process has them.
    assert HOLD_MIB * MIB * 0.9 < probes.user_bytes(holder.pid) - before < HOLD_MIB * MIB * 3


def test_cpu_time_is_that_which_the_process_itself_knows_of() -> None:
    def own_ns() -> float:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return (used.ru_utime + used.ru_stime) * 1e9

    before = own_ns()
    seen = probes.cpu_ns(os.getpid())
    after = own_ns()
    tick_ns = 20e6  # getrusage may be scaled to ticks
    assert before - tick_ns <= seen <= after + tick_ns


def test_cpu_time_grows_with_work() -> None:
    before = probes.cpu_ns(os.getpid())
    assert sum(range(200_000)) > 0
    assert probes.cpu_ns(os.getpid()) > before


@pytest.fixture
def ended() -> int:
    """The id of a process that is gone."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_a_process_that_is_gone_is_told_as_such(ended: int) -> None:
    with pytest.raises(ProbeError, match=f"process {ended} cannot be read: .*; has it ended"):
        probes.cpu_ns(ended)
    with pytest.raises(ProbeError, match=f"/proc/{ended}/smaps_rollup cannot be read"):
        probes.user_bytes(ended)


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small /proc of its own."""
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "sockstat").write_text(
        "sockets: used 9\nTCP: inuse 5 orphan 0 tw 1 alloc 6 mem 3\nUDP: inuse 0 mem 8\n"
    )
    (tmp_path / "meminfo").write_text("MemTotal:  9999 kB\nSlab:       120 kB\nSReclaimable:   80 kB\n")
    monkeypatch.setattr(probes, "PROC", tmp_path)
    return tmp_path


def test_kernel_memory_is_that_of_the_caches_of_sockets_and_the_pages_of_tcp(proc: Path) -> None:
    (proc / "slabinfo").write_text(
        "slabinfo - version: 2.1\n"
        "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>\n"
        "TCP                  10     13   2368   13    8 : tunables    0    0    0\n"
        "filp                100    126    192   21    1 : tunables    0    0    0\n"
        "ext4_inode_cache    900    999   1184   27    8 : tunables    0    0    0\n"
    )
    assert probes.kernel_bytes() == 10 * 2368 + 100 * 192 + 3 * 4096
    assert probes.kernel_source() == "slabinfo"


def test_where_the_caches_cannot_be_read_kernel_memory_is_all_of_the_slab(proc: Path) -> None:
    assert not (proc / "slabinfo").exists()
    assert probes.kernel_bytes() == 120 * 1024 + 3 * 4096
    assert probes.kernel_source() == "meminfo"


def test_user_memory_is_what_is_private(proc: Path) -> None:
    (proc / "7").mkdir()
    (proc / "7" / "smaps_rollup").write_text(
        "00400000-7ffe r--p 00000000 00:00 0    [rollup]\n"
        "Rss:   900 kB\nShared_Clean: 500 kB\nPrivate_Clean:   30 kB\nPrivate_Dirty:  200 kB\n"
    )
    assert probes.user_bytes(7) == 230 * 1024


def test_this_machine_can_be_read() -> None:
    assert probes.kernel_bytes() > 0


def test_running_and_waiting_are_told_of_each_thread(proc: Path) -> None:
    for thread, line in ((7, "100 2000 3"), (8, "5 70 1")):
        (proc / "7" / "task" / str(thread)).mkdir(parents=True)
        (proc / "7" / "task" / str(thread) / "schedstat").write_text(line + "\n")
    assert probes.threads_ns(7) == {7: (100, 2000), 8: (5, 70)}


def test_who_has_no_core_waits() -> None:
    """Two busy threads of one process on one core: each waits while the other runs."""
    core = min(os.sched_getaffinity(0))
    spin = f"import os\nos.sched_setaffinity(0, {{{core}}})\nprint(1, flush=True)\nwhile True: pass"
    with (
        subprocess.Popen([sys.executable, "-c", spin], stdout=subprocess.PIPE, text=True) as one,
        subprocess.Popen([sys.executable, "-c", spin], stdout=subprocess.PIPE, text=True) as other,
    ):
        try:
            assert line_of(one) == line_of(other) == "1"
            before = probes.threads_ns(one.pid)[one.pid][1]
            while probes.threads_ns(one.pid)[one.pid][1] == before:
                assert one.poll() is None
        finally:
            one.kill()
            other.kill()


def test_stolen_time_is_that_of_the_cores_that_are_asked_for(proc: Path) -> None:
    (proc / "stat").write_text("cpu  9 9 9 9 9 9 9 99 0 0\ncpu0 1 2 3 4 5 6 7 3 0 0\ncpu1 1 2 3 4 5 6 7 5 0 0\nintr 1\n")
    tick_ns = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    assert probes.steal_ns([1]) == {1: 5 * tick_ns}
    assert probes.steal_ns([0, 1]) == {0: 3 * tick_ns, 1: 5 * tick_ns}


def test_a_process_that_is_stopped_is_told_from_one_that_runs(holder: subprocess.Popen[str], ended: int) -> None:
    assert line_of(holder) == "started"
    assert not probes.is_stopped(holder.pid)
    holder.send_signal(signal.SIGSTOP)
    assert os.waitpid(holder.pid, os.WUNTRACED)[0] == holder.pid
    assert probes.is_stopped(holder.pid)
    assert not probes.is_stopped(ended)


def test_all_that_a_process_has_started_is_below_it_and_what_that_has_started_too() -> None:
    with subprocess.Popen(
        ["sh", "-c", "sleep 600 & sh -c 'sleep 600 & echo $!; wait'; wait"], stdout=subprocess.PIPE, text=True
    ) as shell:
        try:
            deepest = int(line_of(shell))
            below = probes.below(shell.pid)
            assert len(below) == 3
            assert below[-1] == deepest
        finally:
            for pid in (*probes.below(shell.pid), shell.pid):
                os.kill(pid, signal.SIGKILL)
