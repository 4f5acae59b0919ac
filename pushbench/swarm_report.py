"""What a swarm has to say in the end, and what several have to say together.

Every part of a report is a sum, a count, a bag of values or a histogram, so that those of several processes, which had the
subscribers among them, make the report that one process with all of them would have made. Pure.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from pushbench import fanout, histogram, wire
from pushbench.age import Age
from pushbench.clocks import Clock
from pushbench.comeback import Arrivals
from pushbench.fanout import Fanout
from pushbench.lag import Lag
from pushbench.ledger import Ledger
from pushbench.pings import Pings
from pushbench.slow import Slow
from pushbench.timeline import Timeline
from pushbench.usage import Share
from pushbench.wire import Traffic
from pushbench.witness import Account


@dataclass(frozen=True, slots=True)
class SwarmReport:
    """What it has to say in the end. Every part can be added to that of another swarm."""

    ledger: Ledger
    age: Age
    timeline: Timeline
    naive_timeline: Timeline
    """The same with the latency from the moment of sending."""
    due_histogram: bytes
    """Received − due, of the measured messages; encoded."""
    sent_histogram: bytes
    """Received − sent, of the measured messages; encoded."""
    deliveries_in_window: int
    connect_ns: tuple[int, ...]
    """For each subscriber that connected before the traffic, how long that took."""
    connecting_ns: tuple[int, ...]
    """How long the connecting took in all, for each time that it was told to."""
    lag: Lag
    """Of the event loop, in the window."""
    slip_ns: tuple[int, ...]
    """The slips of a feed of its own, as `publisher.PublisherReport` has them; empty if a publisher feeds it."""
    traffic: Traffic
    """What went over the subscribers' sockets in the window, or nearly: see `Schedule.metered_ns`."""
    metered_ns: int
    """How long that was, from reading to reading, summed over the subscribers."""
    deliveries_metered: int
    """Deliveries in it."""
    connect_traffic: Traffic
    """What went over them until those were connected that connected before the traffic."""
    account: Account | None
    """What the bytes of one more subscriber were in the window; None if there was no such witness."""
    witnessed: int
    """Deliveries to that one in the window."""
    ended: dict[str, int]
    """Why subscribers ended before they were told to, and how many for each reason."""
    arrivals: Arrivals = field(default=Arrivals())
    """Who joined late, and who came back."""
    slow: Slow = field(default=Slow())
    """Those that read slowly; they are in nothing else."""
    caught_up_ns: tuple[int | None, ...] = ()
    """When each subscriber had all that was due when the server returned; None for one that never had."""
    shares: tuple[Share, ...] = ()
    """What its process had of its core in the window, by its own account; empty if the run can see that for itself."""
    unsaid: int = 0
    """How many messages its subscribers never said, because they waited for an answer, or had gone."""
    clocks: tuple[Clock, ...] = ()
    """Clocks within its process that had to be put right: a page's."""
    pings: Pings = field(default=Pings())
    """What came of the subscribers' pings."""
    fanout: Fanout = field(default=Fanout())
    """Of each measured message, the first and the last subscriber's latency."""


def merged(reports: Sequence[SwarmReport]) -> SwarmReport:
    """The report of all subscribers of several swarms; there is at least one.

    They connect at the same time, so that connecting takes as long as the slowest of them takes each time. Lateness is
    that of an arrival at any moment at any of their loops, which have equally many subscribers.
    """
    first, *others = reports
    if not others:
        return first
    timeline, naive, age, lag, ledger = first.timeline, first.naive_timeline, first.age, first.lag, first.ledger
    for other in others:
        timeline, naive = timeline + other.timeline, naive + other.naive_timeline
        age, lag, ledger = age + other.age, lag + other.lag, ledger + other.ledger
    accounts = [one.account for one in reports if one.account]
    return SwarmReport(
        ledger=ledger,
        age=age,
        timeline=timeline,
        naive_timeline=naive,
        due_histogram=histogram.merged(one.due_histogram for one in reports).encode(),
        sent_histogram=histogram.merged(one.sent_histogram for one in reports).encode(),
        deliveries_in_window=sum(one.deliveries_in_window for one in reports),
        connect_ns=tuple(taken for one in reports for taken in one.connect_ns),
        connecting_ns=tuple(map(max, zip_longest(*(one.connecting_ns for one in reports), fillvalue=0))),
        lag=lag,
        slip_ns=tuple(slip for one in reports for slip in one.slip_ns),
        traffic=wire.total(one.traffic for one in reports),
        metered_ns=sum(one.metered_ns for one in reports),
        deliveries_metered=sum(one.deliveries_metered for one in reports),
        connect_traffic=wire.total(one.connect_traffic for one in reports),
        account=sum(accounts[1:], accounts[0]) if accounts else None,
        witnessed=sum(one.witnessed for one in reports),
        ended=_counted([one.ended for one in reports]),
        arrivals=sum((one.arrivals for one in others), first.arrivals),
        slow=sum((one.slow for one in others), first.slow),
        caught_up_ns=tuple(moment for one in reports for moment in one.caught_up_ns),
        shares=tuple(share for one in reports for share in one.shares),
        unsaid=sum(one.unsaid for one in reports),
        clocks=tuple(clock for one in reports for clock in one.clocks),
        pings=sum((one.pings for one in others), first.pings),
        fanout=fanout.total([one.fanout for one in reports]),
    )


def _counted(counts: Sequence[dict[str, int]]) -> dict[str, int]:
    """Added up, the most frequent first."""
    return dict(sum(map(Counter, counts), Counter()).most_common())
