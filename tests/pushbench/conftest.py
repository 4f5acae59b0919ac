"""For all tests of the instrument: nobody waits for a look at what else the machine does."""

import pytest

from pushbench import bystanders


@pytest.fixture(autouse=True)
def _quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bystanders, "LOOK_S", 0.01)
