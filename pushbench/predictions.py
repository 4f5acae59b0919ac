"""Which formula of `models` is for which transport, and what it says of a load: latency, and bytes on the wire. Pure.

It knows the keys of a load, and what the messages of this suite's own server and clients look like. What was measured is
not known here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pushbench import models
from pushbench.models import Exchange, Heads, Latency
from pushbench.scenario_keys import BUILT_IN
from pushbench.transports import ROWS, TRANSPORTS

LEAN = Heads(request=123, answer=148, nothing=96)
"""As taken from the sockets of this suite's server and clients, with ids of three digits: aiohttp's own headers and the
validator; status, date, server, validator, length and type."""

ID_DIGITS = 3
"""Of the ids in a run of some hundred messages."""

ANSWER_PACKETS = 2
"""uvicorn writes the head of an answer and its body apart, and without Nagle's algorithm each write is a packet."""

LOOPBACK_SEGMENT_BYTES = 65_483
DELAYED_ACK_MS = 40.0
"""So long Linux waits for an answer that carries the ACK of its request (TCP_DELACK_MIN)."""

Load = Mapping[str, Any]

HOLDS_FOR: dict[str, object] = {
    "client": "aiohttp",
    "pacing": "open",
    "server_stall_ms": 0,
    "join_late_percent": 0,
    "resume_percent": 0,
    "jitter_ms": 0,
    "bandwidth_kbit_s": 0,
    "loss_percent": 0,
    "relay_stall_ms": 0,
    "relay_reset_percent": 0,
    "relay_buffer_bytes": 0,
    "relay_idle_s": 0,
    "burst": 1,
    "slow_percent": 0,
    "vanish_percent": 0,
    "server_down_ms": 0,
    "churn_hz": 0,
}
"""The formulas are for these values alone: a steady feed to everybody, and nothing that disturbs it."""

BYTES_HOLD_FOR: dict[str, object] = {
    "kind": "broadcast",
    "target": BUILT_IN,
    "headers": "lean",
    "poll_empty": "304",
    "compression": "none",
    "tls": False,
    "http": "1.1",
    "rtt_ms": 0,
}
"""And those of bytes for these: another server has other headers, and a relay passes on in packets of its own."""

DEFAULTS: dict[str, Any] = {
    "kind": "broadcast",
    "rtt_ms": 0.0,
    "poll_connection": "kept",
    "post_connection": "kept",
    "room_size": 10,
}
"""Of keys that a run of an earlier version does not have."""

ROUND_TRIPS = {"kept": 1, "new": 2}
"""Of one poll, by `poll_connection`, and of one POST, by `post_connection`."""


KEYS = frozenset({*HOLDS_FOR, *BYTES_HOLD_FOR, *DEFAULTS})
"""What the models look at, beside what every load has always had."""


@dataclass(frozen=True, slots=True)
class Model:
    """What is known of one transport."""

    latency: Callable[[Load, float], Latency]
    """From a load and the server's time for one write, in us."""
    wire: Callable[[Load], Exchange]
    """From a load."""


def latency(load: Load, write_us: float = 0.0) -> Latency | None:
    """What the model says of a load; None if there is none for its transport, or its formulas are not for this load."""
    given = _given(load)
    if not given["rate_hz"] or not _is(given, HOLDS_FOR) or given["kind"] not in KINDS:
        return None
    return KINDS[given["kind"]](given, write_us)


def wire(load: Load) -> Exchange | None:
    """What goes over the wire for each delivery, without heartbeats; None likewise."""
    given = _given(load)
    model = _model(given)
    return model.wire(given) if model and _is(given, HOLDS_FOR | BYTES_HOLD_FOR) else None


def _given(load: Load) -> Load:
    """The load with the defaults of what it does not have: no such key, or an empty place in a column."""
    return DEFAULTS | {key: value for key, value in load.items() if value is not None and value == value}


def _model(load: Load) -> Model | None:
    row = TRANSPORTS.get(load["transport"])
    return MODELS.get(row.family) if row and load["rate_hz"] else None


def _is(load: Load, wanted: Mapping[str, object]) -> bool:
    return all(load.get(key, value) == value for key, value in wanted.items())


def _broadcast(load: Load, write_us: float) -> Latency | None:
    model = _model(load)
    return model.latency(load, write_us) if model else None


def _request(load: Load, write_us: float) -> Latency | None:
    """None where an action may be due before the last of the same actor was answered: it would wait for that."""
    round_trips = _round_trips_up(load)
    between_ms = 1000 * load["subscribers"] / load["rate_hz"]
    return models.answered(load["rtt_ms"], round_trips) if round_trips * load["rtt_ms"] < between_ms else None


def _chat(load: Load, write_us: float) -> Latency | None:
    """In each room it is a feed of its own, to which a message comes by one way up, behind a handshake if there is one."""
    model = _model(load)
    rooms = load["subscribers"] // load["room_size"]
    if model is None or _request(load, write_us) is None:
        return None
    heard = model.latency({**load, "subscribers": load["room_size"], "rate_hz": load["rate_hz"] / rooms}, write_us)
    return heard.behind((_round_trips_up(load) - 0.5) * load["rtt_ms"])


def _round_trips_up(load: Load) -> int:
    return ROUND_TRIPS[load["post_connection"]] if ROWS[load["transport"]].heeds("post_connection") else 1


KINDS: dict[str, Callable[[Load, float], Latency | None]] = {"broadcast": _broadcast, "request": _request, "chat": _chat}
"""What is known of each kind of load."""


def _push(load: Load, write_us: float) -> Latency:
    return models.push(load["rtt_ms"], load["subscribers"], write_us)


def _polling(load: Load, write_us: float) -> Latency:
    """No fan-out: pollers ask at moments of their own."""
    return models.polling(load["poll_interval_ms"], load["rtt_ms"], ROUND_TRIPS[load["poll_connection"]])


def _longpoll(load: Load, write_us: float) -> Latency:
    """The fan-out is of answers, as long as each message finds everybody's request waiting."""
    between_ms = 1000 / load["rate_hz"]
    if load["rtt_ms"] < between_ms:
        return models.longpoll_fan_out(load["rtt_ms"], load["subscribers"], write_us)
    return models.longpoll_steady(load["rtt_ms"], between_ms)


def _pushed(framing: Callable[[int], int]) -> Callable[[Load], Exchange]:
    """The wire of a transport with that framing, from a payload's size."""

    def wire(load: Load) -> Exchange:
        payload_bytes = load["payload_bytes"]
        return models.pushed(payload_bytes, framing(payload_bytes), LOOPBACK_SEGMENT_BYTES)

    return wire


def _polled(load: Load) -> Exchange:
    rate_hz, interval_ms = load["rate_hz"], load["poll_interval_ms"]
    made = models.polled(load["payload_bytes"], LEAN, rate_hz, interval_ms, ANSWER_PACKETS, LOOPBACK_SEGMENT_BYTES)
    polls = 1000 / (rate_hz * interval_ms)
    return made.plus(models.CONNECTION, polls) if load["poll_connection"] == "new" else made


def _longpolled(load: Load) -> Exchange:
    held_acks = 1.0 if 1000 / load["rate_hz"] >= DELAYED_ACK_MS else 0.0
    return models.longpolled(load["payload_bytes"], LEAN, 1.0, ANSWER_PACKETS, held_acks, LOOPBACK_SEGMENT_BYTES)


MODELS: dict[str, Model] = {
    "polling": Model(_polling, _polled),
    "longpoll": Model(_longpoll, _longpolled),
    "stream": Model(_push, _pushed(models.stream_bytes)),
    "sse": Model(_push, _pushed(lambda payload_bytes: models.sse_bytes(payload_bytes, ID_DIGITS))),
    "websocket": Model(_push, _pushed(models.websocket_bytes)),
}
"""By transport; a variant has its family's. A transport without a row has no model, and nothing is said of it."""
