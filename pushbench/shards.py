"""Shards: how many swarm processes a trial has, and which of its subscribers each of them is. Pure.

Subscribers are dealt like cards, one to each process in turn. So every process has its share of those that join late, read
slowly, leave or vanish, and what a subscriber does, and when, does not depend on how many processes there are.
"""

from dataclasses import dataclass

from pushbench.scenario_keys import Load
from pushbench.transports import ROWS

FILES_KEPT = 256
"""Of the files that a process may open, so many are not for subscribers: libraries, event loop, control channel, and those
that are just being closed."""
LEAST_EACH = 100
"""Where nobody says how many, another process is for another so many subscribers: starting it costs a third of a second."""


@dataclass(frozen=True, slots=True)
class Part:
    """The part of the subscribers, counted from 0, that is one process's."""

    number: int = 0
    of: int = 1

    def numbers(self, subscribers: int) -> range:
        """Which of so many."""
        return range(self.number, subscribers, self.of)

    def count(self, subscribers: int) -> int:
        """How many of so many."""
        return len(self.numbers(subscribers))

    def has(self, subscriber: int) -> bool:
        """Whether that one is here."""
        return subscriber % self.of == self.number

    def here(self, subscriber: int) -> int:
        """Which of this part's own that one is."""
        return subscriber // self.of

    def seed(self, seed: int) -> int:
        """A seed that no other part has; that of the first is as it was given."""
        return seed if not self.number else hash((seed, self.number))


ALL = Part()
"""All subscribers."""


def files_each(load: Load) -> int:
    """How many files a swarm has open for one subscriber, at most: where connections end on purpose, a copy of each."""
    return 2 if load.leave_early else 1


def processes(load: Load, *, cores: int, files: int) -> int:
    """How many swarm processes a load has.

    As many as it says; else as many as there are cores for, if there are subscribers enough, and at least so many that
    none has more subscribers than it may open files. `files` is the limit of one process. What feeds itself is one.
    """
    if ROWS[load.transport].server is None:
        return 1
    if load.swarms:
        return load.swarms
    at_most_each = max(1, (files - FILES_KEPT) // files_each(load))
    return max(1, min(cores, load.subscribers // LEAST_EACH), -(-load.subscribers // at_most_each))
