"""The environment: what is written down is what this machine says of itself elsewhere, and names nobody."""

import getpass
import json
import os
import platform
import re
import resource
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from pushbench import environment, machine, probes
from pushbench.transports import TRANSPORTS
from tests.pushbench import machines
from tests.pushbench.tiny import PYTHON


def test_it_names_machine_kernel_limits_and_every_library_that_matters() -> None:
    found = environment.describe()
    assert found["kernel"] == platform.release()
    assert found["cores"] == len(os.sched_getaffinity(0))
    assert found["architecture"] == platform.machine()
    assert found["open_files"] == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert found["python"] == platform.python_version()
    assert found["kernel_memory_from"] == probes.kernel_source()
    assert {name: found[name] for name in environment.PACKAGES} == {
        name: metadata.version(name) for name in environment.PACKAGES
    }
    assert found["memory_gib"] > 0
    assert re.match(r"(no )?GIL, (no )?JIT, ", found["python_build"])


def test_it_is_the_same_when_asked_again_and_can_be_kept_as_json() -> None:
    found = environment.describe()
    assert json.loads(json.dumps(found)) == environment.describe()


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty machine with two cores, and no checkout."""
    monkeypatch.setattr(machine, "ROOT", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(environment, "CHECKOUT", tmp_path)
    return tmp_path


def test_what_changes_a_measurement_is_written_down_as_the_kernel_says_it(elsewhere: Path) -> None:
    machines.build(elsewhere, machines.SERVER)
    expected = {
        "cpu": "Abacus 9000",
        "machine": "Counting House Frame 9",
        "hypervisor": "none",
        "cores_online": 4,
        "cores": 2,
        "hyperthreads": "0: 0, 2; 1: 1, 3",
        "cpu_quota": 2.5,
        "frequency_driver": "intel_pstate",
        "frequency_governor": "performance, powersave",
        "frequency_boost": True,
        "frequency_mhz": "800–3500",
        "mitigations": "mitigated: mds; vulnerable: srbds; mitigations=auto,nosmt",
        "swap_gib": 2.0,
        "transparent_hugepages": "madvise",
        "clock": "tsc",
        "congestion_control": "cubic",
        "port_range": "32768 60999",
        "tcp_rmem": "4096 131072 6291456",
        "somaxconn": "4096",
        "loopback_mtu": 65_536,
    }
    assert environment.describe().items() >= expected.items()


def test_what_a_machine_does_not_tell_is_none(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: object) -> Any:
        raise OSError

    monkeypatch.setattr(environment, "PACKAGES", ("no-such-package",))
    monkeypatch.setattr(platform, "freedesktop_os_release", refused)
    monkeypatch.setattr(os, "confstr", refused)
    found = environment.describe()
    told = {name for name, value in found.items() if value is not None}
    assert told - {"loopback_qdisc"} == {
        *("architecture", "cores_online", "cores", "cpu_quota", "memory_gib", "kernel", "open_files", "kernel_memory_from"),
        *("python", "python_implementation", "python_compiler", "python_build", "python_switches"),
        "pushbench",
    }
    assert found["cpu_quota"] == "none"


def test_hyperthreads_that_are_not_shared_are_none_and_those_that_nothing_tells_unknown(elsewhere: Path) -> None:
    assert environment.describe()["hyperthreads"] is None
    alone = {f"{machine.CPU}/cpu{core}/topology/thread_siblings_list": str(core) for core in (0, 1)}
    machines.build(elsewhere, alone)
    assert environment.describe()["hyperthreads"] == "none"


def test_switches_of_python_are_written_down_and_paths_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment._PYTHON_SWITCHES:
        monkeypatch.delenv(name, raising=False)
    assert environment.describe()["python_switches"] == "none"
    monkeypatch.setenv("PYTHONMALLOC", "malloc")
    monkeypatch.setenv("PYTHONPATH", "/home/somebody")
    assert environment.describe()["python_switches"] == "PYTHONMALLOC=malloc"


def texts(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def test_nobody_is_named_and_no_path_is_told() -> None:
    said = texts([environment.describe(), environment.describe_moment()])
    words = set(re.findall(r"[\w.-]+", said))
    # A host may be called `vm`, and a user `root`: whole words, and only those that are nobody's else.
    assert platform.node() not in words
    assert getpass.getuser() not in words
    for path in (environment.CHECKOUT, Path.home(), Path(PYTHON).parent, Path.cwd()):
        assert str(path) == "/" or str(path) not in said


def test_every_name_is_in_one_group_for_its_reader() -> None:
    grouped = [name for names in environment.GROUPS.values() for name in names]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == set(environment.describe())


BESIDE_THE_WAY = {"attrs", "click", "idna", "setuptools", "typing-extensions", "typing_extensions", "pushbench", "coverage"}
"""Loaded, but nothing that a message passes: declarations, options, names of hosts, installing."""

LOADING = {
    "server": "import servers.serving as m; m.config(m.Options()).load()",
    "server on uvloop": "import servers.serving as m; m.config(m.Options(loop='uvloop')).load(); import uvloop",
    "publisher": "import pushbench.publisher",
    "swarm": f"import pushbench.swarm, {', '.join({row.client.partition(':')[0] for row in TRANSPORTS.values()})}",
}


@pytest.mark.parametrize("process", LOADING)
def test_every_library_that_a_process_of_a_trial_loads_is_written_down(process: str) -> None:
    script = f"""
import sys
before = set(sys.modules)
{LOADING[process]}
from importlib import metadata
owners = metadata.packages_distributions()
for name in {{module.partition(".")[0] for module in set(sys.modules) - before}}:
    print(*owners.get(name, []), sep="\\n")
"""
    done = subprocess.run([PYTHON, "-c", script], cwd=environment.CHECKOUT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded
    assert loaded - BESIDE_THE_WAY <= set(environment.PACKAGES)


def test_a_commit_is_marked_once_a_tracked_file_differs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def git(*words: str) -> str:
        who = ("-c", "user.name=test", "-c", "user.email=test@example.org")
        done = subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    monkeypatch.setattr(environment, "CHECKOUT", tmp_path)
    tracked = tmp_path / "tracked"
    tracked.write_text("one")
    git("init", "--quiet")
    git("add", "tracked")
    git("commit", "--quiet", "--message=one")
    commit = git("rev-parse", "--short=12", "HEAD")
    assert environment.describe()["commit"] == commit
    tracked.write_text("two")
    two = environment.describe()["commit"]
    assert re.fullmatch(rf"{commit}\+[0-9a-f]{{8}}", two)
    tracked.write_text("three")
    assert environment.describe()["commit"] not in (commit, two)


def test_the_limit_of_open_files_is_raised_as_far_as_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = [(256, 9000)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, limit: limits.append(limit))
    assert environment.raise_file_limit() == 9000
    assert limits[-1] == (9000, 9000)
    assert environment.raise_file_limit() == 9000
    assert len(limits) == 2  # there was nothing left to raise


# The moment


def test_the_moment_is_what_varies_by_the_minute(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machines.build(elsewhere, machines.SERVER)
    monkeypatch.setattr(os, "getloadavg", lambda: (1.234, 0.5, 0.25))
    assert environment.describe_moment() == {
        "load_average": [1.23, 0.5, 0.25],
        "busy_percent": {"0": 0.0, "1": 0.0},
        "stolen_percent": {"0": 0.0, "1": 0.0},
        "waiting_for_a_core_percent": 0.0,
        "frequency_mhz": {"0": 1200, "1": 1200},
        "memory_available_gib": 6.0,
        "swap_free_gib": 1.0,
        "sockets_in_time_wait": 7,
    }


def test_a_moment_of_a_machine_that_tells_nothing_can_be_kept_as_json(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> Any:
        raise OSError

    monkeypatch.setattr(os, "getloadavg", refused)
    found = environment.describe_moment()
    assert json.loads(json.dumps(found)) == found
    assert found["load_average"] == [None, None, None]
    assert found["busy_percent"] == {"0": None, "1": None}
