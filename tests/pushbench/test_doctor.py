"""The doctor: what is amiss is told with the way out, and what is well is told too."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from pushbench import doctor, environment, probes
from pushbench.doctor import Finding, examine
from pushbench.probes import ProbeError

HEALTHY = {
    "cpu": "Abacus",
    "cores": 2,
    "memory_gib": 8.0,
    "kernel": "6.1",
    "somaxconn": "4096",
    "clock": "tsc",
    "congestion_control": "cubic",
}


@pytest.fixture(autouse=True)
def _healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "describe", lambda: HEALTHY)
    monkeypatch.setattr(environment, "raise_file_limit", lambda: 20_000)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(os, "getloadavg", lambda: (0.1, 0.1, 0.1))


def test_a_fit_machine_has_nothing_but_good_findings() -> None:
    found = list(examine())
    assert [finding.says for finding in found if not finding.well] == []
    assert len(found) > 5
    assert all(finding.says for finding in found)


def returns(value: object) -> Callable[..., object]:
    return lambda *arguments: value


def fails(*arguments: object) -> int:
    raise ProbeError("/proc/1/smaps_rollup cannot be read: Permission denied")


ILLS: dict[str, tuple[Any, str, Callable[..., object], list[str]]] = {
    "one core": (os, "sched_getaffinity", returns({0}), ["one core", "use a machine with two"]),
    "something else at work": (os, "getloadavg", returns((1.7, 0.0, 0.0)), ["load average 1.70", "wait, or stop it"]),
    "few files": (environment, "raise_file_limit", returns(1024), ["may open 1024 files", "ulimit -Hn 4096"]),
    "a short backlog": (
        environment,
        "describe",
        returns(HEALTHY | {"somaxconn": "128"}),
        ["somaxconn is 128", "sysctl net.core.somaxconn=1024"],
    ),
    "an unknown backlog": (environment, "describe", returns(HEALTHY | {"somaxconn": None}), ["somaxconn is 0"]),
    "memory unread": (probes, "user_bytes", fails, ["cannot be read", "smaps_rollup"]),
}


@pytest.mark.parametrize("ill", ILLS)
def test_each_ill_is_found_alone_and_told_with_the_way_out(ill: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, name, instead, parts = ILLS[ill]
    monkeypatch.setattr(where, name, instead)
    found = [finding for finding in examine() if not finding.well]
    assert len(found) == 1
    for part in parts:
        assert part in found[0].says
    assert len(found[0].says.splitlines()) == 1


def test_findings_are_values() -> None:
    assert Finding(True, "x") == Finding(True, "x")
    assert doctor.WANTED_FILES >= 2064  # the memory scenario's 2,000 connections and what is open beside them
