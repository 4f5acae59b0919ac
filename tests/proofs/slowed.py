"""The built-in server, slowed: `python -m tests.proofs.slowed PERCENT [options of python -m servers]`.

After each callback of its event loop it spins for that part of the time which the callback took.
"""

import asyncio
import sys
import time

from servers.__main__ import main


def slow_down(percent: float) -> None:
    """Slow every event loop of this process down, as far as it is asyncio's own."""
    run = asyncio.Handle._run

    def run_and_spin(handle: asyncio.Handle) -> None:
        began = time.perf_counter_ns()
        run(handle)
        until = time.perf_counter_ns()
        until += round((until - began) * percent / 100)
        while time.perf_counter_ns() < until:
            pass

    asyncio.Handle._run = run_and_spin  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    slow_down(float(sys.argv.pop(1)))
    main()
