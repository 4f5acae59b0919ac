"""A run that is killed at a moment that nobody has chosen; `make kill` does it 200 times."""

import random
import signal
from pathlib import Path

import pytest

from tests.proofs.killing import Attempt

pytestmark = pytest.mark.slow

LENGTH_S = 6.0
"""About as long as such a run takes."""
TENTHS = (2, 5, 8)


@pytest.mark.parametrize("tenths", TENTHS)
def test_a_run_that_is_killed_has_lost_and_left_nothing(tenths: int, tmp_path: Path) -> None:
    moment_s = (tenths + random.uniform(-2, 2)) / 10 * LENGTH_S
    assert Attempt(tmp_path / "killed").look(moment_s, signal.SIGKILL).breaches == []


def test_a_run_that_is_told_to_end_has_lost_and_left_nothing(tmp_path: Path) -> None:
    assert Attempt(tmp_path / "interrupted").look(random.uniform(0, LENGTH_S), signal.SIGINT).breaches == []
