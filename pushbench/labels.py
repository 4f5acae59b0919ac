"""What a cell is called in words: tables, charts, the report and `pushbench check` have them from here. Pure.

It knows the keys of a load. Which cells there are, and where their words stand, is not known here.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pushbench.transports import FLOORS, heeds

SETTINGS: dict[str, str] = {
    "target": "{}",
    "client": "{}",
    "subscribers": "{} subscribers",
    "rate_hz": "{} messages/s",
    "payload_bytes": "{} bytes",
    "poll_interval_ms": "every {} ms",
    "poll_connection": "{} connection",
    "poll_empty": "empty polls {}",
    "post_connection": "{} connection",
    "room_size": "rooms of {}",
    "headers": "{} headers",
    "compression": "{}",
    "frames": "{} frames",
    "payload": "{} payload",
    "http": "HTTP/{}",
    "streams": "{} on a connection",
    "tls": "TLS {}",
    "longpoll_timeout_s": "held {} s",
    "heartbeat_s": "heartbeat {} s",
    "ping_s": "pings every {} s",
    "publish_via": "published by {}",
    "pacing": "{} loop",
    "server_loop": "{} server loop",
    "server_stall_ms": "server stopped for {} ms",
    "join_late_percent": "{} % join late",
    "resume_percent": "{} % leave and resume",
    "swarms": "{} swarm processes",
    "server_workers": "{} server workers",
    "rtt_ms": "{} ms round trip",
    "jitter_ms": "{} ms jitter",
    "bandwidth_kbit_s": "{} kbit/s",
    "line": "line of {}",
    "loss_percent": "line loses {} %",
    "relay_stall_ms": "relay stalled for {} ms",
    "relay_reset_percent": "{} % reset by the relay",
    "relay_buffer_bytes": "relay buffers {} bytes",
    "relay_idle_s": "closed when idle for {} s",
    "server_down_ms": "server killed for {} ms",
    "reconnect_backoff_ms": "backoff from {} ms",
    "reconnect_jitter": "jitter {}",
    "slow_percent": "{} % read slowly",
    "slow_bytes_per_s": "read by {} bytes/s",
    "drop_unanswered_s": "dropped after {} s",
    "burst": "{} at once",
    "churn_hz": "{} a second leave and resume",
    "vanish_percent": "{} % vanish",
    "kind": "{}",
}
"""How a setting that tells two cells of a transport apart is said."""

ONE: dict[str, str] = {"subscribers": "1 subscriber", "rate_hz": "1 message/s"}
"""Where one is not said as many are."""

HEADINGS = {
    "rate_hz": "messages/s",
    "payload_bytes": "bytes",
    "poll_interval_ms": "poll interval, ms",
    "poll_connection": "connection",
    "poll_empty": "empty polls",
    "post_connection": "connection to post",
    "room_size": "in a room",
    "server_stall_ms": "server stopped, ms",
    "join_late_percent": "join late, %",
    "resume_percent": "resume, %",
    "rtt_ms": "round trip, ms",
    "jitter_ms": "jitter, ms",
    "bandwidth_kbit_s": "bandwidth, kbit/s",
    "line": "line",
    "loss_percent": "line loses, %",
    "relay_stall_ms": "relay stalled, ms",
    "relay_reset_percent": "reset by relay, %",
    "relay_buffer_bytes": "relay buffers, bytes",
    "relay_idle_s": "closed when idle, s",
    "server_down_ms": "server killed, ms",
    "reconnect_backoff_ms": "backoff, ms",
    "reconnect_jitter": "jitter",
    "burst": "at once",
    "churn_hz": "leave and resume, /s",
    "vanish_percent": "vanish, %",
    "slow_percent": "slow, %",
    "slow_bytes_per_s": "read, bytes/s",
    "drop_unanswered_s": "dropped after, s",
}
"""What a load key is called above its column, where its own name is not plain enough."""


SWITCHES = {"True": "on", "False": "off"}


def plain(value: object) -> str:
    """The value of a load key: a text as it is, a number in full with separators and without a needless fraction."""
    if isinstance(value, str):
        return value
    if str(value) in SWITCHES:  # numpy has a bool of its own
        return SWITCHES[str(value)]
    text = f"{value:,.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def setting(key: str, value: object) -> str:
    """One setting in words: `100 subscribers`, `closed loop`."""
    if value == 1 and key in ONE:
        return ONE[key]
    return SETTINGS.get(key, f"{key} {{}}").format(plain(value))


def entry(transport: object, key: str, value: object) -> str:
    """A setting in a column of its own: empty where the transport does not heed it."""
    return plain(value) if heeds(str(transport), key) else ""


def cell(load: Mapping[Any, Any], keys: Iterable[str]) -> str:
    """A cell in words, by these of its keys that its transport heeds: `sse, 100 subscribers, closed loop`."""
    heeded = (key for key in keys if heeds(str(load["transport"]), key))
    return ", ".join(str(load[key]) if key == "transport" else setting(key, load[key]) for key in heeded)


def drawn(transport: str) -> str:
    """What the key of a chart calls a transport: its name, and of a floor what it is."""
    return f"floor: {FLOORS[transport].drawn_as}" if transport in FLOORS else transport
