"""What tests of trials and runs have in common: the smallest load, servers that go wrong, and a watch that looks away."""

import os
import signal
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest

from pushbench import interruption
from pushbench.placement import Placement, place
from pushbench.plans import Trial
from pushbench.run import target_of
from pushbench.scenario import Load, Phases
from pushbench.target import Target

PHASES = Phases(settle_s=0, warmup_s=0.1, measure_s=0.3, drain_s=10)


def shell(script: str, name: str = "fake") -> Target:
    """A target that is a shell script."""
    return Target(name, ("sh", "-c", script))


def ready_on(port: int) -> Target:
    """A target that claims to be ready on a port, and does nothing more."""
    return shell(f"""echo '{{"ready": true, "port": {port}, "pid": '$$'}}'; exec sleep 600""")


def placement() -> Placement:
    return place(sorted(os.sched_getaffinity(0)))


def mostly_slow(transports: Iterable[str], quick: Collection[str] = ("longpoll", "websocket", "tcp", "null")) -> list[Any]:
    """The transports as parameters: a trial of each takes seconds, so only the quick ones are of `make test`."""
    return [pytest.param(name, marks=[] if name in quick else pytest.mark.slow) for name in transports]


def load(transport: str = "websocket", **changes: object) -> Load:
    return Load.model_validate(
        {"transport": transport, "subscribers": 4, "rate_hz": 40.0, "poll_interval_ms": 20, **changes}
    )


def good_server(load: Load) -> Target:
    found = target_of(load)
    assert found
    return found


GOOD_SERVER = good_server(load())


def trial(load: Load, target: Target | None = None, phases: Phases = PHASES) -> Trial:
    return Trial(load, phases, target or target_of(load), placement(), seed=1)


@dataclass(slots=True)
class Phased:
    """A watch that remembers the phases."""

    phases: list[str] = field(default_factory=list)

    def phase(self, name: str, planned_s: float) -> None:
        assert planned_s >= 0
        self.phases.append(name)

    def live(self, deliveries_per_s: float, p99_ms: float | None) -> None:
        assert deliveries_per_s >= 0


def started_below(pid: int) -> list[psutil.Process]:
    """All processes that this one has started, and theirs, that still live."""
    return psutil.Process(pid).children(recursive=True)


def servers_below(pid: int) -> list[psutil.Process]:
    """Those of them that are servers of the suite."""
    return [process for process in started_below(pid) if command_of(process)[1:3] == ["-m", "servers"]]


def command_of(process: psutil.Process) -> list[str]:
    """A process's command line; empty if it has ended meanwhile."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:  # a zombie is one too
        return []


@contextmanager
def nothing_left_over() -> Iterator[None]:
    """Sees to it that no process is left of those that are started inside; multiprocessing's own tracker may stay."""
    before = set(started_below(os.getpid()))
    yield
    commands = [" ".join(command_of(process)) for process in set(started_below(os.getpid())) - before]
    assert [command for command in commands if command and "resource_tracker" not in command] == []


@contextmanager
def listening() -> Iterator[None]:
    """This process listens to who tells it to end, as `pushbench` does, and forgets it afterwards."""
    before = {one: signal.getsignal(one) for one in interruption.SIGNALS}
    interruption.listen()
    yield
    interruption.listen()
    for one, handler in before.items():
        signal.signal(one, handler)


PYTHON = sys.executable
