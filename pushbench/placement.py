"""Which process runs on which core. The plan is made before a run and recorded with it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Placement:
    """The cores of each role."""

    server: tuple[int, ...]
    swarm: tuple[int, ...]
    publisher: tuple[int, ...]
    relay: tuple[int, ...]
    """Of those cells that have one."""

    @property
    def shared(self) -> bool:
        """Whether the server shares a core with what loads it, so that each disturbs the other."""
        return bool(set(self.server) & {*self.swarm, *self.publisher, *self.relay})


def place(cores: Sequence[int]) -> Placement:
    """A plan for the cores that this process may use.

    The server has a core of its own. With three or more the publisher has one too; with two it shares the swarm's, whose
    work comes in bursts just after the publisher's; with one there is no choice. A relay has the fourth, or is where the
    publisher is.
    """
    if not cores:
        raise ValueError("there is no core to run on")
    server, rest = cores[0], [*cores[1:]] or [cores[0]]
    publisher = rest[1] if len(rest) > 1 else rest[0]
    return Placement((server,), (rest[0],), (publisher,), (rest[2] if len(rest) > 2 else publisher,))
