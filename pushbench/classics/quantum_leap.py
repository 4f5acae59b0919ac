"""P. Lubbers and F. Greco, HTML5 WebSockets: A Quantum Leap in Scalability for the Web: bytes beside what is said. Pure."""

from pushbench import models
from pushbench.classics.claims import Certainty, Classic, Dots, Published, Reproduction, Row, Source, claim, met
from pushbench.classics.evidence import Evidence, Values, doubted, times, value
from pushbench.models import LUBBERS_GRECO_FRAME_BYTES as FRAME_BYTES, LUBBERS_GRECO_POLL_BYTES as POLL_BYTES

CASES = (("A", 1_000, 6.6, 0.015), ("B", 10_000, 66.0, 0.153), ("C", 100_000, 665.0, 1.526))
"""Name, clients, and the Mbit/s that they give for polling and for WebSockets, at an update a second."""
MEGABIT = 2**20
"""Theirs: 871 bytes for 1,000 clients a second are 6.968 million bits, and they write 6.6."""
RATIO = POLL_BYTES // FRAME_BYTES
SHORT_BYTES, LONG_BYTES = 100, 200
"""Messages whose frame headers take 2 and 4 bytes."""
FAR_LESS = 100
NEAR = 1.25


def headers(trial: Values) -> float:
    """Bytes of headers and framing for an update, both ways: what they count."""
    parts = ("down_http", "up_http", "down_framing", "up_framing")
    return sum(value(trial, f"wire_{part}_bytes_per_delivery") for part in parts)


def overhead(trial: Values) -> float:
    """The same with the headers of TCP and IP."""
    return headers(trial) + sum(value(trial, f"wire_{way}_tcpip_bytes_per_delivery") for way in ("down", "up"))


def everything(trial: Values) -> float:
    """All bytes for an update, both ways."""
    return sum(value(trial, f"wire_{way}_bytes_per_delivery") for way in ("down", "up"))


def judge(evidence: Evidence) -> Reproduction:
    """Their arithmetic, beside what the kernel counted."""
    polls = {"transport": "polling", "payload_bytes": SHORT_BYTES}
    browser = evidence.at(**polls, headers="browser", poll_interval_ms=1000)
    lean = evidence.at(**polls, headers="lean", poll_interval_ms=1000)
    often = evidence.at(**polls, headers="browser", poll_interval_ms=250)
    short = evidence.at(transport="websocket", payload_bytes=SHORT_BYTES)
    long = evidence.at(transport="websocket", payload_bytes=LONG_BYTES)
    head, frame, long_frame = browser.of(headers), short.of(headers), long.of(headers)
    ratio = browser.beside(short, lambda poll, push: headers(poll) / headers(push))
    honest = browser.beside(short, lambda poll, push: overhead(poll) / overhead(push))
    lean_honest = lean.beside(short, lambda poll, push: overhead(poll) / overhead(push))
    whole = browser.beside(short, lambda poll, push: everything(poll) / everything(push))
    polled, pushed = "polling", "websocket"
    unsure = doubted((browser, short))
    at_most = Published(POLL_BYTES, Certainty.READ)
    rows = [
        Row("a poll and its answer with a browser's headers", "B/update",
        at_most, head, None, browser.doubted, drawn_as=polled),
        Row("a poll and its answer with lean headers", "B/update",
        None, lean.of(headers), None, lean.doubted, drawn_as=polled),
        Row("polled 4 times an update", "B/update", None, often.of(headers), None, often.doubted,
            drawn_as=polled),
        Row("a frame with 100 bytes in it", "B/update", Published(FRAME_BYTES, Certainty.READ), frame,
            models.websocket_bytes(SHORT_BYTES), short.doubted, drawn_as=pushed),
        Row("a frame with 200 bytes in it", "B/update", Published(FRAME_BYTES, Certainty.READ), long_frame,
            models.websocket_bytes(LONG_BYTES), long.doubted, drawn_as=pushed),
        Row("polled: TCP/IP headers too", "B/update", None, browser.of(overhead), None, browser.doubted, drawn_as=polled),
        Row("pushed: TCP/IP headers too", "B/update", None, short.of(overhead),
            models.pushed(SHORT_BYTES, FRAME_BYTES).total - SHORT_BYTES, short.doubted, drawn_as=pushed),
    ]  # fmt: skip
    for name, clients, polling_mbit, websocket_mbit in CASES:
        factor = clients * 8 / MEGABIT
        for transport, made, mbit, theirs, unsure_of in (
            (polled, head, polling_mbit, POLL_BYTES, browser.doubted),
            (pushed, frame, websocket_mbit, FRAME_BYTES, short.doubted),
        ):
            what = f"case {name}: {clients:,} clients on {transport}"
            published = Published(mbit, Certainty.READ)
            rows.append(Row(what, "Mbit/s", published, times(made, factor), theirs * factor, unsure_of, scaled=True,
                            drawn_as=transport))  # fmt: skip
    ratios = (
        Row("polling ÷ WebSocket: headers alone", "×", Published(RATIO, Certainty.COMPUTED), ratio, None, unsure),
        Row("with TCP/IP and a browser's headers", "×", None, honest, None, unsure),
        Row("with TCP/IP and lean headers", "×", None, lean_honest, None, doubted((lean, short))),
        Row("all bytes with 100 of payload", "×", None, whole, None, unsure),
    )
    told = f"{ratio.mid:,.0f} : 1" if ratio else ""
    claims = (
        claim(
            "a WebSocket takes far less overhead than polling", f"headers of a poll are at least {FAR_LESS} of a frame's",
            met(ratio, FAR_LESS), told, "the headers that are sent here are too few for that",
            Certainty.READ, doubted=unsure,
        ),
        claim(
            f"it is {RATIO} : 1", f"headers alone, within {NEAR - 1:.0%} of that",
            met(ratio, RATIO / NEAR, RATIO * NEAR), told,
            f"a poll and its answer have {head.mid:,.0f} bytes of headers here, and {POLL_BYTES} there" if head else "",
            Certainty.READ, shape=False, doubted=unsure,
        ),
        claim(
            "network throughput falls by that factor", "with the headers of TCP and IP at least half of it",
            met(honest, RATIO / 2), f"{honest.mid:,.0f} : 1 with TCP/IP headers" if honest else "",
            f"each packet has {models.PACKET_BYTES} bytes of TCP/IP headers whatever is in it, and a push is acknowledged "
            "by another: 2 bytes of frame are the smallest part of what a push takes",
            Certainty.READ, shape=False, doubted=unsure,
        ),
        claim(
            "a frame has 2 bytes of overhead", "of a message of 200 bytes as well",
            met(long_frame, FRAME_BYTES, FRAME_BYTES),
            f"{long_frame.mid:,.1f} bytes" if long_frame else "",
            "over 125 bytes a frame header has a length of 16 bits more (RFC 6455, section 5.2)",
            Certainty.READ, shape=False, doubted=long.doubted,
        ),
    )  # fmt: skip
    return Reproduction(
        (*rows, *ratios),
        claims,
        (
            Dots("Bytes for one update beside what it says", "bytes, both ways (log)", tuple(rows[:7])),
            Dots("How many times less WebSocket takes", "polling ÷ WebSocket (log)", ratios),
        ),
    )


CLASSIC = Classic(
    "quantum-leap",
    Source(
        "P. Lubbers and F. Greco", "HTML5 WebSockets: A Quantum Leap in Scalability for the Web", 2010,
        "websocket.org/quantum.html",
    ),
    "871 bytes of headers a poll against 2 a frame: at an update a second 665 Mbit/s for 100,000 clients become 1.5",
    "Theirs is arithmetic. Here 100 clients are measured on real sockets, an update a second; the three use cases are "
    "that, multiplied. A megabit is 2^20 bits, as theirs is.",
    (
        "100,000 clients: bytes of a client do not depend on how many there are, but nobody has connected so many here.",
        "Their latency diagrams (150 ms to 50 ms): they are drawn and not measured, and rfc6202 is about that.",
    ),
    "Is it 435 to 1?",
    judge,
)  # fmt: skip
