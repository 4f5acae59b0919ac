"""B. Van de Vyvere, P. Colpaert and R. Verborgh, ICWE 2020: clients within a staleness; polling or SSE. Pure."""

import math

from pushbench import models
from pushbench.classics.claims import (
    Certainty,
    Classic,
    Curve,
    Mark,
    Plot,
    Published,
    Reproduction,
    Row,
    Source,
    claim,
    met,
)
from pushbench.classics.evidence import Cell, Evidence, Values, doubted, doubtful, exactly, times, value
from pushbench.stats import Interval

FASTER = 40
INTERVAL_MS, PAUSE_MS = 5000.0 / FASTER, 500 // FASTER
"""Between two updates, and between two polls."""
WITHIN_MS = 1000.0 / FASTER
"""A second of theirs: up to where they say that polling answers effectively, and SSE too."""
CLIENTS = 800
SELDOM_MS = (125, 250, 1000, 2000)
FROM_MS = 250
"""The cut-off is computed from what a poll takes at this interval: so often that the server is busy, and not full."""
NEAR = 1.5
"""An interval that is nearer to the cut-off than by this factor tells nothing of its sides."""
THEIR_REQUESTS, THEIR_CUT_OFF_S = 2520.0, 10.0
POLLING_CLIENTS, SSE_CLIENTS = 2_000, 5_000
"""Within a second: without a cache, and on SSE."""
THEIR_INTERVALS = THEIR_CUT_OFF_S * 1000 / (INTERVAL_MS * FASTER)
FACTOR = 3.0


def request_us(trial: Values) -> float:
    """The server's CPU time for a request."""
    return value(trial, "server_cpu_us_per_delivery") / value(trial, "requests_per_delivery")


def requests_per_s(trial: Values) -> float:
    """Requests that were answered."""
    return value(trial, "requests_per_delivery") * value(trial, "deliveries_per_s")


def judge(evidence: Evidence) -> Reproduction:
    """The most clients within a second of theirs; requests a second; the cut-off, and both of its sides."""
    paused = {
        clients: evidence.at(transport="polling", poll_interval_ms=PAUSE_MS, subscribers=clients)
        for clients in evidence.among("subscribers", transport="polling", poll_interval_ms=PAUSE_MS)
    }
    pushed = {
        clients: evidence.at(transport="sse", subscribers=clients)
        for clients in evidence.among("subscribers", transport="sse")
    }
    seldom = {every: evidence.at(transport="polling", poll_interval_ms=every) for every in SELDOM_MS}
    sse = pushed.get(CLIENTS, Cell(()))
    poll_us, push_us = seldom[FROM_MS].of(request_us), sse.figure("server_cpu_us_per_delivery")
    cut_off_ms = INTERVAL_MS * poll_us.mid / push_us.mid if poll_us and push_us else None
    across = seldom[FROM_MS].beside(
        sse, lambda poll, push: INTERVAL_MS * request_us(poll) / value(push, "server_cpu_us_per_delivery")
    )
    rows = [
        Row(f"{name}: p99 latency of {clients:,} clients", "ms", None, cell.figure("latency_p99_ms"), None, cell.doubted,
            drawn_as=way)
        for name, way, cells in (("polling with a pause", "polling", paused), ("SSE", "sse", pushed))
        for clients, cell in cells.items()
    ]  # fmt: skip
    both = paused.keys() & pushed.keys()
    most = {
        name: _served({clients: cells[clients] for clients in both})
        for name, cells in (("polling", paused), ("sse", pushed))
    }
    unsure = doubted([*paused.values(), *pushed.values()])
    rows += [
        Row(f"{name}: clients within a second", "clients", published,
            times(exactly(most[way]), FASTER) if cells else None, None, unsure, scaled=True, drawn_as=way)
        for name, way, cells, published in (
            ("polling", "polling", paused, Published(POLLING_CLIENTS, Certainty.READ)),
            ("SSE", "sse", pushed, Published(SSE_CLIENTS, Certainty.READ)),
        )
    ]  # fmt: skip
    fullest = paused[max(paused)] if paused else Cell(())
    rows += [
        Row("requests/s answered at most", "1/s", Published(THEIR_REQUESTS, Certainty.READ),
            fullest.of(requests_per_s), 1e6 / poll_us.mid if poll_us else None, fullest.doubted, drawn_as="polling"),
        Row("server CPU for a request", "µs", None, poll_us, None, seldom[FROM_MS].doubted, drawn_as="polling"),
        Row("server CPU for a push", "µs", None, push_us, None, sse.doubted, drawn_as="sse"),
        Row("staleness from which polling serves more", "update intervals",
            Published(THEIR_INTERVALS, Certainty.COMPUTED), times(across, 1 / INTERVAL_MS), None,
            doubted((seldom[FROM_MS], sse))),
    ]  # fmt: skip
    sides = {every: made.mid for every, cell in seldom.items() if (made := cell.figure("server_cpu_percent"))}
    paid = sse.figure("server_cpu_percent")
    rows += [
        Row(f"server CPU: {CLIENTS} clients polling every {every:,} ms", "% of a core", None,
            cell.figure("server_cpu_percent"), None, cell.doubted, drawn_as="polling")
        for every, cell in seldom.items()
    ]  # fmt: skip
    rows.append(Row(f"server CPU: {CLIENTS} clients on SSE", "% of a core", None, paid, None, sse.doubted, drawn_as="sse"))
    cut_off = cut_off_ms or math.nan
    below = [every for every in sides if every != FROM_MS and every * NEAR <= cut_off]
    above = [every for every in sides if every != FROM_MS and every >= cut_off * NEAR]
    told = (
        f"at {cut_off_ms:,.0f} ms; {', '.join(f'{sides[every]:.1f} % at {every:,} ms' for every in sides)}, SSE "
        f"{paid.mid:.1f} %"
        if cut_off_ms and paid
        else ""
    )
    intervals = cut_off_ms / INTERVAL_MS if cut_off_ms else None
    each = ", ".join(
        f"{us.mid:,.0f} µs every {every:,} ms" for every, cell in seldom.items() if (us := cell.of(request_us))
    )
    claims = (
        claim(
            "SSE serves more clients within a second than polling with a pause",
            f"of the counts tried, more are within {WITHIN_MS:g} ms (p99) on SSE", _more(most, paused, pushed),
            f"{most['sse']:,} on SSE, {most['polling']:,} polling",
            "the counts tried are all within reach of both, or of neither", Certainty.READ, doubted=unsure,
        ),
        claim(
            "from an acceptable latency on, polling serves more than SSE: users ÷ requests per second",
            f"cut-off from the poll every {FROM_MS} ms and the push; at the other intervals polling takes more CPU where "
            f"they are {NEAR:g} times shorter or more, and less where they are {NEAR:g} times longer or more",
            _both_sides(sides, paid, below, above), told,
            "there is no interval tried on one side of it" if not (below and above)
            else f"a poll does not cost the same however seldom it comes: {each}", Certainty.READ,
            doubted=doubted([*seldom.values(), sse]),
        ),
        claim(
            f"that is 10 s, {THEIR_INTERVALS:g} intervals between updates", f"within a factor of {FACTOR:g}",
            met(times(across, 1 / INTERVAL_MS), THEIR_INTERVALS / FACTOR, THEIR_INTERVALS * FACTOR),
            f"{intervals:.1f} intervals, {intervals * INTERVAL_MS * FASTER / 1000:.0f} s of theirs" if intervals else "",
            "another server, for which a request costs so many pushes; and theirs has a cache in front of polling",
            Certainty.COMPUTED, shape=False, doubted=doubted((seldom[FROM_MS], sse)),
        ),
    )  # fmt: skip
    return Reproduction(tuple(rows), claims, _panels(paused, pushed, seldom, sse, cut_off_ms, poll_us, paid))


def _served(cells: dict[int, Cell]) -> int:
    """The most clients of which the latest hundredth had an update within the time, and nobody lost one."""
    held = [
        clients
        for clients, cell in cells.items()
        if (late := cell.figure("latency_p99_ms")) and late.mid <= WITHIN_MS
        and (lost := cell.figure("lost")) is not None and lost.mid == 0
    ]  # fmt: skip
    return max(held, default=0)


def _more(most: dict[str, int], paused: dict[int, Cell], pushed: dict[int, Cell]) -> bool | None:
    return most["sse"] > most["polling"] if paused and pushed else None


def _both_sides(sides: dict[int, float], paid: Interval | None, below: list[int], above: list[int]) -> bool | None:
    if paid is None or not sides:
        return None
    return (
        bool(below and above)
        and all(sides[every] > paid.mid for every in below)
        and all(sides[every] < paid.mid for every in above)
    )


def _panels(
    paused: dict[int, Cell],
    pushed: dict[int, Cell],
    seldom: dict[int, Cell],
    sse: Cell,
    cut_off_ms: float | None,
    poll_us: Interval | None,
    paid: Interval | None,
) -> tuple[Plot, Plot]:
    late = tuple(
        Curve(
            name, name,
            tuple((float(clients), made) for clients, cell in cells.items() if (made := cell.figure("latency_p99_ms"))),
            (), doubtful({float(clients): cell for clients, cell in cells.items()}),
        )
        for name, cells in (("polling", paused), ("sse", pushed))
    )  # fmt: skip
    span = [50.0 * 1.1**step for step in range(44)]
    ends = (span[0], span[-1])
    model = tuple(
        (every, models.polls_per_s(CLIENTS, every) * poll_us.mid / 1e4) for every in span if poll_us
    )  # us a second are a millionth of a core
    costs = (
        Curve(
            "polling", "polling",
            tuple((float(every), made) for every, cell in seldom.items() if (made := cell.figure("server_cpu_percent"))),
            model, doubtful({float(every): cell for every, cell in seldom.items()}),
        ),
        Curve("sse", "sse", tuple((every, paid) for every in ends) if paid else (), (), ends if sse.doubted else ()),
    )  # fmt: skip
    marks = (Mark(cut_off_ms, "cut-off"),) if cut_off_ms else ()
    return (
        Plot("As many clients at their pause", "clients", "latency, p99 (ms)", late, (), True, True),
        Plot(f"What {CLIENTS} clients cost", "poll interval = acceptable latency (ms)", "server CPU (% of a core)", costs,
             marks, True, True),
    )  # fmt: skip


CLASSIC = Classic(
    "van-de-vyvere",
    Source(
        "B. Van de Vyvere, P. Colpaert and R. Verborgh",
        "Comparing a Polling and Push-Based Approach for Live Open Data Interfaces", 2020,
        "ICWE 2020, github.com/brechtvdv/Article-Live-Open-Data-Interfaces",
    ),
    "one server thread serves 2,000 clients that poll (8,000 with a cache) and 25,000 on SSE; polling serves more once a "
    "latency of more than 10 s is acceptable: users ÷ requests per second",
    "Forty times as fast: 5.2 kB every 125 ms, a pause of 12 ms; 400 clients make the load of 16,000. The "
    "cut-off is where polling takes as much of the server's CPU as SSE does, which is their formula with a core as what "
    "there is; it is not reached by connecting until something breaks.",
    (
        "25,000 clients, or 8,000 with a cache: neither so many nor nginx are tried here.",
        "Memory, which theirs shows to grow with SSE: the scenario `memory` measures it.",
    ),
    "When does polling serve more?",
    judge,
)  # fmt: skip
