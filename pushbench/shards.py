"""Shards: among how many swarm processes the subscribers of a load are divided. Pure.

Which of them each process has is not known here (`pushbench.part`).
"""

from pushbench.scenario_keys import Load
from pushbench.transports import ROWS

FILES_KEPT = 256
"""Of the files that a process may open, so many are not for subscribers: libraries, event loop, control channel, and those
that are just being closed."""
LEAST_EACH = 100
"""Where nobody says how many, another process is for another so many subscribers: starting it costs a third of a second."""


def files_each(load: Load) -> int:
    """How many files a swarm has open for one subscriber, at most: where connections end on purpose, a copy of each."""
    return 2 if load.leave_early else 1


def processes(load: Load, *, cores: int, files: int) -> int:
    """How many swarm processes a load has.

    As many as it says; else as many as there are cores for, if there are subscribers enough, and at least so many that
    none has more subscribers than it may open files. `files` is the limit of one process. What feeds itself is one.
    """
    if ROWS[load.transport].feeds_itself or load.client == "browser":
        return 1
    if load.swarms:
        return load.swarms
    at_most_each = max(1, (files - FILES_KEPT) // files_each(load))
    return max(1, min(cores, load.subscribers // LEAST_EACH), -(-load.subscribers // at_most_each))
