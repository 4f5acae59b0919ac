"""The doctor: is this machine fit to measure on, and what would make it fitter?

It takes readings, has them judged by what scenarios need of a machine, and puts what was found into words.
"""

import sys
import textwrap
from collections.abc import Sequence

from pushbench import readings, shards
from pushbench.audience import ADDRESS_HOLDS, CONNECTING
from pushbench.diagnosis import Finding, Need, judge
from pushbench.scenario import Load, Scenario, files_needed

BASE_BYTES = 512 * 2**20
"""Of a run without subscribers: server, swarm, publisher, and what draws."""
SUBSCRIBER_BYTES = 150 * 2**10
"""Twice what one takes at rest on both sides and in the kernel, by the most expensive transport (1,000 × sse: 68 KiB)."""
MOST_SWARMS = 64
DELIVERY_BYTES = 200
"""The swarm's at its peak, when the trial is over: 24 are recorded of one, and 146 more are needed to make sums of them."""


def need(scenarios: Sequence[Scenario]) -> Need:
    """What the largest cell of these scenarios needs; the memory is estimated, and may be another cell's."""
    cells = [(scenario, cell) for scenario in scenarios for cell in scenario.heaviest]
    scenario, largest = max(cells, key=lambda one: files_needed(one[1]))

    def memory_bytes(one: tuple[Scenario, Load]) -> int:
        phases, cell = one[0].phases, one[1]
        deliveries = cell.subscribers * cell.rate_hz * (phases.warmup_s + phases.measure_s)
        return round(BASE_BYTES + SUBSCRIBER_BYTES * cell.subscribers + DELIVERY_BYTES * deliveries)

    return Need(
        scenario=scenario.name,
        subscribers=largest.subscribers,
        files=files_needed(largest),
        memory_bytes=max(map(memory_bytes, cells)),
        connecting=CONNECTING,
        swarms=max(shards.processes(cell, cores=MOST_SWARMS, files=sys.maxsize) for _, cell in cells),
        addresses=max(1, largest.swarms, -(-largest.subscribers // ADDRESS_HOLDS)),
    )


def examine(scenarios: Sequence[Scenario]) -> list[Finding]:
    """Look at everything that a measurement of these scenarios rests on; takes a quarter of a second."""
    return list(judge(readings.take(), need(scenarios)))


def told(finding: Finding, width: int) -> str:
    """A finding in lines of at most this width, as far as its words allow: what was found, what it means, what to do."""
    label = f"{finding.severity:4}  {finding.about:10}  "
    parts = [(label, finding.found), ("", finding.means), ("", f"→ {finding.change}" if finding.change else "")]
    return "\n".join(
        textwrap.fill(
            part,
            width,
            initial_indent=f"{start:{len(label)}}",
            subsequent_indent=" " * len(label),
            break_long_words=False,
            break_on_hyphens=False,
        )
        for start, part in parts
        if part
    )
