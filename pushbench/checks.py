"""Checks: may a trial's numbers be believed? Pure: from measured evidence to a verdict with its reason and a way out.

The thresholds are argued in docs/method.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """Why a trial's numbers may be believed, or not; what each means is said in `pushbench.glossary.VERDICTS`."""

    OK = "ok"
    SERVER_BOUND = "server_bound"
    CLIENT_BOUND = "client_bound"
    PUBLISHER_LATE = "publisher_late"
    LOSSY = "lossy"
    NONCONFORMING = "nonconforming"
    FAILED = "failed"

    @property
    def believable(self) -> bool:
        """Whether the numbers may be read as those of the server."""
        return self in (Verdict.OK, Verdict.SERVER_BOUND)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and what it rests on; all texts are empty for `ok`."""

    verdict: Verdict
    reason: str = ""
    """Why, in plain English."""
    evidence: str = ""
    """The figures, each with its limit."""
    hint: str = ""
    """What to change."""

    @property
    def said(self) -> str:
        """All of it, in one line."""
        return self.reason + (f" ({self.evidence})" if self.evidence else "") + (f"; {self.hint}" if self.hint else "")


SATURATED_PERCENT = 95.0
"""A process that used this much of its core in the window had no time left."""
SWARM_BUSY_PERCENT = 85.0
"""A swarm with a server that is not full is held to a stricter limit: bursts queue long before a core is full."""
SWARM_LAG_MS = 100.0
"""A receiving loop that comes this late to what has arrived stamps messages that late."""
HELD_MS = 5.0
"""A swarm that is kept from its core for less than this adds nothing that a scheduler does not add anyhow."""
HELD_PART = 0.25
"""Beyond that, it may be kept from its core for this part of the latency's p99."""
LAG_PART = 0.75
"""A swarm that is late by this part of the latency's p99 has measured itself."""
STOPPED_PERCENT = 2.0
"""Nobody stops a process that is measured; so much is let pass, because it is looked only now and then."""
WAIT_PERCENT = 5.0
"""A process that waited this much of the window for its core was not alone on it."""
WAIT_PART = 0.25
"""Nor was one that waited for this part of the time that it ran, although that may be less of the window."""
WAIT_LEAST_PERCENT = 1.0
"""But so little of the window may be the kernel's own work."""
STEAL_PERCENT = 5.0
"""So much of the cores' time may the hypervisor take."""
SLIP_MS = 10.0
"""A publisher that is later than this for 1 % of the messages offers another feed than the scheduled one."""
SLIP_PART = 0.1
"""Unless that is less than this part of the latency's p99, and so of no account."""
KEPT_UP = 0.9
"""A trial in which less than this part of the offered deliveries arrived in the window has fallen behind."""

FREE_THE_MACHINE = "end what else runs on this machine (`pushbench doctor` looks), or use one with more cores"
LESS_LOAD = "lower subscribers or rate_hz, or use a machine with more cores"


def judge(evidence: Mapping[str, Any]) -> Judgement:
    """The verdict on a trial that has numbers.

    `evidence` has the columns of `trials`, also those of the load, how many messages were `scheduled` and `published`, how
    many were never said by those who act (`unsaid`), for
    how long one may wait for a poll (`polled_ms`) and be on the relay's line (`line_ms`), which part of the deliveries
    comes late or never by design (`excused`), how many may be lost (`losable`), and whether the transport is `ordered`.

    The first doubt decides; the figures of the others stand behind its own. What makes a number worthless comes before
    what explains it. Between the two sides, the one that is full is the limit; only if neither is, a swarm that is merely
    busy spoils the number.
    """
    doubts = list(_doubts(_Evidence(evidence)))
    if not doubts:
        return Judgement(Verdict.OK)
    first, *others = doubts
    figures = "; ".join(dict.fromkeys([first.evidence, *(other.evidence for other in others)]))
    return Judgement(first.verdict, first.reason, figures, first.hint)


@dataclass(frozen=True, slots=True)
class _Evidence:
    """The columns; one that was not measured is held against nobody."""

    columns: Mapping[str, Any]

    def __getitem__(self, column: str) -> float:
        value = self.columns[column]
        return float("nan") if value is None else float(value)

    def share(self, role: str) -> float:
        """How much of the window a process wanted its core: what it ran, and what it waited for it."""
        known = (self[f"{role}_cpu_percent"], self[f"{role}_wait_percent"])
        return sum(value for value in known if value == value)  # NaN is not equal to itself

    @property
    def tail_ms(self) -> float:
        """The latency's p99, without what a message rightly waits for: the next poll, and the relay's line."""
        return max(0.0, self["latency_p99_ms"] - self["polled_ms"] - self["line_ms"])

    def said(self, *columns: str) -> str:
        """Columns with their values, as far as they are known."""
        return ", ".join(f"{column} {value:,.1f}" for column in columns if (value := self[column]) == value)


def _doubts(have: _Evidence) -> Iterator[Judgement]:
    """All that speaks against the numbers, the worst first."""
    yield from _late(have)
    if have["swarm_late_ms"] > have["warmup_ms"]:
        late = (
            "a swarm process was told of the start only when the window had begun: what it did there is not what was asked"
        )
        figures = f"{have.said('swarm_late_ms')} above {have['warmup_ms']:,.1f}, which is the warm-up"
        yield Judgement(Verdict.CLIENT_BOUND, late, figures, FREE_THE_MACHINE)
    for role in ("server", "swarm", "publisher", "relay"):
        asked = 100 * have["server_stall_ms"] / 1000 / have["measure_s"] if role == "server" else 0.0
        if have[f"{role}_stopped_percent"] > asked + STOPPED_PERCENT:
            stopped = f"the {role} was stopped from outside: its figures are those of whoever stopped it"
            figures = f"{have.said(f'{role}_stopped_percent')} above {asked + STOPPED_PERCENT:.1f}"
            yield Judgement(Verdict.CLIENT_BOUND, stopped, figures, "see who sends SIGSTOP: a debugger, a CPU limiter?")
    wanted = have.said("swarm_cpu_percent", "swarm_wait_percent")
    if have["swarm_processes"] > 1:
        wanted += f" of the busiest swarm process, {have['swarm_busiest']:.0f} of {have['swarm_processes']:.0f}"
    if have.share("swarm") > SATURATED_PERCENT:
        full = "the swarm's core had no time left: the server may be faster than shown"
        hint = FREE_THE_MACHINE if have["swarm_wait_percent"] > have["swarm_cpu_percent"] else LESS_LOAD
        yield Judgement(Verdict.CLIENT_BOUND, full, f"{wanted}, together above {SATURATED_PERCENT:g}", hint)
    relaying = have.said("relay_cpu_percent", "relay_wait_percent")
    if have.share("relay") > SATURATED_PERCENT:
        full = "the relay's core had no time left: what it added is not the line that was asked for"
        yield Judgement(Verdict.CLIENT_BOUND, full, f"{relaying}, together above {SATURATED_PERCENT:g}", LESS_LOAD)
    if have["swarm_held_p99_ms"] > (limit := max(HELD_MS, HELD_PART * have.tail_ms)):
        held = "the swarm was kept from its core for a good part of the latency: it is the machine's, not the server's"
        figures = have.said("swarm_held_p99_ms", "latency_p99_ms")
        yield Judgement(Verdict.CLIENT_BOUND, held, f"{figures}, limit {limit:.1f}", FREE_THE_MACHINE)
    if have["relay_packets_dropped"] > 0:
        dropped = "the line had no room for all packets: what it lost is not what it was to lose"
        figures = have.said("relay_packets_dropped", "relay_packets")
        yield Judgement(Verdict.CLIENT_BOUND, dropped, figures, LESS_LOAD)
    yield from _lossy(have)
    limit = min(WAIT_PERCENT, max(WAIT_LEAST_PERCENT, WAIT_PART * have["server_cpu_percent"]))
    if have["server_wait_percent"] > limit:
        waited = "the server had to wait for its core, on which something else ran: alone it is faster"
        figures = f"{have.said('server_wait_percent')} above {limit:.1f}, {have.said('server_cpu_percent')}"
        hint = FREE_THE_MACHINE
        if have["server_processes"] > 1:
            waited = (
                "the server's processes had to wait for a core, for each other or for something else: alone each is faster"
            )
            hint = "use a machine with more cores, or fewer server_workers"
        yield Judgement(Verdict.CLIENT_BOUND, waited, figures, hint)
    if have["steal_percent"] > STEAL_PERCENT:
        stolen = "the hypervisor gave the cores to another machine meanwhile"
        figures = f"{have.said('steal_percent')} above {STEAL_PERCENT:g}"
        yield Judgement(Verdict.CLIENT_BOUND, stolen, figures, "try again later, or on a machine of your own")
    if have["server_cpu_percent"] > SATURATED_PERCENT:
        full = "the server used all of its core: this is its limit"
        figures = f"{have.said('server_cpu_percent')} above {SATURATED_PERCENT:g}, {have.said('publisher_slip_p99_ms')}"
        yield Judgement(Verdict.SERVER_BOUND, full, figures, "lower subscribers or rate_hz to see it below its limit")
    if SWARM_BUSY_PERCENT < have.share("swarm") <= SATURATED_PERCENT:
        busy = "the swarm was busy most of the time, and the server was not: the latency is partly the swarm's"
        yield Judgement(Verdict.CLIENT_BOUND, busy, f"{wanted}, together above {SWARM_BUSY_PERCENT:g}", LESS_LOAD)
    if have["swarm_lag_p99_ms"] > (limit := min(SWARM_LAG_MS, max(HELD_MS, LAG_PART * have.tail_ms))):
        late = "the swarm looked at what had arrived only much later: the latency is largely the swarm's"
        figures = f"{have.said('swarm_lag_p99_ms')} above {limit:.1f}, {have.said('latency_p99_ms')}"
        yield Judgement(Verdict.CLIENT_BOUND, late, figures, LESS_LOAD)
    if SWARM_BUSY_PERCENT < have.share("relay") <= SATURATED_PERCENT:
        busy = "the relay was busy most of the time: the latency is partly the relay's"
        yield Judgement(Verdict.CLIENT_BOUND, busy, f"{relaying}, together above {SWARM_BUSY_PERCENT:g}", LESS_LOAD)
    # What a line of packets is late by, all that is sent again on it is late by, and so is no excuse for itself.
    relay_ms = HELD_PART * have["line_ms"] if have.columns["line"] == "packets" else LAG_PART * have.tail_ms
    if have["relay_lag_p99_ms"] > (limit := min(SWARM_LAG_MS, max(HELD_MS, relay_ms))):
        late = "the relay passed on what had arrived only much later: the latency is largely the relay's"
        figures = f"{have.said('relay_lag_p99_ms')} above {limit:.1f}, {have.said('latency_p99_ms')}"
        yield Judgement(Verdict.CLIENT_BOUND, late, figures, LESS_LOAD)
    if have["deliveries_per_s"] < (KEPT_UP - have["excused"]) * have["offered_per_s"]:
        behind = "it fell behind what was offered, although neither the server nor the swarm was at its limit"
        figures = f"{have.said('deliveries_per_s', 'offered_per_s')}, less than {KEPT_UP - have['excused']:.2f} of it"
        hint = "look at latency_over_time: was the server stopped, or did it wait for something? is the machine busy?"
        yield Judgement(Verdict.CLIENT_BOUND, behind, figures, hint)


def _late(have: _Evidence) -> Iterator[Judgement]:
    """Whether the publisher offered the feed as scheduled.

    One that was late only because it had to wait for a full server is not to blame: the latency counts from the due time,
    and the server's limit is what it found. But what was not published at all is in no latency, whoever is to blame.
    """
    if have["unsaid"] > 0 and not have["lost"] > 0:  # else an answer is missing, and that is why
        waited = "who acts had no answer yet to what it did before, and never came to do all: another load than scheduled"
        figures = f"{have['unsaid']:,.0f} of {have['scheduled']:,.0f} were never said"
        hint = "lower rate_hz, or take more subscribers, so that each is answered before it acts again"
        yield Judgement(Verdict.PUBLISHER_LATE, waited, figures, hint)
    missing = have["scheduled"] - have["published"]
    limit = max(SLIP_MS, SLIP_PART * have.tail_ms)
    if missing <= 0 and not have["publisher_slip_p99_ms"] > limit:
        return
    figures = f"{have.said('publisher_slip_p99_ms')}, limit {limit:.1f}"
    if cpu := have.said("publisher_cpu_percent"):
        figures += f", {cpu}"
    if missing > 0:
        figures += f"; {missing:,.0f} of {have['scheduled']:,.0f} messages were not published in time"
    held_up = have["publisher_cpu_percent"] < SWARM_BUSY_PERCENT and have["publisher_wait_percent"] < WAIT_PERCENT
    if missing <= 0 and have.columns["pacing"] == "open" and held_up and have["server_cpu_percent"] > SATURATED_PERCENT:
        return
    if have.columns["pacing"] == "closed":
        late = "the closed loop put off what it published until the server answered: another feed than the scheduled one"
        hint = 'believe pacing = "open"'
    elif missing > 0 and have["server_cpu_percent"] > SATURATED_PERCENT:
        late = "the server took messages so slowly that some were never published, and those are in no latency"
        hint = "lower rate_hz until all can be published, and see its limit then"
    elif have.share("publisher") > SATURATED_PERCENT:
        late = "the publisher cannot publish so fast"
        hint = "lower rate_hz, or publish by websocket, or give the publisher a core of its own"
    else:
        late = "the publisher was late: another feed than the scheduled one was offered"
        hint = "lower rate_hz, free the machine, or give the publisher a core of its own"
    yield Judgement(Verdict.PUBLISHER_LATE, late, figures, hint)


def _lossy(have: _Evidence) -> Iterator[Judgement]:
    most = {"lost": have["losable"], "reordered": 0.0 if have.columns["ordered"] else float("inf")}
    names = ("lost", "duplicated", "reordered")
    wrong = {name: int(have[name]) for name in names if have[name] > most.get(name, 0.0)}
    if not wrong:
        return
    counted = ", ".join(f"{name} {count:,}" for name, count in wrong.items())
    figures = f"of {have['expected']:,.0f} deliveries: {counted}"
    if gaps := int(have["gaps"]):
        figures += f"; {gaps:,} gaps, the longest of {have['gap_longest']:,.0f} messages"
    hint = "look at the server's limits (its log, its buffers) and at drain_s"
    yield Judgement(Verdict.LOSSY, "not everybody got every message once and in order", figures, hint)
