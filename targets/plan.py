"""The plan of the fake server: which subscriber gets which message how often, and how late. Pure; no socket, no clock.

A plan is drawn before the trial, from a seed. So what a trial has to report is known before it is made:

    every pair (subscriber, message) draws four numbers, in the same order whatever the rates are:
    is it dropped? else, is it duplicated? the delay of the first copy, the delay of the second

A delay is `delay_ms` × (`delay_max_ms` / `delay_ms`) ** u⁴, with u uniform in [0, 1). That is a tail: from 20 to 500 ms
half of the delays are below 25, nine in ten below 165, and one in a hundred is above 441. Reordering needs no rate of
its own: what is delayed for longer than the feed's period is overtaken.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from itertools import groupby
from typing import NamedTuple, TypeVar

Value = TypeVar("Value", int, float)

NS = 1_000_000_000
TAIL = 4
"""The power of u in a delay: the greater, the fewer delays are long."""


def _option(default: Value, help: str, *, least: float, most: float) -> Value:
    """A field that carries what is said of it, and checked, when it is a flag of the command line."""
    return field(default=default, metadata={"help": help, "least": least, "most": most})


@dataclass(frozen=True, slots=True, kw_only=True)
class Distortion:
    """What a plan is drawn from; each field is a flag of `python -m targets.fake`.

    A value that is out of its bounds is a ValueError that names them.
    """

    seed: int = _option(1, "What everything is drawn from.", least=0, most=2**63 - 1)
    subscribers: int = _option(8, "How many will connect; one more is refused.", least=1, most=1000)
    messages: int = _option(60, "How many will be published, numbered from 0; another is refused.", least=1, most=100_000)
    rate_hz: float = _option(
        40.0, "Messages a second; only the order of the deliveries depends on it.", least=0.001, most=1e6
    )
    drop: float = _option(0.0, "Share of the deliveries that are never made.", least=0, most=1)
    duplicate: float = _option(0.0, "Share of the others that are made twice.", least=0, most=1)
    delay_ms: float = _option(0.0, "The least delay of a delivery after its message is due.", least=0, most=60_000)
    delay_max_ms: float = _option(
        0.0, "The bound of the longest delay; unless it is above delay_ms, all delays are that.", least=0, most=60_000
    )

    def __post_init__(self) -> None:
        for option in fields(self):
            value, least, most = getattr(self, option.name), option.metadata["least"], option.metadata["most"]
            if not least <= value <= most:  # said so, because NaN is neither
                raise ValueError(f"{option.name} is {value}: it must be from {least} to {most}")
        if not self.delay_ms and self.delay_max_ms:
            raise ValueError(
                f"delay_ms is 0 and delay_max_ms is {self.delay_max_ms:g}: the delays are spread by their ratio; "
                f"set delay_ms above 0"
            )


class Delivery(NamedTuple):
    """One planned delivery. Deliveries sort in the order in which they are made; `seq` breaks a tie."""

    at_ns: int
    """When, after the start of the feed: due + delay."""
    seq: int
    """Which message."""
    delay_ns: int
    """How long after the message is due."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a ledger has to say of a plan; its names are those of the columns."""

    expected: int
    delivered: int
    lost: int
    duplicated: int
    reordered: int
    gaps: int
    """Runs of consecutive messages that one subscriber did not get, over all subscribers."""
    gap_longest: int
    """Messages in the longest of them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that the fake will do."""

    messages: int
    deliveries: tuple[tuple[Delivery, ...], ...]
    """For each subscriber, by the order in which they connect, its deliveries in the order in which they are made."""

    @property
    def counts(self) -> Counts:
        """What a ledger over all messages has to count."""
        missing = [self._missing(mine) for mine in self.deliveries]
        runs = [length for lost in missing for length in _runs(lost)]
        expected, lost = self.messages * len(self.deliveries), sum(map(len, missing))
        made = sum(map(len, self.deliveries))
        return Counts(
            expected=expected,
            delivered=expected - lost,
            lost=lost,
            duplicated=made - (expected - lost),
            reordered=sum(_overtaken(mine) for mine in self.deliveries),
            gaps=len(runs),
            gap_longest=max(runs, default=0),
        )

    def latencies_ns(self, first: int = 0) -> list[int]:
        """The delays of all deliveries of messages from number `first` on, ascending; a duplicate's is one more."""
        return sorted(one.delay_ns for mine in self.deliveries for one in mine if one.seq >= first)

    def _missing(self, mine: tuple[Delivery, ...]) -> list[int]:
        return sorted(set(range(self.messages)) - {one.seq for one in mine})


def draw(distortion: Distortion) -> Plan:
    """The plan. The same distortion gives the same plan, and a higher rate of drops only drops more."""
    numbers = random.Random(distortion.seed)
    return Plan(
        distortion.messages,
        tuple(
            tuple(sorted(one for seq in range(distortion.messages) for one in _deliveries(seq, distortion, numbers)))
            for _ in range(distortion.subscribers)
        ),
    )


def _deliveries(seq: int, distortion: Distortion, numbers: random.Random) -> Iterator[Delivery]:
    """Those of one message to one subscriber."""
    drop, duplicate, *delays = (numbers.random() for _ in range(4))
    copies = 0 if drop < distortion.drop else 2 if duplicate < distortion.duplicate else 1
    due_ns = round(seq * NS / distortion.rate_hz)
    for u in delays[:copies]:
        delay_ns = _delay_ns(u, distortion)
        yield Delivery(due_ns + delay_ns, seq, delay_ns)


def _delay_ns(u: float, distortion: Distortion) -> int:
    least, most = distortion.delay_ms, distortion.delay_max_ms
    factor = (most / least) ** u**TAIL if most > least else 1.0
    return round(least * factor * 1e6)


def _overtaken(mine: tuple[Delivery, ...]) -> int:
    """How many first deliveries of a message come after one of a later message."""
    count, newest, had = 0, -1, set[int]()
    for one in mine:
        if one.seq not in had:
            count += one.seq < newest
            newest = max(newest, one.seq)
            had.add(one.seq)
    return count


def _runs(numbers: list[int]) -> list[int]:
    """The lengths of the runs of consecutive numbers among ascending ones."""
    # Number minus place is the same all along a run, and grows from one run to the next.
    return [len(list(run)) for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
