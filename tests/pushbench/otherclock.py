"""A swarm on a host with another clock, as far as one can be had here: one process that believes in another time."""

import time

from pushbench import machine
from pushbench.site import Here
from pushbench.swarm import SwarmPlan, swarm
from pushbench.swarm_report import SwarmReport

AHEAD_NS = 1_000_000_000_000


class Elsewhere(Here):
    """A place whose processes are not to be looked at from here."""

    afar = True


def swarm_of_another_clock(plan: SwarmPlan) -> SwarmReport:
    """A swarm whose CLOCK_MONOTONIC is another host's; that of the second of several is behind. In a process of its own."""
    here, ahead_ns = time.monotonic_ns, -AHEAD_NS if plan.part.number else AHEAD_NS
    time.monotonic_ns = lambda: here() + ahead_ns
    machine.clock = lambda: f"another {plan.part.number}"
    return swarm(plan)
