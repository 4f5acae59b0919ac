"""The doctor: is this machine fit to measure on, and what would make it fitter?"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pushbench import environment, probes
from pushbench.placement import place

WANTED_FILES = 4096
"""Enough for the largest of the scenarios that come with the suite."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    well: bool
    says: str
    """What was found and, if it is not well, what to do."""


def examine() -> Iterator[Finding]:
    """Look at everything that a measurement rests on."""
    found = environment.describe()
    yield Finding(True, f"{found['cpu']}, {found['cores']} cores, {found['memory_gib']} GiB, Linux {found['kernel']}")
    yield _cores()
    yield _load()
    yield _files()
    yield _backlog(found)
    yield Finding(True, f"clock {found['clock']}, congestion control {found['congestion_control']}")
    yield _memory()


def _cores() -> Finding:
    cores = sorted(os.sched_getaffinity(0))
    if place(cores).shared:
        return Finding(False, "one core: the load takes time from the server that it measures; use a machine with two")
    return Finding(True, f"the server runs on core {cores[0]}, the load on others")


def _load() -> Finding:
    busy, cores = os.getloadavg()[0], len(os.sched_getaffinity(0))
    says = f"load average {busy:.2f} over the last minute"
    if busy > 0.5 * cores:
        return Finding(False, f"{says}: something else is at work; wait, or stop it, or the latencies will be its own")
    return Finding(True, says)


def _files() -> Finding:
    limit = environment.raise_file_limit()
    if limit < WANTED_FILES:
        return Finding(
            False, f"a process may open {limit} files, one a subscriber; raise it: ulimit -Hn {WANTED_FILES} (as root)"
        )
    return Finding(True, f"a process may open {limit} files, one a subscriber")


def _backlog(found: dict[str, Any]) -> Finding:
    wanted = 1024
    somaxconn = int(found["somaxconn"] or 0)
    if somaxconn < wanted:
        return Finding(
            False, f"somaxconn is {somaxconn}: a burst of connections is dropped; sysctl net.core.somaxconn={wanted}"
        )
    return Finding(True, f"somaxconn is {somaxconn}")


def _memory() -> Finding:
    try:
        probes.kernel_bytes()
        probes.user_bytes(os.getpid())
        probes.cpu_ns(os.getpid())
    except probes.ProbeError as error:
        return Finding(False, f"memory or CPU cannot be read: {error}")
    return Finding(True, "memory (USS, slab) and CPU clocks can be read")
