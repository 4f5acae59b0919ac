"""E. Bozdag, A. Mesbah and A. van Deursen, TUD-SERG-2007-016a: push and pull for AJAX, by intervals. Pure."""

from pushbench import models
from pushbench.classics.claims import (
    Certainty,
    Classic,
    Curve,
    Dots,
    Plot,
    Published,
    Reproduction,
    Row,
    Source,
    claim,
    met,
)
from pushbench.classics.evidence import Evidence, Values, doubted, doubtful, value

FASTER = 10
"""So many times as fast as theirs runs the clock here."""
PULLS_MS = (100, 500, 1500)
RATES_HZ = (2.0, 0.6666666666666666)
USERS, MANY = 100, 1000
CPU_RATIO = 7.0
SATURATES = (350.0, 500.0)
MISSED_MORE, MISSED_LESS = 0.2, 0.1
USELESS_MORE, USELESS_LESS = 0.5, 0.2
FACTOR = 2.0
FULL_PERCENT = 90.0


def missed(trial: Values) -> float:
    """The share of updates that a poll for the newest alone would have missed: those behind another in an answer."""
    return value(trial, "coalesced") / value(trial, "delivered")


def useless(trial: Values) -> float:
    """The share of requests that find nothing."""
    return max(1 - (1 - missed(trial)) / value(trial, "requests_per_delivery"), 0.0)  # in this order NaN stays NaN


def judge(evidence: Evidence) -> Reproduction:
    """Trip time, missed updates and useless requests over both intervals, and what the server pays."""
    rows: list[Row] = []
    cells = {
        (rate, pull): evidence.at(transport="polling", rate_hz=rate, poll_interval_ms=pull, subscribers=USERS)
        for rate in RATES_HZ
        for pull in PULLS_MS
    }
    pushes = {rate: evidence.at(transport="longpoll", rate_hz=rate, subscribers=USERS) for rate in RATES_HZ}
    crowd = evidence.at(transport="longpoll", rate_hz=RATES_HZ[0], subscribers=MANY)
    lacks = {place: made for place, cell in cells.items() if (made := cell.of(missed))}
    idles = {place: made for place, cell in cells.items() if (made := cell.of(useless))}
    trips = {place: made for place, cell in cells.items() if (made := cell.figure("latency_mean_ms"))}
    pushed = {rate: made for rate, cell in pushes.items() if (made := cell.figure("latency_mean_ms"))}
    for rate in RATES_HZ:
        every = 1000 / rate
        rows.append(Row(f"trip time: publish {every:,.0f} ms / pushed", "ms", None, pushed.get(rate), None,
                        pushes[rate].doubted, drawn_as="longpoll"))  # fmt: skip
        for pull in PULLS_MS:
            cell, said = cells[rate, pull], f"publish {every:,.0f} ms / pull {pull:,} ms"
            rows += [
                Row(f"trip time: {said}", "ms", None, trips.get((rate, pull)), models.polling(pull).mean_ms, cell.doubted,
                    drawn_as="polling"),
                Row(f"would be missed: {said}", "share", None, lacks.get((rate, pull)), max(0.0, 1 - every / pull),
                    cell.doubted, drawn_as="polling"),
                Row(f"useless requests: {said}", "share", None, idles.get((rate, pull)),
                    1 - models.share_answered(rate, pull), cell.doubted, drawn_as="polling"),
            ]  # fmt: skip
    cpu = pushes[RATES_HZ[0]].beside(
        cells[RATES_HZ[0], 500], lambda push, pull: value(push, "server_cpu_percent") / value(pull, "server_cpu_percent")
    )
    busy = crowd.figure("server_cpu_percent")
    both = doubted((pushes[RATES_HZ[0]], cells[RATES_HZ[0], 500]))
    rows += [
        Row(
            "server CPU: pushed ÷ pulled as often as published", "×", Published(CPU_RATIO, Certainty.READ), cpu, None, both
        ),
        Row("users at which the server saturates", "users", Published(SATURATES[0], Certainty.READ, SATURATES[1])),
        Row(f"server CPU with {MANY:,} users pushed", "% of a core", None, busy, None, crowd.doubted),
    ]
    unsure = doubted(cells.values())
    longer = [lacks[place].mid for place in lacks if place[1] > 1.01 * 1000 / place[0]]
    not_longer = [lacks[place].mid for place in lacks if place[1] <= 1.01 * 1000 / place[0]]
    shorter = [idles[place].mid for place in idles if place[1] < 0.99 * 1000 / place[0]]
    equal = [idles[place].mid for place in idles if abs(place[1] * place[0] / 1000 - 1) < 0.01]
    best = min((trip.mid for trip in trips.values()), default=None)
    claims = (
        claim(
            "pulled less often than published, updates are missed",
            f"at least {MISSED_MORE:.0%} there, and at most {MISSED_LESS:.0%} elsewhere",
            min(longer) >= MISSED_MORE and max(not_longer) <= MISSED_LESS if longer and not_longer else None,
            f"{min(longer):.0%} or more there, {max(not_longer):.0%} or less elsewhere" if longer and not_longer else "",
            "polls and messages drifted past each other, so that some answers had two", Certainty.READ, doubted=unsure,
        ),
        claim(
            "pulled more often, requests are useless",
            f"at least {USELESS_MORE:.0%} there, and at most {USELESS_LESS:.0%} where the intervals are equal",
            min(shorter) >= USELESS_MORE and max(equal) <= USELESS_LESS if shorter and equal else None,
            f"{min(shorter):.0%} or more there, {max(equal):.0%} or less at equal intervals" if shorter and equal else "",
            "polls and messages drifted past each other, so that some polls found nothing", Certainty.READ, doubted=unsure,
        ),
        claim(
            "push is more coherent: it delivers sooner than any pull",
            "its mean trip time is below that of every pull interval",
            max(trip.mid for trip in pushed.values()) < best if pushed and best is not None else None,
            f"{max(trip.mid for trip in pushed.values()):,.1f} ms pushed, {best:,.1f} ms pulled at best"
            if pushed and best is not None else "",
            "the shortest pull interval waits less than the server takes to push to all", Certainty.READ,
            doubted=unsure or doubted(pushes.values()),
        ),
        claim(
            f"push takes {CPU_RATIO:g} times the server CPU of pull", f"within a factor of {FACTOR:g}, at equal intervals",
            met(cpu, CPU_RATIO / FACTOR, CPU_RATIO * FACTOR), f"{cpu.mid:.1f} times" if cpu else "",
            "a long poll here is a request to the same program as a poll, and no more work for it",
            Certainty.READ, shape=False, doubted=both,
        ),
        claim(
            f"push saturates at {SATURATES[0]:g} to {SATURATES[1]:g} users",
            f"with {MANY:,} the server's core is busy to {FULL_PERCENT:g} % or more",
            met(busy, FULL_PERCENT), f"{busy.mid:.0f} % with {MANY:,}, each with {FASTER} times the load" if busy
            else "",
            "another server, and hardware of another time", Certainty.READ,
            shape=False, doubted=crowd.doubted,
        ),
    )  # fmt: skip
    curves = [
        Curve(
            f"published every {1000 / rate:,.0f} ms", "polling",
            tuple((pull, made) for pull in PULLS_MS if (made := values.get((rate, pull)))),
            tuple((float(pull), model(rate, pull)) for pull in range(50, 2001, 25)),
            doubtful({pull: cells[rate, pull] for pull in PULLS_MS}),
        )
        for values, model in ((lacks, _missed_model), (idles, _useless_model))
        for rate in RATES_HZ
    ]  # fmt: skip
    trip_rows = tuple(row for row in rows if row.what.startswith("trip time"))
    return Reproduction(
        tuple(rows),
        claims,
        (
            Dots("Mean time from publishing to the user", "ms (log)", trip_rows),
            Plot("Updates that would be missed", "pull interval (ms)", "share of updates", tuple(curves[:2])),
            Plot("Requests that find nothing", "pull interval (ms)", "share of requests", tuple(curves[2:])),
        ),
    )


def _missed_model(rate_hz: float, pull_ms: float) -> float:
    return max(0.0, 1 - 1000 / (rate_hz * pull_ms))


def _useless_model(rate_hz: float, pull_ms: float) -> float:
    return 1 - models.share_answered(rate_hz, pull_ms)


CLASSIC = Classic(
    "bozdag",
    Source(
        "E. Bozdag, A. Mesbah and A. van Deursen", "A Comparison of Push and Pull Techniques for AJAX", 2007,
        "TUD-SERG-2007-016a, arXiv:0706.3984",
    ),
    "pull is good only if its interval is that of publishing: longer, and data is missed; shorter, and requests are "
    "useless; push is coherent, takes 7 times the CPU, and saturates at 350 to 500 users",
    "Ten times as fast: published every 0.5 and 1.5 s, pulled every 0.1, 0.5 and 1.5 s, 100 users. Push is long polling, "
    "by which Bayeux, the protocol of theirs, usually goes. A poll here is answered with all since the last; what a poll "
    "that gets the newest alone would have missed is computed from it: updates that came in an answer behind another "
    "(less at the ends of a trial, where answers have fewer).",
    (
        "That anything was missed here: nothing was; it is computed.",
        "Their grid of users: their graphs were not read, only what they conclude.",
    ),
    "When is pull good?",
    judge,
)  # fmt: skip
