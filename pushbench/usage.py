"""Usage: what a process has had of its core, by two readings of the kernel's counts; and what several of one role have had.

A reading is taken from outside, or by the process of itself: the counts are the same.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pushbench import probes

LEAST_TICKS = 50
"""Of so many ticks of 10 ms the proportion of user and system is known to about 14 points; of fewer nothing is said."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process had used at one moment, since it began."""

    pid: int
    at_ns: int
    cpu_ns: int
    """How long it ran."""
    threads_ns: dict[int, tuple[int, int]]
    """How long each of its threads ran, and waited for a core, by its id."""
    ticks: tuple[int, int]
    """Ticks in its own code and in the kernel."""


def read(pid: int) -> Usage:
    """Read it now. Raises `probes.ProbeError` if the process has ended."""
    return Usage(pid, time.monotonic_ns(), probes.cpu_ns(pid), probes.threads_ns(pid), probes.user_and_system(pid))


def continued(before: tuple[Usage, ...], now: tuple[Usage, ...]) -> tuple[Usage, ...]:
    """The usage of processes that stand in for others which have ended, as if they were these."""
    added = []
    for number, usage in enumerate(now):
        past = before[number] if number < len(before) else usage
        # Their ticks go on from none, so nothing is said of them.
        cpu_ns = past.cpu_ns + usage.cpu_ns if past is not usage else usage.cpu_ns
        added.append(replace(usage, cpu_ns=cpu_ns, threads_ns=past.threads_ns | usage.threads_ns, ticks=(0, 0)))
    return tuple(added)


@dataclass(frozen=True, slots=True)
class Share:
    """What a process, or all processes of one role, had of the cores in the window."""

    cpu_ns: int
    """How long it ran; of several, all together."""
    wait_ns: int
    """How long it was ready to run, and something else had its core."""
    stopped: float | None
    """The part of the window, 0 to 1, in which it was stopped (SIGSTOP), as far as it was looked; None if nobody looked."""
    of_ns: int
    """How long the window was."""
    user: float | None
    """The part of the time that it ran, 0 to 1, which it spent in its own code and not in the kernel; None if too short."""
    each: "tuple[Share, ...]" = field(default=())
    """Where there are several processes, each one's."""

    @property
    def busiest(self) -> int:
        """Which of several wanted a core for longest, counted from 0: ran on it, or waited for it."""
        wanted_ns = [one.cpu_ns + one.wait_ns for one in self.each] or [0]
        return wanted_ns.index(max(wanted_ns))

    @property
    def cpu_percent(self) -> float:
        """Of one core; of several processes, the busiest one's."""
        return self.each[self.busiest].cpu_percent if self.each else 100 * self.cpu_ns / self.of_ns

    @property
    def wait_percent(self) -> float:
        """Of the window; of several processes, the busiest one's."""
        return self.each[self.busiest].wait_percent if self.each else 100 * self.wait_ns / self.of_ns

    @property
    def stopped_percent(self) -> float | None:
        """Of the window; of several processes, that one's which was stopped for longest."""
        return None if self.stopped is None else 100 * self.stopped


def share(before: Usage, after: Usage, stopped: float | None = None) -> Share:
    """What a process had between two readings. `stopped` is the part of that time in which it was."""
    return Share(
        cpu_ns=after.cpu_ns - before.cpu_ns,
        wait_ns=_waited_ns(before, after),
        stopped=stopped,
        of_ns=after.at_ns - before.at_ns,
        user=_part(before.ticks, after.ticks),
    )


def as_one(before: Sequence[Usage], after: Sequence[Usage]) -> Share:
    """What a process and those that it has started had between two readings, as if they were one.

    Those that were there both times count. What the first one waited while the others ran it waited for those.
    """
    then = {one.pid: one for one in before}
    shares = [share(then[one.pid], one) for one in after if one.pid in then]
    cpu_ns = sum(one.cpu_ns for one in shares)
    wait_ns = max(0, shares[0].wait_ns - (cpu_ns - shares[0].cpu_ns))
    return replace(shares[0], cpu_ns=cpu_ns, wait_ns=wait_ns) if len(shares) > 1 else shares[0]


def _waited_ns(before: Usage, after: Usage) -> int:
    """How long its threads waited for something else than each other: one can wait for the others only while they run.

    Of threads that are still there: what an ended one had is not in the later sum.
    """
    had = {one: before.threads_ns.get(one, (0, 0)) for one in after.threads_ns}
    threads = [(ran - had[one][0], waited - had[one][1]) for one, (ran, waited) in after.threads_ns.items()]
    ran_ns = sum(ran for ran, _ in threads)
    return sum(max(0, waited - (ran_ns - ran)) for ran, waited in threads)


def together(shares: Sequence[Share]) -> Share:
    """The processes of one role; there is at least one."""
    if len(shares) == 1:
        return shares[0]
    cpu_ns = sum(one.cpu_ns for one in shares)
    known = [one for one in shares if one.user is not None]
    known_ns = sum(one.cpu_ns for one in known)
    return Share(
        cpu_ns=cpu_ns,
        wait_ns=sum(one.wait_ns for one in shares),
        stopped=max((one.stopped for one in shares if one.stopped is not None), default=None),
        of_ns=max(one.of_ns for one in shares),
        # Of a process that ran too briefly for that it is not known, and hardly changes what is known of the others.
        user=sum(one.cpu_ns * (one.user or 0.0) for one in known) / known_ns if 2 * known_ns > cpu_ns else None,
        each=tuple(shares),
    )


def _part(before: tuple[int, int], after: tuple[int, int]) -> float | None:
    """The first of two counts, as a part of what both have grown by; None if they began anew, or grew by too little."""
    user, system = (now - then for then, now in zip(before, after, strict=True))
    return user / (user + system) if min(user, system) >= 0 and user + system >= LEAST_TICKS else None
