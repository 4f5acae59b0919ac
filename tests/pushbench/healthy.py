"""The readings of a machine that is fit to measure on, of which tests spoil one at a time."""

from dataclasses import replace
from typing import Any

from pushbench.bystanders import Activity
from pushbench.diagnosis import Need
from pushbench.machine import Frequency
from pushbench.readings import Readings

READINGS = Readings(
    cpu="Abacus 9000",
    kernel="6.1.0",
    memory_gib=8.0,
    cores=(0, 1, 2, 3),
    cores_online=4,
    siblings={core: (core,) for core in range(4)},
    cpu_quota=None,
    frequency=Frequency("intel_pstate", ("performance",), False, (800, 3400)),
    hypervisor="none",
    activity=Activity(dict.fromkeys(range(4), 0.0), dict.fromkeys(range(4), 0.0), 0.0, ()),
    stolen_since_boot=0.0,
    load_average=0.1,
    clock="tsc",
    clocks=("tsc", "hpet", "acpi_pm"),
    clock_read_ns=50.0,
    clock_step_ns=20,
    memory_available_bytes=6 * 2**30,
    swap_used_bytes=0,
    open_files=1_048_576,
    ports=28_232,
    ports_free=64,
    ports_taken=10,
    ports_in_time_wait=3,
    somaxconn=4096,
    congestion_control="cubic",
    loopback_mtu=65_536,
    netem="",
    probes="",
    kernel_memory_from="slabinfo",
)

NEED = Need(scenario="fanout", subscribers=1000, files=1064, memory_bytes=2**30, connecting=32)


def but(**spoilt: Any) -> Readings:
    """The fit machine with other readings in some places."""
    return replace(READINGS, **spoilt)
