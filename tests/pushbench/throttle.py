"""Slow a process down: `python -m tests.pushbench.throttle PID SHARE PERIOD_MS` lets it run for that share of each period.

The rest of the time it is stopped (SIGSTOP), as by a quota. It ends with the process, or when it is told to (SIGTERM), and
leaves the process running.
"""

import os
import signal
import sys
import time
from contextlib import suppress


def throttle(pid: int, share: float, period_s: float) -> None:
    """Until the process is gone, which is ProcessLookupError, or this one is told to end."""
    try:
        while True:
            os.kill(pid, signal.SIGCONT)
            time.sleep(share * period_s)
            os.kill(pid, signal.SIGSTOP)
            time.sleep((1 - share) * period_s)
    finally:
        os.kill(pid, signal.SIGCONT)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with suppress(ProcessLookupError):
        throttle(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]) / 1000)
