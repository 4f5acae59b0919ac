"""What the adviser says: a table, the answer in sentences, what the figures rest on, and what no figure tells.

It turns options and a choice into words. How they were found, and how the words are laid out, is not known here.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pushbench.advice import REACH
from pushbench.advice_choice import RESOURCES, Choice, candidates, least, left_out
from pushbench.advice_grounds import facts, rests_on
from pushbench.advice_values import Figure, Fit, How, Need, Option, Prices
from pushbench.advice_words import BEYOND, NONE, amount, grouped, listed, three, two, verb
from pushbench.checks import Verdict
from pushbench.compare_text import plain_values
from pushbench.labels import plain
from pushbench.results import Run
from pushbench.summary import Table

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

WAY_OUT = {
    "rate_hz": "pushbench run overview --set rate_hz={value}",
    "payload_bytes": "pushbench run overview --set payload_bytes={value}",
    "poll_interval_ms": "pushbench run overview --set poll_interval_ms={value} --set warmup_s={seconds}",
}
"""What to run where a key lies too far beyond what was measured."""
IDLE_RUN = "pushbench run crossover"


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
        said.append(f"These runs are of different machines, {listed(sorted(machines))}: what differs may be the machine.")
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
        *map(amount, figures),
        plain(one.processes) if one.processes else NONE,
        *([amount(one.month)] if priced else []),
    )


def _notes(options: Sequence[Option]) -> Iterator[str]:
    for said, of in grouped((f"{one.fit}, {one.why}", one.transport) for one in options if one.fit != Fit.YES):
        yield f"{', '.join(of)}: {said}."
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
        "What the figures rest on": list(rests_on(made.need, made.options, made.known, made.prices)),
        "What no figure here tells": list(facts(made.need, made.options)),
    }
    return [line for title, said in parts.items() for line in (title, *(f"- {one}" for one in said), "")][:-1]


def answer(asked: Need, options: Sequence[Option], choice: Choice | None, prices: Prices) -> list[str]:
    """Which one, why, what the others would cost, and what decides."""
    if choice is None:
        return ["None of those that were measured is known to meet the need: see the reasons below the table."]
    by_name = {one.transport: one for one in options}
    chosen = by_name[choice.chosen]
    said = [] if choice.sure else [f"None is known to meet the need: {chosen.why}. Apart from that:"]
    said.append(_why(choice, chosen))
    if choice.priced and choice.runner_up:
        other = by_name[choice.runner_up]
        said.append(_beside(chosen, other))
    if len(candidates(options)) > 1:
        takes = [(name, least(options, column)) for name, column in RESOURCES.items()]
        said.append(f"Of these, {'; '.join(f'{listed(of)} {verb(of)} the {name}' for name, of in takes if of)}.")
    if far := left_out(options):
        said.append(
            f"Left out of the choice: {listed(far)}, measured at another rate alone, and the others not: a delivery is the "
            "cheaper the more there are."
        )
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


def _why(choice: Choice, chosen: Option) -> str:
    name, others = choice.chosen, [one for one in choice.tied if one != choice.chosen]
    if not choice.priced:
        if not others:
            return f"{name}: no other that meets it takes less of one thing without taking more of another."
        return (
            f"{name}, as a preference: by the figures {listed(others)} may be as good, for none of these takes less of one "
            f"thing without taking more of another, and {name} is the simplest of them. Your prices may decide otherwise."
        )
    price = f"{name}, at {amount(chosen.month)} a month"
    if not others:
        sure = "by more than the intervals" if chosen.n > 1 else "by the estimates"
        return f"{price}: the cheapest of those that meet it, {sure}."
    cheaper = "" if choice.cheapest == name else f" (the lowest estimate is that of {choice.cheapest})"
    return (
        f"{price}, as a preference: {listed(others)} cannot be told apart from it by cost{cheaper}, and {name} is "
        "the simplest of them."
    )


def _beside(chosen: Option, other: Option) -> str:
    """What the cheapest of the others would cost, and which part of that decides."""
    shares = dict(chosen.shares)
    apart = {name: value - shares[name] for name, value in other.shares}
    name = max(apart, key=lambda key: abs(apart[key]))
    less = "less" if apart[name] < 0 else "more"
    decides = f"; most of the difference is {name}, {two(abs(apart[name]))} {less}" if apart[name] else ""
    return f"The next is {other.transport}, at {amount(other.month)} a month{decides}."


def _size(chosen: Option) -> str:
    if chosen.processes == 1:
        return "One process is enough."
    return (
        f"It takes {plain(chosen.processes)} processes behind a balancer, for one is full with "
        f"{plain(chosen.per_process)} subscribers: that is {chosen.full}. So many processes are a "
        "multiplication, and were not measured."
    )


def refused(options: Sequence[Option]) -> str:
    """One line for who asked for more than can be told of any: the value, the limit, the way out."""
    first = options[0]
    reach = next(one for one in first.reaches if one.how == How.REFUSED)
    if reach.key == "rate_hz" and reach.asked < reach.least:
        return f"{first.why}; name a run with idle cells too: {IDLE_RUN}"
    run = WAY_OUT[reach.key].format(value=three(reach.asked).replace(",", ""), seconds=math.ceil(reach.asked / 1000))
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
