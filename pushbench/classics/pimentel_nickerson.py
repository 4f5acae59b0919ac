"""V. Pimentel and B. G. Nickerson, IEEE Internet Computing 16(4): latency against distance at 4 Hz. Pure."""

from collections.abc import Callable
from statistics import median

from pushbench import models
from pushbench.classics.claims import Certainty, Classic, Curve, Mark, Plot, Published, Reproduction, Row, Source, claim
from pushbench.classics.evidence import Evidence, doubted, doubtful, value
from pushbench.stats import Interval

RATE_HZ = 4.0
BETWEEN_MS = 1000 / RATE_HZ
POLLED_EVERY_MS = 250
KNEE_MS = models.longpoll_knee_ms(RATE_HZ)
SAME, SAME_MS = 1.25, 10.0
"""Long polling is as WebSocket if its mean is within this factor, or so many ms: what the server and the client take."""
BEHIND = 1.3
POLLING_RATIO = (2.3, 4.5)
FARTHEST_MS = {"polling": 240, "longpoll": 420, "websocket": 420}
"""Up to where a model is drawn."""
MEAN = "latency_mean_ms"
MODELS: dict[str, Callable[[float], float]] = {
    "polling": lambda rtt_ms: models.polling(POLLED_EVERY_MS, rtt_ms).mean_ms,
    "longpoll": lambda rtt_ms: models.longpoll_steady(rtt_ms, BETWEEN_MS).mean_ms,
    "websocket": lambda rtt_ms: models.push(rtt_ms).mean_ms,
}


def judge(evidence: Evidence) -> Reproduction:
    """Where long polling leaves WebSocket, and how far above both polling is."""
    cells = {
        (name, rtt_ms): evidence.at(transport=name, rtt_ms=rtt_ms)
        for name in MODELS
        for rtt_ms in evidence.among("rtt_ms", transport=name)
    }
    means = {place: mean for place, cell in cells.items() if (mean := cell.figure(MEAN))}
    rows = [
        Row(f"{name}: mean at {rtt_ms:g} ms there and back", "ms", None, means.get((name, rtt_ms)), MODELS[name](rtt_ms),
            cell.doubted, drawn_as=name)
        for (name, rtt_ms), cell in cells.items()
    ]  # fmt: skip
    distances = [
        rtt
        for rtt in evidence.among("rtt_ms", transport="longpoll")
        if {("longpoll", rtt), ("websocket", rtt)} <= means.keys()
    ]
    ratios = {rtt: means["longpoll", rtt].mid / means["websocket", rtt].mid for rtt in distances}
    beyond = {rtt: means["longpoll", rtt].mid - means["websocket", rtt].mid for rtt in distances}
    as_one = {rtt: ratios[rtt] <= SAME or beyond[rtt] <= SAME_MS for rtt in distances}
    near, far = ([rtt for rtt in distances if (rtt < KNEE_MS) is below] for below in (True, False))
    knee = _knee(as_one)
    rows.append(
        Row(
            "round trip from which long polling falls behind",
            "ms",
            Published(KNEE_MS, Certainty.REPORTED),
            knee,
            KNEE_MS,
            ranges=True,
        )
    )
    polled = sorted(
        made.mid
        for rtt in evidence.among("rtt_ms", transport="polling")
        if (made := cells["polling", rtt].beside(
            evidence.at(transport="websocket", rtt_ms=rtt), lambda one, two: value(one, MEAN) / value(two, MEAN)))
    )  # fmt: skip
    low, high = POLLING_RATIO
    across = Interval(polled[0], median(polled), polled[-1], len(polled)) if polled else None
    rows.append(
        Row(
            "polling ÷ WebSocket over the distances",
            "×",
            Published(low, Certainty.RECALLED, high),
            across,
            None,
            doubted(cells.values()),
            ranges=True,
        )
    )
    unsure = doubted(cells.values())
    told = ", ".join(f"{ratios[rtt]:.2f}× at {rtt:g} ms" for rtt in distances)
    claims = (
        claim(
            "long polling is as good as WebSocket while a transit is below half the interval between measurements",
            f"below {KNEE_MS:g} ms there and back, means within {SAME - 1:.0%} or {SAME_MS:g} ms",
            all(as_one[rtt] for rtt in near) if near else None, told,
            "what a request takes of server and client is no small part of so short a way",
            Certainty.REPORTED, doubted=unsure,
        ),
        claim(
            "beyond that WebSocket is better", f"above it the mean of long polling is at least {BEHIND} of WebSocket's",
            all(ratios[rtt] >= BEHIND for rtt in far) if far else None, told,
            "messages of a steady feed kept a place between the requests at which they hardly wait", Certainty.REPORTED,
            doubted=unsure,
        ),
    )  # fmt: skip
    curves = tuple(
        Curve(
            name, name,
            tuple((rtt, means[name, rtt]) for rtt in evidence.among("rtt_ms", transport=name) if (name, rtt) in means),
            tuple((float(rtt), model(rtt)) for rtt in range(0, FARTHEST_MS[name] + 1, 5)),
            doubtful({rtt: cells[way, rtt] for way, rtt in cells if way == name}),
        )
        for name, model in MODELS.items()
    )  # fmt: skip
    plot = Plot(
        "Mean one-way latency at 4 Hz", "round-trip time (ms)", "mean latency (ms)", curves,
        (Mark(KNEE_MS, "one way = half the interval"),),
    )  # fmt: skip
    return Reproduction(tuple(rows), claims, (plot,))


def _knee(as_one: dict[float, bool]) -> Interval | None:
    """Between the last distance at which long polling is as WebSocket and the first at which it is not."""
    behind = [rtt for rtt, same in as_one.items() if not same]
    before = [rtt for rtt, same in as_one.items() if same and (not behind or rtt < behind[0])]
    if not behind or not before:
        return None
    return Interval(before[-1], (before[-1] + behind[0]) / 2, behind[0], 2)


CLASSIC = Classic(
    "pimentel-nickerson",
    Source(
        "V. Pimentel and B. G. Nickerson", "Communicating and Displaying Real-Time Data with WebSocket", 2012,
        "IEEE Internet Computing 16(4), doi:10.1109/MIC.2012.64",
    ),
    "long polling keeps up with WebSocket until the network takes more than half the interval between two measurements; "
    "polling is 2.3 to 4.5 times as late as WebSocket",
    "Not scaled, 4 messages of 100 bytes a second, as theirs. A relay delays in place of the Internet between their "
    "sites, so jitter and loss are missing; their poll interval is not known here, and 250 ms is taken.",
    (
        "Their latencies between cities: only the abstract was read; the knee is told as Van de Vyvere et al. (2020) "
        "report it.",
        "That polling is 2.3 to 4.5 times as late as WebSocket: the range is recalled and was not verified, and the ratio "
        "goes by the distance. The model has it at 5.2, 2.8 and 2.1 for the three distances tried here, so that their "
        "range is met by the choice of these. It is shown, and not judged.",
    ),
    "Where does long polling fall behind?",
    judge,
)  # fmt: skip
