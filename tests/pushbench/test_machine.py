"""The machine: every reading is what its file says, and what cannot be read is unknown."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from pushbench import machine
from pushbench.machine import CLOCKS, CPU, Frequency
from tests.pushbench import machines

Build = Callable[[dict[str, str]], None]


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    """Makes a machine of files the one that is read."""

    def make(files: dict[str, str]) -> None:
        monkeypatch.setattr(machine, "ROOT", machines.build(tmp_path, files))

    return make


@pytest.fixture
def server(build: Build) -> None:
    build(machines.SERVER)


READINGS: dict[str, tuple[Callable[[], object], object, object]] = {
    # the reading, of the server, and of a machine that tells nothing
    "processor": (lambda: machine.of_cpuinfo("model name"), "Abacus 9000", None),
    "cores": (machine.cores_online, 4, os.cpu_count()),
    "siblings": (lambda: machine.siblings(2), (0, 2), None),
    "frequency": (
        lambda: machine.frequency([0, 1]),
        Frequency("intel_pstate", ("performance", "powersave"), True, (800, 3500)),
        Frequency(),
    ),
    "speed": (lambda: machine.megahertz(0), 1200, None),
    "hypervisor": (machine.hypervisor, "none", None),
    "model": (machine.model, "Counting House Frame 9", None),
    "quota": (machine.cpu_quota, 2.5, None),
    "vulnerabilities": (machine.vulnerabilities, {"mds": "mitigated", "srbds": "vulnerable"}, {}),
    "memory": (lambda: machine.memory_bytes().get("MemAvailable"), 6 * 2**30, None),
    "choice": (lambda: machine.chosen("sys/kernel/mm/transparent_hugepage/enabled"), "madvise", None),
    "ports": (machine.ports, 28232 - 10, None),
    "sockets": (machine.tcp_sockets, {"inuse": 7, "tw": 7}, {}),
    "words": (lambda: machine.line("proc/sys/net/ipv4/tcp_rmem"), "4096 131072 6291456", None),
    "number": (lambda: machine.number("sys/class/net/lo/mtu"), 65536, None),
}


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("reading", READINGS)
def test_a_reading_is_what_the_file_says(reading: str) -> None:
    read, told, _ = READINGS[reading]
    assert read() == told


@pytest.mark.parametrize("reading", READINGS)
def test_what_is_not_there_is_unknown(reading: str, build: Build) -> None:
    build({})
    read, _, unknown = READINGS[reading]
    assert read() == unknown


@pytest.mark.parametrize("content", ["", "\0\xff", "not a number", "[", "9 8 7", "-"])
def test_a_file_that_makes_no_sense_is_unknown_and_no_error(content: str, build: Build) -> None:
    build(dict.fromkeys(machines.SERVER, content))
    for read, told, _ in READINGS.values():
        assert read() != told


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_unknown(tmp_path: Path, build: Build) -> None:
    build(machines.SERVER)
    (tmp_path / "proc/cpuinfo").chmod(0)
    assert machine.of_cpuinfo("model name") is None


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"proc/cpuinfo": "flags : fpu hypervisor\n"}, "of a kind that is not told"),
        ({"proc/cpuinfo": "flags : hypervisor\n", f"{CLOCKS}/available_clocksource": "tsc kvm-clock"}, "kvm"),
        ({"proc/cpuinfo": "flags : fpu\n", "sys/hypervisor/type": "xen\n"}, "xen"),
        ({"proc/cpuinfo": "CPU part : 0xd0c\n"}, None),  # only x86 tells by a flag
    ],
)
def test_a_virtual_machine_is_told_by_whatever_gives_it_away(files: dict[str, str], kind: str | None, build: Build) -> None:
    build(files)
    assert machine.hypervisor() == kind


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5),
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/cpu.max": "50000 100000",
                "sys/fs/cgroup/a/b/cpu.max": "1 1",
            },
            0.5,
        ),
        ({"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/cpu.max": "max 100000"}, None),
        (
            {
                "proc/self/cgroup": "5:memory:/m\n2:cpu,cpuacct:/c\n",
                "sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us": "200000",
                "sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_period_us": "100000",
            },
            2.0,
        ),
        (
            {
                "proc/self/cgroup": "1:cpu:/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            },
            None,
        ),
    ],
)
def test_the_tightest_quota_of_the_group_and_those_around_it_counts(
    files: dict[str, str], quota: float | None, build: Build
) -> None:
    build(files)
    assert machine.cpu_quota() == quota


@pytest.mark.parametrize(
    ("files", "boost"),
    [
        ({f"{CPU}/intel_pstate/no_turbo": "1"}, False),
        ({f"{CPU}/cpufreq/boost": "1"}, True),
        ({f"{CPU}/cpufreq/boost": "0"}, False),
    ],
)
def test_boost_is_told_by_either_driver(files: dict[str, str], boost: bool, build: Build) -> None:
    build(files)
    assert machine.frequency([0]).boost is boost


@pytest.mark.parametrize(
    ("listed", "numbers"), [("0", (0,)), ("0-3", (0, 1, 2, 3)), ("0-1,8,10-11", (0, 1, 8, 10, 11)), ("", ())]
)
def test_a_list_of_cores_is_taken_apart(listed: str, numbers: tuple[int, ...]) -> None:
    assert machine.cpu_list(listed) == numbers


def test_the_loopback_device_of_this_machine_has_a_queueing_discipline() -> None:
    told = machine.loopback_qdisc()
    assert told is None or told.isidentifier()


def test_without_netlink_the_queueing_discipline_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: object) -> None:
        raise PermissionError

    monkeypatch.setattr(socket, "socket", refused)
    assert machine.loopback_qdisc() is None
