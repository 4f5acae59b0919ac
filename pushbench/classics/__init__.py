"""The classics: published experiments, made again at a scale that this machine bears, and set beside what they say.

A literal table of them. Each is a scenario, scenarios/classics/NAME.toml, and a module, which knows what was published, how
sure the figure is, and by which rule a claim reproduces. `pushbench repro` runs and tells them.
"""

from pushbench.classics import aquilio, bozdag, cometd, pimentel_nickerson, quantum_leap, rfc6202, van_de_vyvere
from pushbench.classics.claims import Classic

CLASSICS: dict[str, Classic] = {
    one.CLASSIC.name: one.CLASSIC
    for one in (quantum_leap, pimentel_nickerson, bozdag, rfc6202, aquilio, van_de_vyvere, cometd)
}
"""By name, in the order in which they are listed."""
