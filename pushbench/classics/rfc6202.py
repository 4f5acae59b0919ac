"""RFC 6202, section 2.2: the latency of a long poll, in network transits. Pure."""

from pushbench import models
from pushbench.classics.claims import (
    Certainty,
    Classic,
    Curve,
    Dots,
    Mark,
    Plot,
    Published,
    Reproduction,
    Row,
    Source,
    claim,
    met,
)
from pushbench.classics.evidence import Cell, Evidence, doubted, exactly, times
from pushbench.models import Latency
from pushbench.stats import Interval

RTT_MS = 200.0
TRANSIT_MS = RTT_MS / 2
APART_HZ, BETWEEN_HZ, DENSE_HZ = 3.0, 7.3, 23.0
"""Further apart than a round trip; nearer, and at a phase that drifts; several in each."""
BURST_HZ = 4.0
CLOSE = 1.3
"""Close to one transit, in transits."""
LARGEST = (2.9, 3.3)
"""Three transits: no message of some dozen is due at the very moment of an answer, and server and client take a little."""
POINTS = 200


def judge(evidence: Evidence) -> Reproduction:
    """Means and largest latencies in transits, and the distribution beside the model."""
    apart = evidence.at(transport="longpoll", rate_hz=APART_HZ, burst=1)
    between = evidence.at(transport="longpoll", rate_hz=BETWEEN_HZ, burst=1)
    dense = evidence.at(transport="longpoll", rate_hz=DENSE_HZ, burst=1)
    pairs = evidence.at(transport="longpoll", rate_hz=BURST_HZ, burst=2)
    pushed = evidence.at(transport="websocket", rate_hz=BETWEEN_HZ)
    steady = {rate: models.longpoll_steady(RTT_MS, 1000 / rate) for rate in (APART_HZ, BETWEEN_HZ, DENSE_HZ)}
    average, largest = Published(1.0, Certainty.READ), Published(3.0, Certainty.READ)
    rows = [
        row
        for what, cell, model, name in (
            (f"{APART_HZ:g} messages/s", apart, steady[APART_HZ], "longpoll"),
            (f"{BETWEEN_HZ:g} messages/s", between, steady[BETWEEN_HZ], "longpoll"),
            (f"{DENSE_HZ:g} messages/s", dense, steady[DENSE_HZ], "longpoll"),
            ("two at once twice a second", pairs, None, "longpoll"),
            (f"WebSocket {BETWEEN_HZ:g} messages/s", pushed, models.push(RTT_MS), "websocket"),
        )
        for row in (
            Row(f"{what}: mean", "transits", average if cell is apart else None, _transits(cell, "mean"),
                model.mean_ms / TRANSIT_MS if model else None, cell.doubted, drawn_as=name),
            Row(f"{what}: largest", "transits", largest if cell is between else None, _transits(cell, "max"),
                model.longest_ms / TRANSIT_MS if model else None, cell.doubted, drawn_as=name),
        )
    ]  # fmt: skip
    calm = _transits(apart, "mean")
    at_any_moment = (between, dense, pairs)
    latest = [made.mid for cell in at_any_moment if (made := _transits(cell.believed, "max"))]
    most = max(latest) if len(latest) == len(at_any_moment) else None
    means = [made.mid for cell in (apart, between, dense) if (made := _transits(cell, "mean"))]
    claims = (
        claim(
            "the average is close to one transit", f"messages further apart than a round trip: at most {CLOSE} transits",
            met(calm, high=CLOSE), f"{calm.mid:.2f} transits" if calm else "",
            "server and client took more than a third of a transit", Certainty.READ, doubted=apart.doubted,
        ),
        claim(
            "the largest is up to three, and a little for the server: the answer, the next request, and its answer",
            f"of messages that come at any moment, the latest takes {LARGEST[0]} to {LARGEST[1]} transits, by trials of "
            "each cell that are to be believed",
            None if most is None else LARGEST[0] <= most <= LARGEST[1], f"{most:.2f} transits" if most else "",
            "no message was due just behind an answer" if most and most < LARGEST[0] else
            "something held an answer or a request up for longer than the way takes", Certainty.READ,
        ),
        claim(
            "the average is close to one transit at any rate", f"at most {CLOSE} transits at every rate tried",
            all(mean <= CLOSE for mean in means) if len(means) > 1 else None,
            ", ".join(f"{mean:.2f}" for mean in means),
            "the RFC does not say of which rate it speaks: with more than one message a round trip, all of them wait for "
            "the "
            "next request, on average as long as a transit more", Certainty.READ, shape=False,
            doubted=doubted((apart, between, dense)),
        ),
    )  # fmt: skip
    curves = tuple(
        Curve(label, name, _distribution(evidence, cell), _model(model) if model else ())
        for label, name, cell, model in (
            (f"long poll, {APART_HZ:g} messages/s", "longpoll", apart, steady[APART_HZ]),
            (f"long poll, {BETWEEN_HZ:g} messages/s", "longpoll", between, steady[BETWEEN_HZ]),
            ("long poll, two at once", "longpoll", pairs, None),
            (f"WebSocket, {BETWEEN_HZ:g} messages/s", "websocket", pushed, None),
        )
    )
    plot = Plot(
        "How many deliveries had come by then", "transits since the message was due", "share of deliveries", curves,
        (Mark(1.0, "one"), Mark(3.0, "three")),
    )  # fmt: skip
    return Reproduction(tuple(rows), claims, (plot, Dots("Mean and largest", "transits", tuple(rows), log=False)))


def _transits(cell: Cell, name: str) -> Interval | None:
    return times(cell.figure(f"latency_{name}_ms"), 1 / TRANSIT_MS)


def _model(latency: Latency) -> tuple[tuple[float, float], ...]:
    return tuple((latency.quantile_ms(step / POINTS) / TRANSIT_MS, step / POINTS) for step in range(POINTS + 1))


def _distribution(evidence: Evidence, cell: Cell) -> tuple[tuple[float, Interval], ...]:
    shares = evidence.share_within(cell)
    return tuple((edge / TRANSIT_MS, exactly(share)) for edge, share in shares)


CLASSIC = Classic(
    "rfc6202",
    Source(
        "S. Loreto, P. Saint-Andre, S. Salsano and G. Wilkins",
        "Known Issues and Best Practices for the Use of Long Polling and Streaming in Bidirectional HTTP", 2011,
        "RFC 6202, section 2.2, rfc-editor.org/rfc/rfc6202",
    ),
    "long polling takes about one network transit on average, and at most over three, which is read here as three and a "
    "little for the server",
    "No figures of theirs to scale: a relay makes a transit 100 ms. Messages 333 ms apart, at 7.3 and 23 a second, whose "
    "phases drift past the round trip, and two at once.",
    (
    "Loss and retransmission, of which the RFC says that they make any protocol on TCP as late: the relay loses nothing.",),
    "One transit, or three?",
    judge,
)  # fmt: skip
