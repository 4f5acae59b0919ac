"""What the adviser's figures rest on, and what no figure tells, in sentences: measured, extrapolated, assumed; and facts.

It turns what was known and what was found into words. How they are laid out is not known here.
"""

from collections.abc import Iterator, Sequence

from pushbench.advice import HEADROOM, MONTH_S
from pushbench.advice_values import Fit, How, Known, Need, Option, Prices, Reach
from pushbench.advice_words import grouped, listed, three, two, verb
from pushbench.labels import plain, setting
from pushbench.transports import TRANSPORTS

MANY = 10_000
"""From so many readers on a cache is worth a word."""
ACT_RUN = "pushbench run request"


def rests_on(asked: Need, options: Sequence[Option], known: Sequence[Known], prices: Prices) -> Iterator[str]:
    """What was measured, what was extrapolated, and what was assumed."""
    told = [one for one in options if one.fit != Fit.REFUSED]
    names = {one.transport for one in told}
    loads = (
        (f"{setting('subscribers', one.subscribers)} and {setting('rate_hz', one.rate_hz)}", one.transport) for one in known
    )
    for load, of in grouped((load, name) for load, name in loads if name in names):
        yield f"Costs of {listed(of)} were measured at {load}."
    beyond = ((one, of.transport) for of in told for one in of.reaches if one.how in (How.RECKONED, How.EXTRAPOLATED))
    for said, of in grouped((_reach(reach), name) for reach, name in beyond):
        yield f"{said} ({'all' if len(of) == len(told) else ', '.join(of)})."
    if any(one.payload_bytes != asked.payload_bytes for one in known):
        yield (
            "Bytes of another payload are arithmetic: framing and heads are as measured; beyond 1,448 bytes a network adds "
            "packets. That CPU stays the same is an extrapolation."
        )
    for said, of in grouped((said, one.transport) for one in told for said in one.assumed):
        yield f"Assumed of {listed(of)}: {said}."
    if asked.two_way_hz:
        yield from _two_way(known)
    yield (
        f"A process is planned with {HEADROOM * 100:.0f} % of a core, and with no more subscribers than keep p99 in time. "
        "Between loads latency is interpolated; beyond the largest it grows as the subscribers do."
    )
    if prices.known:
        yield from _paid(told, prices)


def _paid(told: Sequence[Option], prices: Prices) -> Iterator[str]:
    """What is in the money."""
    parts = (("traffic", prices.egress_gb), ("CPU", prices.core_hour), ("memory", prices.gib_hour))
    lacking = [part for part, price in parts if price is None]
    unpriced = f" Not in it: {listed(lacking)}, for there is no price." if lacking else ""
    yield (
        f"A month has {MONTH_S / 3600:.0f} hours. Traffic is what goes to the subscribers, with TCP/IP and without TLS; of "
        f"CPU the headroom is paid for too.{unpriced}"
    )
    unknown = [one.transport for one in told if one.cores and not one.memory_gib]
    if prices.gib_hour is not None and unknown:
        yield f"Memory is in no sum, for that of {listed(unknown)} was not measured, or the points were on no line."


def _two_way(known: Sequence[Known]) -> Iterator[str]:
    """What saying something was taken to be."""
    for source, of in grouped((one.act.source, one.transport) for one in known if one.act):
        yield f"What {listed(of)} {verb(of)} to say something is {source}, as measured."
    if lacking := [one.transport for one in known if not one.act]:
        yield (
            f"What {listed(lacking)} {verb(lacking)} to say something is in no figure, for no run that was given has it: "
            f"{ACT_RUN}, then name that run too."
        )
    yield "What is said is heard by others, and its way up is in the latency."


def _reach(reach: Reach) -> str:
    """`rate 30 updates/s: extrapolated, 3 times the most that was measured (10)`."""
    asked, most = f"{reach.what} {three(reach.asked)} {reach.unit}".rstrip(), plain(reach.most)
    if reach.how == How.RECKONED and not reach.most:
        return f"{asked}: by the model alone"
    if reach.how == How.RECKONED and not reach.least and reach.asked < reach.near:
        return f"{asked}: between idle and busy, a line through two measured ends"
    if reach.how == How.RECKONED:
        return f"{asked}: reckoned from what was measured with {plain(reach.near)}"
    if reach.asked > reach.most:
        return f"{asked}: extrapolated, {two(reach.asked / reach.most)} times the most that was measured ({most})"
    return f"{asked}: extrapolated, less than the least that was measured ({plain(reach.least)})"


def facts(asked: Need, options: Sequence[Option]) -> Iterator[str]:
    """What a transport can and cannot do, and where that is written."""
    rows = [TRANSPORTS[one.transport] for one in options if one.fit in (Fit.YES, Fit.DOUBT)]
    if any(row.polls for row in rows):
        many = f", which with {plain(asked.subscribers)} readers is most of the load" if asked.subscribers >= MANY else ""
        yield (
            f"polling: an answer that is the same for all can come from a cache or a CDN (RFC 9111, section 4){many}; "
            "nothing that is pushed can. What was measured is the origin alone."
        )
    if any(row.cursor == "last-event-id" for row in rows):
        yield (
            "sse: a browser connects again and resumes by itself (Last-Event-ID: WHATWG HTML, section 9.2); with any other "
            "that is code of yours."
        )
    if any(row.asks == "once" for row in rows):
        yield (
            "stream, sse: a proxy may hold back an answer that has not ended, or end one that is idle (RFC 6202, sections "
            "3.2 and 5.5; pushbench run idle_proxy)."
        )
    if any(not (row.duplex or row.polls or row.quic) for row in rows):
        yield (
            "longpoll, stream, sse: a browser has six connections of HTTP/1.1 to a server, and each of these keeps one "
            "(docs/method.md, A browser as the subscribers); over HTTP/2 all share one."
        )
    if any(row.duplex for row in rows):
        yield "websocket: both ways on one connection (RFC 6455, section 1.1); with any other, who says something posts."
    yield "The server is the one that was measured, by default this suite's own in Python: another has other costs."
