"""Where lies are told and put right: in a trial of the suite's own, or by a naive benchmark, on the same server.

It knows how each is started and given up, and where. What is measured, and what is wrong with it, is not known here.
"""

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from subprocess import DEVNULL, PIPE
from typing import Any

from pushbench import environment
from pushbench.checks import Verdict
from pushbench.environment import CHECKOUT
from pushbench.kinship import below_a_keeper
from pushbench.lies.record import VERDICT
from pushbench.outcome import Outcome
from pushbench.plans import Trial
from pushbench.run import TOKEN, Secured, target_of
from pushbench.scenario import Load, Phases
from pushbench.target import LOOPBACK, TargetFailed, running
from pushbench.trial import attempt

LONGEST_S = 60.0
"""A naive benchmark that takes longer is given up."""


class NotShown(Exception):
    """A way gave no number; the text says why."""


def says(outcome: Outcome) -> str:
    """The verdict of a trial, and what it rests on first of all."""
    judgement = outcome.judgement
    figures = f" ({judgement.evidence.partition(';')[0]})" if judgement.evidence else ""
    why = f", because {judgement.reason}{figures}" if judgement.reason else ""
    return f"{VERDICT}{judgement.verdict}{why}"


class Onlooker:
    """Looks on at a trial, and says nothing."""

    def phase(self, name: str, planned_s: float) -> None:
        """A phase has begun."""

    def live(self, deliveries_per_s: float, p99_ms: float | None) -> None:
        """How it goes."""


class Stage:
    """Makes trials and naive runs, each with a fresh server on a core that all else, this process too, leaves alone."""

    def __init__(self) -> None:
        os.environ.pop(TOKEN, None)  # which no naive benchmark would send
        self._cores = os.sched_getaffinity(0)
        self._placement = environment.placed()
        self._secured = Secured(LOOPBACK)

    def __enter__(self) -> "Stage":
        os.sched_setaffinity(0, self._placement.publisher)
        return self

    def __exit__(self, *exception: object) -> None:
        os.sched_setaffinity(0, self._cores)
        self._secured.close()

    async def trial(self, load: Load, phases: Phases) -> Outcome:
        """A trial of the suite's own. Raises `NotShown` if it has no numbers; any other doubt is in its verdict."""
        target = self._secured(target_of(load), load)
        outcome = await attempt(Trial(load, phases, target, self._placement, seed=1), Onlooker())
        if outcome.judgement.verdict is Verdict.FAILED:
            raise NotShown(outcome.judgement.said)
        return outcome

    async def naive(self, name: str, *arguments: object, served: bool = True) -> dict[str, Any]:
        """What a program of `naive/` has printed. If it is to be `served`, a server's port is its first argument.

        Raises `NotShown` if it prints nothing of the kind, or takes too long.
        """
        async with AsyncExitStack() as stack:
            if served:
                plain = target_of(Load(transport="websocket", subscribers=1))
                assert plain
                try:
                    server = await stack.enter_async_context(running(plain, self._placement.server))
                except TargetFailed as failed:
                    raise NotShown(str(failed)) from None
                arguments = (server.port, *arguments)
            return await self._child([sys.executable, "-m", f"naive.{name}", *map(str, arguments)])

    async def _child(self, command: list[str]) -> dict[str, Any]:
        kept = below_a_keeper(command, self._placement.swarm[:1])
        child = await asyncio.create_subprocess_exec(*kept, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, cwd=CHECKOUT)
        try:
            out, err = await asyncio.wait_for(child.communicate(), LONGEST_S)
        except TimeoutError:
            raise NotShown(f"{command[2]} took more than {LONGEST_S:g} s") from None
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        try:
            found: dict[str, Any] = json.loads(out)
        except ValueError:
            last = err.decode(errors="replace").strip().splitlines()[-1:]
            raise NotShown(
                f"{command[2]} ended with {child.returncode}: {''.join(last) or 'it printed no numbers'}"
            ) from None
        return found
