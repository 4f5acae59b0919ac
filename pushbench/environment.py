"""The environment of a run: what another run must share for the two to be compared. Read once, kept with the results.

What varies by the minute is kept apart, as the moment at which a run began: a run that is resumed is resumed at another
moment of the same environment. Neither has names of hosts or users, or paths.
"""

import hashlib
import os
import platform
import resource
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path
from typing import Any

from pushbench import bystanders, machine, probes
from pushbench.placement import Placement, place

PACKAGES = (
    # the server
    "starlette",
    "anyio",
    "uvicorn",
    "httptools",
    "websockets",
    "sse-starlette",
    "uvloop",
    "redis",
    "hiredis",
    "brotli",
    # servers of others
    "hypercorn",
    "h11",
    "h2",
    "wsproto",
    "granian",
    # the swarm
    "aiohttp",
    "aiosignal",
    "frozenlist",
    "multidict",
    "propcache",
    "yarl",
    "aiohappyeyeballs",
    # what is made of the recordings
    "hdrhistogram",
    "numpy",
    "pyarrow",
)
"""The libraries that a message passes on its way, or a number on its: whose versions change what is measured."""

_SYSCTLS = {
    "congestion_control": "net/ipv4/tcp_congestion_control",
    "somaxconn": "net/core/somaxconn",
    "port_range": "net/ipv4/ip_local_port_range",
    "tcp_rmem": "net/ipv4/tcp_rmem",
    "tcp_wmem": "net/ipv4/tcp_wmem",
    "tcp_notsent_lowat": "net/ipv4/tcp_notsent_lowat",
    "tcp_slow_start_after_idle": "net/ipv4/tcp_slow_start_after_idle",
    "tcp_tw_reuse": "net/ipv4/tcp_tw_reuse",
    "rmem_max": "net/core/rmem_max",
    "wmem_max": "net/core/wmem_max",
}

_PYTHON_SWITCHES = ("PYTHONMALLOC", "PYTHONDEVMODE", "PYTHONASYNCIODEBUG", "PYTHONTRACEMALLOC", "PYTHON_GIL", "PYTHON_JIT")
"""Variables that change how fast Python is, or what it takes; those with paths in them are left out."""

GROUPS: dict[str, tuple[str, ...]] = {
    "Processor": (
        "cpu",
        "architecture",
        "machine",
        "hypervisor",
        "cores_online",
        "cores",
        "hyperthreads",
        "cpu_quota",
        "frequency_driver",
        "frequency_governor",
        "frequency_boost",
        "frequency_mhz",
        "mitigations",
    ),
    "Memory": ("memory_gib", "swap_gib", "transparent_hugepages"),
    "Kernel": ("kernel", "distribution", "libc", "clock", "open_files", "kernel_memory_from"),
    "Network": (*_SYSCTLS, "loopback_mtu", "loopback_qdisc"),
    "Python": ("python", "python_implementation", "python_compiler", "python_build", "python_switches"),
    "Code": ("pushbench", "commit", *PACKAGES),
}
"""The names of `describe`, as a reader looks for them."""

CHECKOUT = Path(__file__).resolve().parent.parent


def describe() -> dict[str, Any]:
    """What this machine, its kernel and this installation are. Unknown values are None."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    cores = sorted(os.sched_getaffinity(0))
    frequency = machine.frequency(_used())
    memory = machine.memory_bytes()
    return {
        "cpu": machine.of_cpuinfo("model name"),
        "architecture": platform.machine(),
        "machine": machine.model(),
        "hypervisor": machine.hypervisor(),
        "cores_online": machine.cores_online(),
        "cores": len(cores),
        "hyperthreads": _hyperthreads(_used()),
        "cpu_quota": machine.cpu_quota() or "none",
        "frequency_driver": frequency.driver,
        "frequency_governor": ", ".join(frequency.governors) or None,
        "frequency_boost": frequency.boost,
        "frequency_mhz": "–".join(map(str, frequency.range_mhz)) if frequency.range_mhz else None,
        "mitigations": _mitigations(),
        "memory_gib": memory_gib(),
        "swap_gib": _gib(memory.get("SwapTotal")),
        "transparent_hugepages": machine.chosen("sys/kernel/mm/transparent_hugepage/enabled"),
        "kernel": platform.release(),
        "distribution": _distribution(),
        "libc": _libc(),
        "clock": machine.text(f"{machine.CLOCKS}/current_clocksource"),
        "open_files": soft,
        "kernel_memory_from": probes.kernel_source(),
        **{name: machine.line(f"proc/sys/{path}") for name, path in _SYSCTLS.items()},
        "loopback_mtu": machine.number("sys/class/net/lo/mtu"),
        "loopback_qdisc": machine.loopback_qdisc(),
        "python": python(),
        "python_implementation": platform.python_implementation(),
        "python_compiler": platform.python_compiler(),
        "python_build": _python_build(),
        "python_switches": " ".join(f"{name}={os.environ[name]}" for name in _PYTHON_SWITCHES if name in os.environ)
        or "none",
        "pushbench": _version("pushbench"),
        "commit": _commit(),
        **{name: _version(name) for name in PACKAGES},
    }


def describe_moment() -> dict[str, Any]:
    """How the machine was doing just now: who else was at work, and what was free. Takes `bystanders.LOOK_S`."""
    cores = _used()
    activity = bystanders.watch()
    memory = machine.memory_bytes()
    return {
        "load_average": load_average(),
        "busy_percent": {str(core): _percent(activity.busy.get(core)) for core in cores},
        "stolen_percent": {str(core): _percent(activity.stolen.get(core)) for core in cores},
        "waiting_for_a_core_percent": _percent(activity.waiting),
        "frequency_mhz": {str(core): machine.megahertz(core) for core in cores},
        "memory_available_gib": _gib(memory.get("MemAvailable")),
        "swap_free_gib": _gib(memory.get("SwapFree")),
        "sockets_in_time_wait": machine.tcp_sockets().get("tw"),
    }


def memory_gib() -> float:
    """The machine's memory."""
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)


def load_average() -> list[float | None]:
    """Over 1, 5 and 15 minutes."""
    try:
        return [round(load, 2) for load in os.getloadavg()]
    except OSError:
        return [None] * 3


def raise_file_limit() -> int:
    """Let this process and its children open as many files as they may; returns that number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def placed() -> Placement:
    """Which process runs on which of the cores that this one may use."""
    cores = sorted(os.sched_getaffinity(0))
    return place(cores, machine.siblings(cores[0]) or ())


def code() -> str:
    """Which pushbench this is: its version and, in a checkout, the commit."""
    return " ".join(filter(None, (_version("pushbench"), _commit())))


def python() -> str:
    """Which Python runs it."""
    return platform.python_version()


def _used() -> list[int]:
    """The cores that a run takes of those that it may use."""
    plan = placed()
    return sorted({*plan.server, *plan.swarm, *plan.publisher})


def _hyperthreads(cores: list[int]) -> str | None:
    """Which cores share a physical one with those that are used: `0: 0, 8; 1: 1, 9`, or `none`."""
    found = {core: machine.siblings(core) for core in cores}
    if not all(found.values()):
        return None
    shared = [f"{core}: {', '.join(map(str, threads))}" for core, threads in found.items() if threads and len(threads) > 1]
    return "; ".join(shared) or "none"


def _mitigations() -> str | None:
    """The flaws that this processor has, by what the kernel does about them, and what it was told to do at its start."""
    found = machine.vulnerabilities()
    parts = [
        f"{state}: {', '.join(name for name, its in found.items() if its == state)}"
        for state in ("mitigated", "vulnerable")
        if state in found.values()
    ]
    options = (machine.text("proc/cmdline") or "").split()
    parts += [option for option in options if option.startswith("mitigations=")]
    return "; ".join(parts) or None


def _gib(size_bytes: int | None) -> float | None:
    return None if size_bytes is None else round(size_bytes / 2**30, 1)


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)


def _distribution() -> str | None:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME")
    except OSError:
        return None


def _libc() -> str | None:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION")
    except (OSError, ValueError):  # musl has no such name
        return None


def _python_build() -> str:
    """What Python was built with that changes its speed. Its full options have paths in them."""
    options = str(sysconfig.get_config_var("CONFIG_ARGS") or "")
    jit = getattr(sys, "_jit", None)  # since Python 3.14
    with_gil = getattr(sys, "_is_gil_enabled", lambda: True)()  # since Python 3.13
    return ", ".join(
        [
            "GIL" if with_gil else "no GIL",
            "JIT" if jit is not None and jit.is_enabled() else "no JIT",
            "profile-guided" if "--enable-optimizations" in options else "not profile-guided",
            "LTO" if "--with-lto" in options else "no LTO",
            *(["debug"] if sysconfig.get_config_var("Py_DEBUG") else []),
        ]
    )


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit of the checkout; if tracked files differ from it, `+` and a hash of how. None outside a checkout."""
    try:
        described = _git("describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*").decode().strip()
        changes = _git("diff", "HEAD") if described.endswith("+") else b""
    except (OSError, subprocess.CalledProcessError):
        return None
    return described + (hashlib.sha256(changes).hexdigest()[:8] if changes else "")


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", "-C", CHECKOUT, *arguments], capture_output=True, check=True).stdout
