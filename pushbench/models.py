"""What the textbooks say that each way to push takes: latency, requests and bytes, as formulas with their sources. Pure.

It knows arithmetic, and the sizes of headers. What was measured, and which transport is meant, is not known here.

A model counts waiting and the network, and of the server no more than the time of its writes. What a request, the event
loops and the instrument take comes on top, so a measurement may lie above a model by some milliseconds, and should never
lie far below.

"Steady" is a feed at a constant rate, as this suite's is; "random" is one whose messages are independent of each other
(a Poisson process).
"""

import math
from dataclasses import dataclass, replace

IP_BYTES = 20
"""Header of an IPv4 packet without options: RFC 791, section 3.1."""
TCP_BYTES = 20
"""Header of a TCP segment without options: RFC 9293, section 3.1."""
TIMESTAMPS_BYTES = 12
"""The timestamps option and its padding, in every segment once agreed upon: RFC 7323, section 3.2 and appendix A."""
PACKET_BYTES = IP_BYTES + TCP_BYTES + TIMESTAMPS_BYTES
SYN_BYTES = IP_BYTES + TCP_BYTES + 20
"""A SYN as Linux sends it: its options are segment size 4, SACK 2, timestamps 10, window scale 3, and 1 of padding."""
SEGMENT_BYTES = 1448
"""Payload of a full segment on Ethernet: 1,500 less a packet's headers. Loopback takes 65,483."""

LUBBERS_GRECO_POLL_BYTES = 871
LUBBERS_GRECO_FRAME_BYTES = 2
"""HTTP headers of one poll (request and response together), and the header of one frame, in P. Lubbers and F. Greco, HTML5
Web Sockets: A Quantum Leap in Scalability for the Web (2010): the claim that a WebSocket takes 1/435 of the overhead."""


# Latency: from due to received, in ms.


@dataclass(frozen=True, slots=True)
class Latency:
    """How late deliveries are: all of them by `fixed_ms`, and a share of them also by a uniform wait."""

    fixed_ms: float
    longest_wait_ms: float = 0.0
    """Who waits does so for a time that is uniform between 0 and this."""
    waits: float = 1.0
    """Share of deliveries that wait, 0 to 1."""
    unsure_ms: float = 0.0
    """How far the mean of one run may be off, if its messages keep a fixed place between the requests."""

    @property
    def mean_ms(self) -> float:
        """The mean over all deliveries."""
        return self.fixed_ms + self.waits * self.longest_wait_ms / 2

    @property
    def longest_ms(self) -> float:
        """What none exceeds."""
        return self.fixed_ms + (self.longest_wait_ms if self.waits else 0.0)

    def behind(self, ms: float) -> "Latency":
        """The same, so much later."""
        return replace(self, fixed_ms=self.fixed_ms + ms)

    def quantile_ms(self, q: float) -> float:
        """What a share `q` of the deliveries does not exceed. ValueError: q is not between 0 and 1."""
        if not 0 <= q <= 1:
            raise ValueError(f"quantile {q}, and it must be between 0 and 1")
        at_once = 1 - self.waits
        return self.fixed_ms + (self.longest_wait_ms * (q - at_once) / self.waits if q > at_once else 0.0)


def push(rtt_ms: float, subscribers: int = 1, write_us: float = 0.0) -> Latency:
    """A stream, SSE or WebSocket: one transit, rtt / 2, and the place in the fan-out.

    The server writes to one subscriber after the other, `write_us` each. So the last waits for `subscribers` writes, and
    a random one for a time that is uniform up to that.
    """
    return Latency(rtt_ms / 2, subscribers * write_us / 1000)


def answered(rtt_ms: float, round_trips: int = 1) -> Latency:
    """An action and its answer: one round trip, and one more for the handshake of a new TCP connection (RFC 9293, section
    3.5: data is delivered only once it is established)."""
    return Latency(rtt_ms * round_trips, waits=0.0)


def polling(interval_ms: float, rtt_ms: float = 0.0, round_trips: int = 1) -> Latency:
    """A poller: the wait for the next request to arrive, uniform over an interval, and one transit for its answer.

    Mean T/2 + rtt/2, at most T + rtt/2. The request's own transit, and the handshake of a new connection
    (`round_trips` 2), are not in it: they shift all requests alike, and the message meets them at a random moment anyway.
    They count only once a poll takes longer than an interval: see `between_polls_ms`.
    """
    return Latency(rtt_ms / 2, between_polls_ms(interval_ms, rtt_ms, round_trips))


def between_polls_ms(interval_ms: float, rtt_ms: float = 0.0, round_trips: int = 1) -> float:
    """From one request to the next: the interval, or so many of them as a poll takes, if that is more than one.

    A request that is due while an answer is awaited is left out. So a poller whose interval is a little shorter than its
    round trip asks half as often as it was told.
    """
    return interval_ms * max(1, math.ceil(round_trips * rtt_ms / interval_ms))


def longpoll_fan_out(rtt_ms: float, subscribers: int, write_us: float) -> Latency:
    """A long poll that finds everybody's request waiting: one transit, and the place among the answers.

    `write_us` is what the server spends on a delivery: on the answer, and on taking in the request that follows it. The
    requests may come between the answers or behind them all, so that a place costs anything from nothing to all of that.
    """
    most_ms = subscribers * write_us / 1000
    return Latency(rtt_ms / 2, most_ms / 2, unsure_ms=most_ms / 4)


def longpoll_steady(rtt_ms: float, between_ms: float) -> Latency:
    """A long poll, for messages that are `between_ms` apart.

    After an answer the server has nobody to answer until the next request is there, a round trip later. While messages
    are further apart than that, each finds a request waiting: one transit. From there on every request finds messages
    waiting, so that answers are a round trip apart, and a message falls at any moment between two: one to three transits,
    two on average. RFC 6202, section 2.2, "Maximal Latency": close to one network transit on average, over three at most
    (response, next request, next response).

    The knee is at rtt = `between_ms`: one transit is then half the interval between messages, from where on V. Pimentel and
    B. G. Nickerson, Communicating and Displaying Real-Time Data with WebSocket, IEEE Internet Computing 16(4), 2012,
    https://doi.org/10.1109/MIC.2012.64, find long polling to fall behind WebSocket.

    Both being periodic, the mean of one run may be off by half of `between_ms` as long as the one does not drift past the
    other: if d is a multiple of P, all waits of a run are the same few.
    """
    if rtt_ms < between_ms:
        return Latency(rtt_ms / 2, waits=0.0)
    return Latency(rtt_ms / 2, rtt_ms, unsure_ms=between_ms / 2)


def longpoll_random(rtt_ms: float, between_ms: float) -> Latency:
    """A long poll, for messages that come at random, `between_ms` apart on average: no knee, a slope.

    From an answer to the next request there are x = rtt / between messages on average. They wait, uniformly up to rtt,
    and are answered together. Only if there was none (probability e^-x) the next message is answered at once. So of
    x + e^-x messages a cycle x wait: the mean goes from one transit to two, the longest is three.
    """
    x = rtt_ms / between_ms
    return Latency(rtt_ms / 2, rtt_ms, waits=x / (x + math.exp(-x)))


def longpoll_knee_ms(rate_hz: float) -> float:
    """The round trip at which long polling begins to fall behind a steady feed: the time between two messages."""
    return 1000 / rate_hz


# Requests.


def share_answered(rate_hz: float, interval_ms: float) -> float:
    """The share of polls that find something, of a steady feed: rate x interval, and never more than all."""
    return min(1.0, rate_hz * interval_ms / 1000)


def share_answered_random(rate_hz: float, interval_ms: float) -> float:
    """The same of a random feed: the probability that at least one message came, 1 - e^-(rate x interval)."""
    return -math.expm1(-rate_hz * interval_ms / 1000)


def messages_per_answer(rate_hz: float, interval_ms: float) -> float:
    """How many messages an answer that has any carries, of a steady feed: above one, messages are coalesced.

    For a long poll the interval is its round trip: the answers are that far apart once messages come faster.
    """
    return max(1.0, rate_hz * interval_ms / 1000)


def polls_per_s(subscribers: float, interval_ms: float) -> float:
    """Requests per second that all pollers make, whether or not there is something."""
    return subscribers * 1000 / interval_ms


def polls_per_core_s(request_us: float) -> float:
    """Requests per second that one core can answer, if each takes so much CPU time."""
    return 1e6 / request_us


def shortest_interval_ms(subscribers: float, request_us: float) -> float:
    """The shortest interval at which one core keeps up with that many pollers: the staleness that they must accept.

    Users over requests per second: B. Van de Vyvere, P. Colpaert, R. Verborgh, Comparing a polling and push-based approach
    for live Open Data interfaces, ICWE 2020. Above it, polling serves more clients than a server that pushes can.
    """
    return subscribers / polls_per_core_s(request_us) * 1000


# Bytes on the wire, per delivery.


@dataclass(frozen=True, slots=True)
class Wire:
    """What goes one way for each delivery, in bytes by what it is for, and in packets. A poll that is shared is a part."""

    payload: float = 0.0
    framing: float = 0.0
    """What marks where a message begins and ends: SSE's field names, line ends, chunk sizes, frame headers."""
    http: float = 0.0
    packets: float = 0.0
    tcpip_more: float = 0.0
    """TCP/IP bytes beyond the usual header of each packet: the options of a handshake."""

    @property
    def tcpip(self) -> float:
        """TCP/IP headers of all packets."""
        return self.packets * PACKET_BYTES + self.tcpip_more

    @property
    def total(self) -> float:
        """All bytes."""
        return self.payload + self.framing + self.http + self.tcpip

    def plus(self, other: "Wire", times: float = 1.0) -> "Wire":
        """This, and `times` the other."""
        return Wire(
            self.payload + times * other.payload,
            self.framing + times * other.framing,
            self.http + times * other.http,
            self.packets + times * other.packets,
            self.tcpip_more + times * other.tcpip_more,
        )


@dataclass(frozen=True, slots=True)
class Exchange:
    """What goes both ways."""

    down: Wire
    """To the subscriber."""
    up: Wire
    """From the subscriber."""

    @property
    def total(self) -> float:
        """Bytes both ways."""
        return self.down.total + self.up.total

    def plus(self, other: "Exchange", times: float = 1.0) -> "Exchange":
        """This, and `times` the other."""
        return Exchange(self.down.plus(other.down, times), self.up.plus(other.up, times))


CONNECTION = Exchange(
    down=Wire(http=len("Connection: close\r\n"), packets=3, tcpip_more=SYN_BYTES),  # SYN and ACK; ACK; FIN; ACK
    up=Wire(http=len("Connection: close\r\n"), packets=2, tcpip_more=SYN_BYTES),  # SYN; ACK; FIN with the ACK of theirs
)
"""Opening one TCP connection for one request, and closing it: RFC 9293, sections 3.5 and 3.6, the server first.

Both sides say in the head that they will (RFC 9112, section 9.6). The request is acknowledged at once: the kernel does not
know yet whether anybody will answer, and delays its ACKs only later.
"""


def chunk_bytes(size: int) -> int:
    """Framing of a chunk with that much data: its size in hexadecimal, and two CRLF. RFC 9112, section 7.1."""
    return len(f"{size:x}") + 4


def stream_bytes(payload_bytes: int) -> int:
    """Framing of one message on a stream: the newline that ends it, in a chunk of its own."""
    return 1 + chunk_bytes(payload_bytes + 1)


def sse_bytes(payload_bytes: int, id_digits: int = 1, line_end_bytes: int = 2) -> int:
    """Framing of one event with an id: `id: N`, `data: ` and an empty line, in a chunk of its own.

    WHATWG HTML, section 9.2.5: a line ends in CR, LF or both. sse-starlette ends it in both; with LF alone it is 3 less.
    """
    fields = len("id: ") + id_digits + len("data: ") + 3 * line_end_bytes
    return fields + chunk_bytes(payload_bytes + fields)


def websocket_bytes(payload_bytes: int, *, masked: bool = False) -> int:
    """Header of one frame: 2 bytes up to 125 of payload, 4 up to 65,535, else 10; a client's has a mask of 4 more.

    RFC 6455, section 5.2.
    """
    header = 2 if payload_bytes <= 125 else 4 if payload_bytes <= 65_535 else 10
    return header + (4 if masked else 0)


def pushed(payload_bytes: int, framing_bytes: int, segment_bytes: int = SEGMENT_BYTES, acks: float = 1.0) -> Exchange:
    """A message on a connection that stays open: its packets down, and up one ACK, for there is nothing to carry it.

    The receiver may wait with an ACK for the next segment, up to 0.5 s (RFC 9293, section 3.8.6.3), and messages that
    follow each other closely then share one: `acks` is down to a half. Linux does not wait for a reader who only reads.
    """
    packets = math.ceil((payload_bytes + framing_bytes) / segment_bytes)
    return Exchange(Wire(payload_bytes, framing_bytes, packets=packets), Wire(packets=packets * acks))


@dataclass(frozen=True, slots=True)
class Heads:
    """Bytes of the HTTP heads of a poll, from its first letter to the empty line."""

    request: int
    answer: int
    """Of a 200 with messages."""
    nothing: int
    """Of a 304."""


def polled(
    payload_bytes: int,
    heads: Heads,
    rate_hz: float,
    interval_ms: float,
    answer_packets: int = 1,
    segment_bytes: int = SEGMENT_BYTES,
) -> Exchange:
    """A delivery by polling: its part of the answer that has it, and of the polls that found nothing.

    There are 1 / (rate x interval) polls a delivery. Each takes a request, which the answer acknowledges, and an ACK for
    each packet of that answer, for the next request is far away. `answer_packets`: a server that writes head and body
    apart sends two.
    """
    polls = 1000 / (rate_hz * interval_ms)
    answered = 1 / messages_per_answer(rate_hz, interval_ms)
    empty = polls - answered
    packets = _packets(payload_bytes, heads, answered, answer_packets, segment_bytes)
    up = Wire(http=polls * heads.request, packets=polls + empty + answered * packets)
    down = Wire(payload_bytes, 1.0, answered * heads.answer, answered * packets)
    return Exchange(down.plus(Wire(http=heads.nothing, packets=1), empty), up)


def longpolled(
    payload_bytes: int,
    heads: Heads,
    messages: float = 1.0,
    answer_packets: int = 1,
    held_acks: float = 1.0,
    segment_bytes: int = SEGMENT_BYTES,
) -> Exchange:
    """A delivery by long polling, `messages` to an answer: a request, an answer, and the ACK of a request that is held.

    The next request acknowledges the last packet of an answer. `held_acks` is 0 where a message comes before the server's
    kernel has waited long enough to send an ACK by itself (40 ms).
    """
    answered = 1 / messages
    packets = _packets(payload_bytes, heads, answered, answer_packets, segment_bytes)
    down = Wire(payload_bytes, 1.0, answered * heads.answer, answered * (packets + held_acks))
    return Exchange(down, Wire(http=answered * heads.request, packets=answered * packets))


def _packets(payload_bytes: int, heads: Heads, answered: float, answer_packets: int, segment_bytes: int) -> int:
    """Packets of an answer with 1 / answered messages; of several, each but the last has less than a segment: a head."""
    body = (payload_bytes + 1) / answered
    if answer_packets == 1:
        return math.ceil((heads.answer + body) / segment_bytes)
    return answer_packets - 1 + math.ceil(body / segment_bytes)
