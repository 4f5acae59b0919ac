"""The diagnosis: a fit machine has nothing to object to, and each ill is told alone, with its sense and the way out."""

from dataclasses import fields, replace

import pytest

from pushbench import diagnosis
from pushbench.bystanders import Activity
from pushbench.diagnosis import Finding, Need, Severity, judge
from pushbench.machine import Frequency
from pushbench.readings import Readings
from tests.pushbench.healthy import NEED, READINGS, but

OK, NOTE, WARN = Severity
PAIRS = {0: (0, 1), 1: (0, 1), 2: (2, 3), 3: (2, 3)}
"""Four hyperthreads on two cores."""


def spoilt(of: Readings, wanted: Need = NEED) -> list[Finding]:
    return [finding for finding in judge(of, wanted) if finding.severity != OK]


def test_a_fit_machine_has_nothing_but_good_findings() -> None:
    assert spoilt(READINGS) == []


@pytest.mark.parametrize("of", [READINGS, but(hypervisor="kvm"), but(cores=(0,), cpu_quota=0.5)])
def test_every_finding_says_what_it_is_about_what_was_found_and_what_it_means(of: Readings) -> None:
    found = list(judge(of, NEED))
    assert len({finding.about for finding in found}) == len(found)
    for finding in found:
        for text in (finding.about, finding.found, finding.means, finding.change):
            assert text == " ".join(text.split(" ")).strip()
            assert len(text.splitlines()) <= 1
        assert finding.found
        assert finding.means.endswith(".")
        assert finding.change or finding.severity != WARN, "a warning has a way out"


def busy(*shares: float, waiting: float | None = 0.0) -> Activity:
    return Activity(
        dict(enumerate(shares)), dict.fromkeys(range(len(shares)), 0.0), waiting, (("cc1", 0.6), ("sh", 0.0049))
    )


def stolen(share: float) -> Activity:
    return Activity(dict.fromkeys(range(4), 0.0), {0: 0.0, 1: share}, 0.0, ())


def governor(name: str, **others: object) -> Frequency:
    return Frequency(**{"driver": "acpi-cpufreq", "governors": (name,), "boost": False, **others})  # type: ignore[arg-type]


ILLS: dict[str, tuple[Readings, Severity, str, list[str]]] = {
    "one core of one": (
        but(cores=(0,), cores_online=1),
        WARN,
        "cores",
        ["The load takes time", "a machine with two cores"],
    ),
    "one core of more": (but(cores=(2,)), WARN, "cores", ["server on core 2, swarm on core 2", "taskset -c 0-3 pushbench"]),
    "two hyperthreads of the only core": (
        but(cores=(0, 1), siblings={0: (0, 1), 1: (0, 1)}, cores_online=2),
        WARN,
        "cores",
        ["core 0 and core 1 are two hyperthreads of one", "measure on a machine with two cores"],
    ),
    "two hyperthreads of one core of two": (
        but(siblings=PAIRS),
        WARN,
        "cores",
        ["two hyperthreads", "taskset -c 0,2 push"],
    ),
    "the publisher on the server's hyperthread": (
        but(siblings={0: (0, 2), 1: (1, 3), 2: (0, 2), 3: (1, 3)}),
        WARN,
        "cores",
        ["core 0 and core 2 are two", "taskset -c 0,1 push"],
    ),
    "a quota below what is used": (
        but(cpu_quota=1.5),
        WARN,
        "CPU quota",
        ["1.5 cores; a run keeps 3 busy", "--cpus=3", "300%"],
    ),
    "a governor that saves": (
        but(frequency=governor("powersave", range_mhz=(800, 3400))),
        WARN,
        "frequency",
        ["governor powersave of acpi-cpufreq, 800 to 3400 MHz", "slows down", "scaling_governor"],
    ),
    "boost": (but(frequency=governor("performance", boost=True)), NOTE, "frequency", ["boost on", "cpufreq/boost"]),
    "boost of Intel's": (
        but(frequency=governor("performance", boost=True, driver="intel_pstate")),
        NOTE,
        "frequency",
        ["echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo"],
    ),
    "a frequency that nothing tells": (
        but(frequency=Frequency()),
        NOTE,
        "frequency",
        ["unknown", "may change between trials"],
    ),
    "somebody on the server's core": (
        but(activity=busy(0.6, 0, 0, 0)),
        WARN,
        "other load",
        ["core 0 60\xa0% busy", "(cc1 60\xa0%, sh 0\xa0%)", "load average 0.10", "wait until it is over"],
    ),
    "somebody beside the server, on its core's other hyperthread": (
        but(activity=busy(0, 0, 0.5, 0), cores=(0, 1), siblings={0: (0, 2), 1: (1, 3)}),
        WARN,
        "other load",
        ["core 2 50\xa0% busy"],
    ),
    "somebody at work a little": (
        but(activity=busy(0, 0.07, 0, 0)),
        NOTE,
        "other load",
        ["core 1 7\xa0% busy", "come back"],
    ),
    "somebody at work a minute ago": (but(load_average=2.4), NOTE, "other load", ["load average 2.40"]),
    "nobody knows who is at work": (
        but(activity=Activity({}, {}, None, ()), load_average=None),
        NOTE,
        "other load",
        ["unknown", "Others may be at work"],
    ),
    "a guest whose host takes time": (
        but(hypervisor="kvm", activity=stolen(0.2)),
        WARN,
        "hypervisor",
        ["kvm; other guests took 20\xa0% of a core just now", "not shared"],
    ),
    "a guest whose host took time": (
        but(hypervisor="xen", stolen_since_boot=0.05),
        WARN,
        "hypervisor",
        ["5 % since the start"],
    ),
    "a guest": (but(hypervisor="kvm"), NOTE, "hypervisor", ["0 % since the start", "hyperthreads of one"]),
    "perhaps a guest": (but(hypervisor=None), NOTE, "hypervisor", ["unknown"]),
    "a slow clock where there is a better one": (
        but(clock="hpet", clock_read_ns=1800.0, clock_step_ns=700),
        WARN,
        "clock",
        ["hpet: reading it takes 1800 ns, steps of 700 ns", "echo tsc | sudo tee", "current_clocksource"],
    ),
    "a slow clock where there is no other": (
        but(clock="acpi_pm", clocks=("hpet", "acpi_pm"), clock_read_ns=1200.0),
        WARN,
        "clock",
        ["dmesg | grep -i tsc"],
    ),
    "a coarse clock": (but(clock="jiffies", clocks=("jiffies",), clock_step_ns=4_000_000), WARN, "clock", ["4000000 ns"]),
    "little memory": (
        but(memory_available_bytes=2**29),
        WARN,
        "memory",
        ["0.5 GiB available, about 1.0 GiB needed", "--set subscribers=…"],
    ),
    "memory unknown": (but(memory_available_bytes=None), NOTE, "memory", ["unknown", "1.0 GiB"]),
    "swapped out": (but(swap_used_bytes=3 * 2**30), NOTE, "swap", ["3.0 GiB swapped out", "swapoff -a"]),
    "swap unknown": (but(swap_used_bytes=None), NOTE, "swap", ["unknown"]),
    "few files": (
        but(open_files=1024),
        WARN,
        "open files",
        ["may open 1,024; the largest cell of fanout takes 1,064", "ulimit -Hn 1064"],
    ),
    "few ports": (
        but(ports=1000),
        WARN,
        "ports",
        ["1,000 for connections from one address", "of fanout takes 1,064", "ip_local_port_range='1024 65535'"],
    ),
    "all ports taken": (
        but(ports_free=63, ports_taken=28_200, ports_in_time_wait=28_000),
        WARN,
        "ports",
        [
            "28,200 sockets hold one now, 28,000 of them in TIME_WAIT",
            "of 64 that were asked for 63 are free",
            "wait a minute",
        ],
    ),
    "all ports held": (
        but(ports_free=0, ports_taken=28_200, ports_in_time_wait=0),
        WARN,
        "ports",
        ["end what holds them (`ss -tan`)"],
    ),
    "ports unknown": (but(ports=None), NOTE, "ports", ["unknown"]),
    "a short backlog": (but(somaxconn=127), WARN, "backlog", ["somaxconn is 127", "net.core.somaxconn=4096"]),
    "backlog unknown": (but(somaxconn=None), NOTE, "backlog", ["unknown", "32 subscribers connect at a time"]),
    "congestion control unknown": (but(congestion_control=None), NOTE, "congestion", ["unknown"]),
    "a small MTU": (but(loopback_mtu=1500), WARN, "loopback", ["MTU 1,500", "sudo ip link set dev lo mtu 65536"]),
    "MTU unknown": (but(loopback_mtu=None), NOTE, "loopback", ["unknown"]),
    "no netem": (but(netem="it takes root"), NOTE, "netem", ["cannot be used: it takes root", "rtt_ms"]),
    "memory unread": (but(probes="/proc/1/smaps_rollup cannot be read: denied"), WARN, "probes", ["smaps_rollup", "fails"]),
    "not root": (but(kernel_memory_from="meminfo"), NOTE, "probes", ["slabinfo cannot be read", "root"]),
}


@pytest.mark.parametrize("ill", ILLS)
def test_each_ill_is_found_alone_and_told_with_the_way_out(ill: str) -> None:
    of, severity, about, parts = ILLS[ill]
    [finding] = spoilt(of)
    assert (finding.severity, finding.about) == (severity, about)
    told = f"{finding.found} {finding.means} {finding.change}"
    for part in parts:
        assert part in told


FINE: dict[str, Readings] = {
    "swarm and publisher on one core's hyperthreads": but(siblings={0: (0, 3), 1: (1, 2), 2: (1, 2), 3: (0, 3)}),
    "hyperthreads that nothing tells": but(siblings={}),
    "a quota that is not reached": but(cpu_quota=3.0),
    "somebody at work on a core that a run does not take": but(activity=busy(0, 0, 0, 1)),
    "other clocks than the TSC that are as quick": but(clock="kvm-clock", clocks=("kvm-clock",)),
    "ports that are held for another server": but(ports_taken=200_000, ports_in_time_wait=20_000),
    "a little in swap": but(swap_used_bytes=2**20),
    "bbr": but(congestion_control="bbr"),
    "just enough": but(open_files=1064, ports=1064 + 64, memory_available_bytes=2**30, somaxconn=128),
    "a load average that cannot be read": but(load_average=None),
    "names that cannot be read": but(cpu=None, clock=None, frequency=governor("performance", driver=None)),
}


@pytest.mark.parametrize("fine", FINE)
def test_what_harms_no_measurement_is_fine(fine: str) -> None:
    assert spoilt(FINE[fine]) == []


def test_limits_are_judged_by_what_is_to_be_run() -> None:
    small = Need("smoke", subscribers=20, files=84, memory_bytes=2**28, connecting=32)
    large = Need("mine", subscribers=50_000, files=50_064, memory_bytes=2**34, connecting=32)
    poor = but(open_files=1024, ports=1000, memory_available_bytes=2**29)
    assert spoilt(poor, small) == []
    assert [finding.about for finding in spoilt(poor, large)] == ["memory", "open files", "ports"]
    assert [finding.about for finding in spoilt(READINGS, large)] == ["memory", "ports"]
    assert [finding.about for finding in spoilt(but(somaxconn=128), Need("m", 1, 1, 1, connecting=64))] == ["backlog"]


def test_swarms_of_several_processes_have_the_ports_of_as_many_addresses() -> None:
    divided = Need("scale", subscribers=100_000, files=1_000, memory_bytes=2**28, connecting=32, addresses=6)
    assert spoilt(READINGS, divided) == []
    assert [finding.about for finding in spoilt(READINGS, replace(divided, addresses=3))] == ["ports"]


def test_whatever_a_machine_does_not_tell_is_no_error() -> None:
    """Every reading that may be None is; the others are as of a machine that tells nothing."""
    nothing = {field.name: None for field in fields(Readings) if "None" in str(field.type)}
    of = but(**nothing, siblings={}, frequency=Frequency(), activity=Activity({}, {}, None, ()), clocks=())
    assert {finding.severity for finding in judge(of, NEED)} == {OK, NOTE}


def test_the_limits_are_in_the_order_of_their_severity() -> None:
    assert diagnosis.BUSY_NOTED < diagnosis.BUSY < 1
    assert diagnosis.STOLEN_SINCE_BOOT < diagnosis.STOLEN < 1
