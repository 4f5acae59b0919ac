"""What the adviser says: a table, the answer in sentences, what the figures rest on, and what no figure tells.

It turns options and a choice into words. How they were found, and how the words are laid out, is not known here.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pushbench.advice import HEADROOM, MONTH_S, REACH
from pushbench.advice_choice import RESOURCES, Choice, least
from pushbench.advice_values import Figure, Fit, How, Known, Need, Option, Prices, Reach
from pushbench.checks import Verdict
from pushbench.compare_text import plain_values
from pushbench.labels import plain
from pushbench.results import Run
from pushbench.stats import Interval
from pushbench.summary import Table
from pushbench.transports import TRANSPORTS

if TYPE_CHECKING:
    from pushbench.advising import Advice

HEADINGS = (
    "transport",
    "meets it",
    "asks every, ms",
    "p50, ms",
    "p99, ms",
    "down, B/s each",
    "up, B/s each",
    "all, Mbit/s",
    "cores busy",
    "GiB",
    "processes",
)
BEYOND = "≈"
"""Stands before a figure that is extrapolated."""
NONE = "–"
MANY = 10_000
"""From so many readers on a cache is worth a word."""

WAY_OUT = {
    "rate_hz": "pushbench run overview --set rate_hz={value}",
    "payload_bytes": "pushbench run overview --set payload_bytes={value}",
    "rtt_ms": "pushbench run rtt --set rtt_ms={value}",
    "poll_interval_ms": "pushbench run overview --set poll_interval_ms={value} --set warmup_s={seconds}",
    "subscribers": "pushbench run overview --set subscribers={value}",
}
"""What to run where a key lies too far beyond what was measured."""
IDLE_RUN, ACT_RUN = "pushbench run crossover", "pushbench run request"


def before(made: "Advice") -> list[str]:
    """What was asked, and from which runs the answer comes."""
    asked = made.need
    parts = [
        f"{plain(asked.rate_hz)} updates/s of {plain(asked.payload_bytes)} bytes to each of "
        f"{plain(asked.subscribers)} subscribers, 99 % of them no older than {plain(asked.staleness_ms)} ms",
        f"a round trip of {plain(asked.rtt_ms)} ms",
    ]
    if asked.two_way_hz:
        parts.append(f"each client says something {plain(asked.two_way_hz)} times a second")
    said = [f"Asked: {'; '.join(parts)}.", *map(_source, made.runs)]
    machines = {_machine(run) for run in made.runs}
    if len(machines) > 1:
        said.append(f"These runs are of different machines, {_and(sorted(machines))}: what differs may be the machine.")
    return said


def _source(run: Run) -> str:
    """Which run it was, and where it was made."""
    ok = int((run.trials["verdict"].astype(str) == Verdict.OK).sum())
    made = f"{run.manifest['scenario']['name']}, {run.manifest['started_at'][:10]}, {_machine(run)}"
    return f"From: {made}; {ok} of {len(run.trials)} trials are ok."


def _machine(run: Run) -> str:
    return str(run.manifest["environment"].get("cpu") or "an unknown processor")


def table(made: "Advice") -> Table:
    """One row a transport."""
    priced = any(one.month for one in made.options)
    headings = (*HEADINGS, *(["a month"] if priced else []))
    rows = tuple(_row(one, priced) for one in made.options)
    notes = tuple(_notes(made.options))
    return Table(headings, rows, notes, "What meets the need, and what it takes", 1, len(headings) - 1)


def _row(one: Option, priced: bool) -> tuple[str, ...]:
    figures = (one.p50_ms, one.p99_ms, one.down, one.up, one.mbit_s, one.cores, one.memory_gib)
    return (
        one.transport,
        one.fit,
        plain(one.interval_ms) if one.interval_ms else NONE,
        *map(_figure, figures),
        plain(one.processes) if one.processes else NONE,
        *([_figure(one.month)] if priced else []),
    )


def _notes(options: Sequence[Option]) -> Iterator[str]:
    for one in options:
        if one.fit != Fit.YES:
            yield f"{one.transport}: {one.fit}, {one.why}."
    trials = {one.n for one in options if one.n}
    if trials == {1}:
        yield "One trial of each: nothing says how far another would differ, and the order is that of the estimates."
    elif trials:
        yield "In brackets 95 % bootstrap intervals over trials; what is reckoned from them may be off by more."
    if any(figure.how == How.EXTRAPOLATED for one in options for figure in _figures(one)):
        yield f"{BEYOND} extrapolated, by up to {REACH:.0f} times: from what to what is said below."
    if any(one.interval_ms for one in options):
        yield "A poller's latency is its wait, by the model, and how much later than that it came when it was measured."


def after(made: "Advice") -> list[str]:
    """Everything below the table, a heading before each part."""
    parts = {
        "Answer": answer(made.need, made.options, made.choice, made.prices),
        "What the figures rest on": list(_rests_on(made.need, made.options, made.known, made.prices)),
        "What no figure here tells": list(_facts(made.need, made.options)),
    }
    return [line for title, said in parts.items() for line in (title, *(f"- {one}" for one in said), "")][:-1]


def answer(asked: Need, options: Sequence[Option], choice: Choice | None, prices: Prices) -> list[str]:
    """Which one, why, what the others would cost, and what decides."""
    if choice is None:
        doubtful = [one.transport for one in options if one.fit == Fit.DOUBT]
        if doubtful:
            return [f"None is known to meet the need. Perhaps {_and(doubtful)}: see the reasons below the table."]
        return ["None of those that were measured meets the need: see the reasons below the table."]
    by_name = {one.transport: one for one in options}
    chosen = by_name[choice.chosen]
    said = [_why(choice, chosen, by_name)]
    if choice.priced and choice.runner_up:
        other = by_name[choice.runner_up]
        said.append(_beside(chosen, other))
    rest = [one for one in options if one.fit == Fit.YES]
    if len(rest) > 1:
        takes = (
            f"{_and(least(options, figure))} the least {name}"
            for name, figure in RESOURCES.items()
            if least(options, figure)
        )
        said.append(f"Of those that meet it, {', '.join(takes)}.")
    said.append(_size(chosen))
    if chosen.interval_ms:
        more = (
            f"which is {chosen.interval_from}, though the staleness would allow more"
            if chosen.interval_from
            else ("as seldom as the staleness allows")
        )
        said.append(f"It asks every {plain(chosen.interval_ms / 1000)} s, {more}.")
    if not prices.known:
        said.append("Without prices there is no money: --egress-per-gb, --core-hour and --gib-hour take yours.")
    return said


def _why(choice: Choice, chosen: Option, by_name: dict[str, Option]) -> str:
    name, others = choice.chosen, [one for one in choice.tied if one != choice.chosen]
    if not choice.priced:
        if not others:
            return f"{name}: no other that meets the need takes less of one thing without taking more of another."
        return (
            f"{name}, as a preference: by the figures {_and(others)} may be as good, for none of these takes less of one "
            f"thing without taking more of another, and {name} is the simplest of them. Your prices may decide otherwise."
        )
    price = f"{name}, at {_figure(chosen.month)} a month"
    if not others:
        return f"{price}: the cheapest of those that meet the need, by more than the intervals."
    cheaper = "" if choice.cheapest == name else f" (the lowest estimate is that of {choice.cheapest})"
    return (
        f"{price}, as a preference: {_and(others)} cannot be told apart from it by cost{cheaper}, and {name} is "
        "the simplest of them."
    )


def _beside(chosen: Option, other: Option) -> str:
    """What the cheapest of the others would cost, and which part of that decides."""
    shares = dict(chosen.shares)
    apart = {name: value - shares[name] for name, value in other.shares}
    name = max(apart, key=lambda key: abs(apart[key]))
    less = "less" if apart[name] < 0 else "more"
    decides = f"; most of the difference is {name}, {_two(abs(apart[name]))} {less}" if apart[name] else ""
    return f"The next is {other.transport}, at {_figure(other.month)} a month{decides}."


def _size(chosen: Option) -> str:
    if chosen.processes == 1:
        return "One process is enough."
    return (
        f"It takes {plain(chosen.processes)} processes behind a balancer, for one is full with "
        f"{plain(chosen.per_process)} subscribers: that is {chosen.full}. So many processes are a "
        "multiplication, and were not measured."
    )


def _rests_on(asked: Need, options: Sequence[Option], known: Sequence[Known], prices: Prices) -> Iterator[str]:
    """What was measured, what was extrapolated, and what was assumed."""
    told = [one for one in options if one.fit != Fit.REFUSED]
    names = {one.transport for one in told}
    loads = ((f"{plain(one.subscribers)} subscribers and {plain(one.rate_hz)} messages/s", one.transport) for one in known)
    for load, of in _grouped((load, name) for load, name in loads if name in names):
        yield f"Costs of {_and(of)} were measured at {load}."
    beyond = ((one, of.transport) for of in told for one in of.reaches if one.how in (How.RECKONED, How.EXTRAPOLATED))
    for said, of in _grouped((_reach(reach), name) for reach, name in beyond):
        yield f"{said} ({'all' if len(of) == len(told) else ', '.join(of)})."
    if any(one.payload_bytes != asked.payload_bytes for one in known):
        yield (
            "Bytes of another payload are arithmetic: framing and heads are as measured; beyond 1,448 bytes a network adds "
            "packets. That CPU stays the same is an extrapolation."
        )
    for said, of in _grouped((said, one.transport) for one in told for said in one.assumed):
        yield f"Assumed of {_and(of)}: {said}."
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
    unpriced = f" Not in it: {_and(lacking)}, for there is no price." if lacking else ""
    yield (
        f"A month has {MONTH_S / 3600:.0f} hours. Traffic is what goes to the subscribers, with TCP/IP and without TLS; of "
        f"CPU the headroom is paid for too.{unpriced}"
    )
    unknown = [one.transport for one in told if one.month and not one.memory_gib]
    if prices.gib_hour is not None and unknown:
        yield f"The memory of {_and(unknown)} is not in it, for it was not measured, or the points were on no line."


def _two_way(known: Sequence[Known]) -> Iterator[str]:
    """What saying something was taken to be."""
    for source, of in _grouped((one.act.source, one.transport) for one in known if one.act):
        yield f"What {_and(of)} takes to say something: {source}, as measured."
    if lacking := [one.transport for one in known if not one.act]:
        yield (
            f"What {_and(lacking)} takes to say something is in no figure, for no run that was given has it: "
            f"{ACT_RUN}, then name that run too."
        )
    yield "What is said is heard by others, and its way up is in the latency."


def _reach(reach: Reach) -> str:
    """`rate 30 updates/s: extrapolated, 3 times the most that was measured (10)`."""
    asked, most = f"{reach.what} {_three(reach.asked)} {reach.unit}".rstrip(), plain(reach.most)
    if reach.how == How.RECKONED and not reach.most:
        return f"{asked}: by the model alone, none was measured"
    if reach.how == How.RECKONED:
        return f"{asked}: between idle and busy, a line through two measured ends"
    if reach.asked > reach.most:
        return f"{asked}: extrapolated, {_two(reach.asked / reach.most)} times the most that was measured ({most})"
    return f"{asked}: extrapolated, less than the least that was measured ({plain(reach.least)})"


def _facts(asked: Need, options: Sequence[Option]) -> Iterator[str]:
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


def refused(options: Sequence[Option]) -> str:
    """One line for who asked for more than can be told of any: the value, the limit, the way out."""
    first = options[0]
    reach = next(one for one in first.reaches if one.how == How.REFUSED)
    if reach.key == "rate_hz" and reach.asked < reach.least:
        return f"{first.why}; name a run with idle cells too: {IDLE_RUN}"
    run = WAY_OUT[reach.key].format(value=_three(reach.asked).replace(",", ""), seconds=math.ceil(reach.asked / 1000))
    return f"{first.why}; measure it ({run}), and name that run too"


def document(made: "Advice") -> Any:
    """All of it as dictionaries and lists, for JSON."""
    found = {
        "need": asdict(made.need),
        "prices": asdict(made.prices),
        "runs": [str(run.path) for run in made.runs],
        "options": [_named(asdict(one)) for one in made.options],
        "choice": asdict(made.choice) if made.choice else None,
        "answer": answer(made.need, made.options, made.choice, made.prices),
    }
    return plain_values(found)


def _named(value: Any) -> Any:
    """With the names of how a figure is known in place of numbers."""
    if isinstance(value, How):
        return value.name.lower()
    if isinstance(value, dict):
        return {key: _named(one) for key, one in value.items()}
    return [_named(one) for one in value] if isinstance(value, list | tuple) else value


def _figures(one: Option) -> list[Figure]:
    found = (one.p50_ms, one.p99_ms, one.down, one.up, one.mbit_s, one.cores, one.memory_gib, one.month)
    return [figure for figure in found if figure]


def _figure(figure: Figure | None) -> str:
    """Two digits with an interval, if it is one: more would be false precision."""
    if figure is None:
        return NONE
    mark = f"{BEYOND} " if figure.how == How.EXTRAPOLATED else ""
    return mark + _span(figure.value)


def _span(value: Interval) -> str:
    low, mid, high = (_two(end) for end in (value.low, value.mid, value.high))
    return mid if not value.is_interval or low == high else f"{mid} ({low}–{high})"


def _two(value: float) -> str:
    return plain(float(f"{value:.1e}"))


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _three(value: float) -> str:
    return plain(float(f"{value:.3g}"))


def _grouped(pairs: Iterable[tuple[str, str]]) -> Iterable[tuple[str, list[str]]]:
    """What is said of several, with those of whom it is said."""
    found: dict[str, list[str]] = {}
    for said, name in pairs:
        found.setdefault(said, []).append(name)
    return found.items()
