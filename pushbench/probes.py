"""Probes: memory and CPU of a process, read from outside it, through /proc. Linux only."""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class ProbeError(Exception):
    """Something that the kernel should tell could not be read."""


def user_bytes(pid: int) -> int:
    """The unique set size (USS) of a process: memory that would be free if it alone ended.

    RSS also counts pages of libraries that every process of the machine shares.
    """
    return 1024 * sum(_kilobytes(PROC / str(pid) / "smaps_rollup", "Private_Clean", "Private_Dirty"))


SOCKET_CACHES = frozenset(
    {
        "TCP",
        "TCPv6",
        "sock_inode_cache",
        "filp",
        "eventpoll_epi",
        "eventpoll_pwq",
        "lsm_inode_cache",
        "lsm_file_cache",
    }
)
"""The slab caches that belong to open sockets. Each socket also has a directory entry, in a cache that it shares with all
files; so one is added for each inode of a socket. On Linux 6.18 that makes 99 % of what 4,000 sockets take."""


def kernel_bytes() -> int:
    """What the kernel holds for this host's sockets: their slab caches, and the pages in TCP's queues.

    It is of the whole host, so only differences mean anything. No connection's share of it is in any process's memory.
    Without the right to read the caches one by one (root's), it is all of the slab, to which files add their noise.
    """
    if (slab := _socket_caches()) is None:
        [kilobytes] = _kilobytes(PROC / "meminfo", "Slab")
        slab = 1024 * kilobytes
    return slab + PAGE_BYTES * _pages("TCP")


def below(pid: int) -> list[int]:
    """The processes that a process has started and those that these have, each before its own."""
    found: dict[int, list[int]] = {}
    for path in PROC.glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            # pid (name) state parent …, where the name may hold anything (proc(5)).
            parent = int(path.read_bytes().rpartition(b")")[2].split()[1])
            found.setdefault(parent, []).append(int(path.parent.name))
    below, at = [pid], 0
    while at < len(below):
        below += sorted(found.get(below[at], ()))
        at += 1
    return below[1:]


def queue_bytes() -> int:
    """What the kernel holds in the queues of this host's sockets of TCP and UDP, in whole pages."""
    return PAGE_BYTES * (_pages("TCP") + _pages("UDP"))


def cpu_ns(pid: int) -> int:
    """CPU time, user and system, of a process and all its threads so far.

    From its CPU-time clock, in nanoseconds: /proc/PID/stat counts in ticks of 10 ms, too coarse for a short window.
    """
    try:
        return time.clock_gettime_ns((~pid << 3) | 2)  # MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED) of the kernel's ABI
    except OSError as error:
        raise ProbeError(f"the CPU clock of process {pid} cannot be read: {error.strerror}; has it ended?") from None


def user_and_system(pid: int) -> tuple[int, int]:
    """CPU time of a process and all its threads so far, spent in its own code and in the kernel, in ticks of 10 ms.

    For how it is divided; how much it is, `cpu_ns` says better.
    """
    path = PROC / str(pid) / "stat"
    try:
        words = path.read_text().rpartition(")")[2].split()
    except OSError as error:
        raise ProbeError(f"{path} cannot be read: {error.strerror}; has process {pid} ended?") from None
    return int(words[11]), int(words[12])


def threads_ns(pid: int) -> dict[int, tuple[int, int]]:
    """How long each thread of a process ran, and was ready to run while something else had its core, so far; by thread id.

    Nanoseconds; the first two figures of /proc/PID/task/TID/schedstat. What has it may be another thread of the process.
    """
    threads = {}
    for thread in (PROC / str(pid) / "task").glob("*/schedstat"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            ran_ns, waited_ns, _ = map(int, thread.read_text().split())
            threads[int(thread.parent.name)] = ran_ns, waited_ns
    return threads


def steal_ns(cores: Iterable[int]) -> dict[int, int]:
    """How long the hypervisor had each of these cores run something else, so far; to a tick, 10 ms."""
    tick_ns = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    names = {f"cpu{core}": core for core in cores}
    lines = (line.split() for line in (PROC / "stat").read_text().splitlines())
    return {names[words[0]]: int(words[8]) * tick_ns for words in lines if words and words[0] in names}


def is_stopped(pid: int) -> bool:
    """Whether the process is stopped, as by SIGSTOP or a debugger; False if it has ended."""
    try:
        after_name = (PROC / str(pid) / "stat").read_text().rpartition(")")[2]
    except OSError:
        return False
    return after_name.split()[0] in "Tt"


def kernel_source() -> str:
    """Where `kernel_bytes` looks: `slabinfo` (the caches of sockets alone) or `meminfo` (the whole slab)."""
    return "meminfo" if _socket_caches() is None else "slabinfo"


def _socket_caches() -> int | None:
    try:
        lines = (PROC / "slabinfo").read_text().splitlines()[2:]
    except OSError:
        return None
    rows = [line.split() for line in lines]
    active = {row[0]: int(row[1]) for row in rows}
    size_bytes = {row[0]: int(row[3]) for row in rows}
    entries = active.get("sock_inode_cache", 0) * size_bytes.get("dentry", 0)
    return entries + sum(active[name] * size_bytes[name] for name in SOCKET_CACHES & active.keys())


def _kilobytes(path: Path, *names: str) -> list[int]:
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise ProbeError(f"{path} cannot be read: {error.strerror}") from None
    values = {name: value for name, _, value in (line.partition(":") for line in lines)}
    return [int(values[name].removesuffix("kB")) for name in names]


def _pages(protocol: str) -> int:
    for line in (PROC / "net" / "sockstat").read_text().splitlines():
        if line.startswith(f"{protocol}:"):
            words = line.split()
            return int(words[words.index("mem") + 1])
    return 0
