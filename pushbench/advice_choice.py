"""Which of several options is to be preferred, what ties with it, and what it costs not to take it. Pure.

It knows figures with their intervals, and an order of simplicity that is a preference. How an option was reckoned, and how
a choice is said, is not known here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pushbench.advice_values import Figure, Fit, How, Option
from pushbench.stats import Interval
from pushbench.transports import TRANSPORTS

NEAR = 0.1
"""Two figures that differ by no more than this part are a tie, whatever their intervals: no model here is better."""

RESOURCES = {"least CPU": "cores", "fewest bytes": "mbit_s", "least memory": "memory_gib"}
"""What is weighed where there are no prices: what to have of it, and the figure of an option."""

HOW_MANY_CHORES = {"once": 2, "again": 3, "upgrade": 4, "session": 5}
"""By how a transport asks for messages: what there is to write and to run beside a plain GET."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen of the options that meet the need, or else of those that perhaps do."""

    chosen: str
    tied: tuple[str, ...]
    """Which cannot be told apart from the cheapest; the chosen one is among them, and is the simplest."""
    runner_up: str
    """The cheapest of those that do not tie with it, or else of those that do; or empty."""
    cheapest: str
    sure: bool
    """Whether it is known to meet the need."""
    priced: bool
    """Whether money decided; else that no other takes less of something and more of nothing."""


def apart(one: Interval, other: Interval) -> bool:
    """Whether two figures differ: their intervals do not overlap, and the difference is worth the name."""
    low, high = sorted((one, other), key=lambda value: value.mid)
    return low.high < high.low and high.mid > low.mid * (1 + NEAR)


def choose(options: Sequence[Option], *, two_way: bool) -> Choice | None:
    """Choose among those that meet the need, or else perhaps do; None if there is none."""
    fit = candidates(options)
    if not fit:
        return None
    priced = all(one.month for one in fit)
    if priced:
        fit.sort(key=_month)
        tied = [one for one in fit if one is fit[0] or not apart(_value(one.month), _value(fit[0].month))]
    else:
        tied = [one for one in fit if not any(_worse(one, other) for other in fit)] or fit  # each may be worse than another
    chosen = min(tied, key=lambda one: simplicity(one.transport, two_way=two_way))
    others = [one for one in fit if one not in tied] or [one for one in fit if one is not chosen]
    return Choice(
        chosen.transport,
        tuple(one.transport for one in tied),
        others[0].transport if others and priced else "",
        fit[0].transport if priced else "",
        fit[0].fit == Fit.YES,
        priced,
    )


def candidates(options: Sequence[Option]) -> list[Option]:
    """Those that are known to meet the need; or else those of which it is not known, but what they would take is.

    What a delivery takes falls with how many there are. So what was measured at another rate alone is not preferred to what
    was measured on both sides of the one that is asked for.
    """
    fit = _fit(options)
    return [one for one in fit if not _at_another_rate(one)] or fit


def left_out(options: Sequence[Option]) -> list[str]:
    """Which of those that meet the need are no candidates, because they were measured at another rate alone."""
    kept = candidates(options)
    return [one.transport for one in _fit(options) if one not in kept]


def _at_another_rate(option: Option) -> bool:
    return any(reach.key == "rate_hz" and reach.how == How.EXTRAPOLATED for reach in option.reaches)


def _fit(options: Sequence[Option]) -> list[Option]:
    return [one for one in options if one.fit == Fit.YES] or [one for one in options if one.fit == Fit.DOUBT and one.cores]


def simplicity(transport: str, *, two_way: bool = False) -> tuple[bool, int]:
    """The order of preference among equals, the simplest first.

    Plain GETs at an interval need nothing of whoever is between; of endless answers, a browser resumes the one with ids by
    itself; a long poll is a request each time, and code that asks again; a WebSocket is a protocol of its own. Who also
    has to say something does so best by the way by which it hears.
    """
    row = TRANSPORTS[transport]
    chores = 0 if row.polls else 1 if row.cursor == "last-event-id" else HOW_MANY_CHORES[row.asks]
    return two_way and not row.duplex, chores


def least(options: Sequence[Option], figure: str) -> list[str]:
    """Which take least of something, with those that cannot be told apart from it."""
    known = [one for one in candidates(options) if getattr(one, figure)]
    if not known:
        return []
    first = min(known, key=lambda one: float(getattr(one, figure).value.mid))
    lowest = getattr(first, figure).value
    return [one.transport for one in known if one is first or not apart(getattr(one, figure).value, lowest)]


def _worse(one: Option, other: Option) -> bool:
    """Whether one takes more of something than the other does, and less of nothing; memory counts where both know it."""
    more = less = False
    for figure in RESOURCES.values():
        first, second = getattr(one, figure), getattr(other, figure)
        if first and second and apart(first.value, second.value):
            more |= first.value.mid > second.value.mid
            less |= first.value.mid < second.value.mid
    return more and not less


def _month(option: Option) -> float:
    return _value(option.month).mid


def _value(figure: Figure | None) -> Interval:
    assert figure, "only options with a price are compared by it"
    return figure.value
