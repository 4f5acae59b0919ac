"""Where the swarms of a trial run, and how many there are: on this host, in processes of their own, or elsewhere."""

import resource
from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager
from types import MappingProxyType
from typing import Any, Protocol

from pushbench import shards
from pushbench.placement import Placement
from pushbench.scenario import Load
from pushbench.workers import pool


class SiteError(Exception):
    """No trials can be made there, or no more; one line with the way out."""


class Site(Protocol):
    """A place for swarms."""

    @property
    def host(self) -> str:
        """The address at which processes of this host are reached from there."""

    @property
    def afar(self) -> bool:
        """Whether its processes are others', perhaps on other hosts: not to be pinned, looked at or killed from here."""

    async def processes(self, load: Load, placement: Placement) -> int:
        """How many swarm processes such a load has there, once they can begin. Raises WorkerFailed if they cannot."""

    def executor(self, number: int) -> AbstractAsyncContextManager[Executor]:
        """What runs the swarm process of that number, counted from 0."""

    def ensure(self) -> None:
        """Raise SiteError if no more trials can be made there."""

    @property
    def described(self) -> Mapping[str, Any]:
        """What another run must share for the two to be compared; empty of this host, which the environment describes."""


class Here:
    """This host, with a fresh process for each swarm."""

    host = "127.0.0.1"
    afar = False
    described: Mapping[str, Any] = MappingProxyType({})

    async def processes(self, load: Load, placement: Placement) -> int:
        """See `Site.processes`."""
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return shards.processes(load, cores=len(placement.swarms(load.relayed)), files=files)

    def executor(self, number: int) -> AbstractAsyncContextManager[Executor]:
        """See `Site.executor`. Each has one of its own, because one that loses a process ends the others too."""
        return pool(1)

    def ensure(self) -> None:
        """See `Site.ensure`."""
