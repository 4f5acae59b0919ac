"""The environment of a run: what another run must share for the two to be compared. Read once, kept with the results."""

import os
import platform
import resource
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from pushbench import probes

PACKAGES = (
    "starlette",
    "uvicorn",
    "uvloop",
    "httptools",
    "websockets",
    "sse-starlette",
    "aiohttp",
    "hdrhistogram",
    "numpy",
    "pyarrow",
)
"""The libraries whose versions change what is measured."""

CHECKOUT = Path(__file__).resolve().parent.parent


def describe() -> dict[str, Any]:
    """What this machine, its kernel and this installation are. Unknown values are None."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return {
        "cpu": _after("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "congestion_control": _read("/proc/sys/net/ipv4/tcp_congestion_control"),
        "somaxconn": _read("/proc/sys/net/core/somaxconn"),
        "port_range": _read("/proc/sys/net/ipv4/ip_local_port_range"),
        "open_files": soft,
        "kernel_memory_from": probes.kernel_source(),
        "clock": _read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        "python": platform.python_version(),
        **{name: _version(name) for name in ("pushbench", *PACKAGES)},
        "commit": _commit(),
    }


def raise_file_limit() -> int:
    """Let this process and its children open as many files as they may; returns that number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def _read(path: str) -> str | None:
    try:
        return " ".join(Path(path).read_text().split())
    except OSError:
        return None


def _after(path: str, name: str) -> str | None:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), None)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit of the checkout, with `+` if files that are tracked differ from it; None outside a checkout."""
    try:
        said = subprocess.run(
            ["git", "-C", CHECKOUT, "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return said.stdout.strip()
