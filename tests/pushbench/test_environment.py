"""The environment: what is written down is what this machine says of itself elsewhere."""

import json
import os
import platform
import resource
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from pushbench import environment


def test_it_names_machine_kernel_limits_and_every_library_that_matters() -> None:
    found = environment.describe()
    assert found["kernel"] == platform.release()
    assert found["cores"] == len(os.sched_getaffinity(0))
    assert found["open_files"] == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert found["python"] == platform.python_version()
    assert {name: found[name] for name in environment.PACKAGES} == {
        name: metadata.version(name) for name in environment.PACKAGES
    }
    others = {"cpu", "memory_gib", "congestion_control", "somaxconn", "port_range", "clock", "pushbench", "commit"}
    assert others <= set(found)


def test_it_is_the_same_when_asked_again_and_can_be_kept_as_json() -> None:
    found = environment.describe()
    assert json.loads(json.dumps(found)) == environment.describe()


def test_what_a_machine_does_not_tell_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(environment, "CHECKOUT", tmp_path)  # no checkout
    monkeypatch.setattr(environment, "PACKAGES", ("no-such-package",))
    monkeypatch.setattr(environment, "Path", lambda path: tmp_path / "absent" / str(path).strip("/"))
    found = environment.describe()
    for name in ("commit", "no-such-package", "cpu", "congestion_control", "somaxconn", "clock"):
        assert found[name] is None


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
    assert environment.describe()["commit"] == f"{commit}+"


def test_the_limit_of_open_files_is_raised_as_far_as_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = [(256, 9000)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, limit: limits.append(limit))
    assert environment.raise_file_limit() == 9000
    assert limits[-1] == (9000, 9000)
    assert environment.raise_file_limit() == 9000
    assert len(limits) == 2  # there was nothing left to raise
