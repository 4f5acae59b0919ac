"""The diagnosis: what readings of a machine mean for a measurement, and what would make it fitter. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from pushbench.placement import Placement, place

if TYPE_CHECKING:
    from pushbench.readings import Readings

BUSY = 0.2
"""The share of a core that others may take before a run is warned. Waiting in a queue grows like 1 / (1 − share)."""
BUSY_NOTED = 0.05
STOLEN = 0.1
STOLEN_SINCE_BOOT = 0.01
CLOCK_READ_NS = 1000
"""A clock that is read by a system call, or by asking a device, takes about so long and more; a delivery reads it once."""
CLOCK_STEP_NS = 1000
BACKLOG_OVER_CONNECTING = 4
"""How many connections may wait to be accepted, for each that is made at the same time."""
ROOMY_BACKLOG = 4096
"""What Linux has since 5.4."""
PORTS_BESIDE = 64
"""Ports beside one a subscriber: servers, publisher, control channel, and those of the trial before that are still held."""
LOOPBACK_MTU = 65_536


class Severity(StrEnum):
    """How a finding is to be taken."""

    OK = "ok"
    NOTE = "note"
    """Nothing has to be done, but who reads the figures should know it."""
    WARN = "warn"
    """It spoils figures, or keeps a scenario from being run."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    severity: Severity
    about: str
    found: str
    means: str
    """For a run."""
    change: str = ""
    """What to do, as a command where there is one; empty if there is nothing."""


@dataclass(frozen=True, slots=True)
class Need:
    """The most that scenarios ask of a machine."""

    scenario: str
    """The one whose largest cell it is."""
    subscribers: int
    files: int
    """Of one process."""
    memory_bytes: int
    """About, of all processes and the kernel."""
    connecting: int
    """How many subscribers connect at the same time."""
    swarms: int = 1
    """How many swarm processes there are, if there is a core for each."""
    addresses: int = 1
    """How many of them have an address of loopback each, whatever there are cores for."""


def judge(of: "Readings", wanted: Need) -> Iterator[Finding]:
    """What readings mean for scenarios that need so much."""
    plan = place(of.cores, of.siblings.get(of.cores[0], ()))
    plan = replace(plan, swarm=plan.swarm[: wanted.swarms])
    yield _machine(of)
    yield _virtual(of)
    yield _cores(of, plan)
    yield _quota(of, plan)
    yield _frequency(of)
    yield _others(of, plan)
    yield _clock(of)
    yield _memory(of, wanted)
    yield _swap(of)
    yield _files(of, wanted)
    yield _ports(of, wanted)
    yield _backlog(of, wanted)
    yield _congestion(of)
    yield _loopback(of)
    yield _netem(of)
    yield _probes(of)


def _machine(of: "Readings") -> Finding:
    cores = f"{len(of.cores)} of {of.cores_online} cores" if of.cores_online != len(of.cores) else f"{len(of.cores)} cores"
    found = f"{of.cpu or 'a processor without a name'}, {cores}, {of.memory_gib:g} GiB, Linux {of.kernel}"
    return Finding(Severity.OK, "machine", found, "Kept with each run: only figures of the same machine compare.")


def _virtual(of: "Readings") -> Finding:
    about = "hypervisor"
    if of.hypervisor == "none":
        return Finding(Severity.OK, about, "none", "The cores are this machine's alone.")
    if of.hypervisor is None:
        return Finding(Severity.NOTE, about, "unknown: nothing tells", "The cores may be shared with other machines.")
    now = max(of.activity.stolen.values(), default=0.0)
    ever = of.stolen_since_boot or 0.0
    found = f"{of.hypervisor}; other guests took {_percent(now)} of a core just now, {100 * ever:.2g} % since the start"
    if now >= STOLEN or ever >= STOLEN_SINCE_BOOT:
        means = "Processes stop for as long as the host runs others, and latencies have that in them."
        return Finding(Severity.WARN, about, found, means, "measure on cores that are not shared, or at a quieter hour")
    means = "Two cores may be hyperthreads of one, or change their speed, and nothing here would show it."
    return Finding(Severity.NOTE, about, found, means)


def _cores(of: "Readings", plan: Placement) -> Finding:
    about = "cores"
    roles = {"server": plan.server, "swarm": plan.swarm, "publisher": plan.publisher}
    found = ", ".join(f"{role} on core {' and '.join(map(str, cores))}" for role, cores in roles.items())
    if plan.shared:
        more = (of.cores_online or 1) - 1
        change = (
            f"taskset -c 0-{more} pushbench …, where that is allowed"
            if more
            else "measure on a machine with two cores or more"
        )
        return Finding(Severity.WARN, about, found, "The load takes time from the server that it measures.", change)
    beside = {other for core in plan.server for other in of.siblings.get(core, ())}
    if twins := sorted(beside & {*plan.swarm, *plan.publisher}):
        found += f"; core {plan.server[0]} and core {twins[0]} are two hyperthreads of one"
        means = "The load slows the server that it measures: two hyperthreads share one core's units and caches."
        physical = sorted({min(set(of.siblings.get(core, (core,))) & set(of.cores)) for core in of.cores})
        change = "measure on a machine with two cores or more, or turn hyperthreads off where it has them"
        if len(physical) > 1:
            change = f"taskset -c {','.join(map(str, physical))} pushbench …"
        return Finding(Severity.WARN, about, found, means, change)
    return Finding(Severity.OK, about, found, "Nothing of the load runs on the server's core.")


def _quota(of: "Readings", plan: Placement) -> Finding:
    used = len({*plan.server, *plan.swarm, *plan.publisher})
    if of.cpu_quota is None:
        return Finding(Severity.OK, "CPU quota", "none", "No control group stops a process for having used its share.")
    found = f"the control group may use the time of {of.cpu_quota:g} cores; a run keeps {used} busy"
    if of.cpu_quota < used:
        means = "Once it is used up, every process stops for up to a tenth of a second, and that is measured."
        change = f"docker run --cpus={used}, or systemctl set-property UNIT CPUQuota={100 * used}%"
        return Finding(Severity.WARN, "CPU quota", found, means, change)
    return Finding(Severity.OK, "CPU quota", found, "It is not reached.")


def _frequency(of: "Readings") -> Finding:
    about, seen = "frequency", of.frequency
    if not seen.governors:
        found = "unknown: the kernel does not set it" + ("" if of.hypervisor in (None, "none") else ", the host does")
        means = "The clock may change between trials. Rounds that try every cell once spread that over all cells."
        return Finding(Severity.NOTE, about, found, means)
    limits = f", {seen.range_mhz[0]} to {seen.range_mhz[1]} MHz" if seen.range_mhz else ""
    found = f"governor {', '.join(seen.governors)} of {seen.driver or 'an unknown driver'}{limits}"
    if seen.governors != ("performance",):
        means = "A core slows down between messages: at low rates, latencies and CPU times are those of a slow core."
        change = "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
        return Finding(Severity.WARN, about, found, means, change)
    if seen.boost:
        means = "The clock goes by heat and by how many cores work, so a long run is slower than a short one."
        intel = "echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo"
        change = (
            intel if "intel_pstate" in (seen.driver or "") else "echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost"
        )
        return Finding(Severity.NOTE, about, f"{found}, boost on", means, change)
    return Finding(Severity.OK, about, found, "The clock stays where it is.")


def _others(of: "Readings", plan: Placement) -> Finding:
    about, activity = "other load", of.activity
    used = {*plan.server, *plan.swarm, *plan.publisher}
    watched = sorted(used | {other for core in used for other in of.siblings.get(core, ())})
    busy = {core: activity.busy[core] for core in watched if core in activity.busy}
    minute = "" if of.load_average is None else f"; load average {of.load_average:.2f}"
    if not busy:
        return Finding(Severity.NOTE, about, f"unknown: /proc/stat tells nothing{minute}", "Others may be at work.")
    found = ", ".join(f"core {core} {_percent(share)} busy" for core, share in busy.items())
    if activity.busiest and max(busy.values()) >= BUSY_NOTED:
        found += f" ({', '.join(f'{name} {_percent(share)}' for name, share in activity.busiest[:3])})"
    if activity.waiting:
        found += f", some process waiting {_percent(activity.waiting)} of the time"
    found += minute
    if max(busy.values()) >= BUSY:
        means = "Something else is at work on the cores of a run, and latencies have it in them."
        return Finding(Severity.WARN, about, found, means, "wait until it is over, or stop it; top shows it")
    if max(busy.values()) >= BUSY_NOTED or (of.load_average or 0.0) > 0.5 * len(of.cores):
        means = "Something is or was at work; should it come back, then the highest percentiles show it."
        return Finding(Severity.NOTE, about, found, means)
    return Finding(Severity.OK, about, found, "The cores of a run are free.")


def _clock(of: "Readings") -> Finding:
    found = (
        f"{of.clock or 'of an unknown source'}: reading it takes {of.clock_read_ns:.0f} ns, steps of {of.clock_step_ns} ns"
    )
    if of.clock_read_ns <= CLOCK_READ_NS and of.clock_step_ns <= CLOCK_STEP_NS:
        return Finding(Severity.OK, "clock", found, "Noting a delivery costs the swarm one reading.")
    means = "Every delivery and every timer of an event loop reads it: the swarm tires early, and short times are coarse."
    change = "choose a machine whose kernel trusts its TSC (dmesg | grep -i tsc says why not)"
    if "tsc" in of.clocks and of.clock != "tsc":
        change = "echo tsc | sudo tee /sys/devices/system/clocksource/clocksource0/current_clocksource"
    return Finding(Severity.WARN, "clock", found, means, change)


def _memory(of: "Readings", wanted: Need) -> Finding:
    needs = f"{wanted.memory_bytes / 2**30:.1f} GiB"
    if of.memory_available_bytes is None:
        return Finding(Severity.NOTE, "memory", "unknown how much is available", f"About {needs} are needed.")
    found = f"{of.memory_available_bytes / 2**30:.1f} GiB available, about {needs} needed"
    if of.memory_available_bytes < wanted.memory_bytes:
        means = "The kernel swaps or ends a process before the largest cell has all its subscribers."
        return Finding(Severity.WARN, "memory", found, means, "free some, or take fewer subscribers: --set subscribers=…")
    return Finding(Severity.OK, "memory", found, "Server and load fit.")


def _swap(of: "Readings") -> Finding:
    if of.swap_used_bytes is None:
        return Finding(Severity.NOTE, "swap", "unknown", "Pages may have to come from a disk.")
    found = f"{of.swap_used_bytes / 2**30:.1f} GiB swapped out" if of.swap_used_bytes else "nothing swapped out"
    if of.swap_used_bytes >= 2**27:
        means = "The machine was short of memory; whoever needs those pages again waits for a disk."
        return Finding(Severity.NOTE, "swap", found, means, "sudo swapoff -a, if there is room for all of it")
    return Finding(Severity.OK, "swap", found, "Nothing that is measured waits for a disk.")


def _files(of: "Readings", wanted: Need) -> Finding:
    found = f"a process may open {of.open_files:,}; {_asks(wanted, wanted.files)}"
    if of.open_files < wanted.files:
        means = "Each subscriber is one open file on either side: the largest cells are refused."
        return Finding(Severity.WARN, "open files", found, means, f"ulimit -Hn {wanted.files}, as root, in this shell")
    return Finding(Severity.OK, "open files", found, "One for each subscriber, on either side.")


def _ports(of: "Readings", wanted: Need) -> Finding:
    needs = -(-wanted.subscribers // wanted.addresses) + PORTS_BESIDE
    if of.ports is None:
        return Finding(Severity.NOTE, "ports", f"unknown; {_asks(wanted, needs)}", "Each subscriber takes one.")
    found = f"{of.ports:,} for connections from one address; {_asks(wanted, needs)}"
    found += f"; {of.ports_taken:,} sockets hold one now, {of.ports_in_time_wait:,} of them in TIME_WAIT"
    widen = "sudo sysctl net.ipv4.ip_local_port_range='1024 65535'"
    if of.ports < needs:
        means = "A client's port is free once for each server: the largest cells cannot connect all their subscribers."
        return Finding(Severity.WARN, "ports", found, means, widen)
    if of.ports_free < PORTS_BESIDE:
        means = (
            f"A server needs a port that nobody holds, and of {PORTS_BESIDE} that were asked for {of.ports_free} are free."
        )
        held = "wait a minute for those in TIME_WAIT" if of.ports_in_time_wait else "end what holds them (`ss -tan`)"
        return Finding(Severity.WARN, "ports", found, means, f"{held}, or {widen}")
    return Finding(
        Severity.OK, "ports", found, "Each trial's server has a port of its own, so those held elsewhere do not count."
    )


def _backlog(of: "Readings", wanted: Need) -> Finding:
    together = f"{wanted.connecting} subscribers connect at a time"
    if of.somaxconn is None:
        return Finding(Severity.NOTE, "backlog", "unknown: somaxconn cannot be read", f"{together}.")
    found = f"somaxconn is {of.somaxconn:,}"
    if of.somaxconn < BACKLOG_OVER_CONNECTING * wanted.connecting:
        means = f"{together}; those that find no room try again a second later."
        return Finding(Severity.WARN, "backlog", found, means, f"sudo sysctl net.core.somaxconn={ROOMY_BACKLOG}")
    return Finding(Severity.OK, "backlog", found, f"{together}, and find room.")


def _congestion(of: "Readings") -> Finding:
    # On Linux 6.18, one connection, messages of 128 bytes, 64 KiB and 1 MiB: bbr and cubic could not be told apart.
    means = "Kept with each run. Loopback loses nothing, so it decides hardly anything here, and much on a network."
    if of.congestion_control is None:
        return Finding(Severity.NOTE, "congestion", "unknown", means)
    return Finding(Severity.OK, "congestion", of.congestion_control, means)


def _loopback(of: "Readings") -> Finding:
    if of.loopback_mtu is None:
        return Finding(Severity.NOTE, "loopback", "unknown MTU", "Messages may take more segments than elsewhere.")
    found = f"MTU {of.loopback_mtu:,}"
    if of.loopback_mtu < LOOPBACK_MTU:
        means = f"Linux has {LOOPBACK_MTU:,}: what is larger than this is cut into more segments, which costs both sides."
        return Finding(Severity.WARN, "loopback", found, means, f"sudo ip link set dev lo mtu {LOOPBACK_MTU}")
    return Finding(Severity.OK, "loopback", found, "Segments of up to 64 KiB, as on any Linux; a network's are 1.5 KB.")


def _netem(of: "Readings") -> Finding:
    if of.netem:
        means = "A line between subscribers and server (rtt_ms) is a relay's, which does not lose or reorder packets."
        return Finding(Severity.NOTE, "netem", f"cannot be used: {of.netem}", means)
    means = "The kernel could lose and reorder packets; a run leaves that to you, and delays by a relay (rtt_ms)."
    return Finding(Severity.OK, "netem", "can be used", means)


def _probes(of: "Readings") -> Finding:
    if of.probes:
        means = "No memory or CPU can be measured, and every trial fails."
        return Finding(Severity.WARN, "probes", of.probes, means, "measure where /proc is not hidden")
    if of.kernel_memory_from != "slabinfo":
        means = "The kernel's memory of a connection is taken from its whole slab, with what files add to it."
        return Finding(Severity.NOTE, "probes", "/proc/slabinfo cannot be read", means, "run as root for less noise")
    return Finding(Severity.OK, "probes", "memory (USS, slab) and CPU clocks can be read", "All columns can be filled.")


def _asks(wanted: Need, count: int) -> str:
    return f"the largest cell of {wanted.scenario} takes {count:,}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"
