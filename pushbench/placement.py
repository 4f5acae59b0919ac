"""Which process runs on which core. The plan is made before a run and recorded with it. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Placement:
    """The cores of each role."""

    server: tuple[int, ...]
    swarm: tuple[int, ...]
    """One for each swarm process; if there are more of these, they share them in turn."""
    publisher: tuple[int, ...]
    relay: tuple[int, ...]
    """Of those cells that have one."""

    @property
    def shared(self) -> bool:
        """Whether the server shares a core with what loads it, so that each disturbs the other."""
        return bool(set(self.server) & {*self.swarm, *self.publisher, *self.relay})

    def serving(self, workers: int) -> "Placement":
        """The same for a server of so many processes: it has a core for each, of those that more swarms would have, but no
        more than half of them. A relay that had one of these is where the publisher is."""
        taken = min(workers - 1, len(self.swarm) // 2)
        if not taken:
            return self
        server = (*self.server, *self.swarm[-taken:])
        relay = self.publisher if set(self.relay) & set(server) else self.relay
        return replace(self, server=server, swarm=self.swarm[:-taken], relay=relay)

    def swarms(self, relayed: bool) -> tuple[int, ...]:
        """The swarm's cores in a cell: where there is a relay, without the relay's, if others are left."""
        left = tuple(core for core in self.swarm if core not in self.relay)
        return left if relayed and left else self.swarm


def place(cores: Sequence[int], twins: Collection[int] = ()) -> Placement:
    """A plan for the cores that this process may use; `twins` are the other hyperthreads of the first one's.

    The server has a core of its own. With three or more the publisher has one too; with two it shares the swarm's, whose
    work comes in bursts just after the publisher's; with one there is no choice. A relay has the fourth, or is where the
    publisher is. From the fourth on, all cores that do not slow the server are for more swarms, one process on each.
    """
    if not cores:
        raise ValueError("there is no core to run on")
    server, rest = cores[0], [*cores[1:]] or [cores[0]]
    publisher = rest[1] if len(rest) > 1 else rest[0]
    more = (core for core in rest[2:] if core not in twins)
    return Placement((server,), (rest[0], *more), (publisher,), (rest[2] if len(rest) > 2 else publisher,))
