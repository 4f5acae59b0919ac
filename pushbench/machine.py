"""The machine: what its kernel tells of it under /proc and /sys. Linux only.

It reads and takes apart; what a reading means for a measurement is not known here. Kernels, containers and virtual machines
differ in what they show, so whatever cannot be read is None and never an error.
"""

import os
import re
import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path("/")
"""Below it are `proc` and `sys`; tests have a machine of their own here."""

CPU = "sys/devices/system/cpu"
CLOCKS = "sys/devices/system/clocksource/clocksource0"


def text(path: str) -> str | None:
    """A file's content without the space around it; None if it cannot be read."""
    try:
        return (ROOT / path).read_text(errors="replace").strip()
    except (OSError, ValueError):
        return None


def line(path: str) -> str | None:
    """A file's words, on one line."""
    found = text(path)
    return None if found is None else " ".join(found.split())


def number(path: str) -> int | None:
    """A file that holds one whole number."""
    found = text(path)
    return int(found) if found and re.fullmatch(r"-?\d+", found) else None


def cpu_list(listed: str) -> tuple[int, ...]:
    """The numbers of a kernel's list, such as `0-3,8`."""
    found: list[int] = []
    for first, last in re.findall(r"(\d+)(?:-(\d+))?", listed):
        found += range(int(first), int(last or first) + 1)
    return tuple(found)


def of_cpuinfo(name: str) -> str | None:
    """What /proc/cpuinfo says of the first core under a name, such as `model name`."""
    for row in (text("proc/cpuinfo") or "").splitlines():
        key, colon, value = row.partition(":")
        if colon and key.strip() == name:
            return value.strip()
    return None


def cores_online() -> int | None:
    """How many cores the machine has in use, whether or not this process may use them."""
    return len(cpu_list(text(f"{CPU}/online") or "")) or os.cpu_count()


def siblings(core: int) -> tuple[int, ...] | None:
    """The hyperthreads of one physical core, this one among them."""
    return cpu_list(text(f"{CPU}/cpu{core}/topology/thread_siblings_list") or "") or None


@dataclass(frozen=True, slots=True)
class Frequency:
    """How fast the cores may run; `driver` is None where the kernel has no say in it, as in most virtual machines."""

    driver: str | None = None
    governors: tuple[str, ...] = ()
    """Of the cores that were asked for, each once."""
    boost: bool | None = None
    range_mhz: tuple[int, int] | None = None


def frequency(cores: Sequence[int]) -> Frequency:
    """What the kernel may do with the clock of these cores."""
    folders = [f"{CPU}/cpu{core}/cpufreq" for core in cores]

    def all_of(name: str) -> list[str]:
        return sorted({found for folder in folders if (found := text(f"{folder}/{name}"))})

    limits_khz = [number(f"{folder}/scaling_{end}_freq") for folder in folders for end in ("min", "max")]
    known_khz = [limit for limit in limits_khz if limit is not None]
    drivers = all_of("scaling_driver")
    return Frequency(
        driver=", ".join(drivers) or None,
        governors=tuple(all_of("scaling_governor")),
        boost=_boost(),
        range_mhz=(min(known_khz) // 1000, max(known_khz) // 1000) if known_khz else None,
    )


def megahertz(core: int) -> int | None:
    """How fast a core runs now, as far as the kernel knows."""
    kilohertz = number(f"{CPU}/cpu{core}/cpufreq/scaling_cur_freq")
    return None if kilohertz is None else kilohertz // 1000


def _boost() -> bool | None:
    no_turbo = number(f"{CPU}/intel_pstate/no_turbo")
    if no_turbo is not None:
        return not no_turbo
    boost = number(f"{CPU}/cpufreq/boost")
    return None if boost is None else bool(boost)


def clock() -> str:
    """Which CLOCK_MONOTONIC this process reads: all that say the same read the same, and no other host says it."""
    try:
        namespace = str((ROOT / "proc/self/ns/time").readlink())
    except OSError:  # before Linux 5.6 there is one for all
        namespace = ""
    return f"{text('proc/sys/kernel/random/boot_id') or socket.gethostname()} {namespace}"


_GUEST_CLOCKS = {"kvm-clock": "kvm", "hyperv_clocksource_tsc_page": "hyper-v", "xen": "xen"}


def hypervisor() -> str | None:
    """`none`, the kind of virtual machine that this is, or `of a kind that is not told`; None if nothing tells."""
    if kind := text("sys/hypervisor/type"):
        return kind
    flags = (of_cpuinfo("flags") or "").split()
    clocks = (text(f"{CLOCKS}/available_clocksource") or "").split()
    if kind := next((kind for clock, kind in _GUEST_CLOCKS.items() if clock in clocks), None):
        return kind
    if not flags:  # only x86 has the flag
        return None
    return "of a kind that is not told" if "hypervisor" in flags else "none"


def model() -> str | None:
    """Maker and model of the machine, or of the virtual one, as its firmware says."""
    said = [text(f"sys/class/dmi/id/{name}") for name in ("sys_vendor", "product_name")]
    return " ".join(filter(None, said)) or None


def cpu_quota() -> float | None:
    """How many cores' time the control group may use, or the tightest around it; None if no limit can be seen."""
    quotas = list(_quotas())
    return min(quotas, default=None)


def _quotas() -> Iterator[float]:
    for row in (text("proc/self/cgroup") or "").splitlines():
        _, _, rest = row.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            mounts = ("sys/fs/cgroup", "sys/fs/cgroup/unified")
        elif "cpu" in controllers.split(","):
            mounts = ("sys/fs/cgroup/cpu", "sys/fs/cgroup/cpu,cpuacct")
        else:
            continue
        inside = PurePosixPath(path.strip().lstrip("/"))
        for folder in (f"{mount}/{group}" for mount in mounts for group in (inside, *inside.parents)):
            limit = (text(f"{folder}/cpu.max") or "").split()
            limit = limit or [str(number(f"{folder}/cpu.cfs_{name}_us")) for name in ("quota", "period")]
            if len(limit) == 2 and all(part.isdecimal() and int(part) for part in limit):  # neither `max` nor -1
                yield int(limit[0]) / int(limit[1])


def vulnerabilities() -> dict[str, str]:
    """What the kernel does about each flaw of this processor that it knows of: `mitigated` or `vulnerable`."""
    found = {}
    try:
        names = sorted(path.name for path in (ROOT / CPU / "vulnerabilities").iterdir())
    except OSError:
        return {}
    for name in names:
        says = text(f"{CPU}/vulnerabilities/{name}") or ""
        if says.startswith(("Mitigation", "Vulnerable")):
            found[name] = "mitigated" if says.startswith("Mitigation") else "vulnerable"
    return found


def memory_bytes() -> dict[str, int]:
    """/proc/meminfo by its names, in bytes; empty if it cannot be read."""
    rows = re.findall(r"^(\S+):\s+(\d+) kB$", text("proc/meminfo") or "", re.MULTILINE)
    return {name: 1024 * int(kilobytes) for name, kilobytes in rows}


def chosen(path: str) -> str | None:
    """The choice that stands in brackets, as in `always [madvise] never`."""
    found = re.search(r"\[(\S+)\]", text(path) or "")
    return found[1] if found else None


def ports() -> int | None:
    """How many ports the kernel may give to outgoing connections, and to servers that ask for any."""
    limits = (text("proc/sys/net/ipv4/ip_local_port_range") or "").split()
    if len(limits) != 2 or not all(limit.isdecimal() for limit in limits):
        return None
    first, last = map(int, limits)
    reserved = cpu_list(text("proc/sys/net/ipv4/ip_local_reserved_ports") or "")
    return last - first + 1 - sum(first <= port <= last for port in reserved)


def free_ports(most: int) -> int:
    """How many ports, up to so many, the kernel has for servers at 127.0.0.1 now: it gives them, and takes them back."""
    held: list[socket.socket] = []
    try:
        for _ in range(most):
            held.append(socket.socket())
            held[-1].bind(("127.0.0.1", 0))
    except OSError:
        return len(held) - 1
    finally:
        for one in held:
            one.close()
    return most


def tcp_sockets() -> dict[str, int]:
    """How many TCP sockets are in use (`inuse`) and how many ended ones keep their port for a minute (`tw`)."""
    found: dict[str, int] = {}
    for path in ("proc/net/sockstat", "proc/net/sockstat6"):
        for row in (text(path) or "").splitlines():
            if row.startswith(("TCP:", "TCP6:")):
                for name, count in re.findall(r"(inuse|tw) (\d+)", row):
                    found[name] = found.get(name, 0) + int(count)
    return found


def loopback_qdisc() -> str | None:
    """The queueing discipline of the loopback device, which only netlink tells (rtnetlink(7): RTM_GETLINK, IFLA_QDISC)."""
    get_link, request, qdisc_attribute = 18, 1, 6
    try:
        index = socket.if_nametoindex("lo")
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as asking:
            asking.settimeout(0.2)
            asking.send(struct.pack("=IHHIIBxHiII", 32, get_link, request, 1, 0, 0, 0, index, 0, 0))
            answer = asking.recv(1 << 16)
    except OSError:
        return None
    at = 32  # behind both headers
    while at + 4 <= len(answer):
        length, kind = struct.unpack_from("=HH", answer, at)
        if kind == qdisc_attribute:
            return answer[at + 4 : at + length].rstrip(b"\0").decode(errors="replace")
        at += max(4, (length + 3) & ~3)
    return None
