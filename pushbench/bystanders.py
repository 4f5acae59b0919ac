"""Bystanders: who else is at work on this machine now, which a load average takes minutes to tell.

It looks twice and subtracts. What is too much is not known here.
"""

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from pushbench import machine

LOOK_S = 0.25
"""From one look to the other. The kernel counts in ticks of 10 ms, so that a share is exact to 4 %."""

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Ticks:
    """What one core has done so far, as /proc/stat counts it (proc(5))."""

    busy: int
    idle: int
    stolen: int
    """While the hypervisor ran somebody else on it."""


@dataclass(frozen=True, slots=True)
class Look:
    """The counters at one moment."""

    at_ns: int
    cores: Mapping[int, Ticks]
    waited_us: int | None
    """How long, since the start of the machine, some process had to wait for a core."""


Processes = Mapping[tuple[int, str], int]
"""The ticks that each process, by number and name, has used so far."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What happened between two looks. Shares are of one core, from 0 to 1."""

    busy: Mapping[int, float]
    stolen: Mapping[int, float]
    waiting: float | None
    """The share of the time in which some process waited for a core; None without CONFIG_PSI."""
    busiest: tuple[tuple[str, float], ...]
    """Processes by name with their shares, the busiest first."""


def watch() -> Activity:
    """Look, wait for `LOOK_S`, look again."""
    used_before = _processes()  # reading them is work too, and is not to be seen in the cores
    first = _look()
    time.sleep(LOOK_S)
    second = _look()
    return between(first, second, used_before, _processes())


def between(first: Look, second: Look, used_before: Processes, used_after: Processes) -> Activity:
    """What happened from one look to the other."""
    seconds = (second.at_ns - first.at_ns) / 1e9
    busy, stolen = {}, {}
    for core, now in second.cores.items():
        then = first.cores.get(core, now)
        total = (now.busy + now.idle + now.stolen) - (then.busy + then.idle + then.stolen)
        busy[core] = _share(now.busy - then.busy, total)
        stolen[core] = _share(now.stolen - then.stolen, total)
    waiting = None
    if first.waited_us is not None and second.waited_us is not None:
        waiting = _share(second.waited_us - first.waited_us, seconds * 1e6)
    used: dict[str, float] = {}
    for process, ticks in used_after.items():
        name = process[1]
        used[name] = used.get(name, 0.0) + _share(ticks - used_before.get(process, ticks), seconds * TICKS_PER_S)
    busiest = sorted(((name, share) for name, share in used.items() if share), key=lambda one: (-one[1], one[0]))
    return Activity(busy, stolen, waiting, tuple(busiest))


def stolen_since_boot() -> float | None:
    """The share of all cores' time that the hypervisor gave to somebody else since the machine started."""
    cores = _cores().values()
    total = sum(one.busy + one.idle + one.stolen for one in cores)
    return sum(one.stolen for one in cores) / total if total else None


def _share(part: float, whole: float) -> float:
    return min(1.0, max(0.0, part / whole)) if whole > 0 else 0.0


def _look() -> Look:
    waited = re.search(r"^some .*total=(\d+)", machine.text("proc/pressure/cpu") or "", re.MULTILINE)
    return Look(time.monotonic_ns(), _cores(), int(waited[1]) if waited else None)


def _cores() -> dict[int, Ticks]:
    found = {}
    for core, counts in re.findall(r"^cpu(\d+) ([\d ]+)$", machine.text("proc/stat") or "", re.MULTILINE):
        # A guest's time is in user's already; kernels before 2.6.33 have fewer columns.
        user, nice, system, idle, iowait, irq, softirq, steal = (*map(int, counts.split()[:8]), *[0] * 8)[:8]
        found[int(core)] = Ticks(user + nice + system + irq + softirq, idle + iowait, steal)
    return found


def _processes() -> Processes:
    """Every process whose counters may be read, but for this one; those of other users may be hidden."""
    found: dict[tuple[int, str], int] = {}
    try:
        pids = [int(path.name) for path in (machine.ROOT / "proc").iterdir() if path.name.isdecimal()]
    except OSError:
        return found
    for pid in pids:
        # The name is in parentheses, and may itself have any.
        said = re.fullmatch(r"\d+ \((.*)\) (.*)", machine.text(f"proc/{pid}/stat") or "", re.DOTALL)
        columns = said[2].split() if said else []
        if said and pid != os.getpid() and len(columns) > 12:
            name = "".join(letter if letter.isprintable() else "?" for letter in said[1])
            found[pid, name] = int(columns[11]) + int(columns[12])
    return found
