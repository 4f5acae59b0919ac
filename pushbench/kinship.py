"""Parents and children among processes: nothing that a run starts outlives it, even if the run is killed."""

import ctypes
import os
import signal

_LIBC = ctypes.CDLL(None, use_errno=True)  # looked up before any fork, where little may be done
_PR_SET_PDEATHSIG = 1


def end_with_parent(parent_pid: int, with_signal: signal.Signals) -> None:
    """Called in a child: have the kernel send it this signal when its parent ends, or do so now if it has ended."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(with_signal))
    if os.getppid() != parent_pid:
        os.kill(os.getpid(), with_signal)
