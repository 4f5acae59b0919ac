"""Readings: everything that the doctor looks at, read once. What it means for a measurement is not known here."""

import os
import time
from dataclasses import dataclass
from itertools import pairwise

from pushbench import bystanders, environment, machine, netem, probes
from pushbench.bystanders import Activity
from pushbench.machine import Frequency

CLOCK_ROUNDS = 5
CLOCK_READS = 500
PORTS_TRIED = 64
"""As many as a run has beside those of its subscribers (`diagnosis.PORTS_BESIDE`)."""


@dataclass(frozen=True, slots=True)
class Readings:
    """A machine at one moment. None is what it does not tell."""

    cpu: str | None
    kernel: str
    memory_gib: float
    cores: tuple[int, ...]
    """Those that this process may use."""
    cores_online: int | None
    siblings: dict[int, tuple[int, ...]]
    """For each of the cores, the hyperthreads of the same physical core; a core that is not there told nothing."""
    cpu_quota: float | None
    """How many cores' time the control group may use; None without a limit."""
    frequency: Frequency
    hypervisor: str | None
    activity: Activity
    stolen_since_boot: float | None
    load_average: float | None
    """Over the last minute."""
    clock: str | None
    clocks: tuple[str, ...]
    """Those that could be chosen."""
    clock_read_ns: float
    """What one `time.monotonic_ns()` takes."""
    clock_step_ns: int
    """The smallest step between two of them that differ."""
    memory_available_bytes: int | None
    swap_used_bytes: int | None
    open_files: int
    """How many a process may have open, raised as far as it may be."""
    ports: int | None
    """How many the kernel has for outgoing connections, and for servers that take any."""
    ports_taken: int
    ports_free: int
    """How many of `PORTS_TRIED` a server could have at an address of loopback now."""
    ports_in_time_wait: int
    """Of those that are taken."""
    somaxconn: int | None
    congestion_control: str | None
    loopback_mtu: int | None
    netem: str
    """Why the kernel's emulation of networks cannot be used; empty if it can."""
    probes: str
    """What keeps memory or CPU from being read; empty if nothing does."""
    kernel_memory_from: str | None


def take() -> Readings:
    """Read everything; takes `bystanders.LOOK_S` and a few milliseconds."""
    cores = tuple(sorted(os.sched_getaffinity(0)))
    memory = machine.memory_bytes()
    sockets = machine.tcp_sockets()
    read_ns, step_ns = clock_grain()
    somaxconn = machine.number("proc/sys/net/core/somaxconn")
    broken = _probes_broken()
    return Readings(
        cpu=machine.of_cpuinfo("model name"),
        kernel=os.uname().release,
        memory_gib=environment.memory_gib(),
        cores=cores,
        cores_online=machine.cores_online(),
        siblings={core: found for core in cores if (found := machine.siblings(core))},
        cpu_quota=machine.cpu_quota(),
        frequency=machine.frequency(cores),
        hypervisor=machine.hypervisor(),
        activity=bystanders.watch(),
        stolen_since_boot=bystanders.stolen_since_boot(),
        load_average=environment.load_average()[0],
        clock=machine.text(f"{machine.CLOCKS}/current_clocksource"),
        clocks=tuple((machine.text(f"{machine.CLOCKS}/available_clocksource") or "").split()),
        clock_read_ns=read_ns,
        clock_step_ns=step_ns,
        memory_available_bytes=memory.get("MemAvailable"),
        swap_used_bytes=memory["SwapTotal"] - memory["SwapFree"] if {"SwapTotal", "SwapFree"} <= memory.keys() else None,
        open_files=environment.raise_file_limit(),
        ports=machine.ports(),
        ports_free=machine.free_ports(PORTS_TRIED),
        ports_taken=sockets.get("inuse", 0) + sockets.get("tw", 0),
        ports_in_time_wait=sockets.get("tw", 0),
        somaxconn=somaxconn,
        congestion_control=machine.text("proc/sys/net/ipv4/tcp_congestion_control"),
        loopback_mtu=machine.number("sys/class/net/lo/mtu"),
        netem=netem.unusable(),
        probes=broken,
        kernel_memory_from=None if broken else probes.kernel_source(),
    )


def clock_grain() -> tuple[float, int]:
    """What one reading of the clock takes, at best, and the smallest step that it was seen to make; in nanoseconds."""
    now = time.monotonic_ns
    best, step = float("inf"), 10**9
    for _ in range(CLOCK_ROUNDS):
        seen = [now() for _ in range(CLOCK_READS)]
        best = min(best, (seen[-1] - seen[0]) / (len(seen) - 1))
        step = min([later - earlier for earlier, later in pairwise(seen) if later > earlier] + [step])
    return best, step


def _probes_broken() -> str:
    try:
        probes.kernel_bytes()
        probes.user_bytes(os.getpid())
        probes.cpu_ns(os.getpid())
    except (probes.ProbeError, OSError, LookupError, ValueError) as error:
        return f"memory or CPU cannot be read: {error}"
    return ""
