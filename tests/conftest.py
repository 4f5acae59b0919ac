"""For all tests: properties are tried without a deadline, because an example's time says nothing on a busy machine; and
signals are as from a terminal, also where the tests themselves run in the background.
"""

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("pushbench", deadline=None)
settings.load_profile("pushbench")


@pytest.fixture(autouse=True)
def _signals_as_from_a_terminal() -> Iterator[None]:
    """A shell has what it starts in the background ignore Ctrl-C, and nohup SIGHUP; what a test starts would do so too."""
    ignored = [one for one in (signal.SIGINT, signal.SIGHUP) if signal.getsignal(one) is signal.SIG_IGN]
    for one in ignored:
        signal.signal(one, signal.SIG_DFL)
    yield
    for one in ignored:
        signal.signal(one, signal.SIG_IGN)
