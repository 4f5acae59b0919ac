"""Parents and children among processes: nothing that a run starts outlives it, even if the run is killed."""

import ctypes
import signal

_LIBC = ctypes.CDLL(None, use_errno=True)  # looked up before any fork, where little may be done
_PR_SET_PDEATHSIG = 1


def end_with_parent(with_signal: signal.Signals) -> None:
    """Called in a child: have the kernel send it this signal when its parent ends."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(with_signal))
