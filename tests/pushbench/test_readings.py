"""The readings: what the doctor sees is what the files of a machine say, and a machine that says nothing is no error."""

import os
from pathlib import Path

import pytest

from pushbench import environment, machine, probes, readings
from pushbench.diagnosis import PORTS_BESIDE, judge
from pushbench.machine import Frequency
from tests.pushbench import machines
from tests.pushbench.healthy import NEED


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty machine with two cores."""
    monkeypatch.setattr(machine, "ROOT", tmp_path)
    monkeypatch.setattr(probes, "PROC", tmp_path / "proc")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(environment, "raise_file_limit", lambda: 4096)
    return tmp_path


def test_a_machine_is_read_as_its_files_say(elsewhere: Path) -> None:
    machines.build(elsewhere, machines.SERVER)
    read = readings.take()
    assert read.cpu == "Abacus 9000"
    assert (read.cores, read.cores_online, read.siblings) == ((0, 1), 4, {0: (0, 2), 1: (1, 3)})
    assert read.cpu_quota == 2.5
    assert read.frequency == Frequency("intel_pstate", ("performance", "powersave"), True, (800, 3500))
    assert (read.hypervisor, read.stolen_since_boot) == ("none", 0.025)
    assert (read.clock, read.clocks) == ("tsc", ("tsc", "hpet", "acpi_pm"))
    assert (read.memory_available_bytes, read.swap_used_bytes) == (6 * 2**30, 2**30)
    assert (read.open_files, read.ports, read.ports_taken, read.ports_in_time_wait) == (4096, 28_222, 14, 7)
    assert (read.somaxconn, read.congestion_control, read.loopback_mtu) == (4096, "cubic", 65_536)
    assert read.probes == "memory or CPU cannot be read: 'Slab'"
    assert read.activity.busy == {0: 0.0, 1: 0.0}  # nothing has gone on in these files


def test_a_machine_that_tells_nothing_is_read_and_judged(elsewhere: Path) -> None:
    read = readings.take()
    assert (read.cpu, read.clock, read.somaxconn, read.ports, read.loopback_mtu) == (None,) * 5
    assert "cannot be read" in read.probes
    assert [finding.about for finding in judge(read, NEED) if finding.severity == "warn"] == ["probes"]


def test_this_machine_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "raise_file_limit", lambda: 4096)
    read = readings.take()
    assert read.kernel == os.uname().release
    assert read.cores == tuple(sorted(os.sched_getaffinity(0)))
    assert read.clock_read_ns > 0
    assert read.clock_step_ns > 0
    assert (read.probes, read.kernel_memory_from) == ("", probes.kernel_source())
    assert 0 < read.ports_free <= readings.PORTS_TRIED == PORTS_BESIDE
    assert all(finding.found for finding in judge(read, NEED))
