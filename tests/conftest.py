"""For all tests: properties are tried without a deadline, because an example's time says nothing on a busy machine; and
signals are as from a terminal, also where the tests themselves run in the background. numpy has one thread, as in a run,
for each process that a test starts would take 0.1 s of CPU to start more. What was collected is there for
good, so no collection of garbage looks at it: a load process that is tried as a thread collects before it begins, and
would begin late.
"""

import gc
import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
settings.register_profile("pushbench", deadline=None)
settings.load_profile("pushbench")


@pytest.hookimpl(tryfirst=True)  # before it is chosen by marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of a test that is `quick_once` one set of parameters is of `make test`, and the others are of `make test-slow`."""
    seen = set()
    for item in items:
        if item.get_closest_marker("quick_once"):
            function = getattr(item, "function", item)
            if function in seen:
                item.add_marker(pytest.mark.slow)
            seen.add(function)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _signals_as_from_a_terminal() -> Iterator[None]:
    """A shell has what it starts in the background ignore Ctrl-C, and nohup SIGHUP; what a test starts would do so too."""
    ignored = [one for one in (signal.SIGINT, signal.SIGHUP) if signal.getsignal(one) is signal.SIG_IGN]
    for one in ignored:
        signal.signal(one, signal.SIG_DFL)
    yield
    for one in ignored:
        signal.signal(one, signal.SIG_IGN)
