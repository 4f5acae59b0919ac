"""Which transports meet a need, in how many processes, and what they take there. Pure.

It knows costs, latencies and how far they were measured, as values; where these come from, which of the options is to be
preferred, and how anything is said, is not known here.

What is asked for may lie beyond what was measured by up to `REACH` times: then a figure is extrapolated, and marked.
Beyond that nothing is told. What a round trip does is the models' in every figure. An audience is divided among
processes; what is beyond one of them is a multiplication.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pushbench import predictions
from pushbench.advice_values import Figure, Fit, How, Known, Need, Option, Prices, Reach
from pushbench.crossover import Draws, Polled, interval
from pushbench.stats import Interval
from pushbench.transports import TRANSPORTS

REACH = 10.0
"""A figure is told up to so many times beyond what was measured."""
HEADROOM = 0.5
"""So much of a core is planned with: the rest is for peaks, and for who comes back when another process has died."""
LONGEST_INTERVAL_MS = 59_999.0
"""As of the scenario's key: a server closes a connection that is idle for longer."""
MONTH_S = 730 * 3600.0
STALENESS = "the staleness"
"""Sets how many subscribers a process can have, where no other limit does so earlier."""
FEWER = "pushbench run overview --set subscribers={}"
"""What to run where only more subscribers than are asked for were measured."""
GIB, GB = 1024.0**3, 1e9


def options(need: Need, known: Sequence[Known], prices: Prices) -> list[Option]:
    """One for each transport that was measured, in their order; if the memory of one is not known, it is in no sum."""
    made = [_option(need, one, prices) for one in known]
    if prices.gib_hour is not None and any(one.cores and not one.memory_gib for one in made):
        return options(need, known, replace(prices, gib_hour=None))
    return made


def judged(what: str, unit: str, asked: float, least: float, most: float, near: float, key: str = "") -> Reach:
    """How far an asked value is from what was measured, of which its figures are from `near`.

    Less than the least is as far as its times.
    """
    beyond = max(asked / most if most else math.inf, least / asked if asked else 1.0)
    within = How.MEASURED if asked == near else How.RECKONED
    how = within if beyond <= 1 else How.EXTRAPOLATED if beyond <= REACH else How.REFUSED
    return Reach(what, unit, asked, least, most, how, key, near)


def _option(need: Need, known: Known, prices: Prices) -> Option:
    polls, name = TRANSPORTS[known.transport].polls, known.transport
    reaches = list(_asked(need, known))
    if far := [one for one in reaches if one.how == How.REFUSED]:
        return Option(name, Fit.REFUSED, reaches=tuple(reaches), why=refusal(far[0]))
    up_ms = _way_up(need, known)
    if why := _cannot(need, known, up_ms):
        return Option(name, Fit.NO, why, reaches=tuple(reaches))
    interval_ms, interval_from = 0.0, ""
    if polls:
        interval_ms, interval_from = _interval(need, known, up_ms)
        reach = judged(
            "poll interval",
            "ms",
            max(interval_ms, need.rtt_ms),
            *known.intervals_ms,
            known.intervals_ms[0],
            "poll_interval_ms",
        )
        why = refusal(reach) if reach.how == How.REFUSED else ""
        if interval_ms < need.rtt_ms:
            asks = f"it would ask every {_plain(interval_ms)} ms, {interval_from}"
            why = f"{asks}, and an answer takes {_plain(need.rtt_ms)} ms"
        reaches.append(replace(reach, how=How.REFUSED) if why else reach)
        if why:
            return Option(name, Fit.REFUSED, reaches=tuple(reaches), why=why)
    cpu = known.cpu.at(need.rate_hz, interval_ms / 1000)
    if known.act:
        cpu = cpu + need.two_way_hz * known.act.cpu_us
    per_process, full = _per_process(need, known, interval_ms, float(cpu[0]), up_ms)
    if per_process < 1:
        fewest, late = known.heard[0].subscribers, known.heard[0].p99_ms
        if full != STALENESS:
            return Option(name, Fit.NO, f"one subscriber would be too much for a process: {full}", reaches=tuple(reaches))
        way_ms = _way_ms(need, known, 0.99) + up_ms[1]
        fit = Fit.DOUBT if late.mid + way_ms <= need.staleness_ms else Fit.NO
        told = _latency(need, known, fewest, 0.0, up_ms, reaches)
        why = f"of {fewest:,.0f} subscribers, the fewest that were measured, p99 is too late"
        why += " in some trials" if fit == Fit.DOUBT else ""
        if need.subscribers < fewest and way_ms < need.staleness_ms:
            fit, why = Fit.DOUBT, f"{why}; measure fewer ({FEWER.format(need.subscribers)}), and name that run too"
        return Option(name, fit, why, p50_ms=told[0], p99_ms=told[1], reaches=tuple(reaches), n=known.n)
    processes = math.ceil(need.subscribers / per_process)
    per_process = math.ceil(need.subscribers / processes)
    connections = judged("subscribers of a process", "", per_process, *known.connections, known.subscribers, "subscribers")
    reaches.append(_fewer(connections))
    p50, p99 = _latency(need, known, per_process, interval_ms, up_ms, reaches)
    unheard = bool(need.two_way_hz) and known.act is None
    return Option(
        name,
        Fit.DOUBT if unheard else Fit.YES,
        "what saying something takes was not measured" if unheard else "",
        interval_ms if polls else None,
        interval_from,
        p50,
        p99,
        processes=processes,
        per_process=per_process,
        full=full if processes > 1 else "",
        reaches=tuple(reaches),
        assumed=known.assumed,
        n=known.n,
        **_taken(need, known, prices, interval_ms, cpu, processes, reaches),
    )


def _asked(need: Need, known: Known) -> Iterator[Reach]:
    """How far the need itself is from what was measured."""
    yield judged("rate", "updates/s", need.rate_hz, *known.rates_hz, known.rate_hz, "rate_hz")
    yield _fewer(judged("payload", "bytes", need.payload_bytes, *known.payloads, known.payload_bytes, "payload_bytes"))
    if need.rtt_ms:
        yield Reach("round trip", "ms", need.rtt_ms, 0.0, 0.0, How.RECKONED)


def _fewer(reach: Reach) -> Reach:
    """Of what is less than was measured, however much: never refused, for there is no limit to run into."""
    if reach.asked < reach.least:
        return replace(reach, how=How.EXTRAPOLATED)
    return reach


def refusal(reach: Reach) -> str:
    """Why nothing is told, with the value and the limit."""
    if reach.asked > reach.most:
        told = f"above {_plain(reach.most * REACH)}: at most {_plain(reach.most)} was measured"
    else:
        told = f"below {_plain(reach.least / REACH)}: at least {_plain(reach.least)} was measured"
    return f"{reach.what} {_plain(reach.asked)} {reach.unit} is {told}, and nothing is told beyond {REACH:.0f} times that"


def _plain(value: float) -> str:
    return f"{float(f'{value:.3g}'):,g}"


def _way_up(need: Need, known: Known) -> tuple[float, float]:
    """How long what a client says is on its way to the server, at p50 and p99: at most as its answer, and half a trip."""
    if not need.two_way_hz:
        return 0.0, 0.0
    act = known.act
    return (need.rtt_ms / 2 + (act.p50_ms if act else 0.0), need.rtt_ms / 2 + (act.p99_ms if act else 0.0))


def _cannot(need: Need, known: Known, up_ms: tuple[float, float]) -> str:
    """Why a transport cannot meet a need, whatever a server does; empty if it can."""
    row = TRANSPORTS[known.transport]
    if need.rtt_ms and row.family not in predictions.MODELS:
        return "there is no formula for what a round trip does to it"
    if not row.duplex and need.two_way_hz * need.rtt_ms >= 1000:
        return (
            f"it posts what it says, one after the other, and each takes a round trip of {_plain(need.rtt_ms)} ms, "
            f"but there is something to say every {_plain(1000 / need.two_way_hz)} ms"
        )
    if row.polls and (longest := _longest_ms(need, known, up_ms)) < max(need.rtt_ms, 1.0):
        asks = f"it would have to ask every {_plain(longest)} ms" if longest > 0 else "no interval is short enough"
        return f"{asks}, and an answer takes {_plain(max(need.rtt_ms, 1.0))} ms"
    return ""


def _longest_ms(need: Need, known: Known, up_ms: tuple[float, float]) -> float:
    """The longest interval by which no update is too old: it waits for at most that, and for half a round trip."""
    return need.staleness_ms - need.rtt_ms / 2 - known.late_ms[1] - up_ms[1]


def _interval(need: Need, known: Known, up_ms: tuple[float, float]) -> tuple[float, str]:
    """How often a poller asks: as seldom as it may, in two digits, and what set that if not the staleness.

    It is below the round trip only if a limit is: who is told to ask so often would do so half as often.
    """
    limits = [
        (_longest_ms(need, known, up_ms), ""),
        (known.intervals_ms[1] * REACH, f"{REACH:.0f} times the longest that was measured"),
        (LONGEST_INTERVAL_MS, "the longest with which a server keeps a connection"),
    ]
    if isinstance(known.cpu, Polled) and math.isfinite(known.cpu.most_messages):
        most = 1000 * known.cpu.most_messages / need.rate_hz
        limits.append((most, f"the {_plain(known.cpu.most_messages)} messages in an answer that were measured"))
    value, why = min(limits)
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return max(math.floor(value / unit + 1e-9) * unit, min(value, need.rtt_ms)), why


def _per_process(
    need: Need, known: Known, interval_ms: float, cpu_us: float, up_ms: tuple[float, float]
) -> tuple[int, str]:
    """How many subscribers a process can have, and what sets that."""
    polls = TRANSPORTS[known.transport].polls
    limits = [
        (float(need.subscribers), "all there are"),
        (known.connections[1] * REACH, f"{REACH:.0f} times the subscribers that were measured"),
        (HEADROOM * 1e6 / cpu_us if cpu_us else math.inf, f"{HEADROOM * 100:.0f} % of a core"),
        (HEADROOM * known.limit_per_s / need.rate_hz, f"{HEADROOM * 100:.0f} % of what a full server delivered"),
    ]
    each = 1000 / interval_ms if polls else need.rate_hz
    what = "requests" if polls else "deliveries"
    limits.append((known.per_s * REACH / each, f"{REACH:.0f} times the {what} a second that were measured"))
    if known.act and need.two_way_hz:
        most = known.act.per_s * REACH / need.two_way_hz
        limits.append((most, f"{REACH:.0f} times the actions a second that were measured"))
    if not polls:
        budget_ms = need.staleness_ms - _way_ms(need, known, 0.99) - up_ms[1]
        limits.append((_most_within(known, budget_ms), STALENESS))
    value, why = min(limits)
    return int(value), why


def _points(known: Known, part: str) -> tuple[list[float], list[float]]:
    """Where a quantile of latency was measured, and how large it was at most; it does not fall with subscribers."""
    ends = [getattr(one, part).high for one in known.heard]
    return [one.subscribers for one in known.heard], [float(end) for end in np.maximum.accumulate(ends)]


def _most_within(known: Known, budget_ms: float) -> float:
    """How many subscribers have p99 within a time: between loads on a line, beyond the largest in proportion to it."""
    at, late = _points(known, "p99_ms")
    if late[0] > budget_ms:
        return 0.0
    if late[-1] <= budget_ms:
        return at[-1] * budget_ms / late[-1]
    k = next(k for k, value in enumerate(late) if value > budget_ms)
    return at[k - 1] + (at[k] - at[k - 1]) * (budget_ms - late[k - 1]) / (late[k] - late[k - 1])


def _way_ms(need: Need, known: Known, quantile: float, interval_ms: float = 1.0) -> float:
    """What waiting and the round trip are to a quantile of latency, by the models, without the server."""
    model = predictions.MODELS.get(TRANSPORTS[known.transport].family)
    if model is None:
        return 0.0
    load = {
        "subscribers": 1,
        "rate_hz": need.rate_hz,
        "rtt_ms": need.rtt_ms,
        "poll_interval_ms": interval_ms,
        "poll_connection": "kept",
    }
    return model.latency(load, 0.0).quantile_ms(quantile)


def _latency(
    need: Need, known: Known, subscribers: float, interval_ms: float, up_ms: tuple[float, float], reaches: Sequence[Reach]
) -> tuple[Figure, Figure]:
    """p50 and p99: what was measured at so many subscribers, and what the round trip adds; of a poller its wait."""
    how = max(_how(reaches, "rate", "round trip", "poll interval", "subscribers of a process"), _of_payload(need, known))
    made = []
    for quantile, part, up, more in (
        (0.5, "p50_ms", up_ms[0], known.late_ms[0]),
        (0.99, "p99_ms", up_ms[1], known.late_ms[1]),
    ):
        if TRANSPORTS[known.transport].polls:
            late = _way_ms(need, known, quantile, interval_ms) + more + up
            made.append(Figure(Interval(late, late, late, 1), max(how, How.RECKONED)))
            continue
        way = _way_ms(need, known, quantile) + up
        low, mid, high = (_at(known, subscribers, part, end) + way for end in ("low", "mid", "high"))
        made.append(Figure(Interval(low, mid, high, known.n), how))
    return made[0], made[1]


def _at(known: Known, subscribers: float, part: str, end: str) -> float:
    """A latency at so many subscribers: of fewer than were measured that of the fewest, so at most that."""
    at = [one.subscribers for one in known.heard]
    late = [getattr(getattr(one, part), end) for one in known.heard]
    if subscribers > at[-1]:
        return float(late[-1] * subscribers / at[-1])
    return float(np.interp(subscribers, at, late))


def _taken(
    need: Need, known: Known, prices: Prices, interval_ms: float, cpu: Draws, processes: int, reaches: Sequence[Reach]
) -> dict[str, Any]:
    """What the option takes, of all resources."""
    down, up = (cost.at(need.rate_hz, interval_ms / 1000) for cost in (known.down, known.up))
    down = down + need.rate_hz * (need.payload_bytes - known.payload_bytes)
    if known.act:
        more = need.payload_bytes - known.act.payload_bytes
        down = down + need.two_way_hz * (known.act.down_bytes + more)
        up = up + need.two_way_hz * (known.act.up_bytes + more)
    cores = need.subscribers * cpu / 1e6
    base = processes * known.base_bytes
    memory = None if known.memory is None else (need.subscribers * known.memory + base) / GIB
    shares = {
        "traffic": (prices.egress_gb, need.subscribers * down * MONTH_S / GB),
        "CPU": (prices.core_hour, cores / HEADROOM * MONTH_S / 3600),
    }
    if memory is not None:
        shares["memory"] = (prices.gib_hour, memory * MONTH_S / 3600)
    paid = {name: price * amount for name, (price, amount) in shares.items() if price is not None}
    same = need.payload_bytes == known.payload_bytes
    bytes_how = max(_how(reaches, "rate", "payload", "poll interval"), How.MEASURED if same else How.RECKONED)
    cpu_how = max(_how(reaches, "rate", "poll interval", "subscribers of a process"), _of_payload(need, known))
    memory_how = _how(reaches, "subscribers of a process")
    used = {"traffic": bytes_how, "CPU": cpu_how, "memory": memory_how}
    return {
        "down": Figure(interval(down, known.n), bytes_how),
        "up": Figure(interval(up, known.n), bytes_how),
        "mbit_s": Figure(interval((down + up) * need.subscribers * 8 / 1e6, known.n), bytes_how),
        "cores": Figure(interval(cores, known.n), cpu_how),
        "memory_gib": None if memory is None else Figure(interval(memory, known.n), memory_how),
        "month": Figure(interval(np.sum(list(paid.values()), axis=0), known.n), max(used[name] for name in paid))
        if paid
        else None,
        "shares": tuple((name, float(draws[0])) for name, draws in paid.items()),
    }


def _of_payload(need: Need, known: Known) -> How:
    """How CPU and latency are known with regard to the payload: nothing tells what another one does to them."""
    return How.MEASURED if need.payload_bytes == known.payload_bytes else How.EXTRAPOLATED


def _how(reaches: Sequence[Reach], *what: str) -> How:
    return max((one.how for one in reaches if one.what in what), default=How.MEASURED)
