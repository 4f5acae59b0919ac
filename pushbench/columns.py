"""The columns of `trials`: each with its type and its definition, in the order in which they are stored.

docs/method.md says how each is taken; a test holds it to this table.
"""

from typing import Literal, NamedTuple

from pushbench.histogram import QUANTILES
from pushbench.scenario_keys import Load


class Column(NamedTuple):
    """One column."""

    type: Literal["int", "float", "str", "bool"]
    says: str


def _latencies(prefix: str, what: str) -> dict[str, Column]:
    names = {"mean": "mean", **{name: f"{value:g} % quantile" for name, value in QUANTILES.items()}, "max": "largest"}
    return {f"{prefix}_{name}_ms": Column("float", f"{says} of {what}") for name, says in names.items()}


def _slope(part: str, what: str) -> dict[str, Column]:
    name = f"{part}_bytes_per_connection"
    return {
        name: Column("float", f"slope of {what} over the ramp's plateaus"),
        f"{name}_low": Column("float", "lower end of its 95 % confidence interval"),
        f"{name}_high": Column("float", "upper end of its 95 % confidence interval"),
        f"{name}_r2": Column("float", "share of the variance that the line explains"),
    }


BY_TWO_CLOCKS = ("latency_", "naive_", "age_", "fanout_")
"""How columns begin that are times between two processes, and known only as well as their clocks are."""

ROLES = ("server", "swarm", "publisher", "relay")
"""The processes that may take part in a trial."""

_TYPES: dict[object, Literal["int", "float", "bool"]] = {int: "int", float: "float", bool: "bool"}

IDENTITY: dict[str, Column] = {
    "cell": Column("int", "number of the cell in the scenario, from 0"),
    "trial": Column("int", "which trial of the cell, from 1; where nothing is searched, equal numbers are one round"),
    "order": Column("int", "position in the order of execution, from 1"),
    "started_at": Column("str", "when it began, UTC"),
}
LOAD: dict[str, Column] = {
    name: Column(_TYPES.get(field.annotation, "str"), field.description or "") for name, field in Load.model_fields.items()
} | {"measure_s": Column("float", "length of the measured window")}
JUDGEMENT: dict[str, Column] = {
    "verdict": Column("str", "whether the numbers may be believed"),
    "reason": Column("str", "why, in plain English; empty for ok"),
    "evidence": Column("str", "the figures that made the verdict, with their limits; empty for ok"),
    "hint": Column("str", "what to change; empty for ok"),
}
LEDGER: dict[str, Column] = {
    "expected": Column("int", "subscribers × messages of the trial, the warm-up's included, from when each had joined"),
    "delivered": Column("int", "of the expected deliveries, how many arrived at least once"),
    "lost": Column("int", "of the expected deliveries, how many had not arrived by the end of the drain"),
    "duplicated": Column("int", "deliveries of a message that the subscriber already had"),
    "reordered": Column("int", "first deliveries of a message after a later one"),
    "coalesced": Column("int", "deliveries that came in one response behind another message"),
    "gaps": Column("int", "runs of lost messages, each one subscriber's"),
    "gap_longest": Column("int", "messages in the longest of them; 0 without any"),
}
CPU: dict[str, Column] = {
    "server_cpu_us_per_delivery": Column("float", "CPU of the server, user + system, in the window, per delivery in it"),
    "server_user_us_per_delivery": Column("float", "of that, what its own code took"),
    "server_system_us_per_delivery": Column("float", "of that, what the kernel took in its name"),
    "server_cpu_us_per_connection_s": Column("float", "CPU of the server in the window, per connection and second"),
    "server_cpu_us_per_empty_poll": Column("float", "CPU of the server in a window without messages, per poll"),
    "client_cpu_us_per_delivery": Column("float", "CPU of the swarm, user + system, in the window, per delivery in it"),
    "client_user_us_per_delivery": Column("float", "of that, what its own code took"),
    "client_system_us_per_delivery": Column("float", "of that, what the kernel took in its name"),
    "client_cpu_us_per_connection_s": Column("float", "CPU of the swarm in the window, per connection and second"),
    "client_cpu_us_per_empty_poll": Column("float", "CPU of the swarm in a window without messages, per poll"),
}
_PARTS = {
    "payload": "what was published",
    "framing": "what the transport puts around it",
    "http": "request and status lines and headers",
    "tcpip": "headers of TCP and IP",
}
WIRE: dict[str, Column] = {
    "wire_down_bytes_per_delivery": Column(
        "float", "bytes to the subscribers in the window, headers of TCP/IP or UDP/IP included"
    ),
    "wire_up_bytes_per_delivery": Column("float", "bytes from the subscribers in the window, headers included"),
    "wire_down_packets_per_delivery": Column("float", "packets to the subscribers in the window"),
    "wire_up_packets_per_delivery": Column("float", "packets from the subscribers in the window"),
    **{
        f"wire_{way}_{part}_bytes_per_delivery": Column("float", f"of the bytes {way}: {says}")
        for way in ("down", "up")
        for part, says in _PARTS.items()
        if (way, part) != ("up", "payload")
    },
    "wire_down_tls_bytes_per_delivery": Column(
        "float", "of the bytes down, what TLS adds: all that is none of these parts"
    ),
    "wire_up_tls_bytes_per_delivery": Column("float", "of the bytes up, what TLS adds: all that is none of these parts"),
    "wire_split_error_percent": Column("float", "by how much the sum of these parts is off what was counted in all"),
    "wire_down_bytes_per_connection_s": Column("float", "bytes to the subscribers, per connection and second"),
    "wire_up_bytes_per_connection_s": Column("float", "bytes from the subscribers, per connection and second"),
    "requests_per_delivery": Column("float", "HTTP requests in the window per delivery; 0 on an endless answer"),
    "connect_down_bytes": Column("float", "bytes to a subscriber until it is connected, TCP/IP headers included"),
    "connect_up_bytes": Column("float", "bytes from a subscriber until it is connected, TCP/IP headers included"),
}
TLS: dict[str, Column] = {
    "tls_version": Column("str", "the protocol that was agreed on; empty without TLS"),
    "tls_cipher": Column("str", "the cipher suite, likewise"),
    **{
        name: Column("float", says)
        for kind, what in (("full", "a full handshake"), ("resumed", "one that resumes an earlier session"))
        for name, says in (
            (f"tls_{kind}_ms", f"median time of {what}, on an idle server"),
            (f"tls_{kind}_bytes", f"bytes of {what}, both ways, without headers of TCP/IP"),
            (f"server_cpu_us_per_{kind}_handshake", f"CPU time of the server for a connection with {what}"),
        )
    },
}
PINGS: dict[str, Column] = {
    "ping_p50_ms": Column("float", "from a subscriber's ping to its pong, median"),
    "ping_p99_ms": Column("float", "from a subscriber's ping to its pong, 99 % quantile"),
    "pings_unanswered": Column("int", "pings of the window without a pong"),
}
SEARCH: dict[str, Column] = {
    "search": Column("int", "which search of the cell, from 1; this and the next five are empty where nothing is searched"),
    "step": Column("int", "which step of that search, from 1"),
    "search_key": Column("str", "the key of the load whose most is searched for"),
    "search_limit": Column("float", "the most that is tried, in the unit of that key"),
    "objective": Column("str", "what has to be kept"),
    "outcome": Column("str", "held, or which side gave in: server or load"),
}
MEASURED: dict[str, Column] = {
    **_latencies("latency", "received − due, over the measured messages"),
    **_latencies("naive", "received − sent, over the measured messages: what a closed-loop tool would print"),
    "age_mean_ms": Column("float", "age of information: mean over time and subscribers"),
    "age_peak_ms": Column("float", "age of information: mean of the peaks, just before a newer message arrives"),
    "fanout_first_ms": Column("float", "latency of the first subscriber that got a message, median over the measured ones"),
    "fanout_last_ms": Column("float", "latency of the last subscriber that got a message, median over the measured ones"),
    "deliveries_per_s": Column("float", "deliveries received in the measured window, per second"),
    "offered_per_s": Column("float", "deliveries due in the measured window, per second"),
    **LEDGER,
    **CPU,
    **WIRE,
    **TLS,
    **PINGS,
    **_slope("server_user", "the server's unique set size (USS)"),
    **_slope("server_kernel", "half of the host's growth in slab and TCP queues"),
    "server_user_traffic_bytes_per_connection": Column(
        "float", "that slope + what USS grew by with messages, ÷ connections"
    ),
    "server_kernel_traffic_bytes_per_connection": Column(
        "float", "the kernel's slope + what its part grew by with messages, ÷ connections"
    ),
    "server_user_left_bytes_per_connection": Column("float", "USS after all have left − before the first, ÷ connections"),
    "server_kernel_left_bytes_per_connection": Column(
        "float", "the kernel's part after all have left − before the first, ÷ connections"
    ),
    **_slope("client_user", "the USS of all swarm processes"),
    "client_user_traffic_bytes_per_connection": Column(
        "float", "that slope + what USS grew by with messages, ÷ connections"
    ),
    "client_user_left_bytes_per_connection": Column("float", "USS after all have left − before the first, ÷ connections"),
    **_slope("both_ends", "what server, swarms and all ends in the kernel have together"),
    "server_cpu_us_per_connect": Column("float", "CPU of the server while subscribers connect, per subscriber"),
    "connect_per_s": Column("float", "subscribers connected per second of the ramp, pauses not counted"),
    "connect_p99_ms": Column("float", "99 % quantile of the time to connect, 32 at a time"),
    "publisher_slip_p99_ms": Column("float", "99 % quantile of sent − due, of what a server was there to take"),
    "publisher_slip_max_ms": Column("float", "the largest of the same"),
    "swarm_lag_p99_ms": Column("float", "so long at most 99 % of random arrivals would wait for the swarm's event loop"),
    "swarm_held_p99_ms": Column("float", "likewise, only while the loop was ready and something else had its core"),
    "swarm_processes": Column("int", "processes that the subscribers were divided among"),
    "swarm_busiest": Column("int", "which of several wanted a core for longest, from 1; its CPU and waiting are told"),
    "swarm_late_ms": Column("float", "how long after the traffic was to begin the last of them was told; 0: all before"),
    "server_processes": Column("int", "processes of the server"),
    "clock_offset_ms": Column("float", "how far the clock of a swarm process was off this host's, where it was most"),
    "clock_uncertainty_ms": Column("float", "how far that may be wrong, either way; 0: all read one clock"),
    "relay_lag_p99_ms": Column("float", "so long at most 99 % of random arrivals would wait for the relay's loop"),
    "relay_resets": Column("int", "connections that the relay reset on purpose"),
    "relay_idle_cuts": Column("int", "connections that the relay closed because nothing came"),
    "relay_packets": Column("int", "packets that came to a line of packets in the window, in both directions"),
    "relay_packets_lost": Column("int", "how many of these it lost"),
    "relay_packets_dropped": Column("int", "packets that it had no room for, which nobody wanted it to lose"),
    **{f"{role}_cpu_percent": Column("float", f"CPU of the {role} in the window, of one core") for role in ROLES},
    **{
        f"{role}_wait_percent": Column("float", f"how much of the window the {role} was ready, and its core was not free")
        for role in ROLES
    },
    **{
        f"{role}_stopped_percent": Column("float", f"how much of the window the {role} was stopped (SIGSTOP)")
        for role in ROLES
    },
    "reconnects": Column("int", "how often a subscriber connected again, ended by the peer or the line, or on purpose"),
    "first_message_p50_ms": Column("float", "median, over late joiners, of first message − beginning to connect"),
    "first_message_p99_ms": Column("float", "99 % quantile, over late joiners, of first message − beginning to connect"),
    "reconnect_p50_ms": Column("float", "median, over reconnects, of first message − beginning to connect again"),
    "reconnect_p99_ms": Column("float", "99 % quantile, over reconnects, of first message − beginning to connect again"),
    "connect_peak_per_s": Column("float", "most that connected within any 100 ms of the traffic, per second"),
    "server_away_ms": Column("float", "from the kill of a server that was to be killed until it was ready again"),
    "recovered_90_percent_ms": Column(
        "float", "from when the server was ready again until 90 % of the subscribers had all that was due by then"
    ),
    "recovered_all_ms": Column(
        "float", "from when the server was ready again until all had that; empty if not all ever had"
    ),
    "slow_delivered": Column("int", "messages that slow readers have read; they are in no other column"),
    "slow_lost": Column("int", "messages that they had not read when the trial ended"),
    "slow_ended": Column("int", "slow readers that were ended, as far as they have noticed"),
    "slow_ended_by": Column("str", "why: the server's last word, or what the connection said"),
    "noticed_p50_ms": Column("float", "from when peers vanished until the server had noticed half of them; empty: never"),
    "noticed_all_ms": Column("float", "from when peers vanished until the server had noticed all of them; empty: never"),
    "server_peak_user_bytes": Column("float", "largest USS of the server in the window, looked at every second"),
    "host_peak_queue_bytes": Column(
        "float", "largest that the kernel held in the queues of all sockets of TCP and UDP of the host"
    ),
    "steal_percent": Column("float", "how much of the window the hypervisor took from the core that lost most"),
}

COLUMNS: dict[str, Column] = IDENTITY | LOAD | JUDGEMENT | SEARCH | MEASURED
"""All columns of `trials` by name."""
