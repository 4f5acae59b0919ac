"""Where the swarms of a trial run, and how many there are: on this host, in processes of their own, or elsewhere."""

import resource
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from pushbench import shards
from pushbench.placement import Placement
from pushbench.scenario import Load
from pushbench.workers import pool


class Site(Protocol):
    """A place for swarms."""

    @property
    def host(self) -> str:
        """The address at which processes of this host are reached from there."""

    def processes(self, load: Load, placement: Placement) -> int:
        """How many swarm processes such a load has there."""

    def executor(self, number: int) -> AbstractAsyncContextManager[Executor]:
        """What runs the swarm process of that number, counted from 0."""


class Here:
    """This host, with a fresh process for each swarm."""

    host = "127.0.0.1"

    def processes(self, load: Load, placement: Placement) -> int:
        """See `Site.processes`."""
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return shards.processes(load, cores=len(placement.swarms(load.relayed)), files=files)

    def executor(self, number: int) -> AbstractAsyncContextManager[Executor]:
        """See `Site.executor`. Each has one of its own, because one that loses a process ends the others too."""
        return pool(1)
