"""What a run shows while it works: a live line on a terminal, plain lines elsewhere.

It is told what happens, and estimates how long the rest takes. It is drawn by the run's own process, a few times a
second, never by a load process.
"""

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from pushbench.checks import Verdict

OVERHEAD_S = 3.0
"""What a trial takes beyond its phases, until one has shown."""


def time_left_s(
    planned_s: Sequence[float], done_planned_s: float, done_actual_s: float, done: int, running_s: float
) -> float:
    """How long the trials in `planned_s` (the running one first) will take: their phases plus the overhead seen so far."""
    overhead_s = (done_actual_s - done_planned_s) / done if done else OVERHEAD_S
    estimates = [planned + overhead_s for planned in planned_s]
    return max(0.0, sum(estimates) - min(running_s, estimates[0])) if estimates else 0.0


class Progress:
    """Shows one run. Also what a trial's `Watch` asks for."""

    def __init__(self, planned_s: Sequence[float], stream: TextIO | None = None) -> None:
        """`planned_s`: for each trial that is to come, in order, what its phases take."""
        self._left = list(planned_s)
        self._total = len(self._left)
        self._console = Console(file=stream or sys.stderr, highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True) if self._console.is_terminal else None
        self._done_planned_s = self._done_actual_s = 0.0
        self._number = 0
        self._about = False
        self._label = self._phase = self._rate = ""
        self._began = time.monotonic()

    def __enter__(self) -> "Progress":
        if self._live:
            self._live.start()
            self._console.show_cursor()  # hidden, it would stay so if this process were killed
        return self

    def __exit__(self, *exception: object) -> None:
        if self._live:
            with suppress(OSError):  # a terminal that has been closed needs no tidying
                self._live.stop()

    def expect(self, planned_s: Sequence[float]) -> None:
        """What is to come is now thought to be this: `planned_s` as above, for the next trial and all after it."""
        self._about = True
        self._left = list(planned_s)
        self._total = self._number + len(self._left)

    def trial(self, label: str) -> None:
        """The next trial begins."""
        self._number += 1
        self._label = label
        self._began = time.monotonic()
        self._rate = ""

    def phase(self, name: str, planned_s: float) -> None:
        """The trial is in another phase."""
        self._phase = name
        if name == "disconnect":
            self._rate = ""
        self._refresh()

    def live(self, deliveries_per_s: float, p99_ms: float | None) -> None:
        """How the trial goes."""
        p99 = f", p99 {p99_ms:,.1f} ms" if p99_ms is not None else ""
        self._rate = f" · {deliveries_per_s:,.0f} deliveries/s{p99}"
        self._refresh()

    def done(self, verdict: str, result: str) -> None:
        """The trial is over; one line of it stays on the screen."""
        took_s = time.monotonic() - self._began
        self._done_actual_s += took_s
        self._done_planned_s += self._left.pop(0)
        left = f", about {_clock(self._left_s(0.0))} left" if self._left else ""
        line = f"{self._count()} {self._label}: {verdict}{result} ({took_s:.1f} s{left})"
        self._console.print(Text(line, style="" if Verdict(verdict).believable else "yellow"), soft_wrap=True)

    def _left_s(self, running_s: float) -> float:
        return time_left_s(self._left, self._done_planned_s, self._done_actual_s, self._total - len(self._left), running_s)

    def _count(self) -> str:
        return f"[{self._number:>{len(str(self._total))}}/{'~' if self._about else ''}{self._total}]"

    def _refresh(self) -> None:
        if self._live:
            left = _clock(self._left_s(time.monotonic() - self._began))
            line = f"{self._count()} {self._label} · {self._phase}{self._rate} · {left} left"
            self._live.update(Text(line, overflow="ellipsis", no_wrap=True), refresh=True)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d} min" if seconds >= 60 else f"{seconds:.0f} s"
