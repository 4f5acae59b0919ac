"""One of several workers, as its supervisor starts it."""

import json
import os
import subprocess
import sys
from dataclasses import asdict

from servers.options import Options
from tests.serving import END_S


def started_by(parent: int, options: Options) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "servers.worker", str(parent), "0", json.dumps(asdict(options))]
    return subprocess.run(command, capture_output=True, text=True, timeout=END_S)


def test_it_says_to_its_parent_why_it_cannot_be_ready() -> None:
    ended = started_by(os.getpid(), Options(port=0, workers=2, redis="redis://127.0.0.1:1/0"))
    assert (ended.returncode, ended.stderr) == (1, "")
    said = json.loads(ended.stdout)
    assert not said["ready"]
    assert said["why"].startswith("the backplane redis://127.0.0.1:1/0 cannot be used: ")


def test_one_whose_parent_has_gone_before_it_came_ends_without_a_word() -> None:
    ended = started_by(
        1 << 22, Options(port=0, workers=2, redis="redis://127.0.0.1:1/0")
    )  # no process has that id: proc(5)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
