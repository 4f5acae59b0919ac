"""Trials of the classics, made by hand: of each what would bear out all that is claimed, to be changed by a test."""

from collections.abc import Callable
from typing import Any

from pushbench import models
from pushbench.classics import bozdag, cometd, pimentel_nickerson, rfc6202, van_de_vyvere
from pushbench.classics.evidence import Evidence

Trials = list[dict[str, Any]]
LOAD: dict[str, Any] = {"burst": 1, "rtt_ms": 0.0, "http": "1.1", "headers": "lean", "payload_bytes": 100,
                        "poll_interval_ms": 1000, "subscribers": 100, "rate_hz": 1.0}  # fmt: skip


def wire(http: float, framing: float, tcpip: float, payload: float = 100.0) -> dict[str, float]:
    """The bytes of an update, half of them each way, and the payload down."""
    made: dict[str, float] = {}
    for way in ("down", "up"):
        made |= {f"wire_{way}_http_bytes_per_delivery": http / 2, f"wire_{way}_tcpip_bytes_per_delivery": tcpip / 2}
        made[f"wire_{way}_framing_bytes_per_delivery"] = framing if way == "down" else 0.0
    made["wire_up_bytes_per_delivery"] = (http + tcpip) / 2
    made["wire_down_bytes_per_delivery"] = (http + tcpip) / 2 + framing + payload
    return made


def quantum_leap() -> Trials:
    """Headers as theirs, and no TCP/IP to speak of; frames of 2 bytes whatever is in them."""
    return [
        {"transport": "polling", "headers": "browser", **wire(870, 1, 0)},
        {"transport": "polling", "headers": "lean", **wire(300, 1, 0)},
        {"transport": "polling", "headers": "browser", "poll_interval_ms": 250, **wire(3480, 1, 0)},
        {"transport": "websocket", **wire(0, 2, 0)},
        {"transport": "websocket", "payload_bytes": 200, **wire(0, 2, 0, 200)},
    ]


def pimentel() -> Trials:
    """Means as the models have them."""
    return [
        {"transport": name, "rtt_ms": rtt, "rate_hz": 4.0, "latency_mean_ms": model(rtt)}
        for name, model in pimentel_nickerson.MODELS.items()
        for rtt in (60.0, 140.0, 220.0, 290.0, 400.0)
        if name != "polling" or rtt < 250
    ]


def bozdags() -> Trials:
    """Pulls as the models have them, pushes that take 7 times the CPU, and a server that is full with a thousand."""
    made: Trials = []
    for rate in bozdag.RATES_HZ:
        for pull in bozdag.PULLS_MS:
            each = models.messages_per_answer(rate, pull)
            made.append({
                "transport": "polling", "rate_hz": rate, "poll_interval_ms": pull, "latency_mean_ms": pull / 2,
                "delivered": 900, "coalesced": round(900 * (1 - 1 / each)), "requests_per_delivery": 1000 / (rate * pull),
                "server_cpu_percent": 5.0,
            })  # fmt: skip
        made.append({"transport": "longpoll", "rate_hz": rate, "latency_mean_ms": 5.0, "server_cpu_percent": 35.0})
    return [*made, {"transport": "longpoll", "rate_hz": 2.0, "subscribers": 1000, "server_cpu_percent": 97.0}]


def rfc() -> Trials:
    """Latencies as the RFC has them: one transit on average, three at most."""
    return [
        {
            "transport": name,
            "rate_hz": rate,
            "burst": burst,
            "rtt_ms": 200.0,
            "latency_mean_ms": 110.0,
            "latency_max_ms": most,
        }
        for name, rate, burst, most in (
            ("longpoll", rfc6202.APART_HZ, 1, 120.0),
            ("longpoll", rfc6202.BETWEEN_HZ, 1, 310.0),
            ("longpoll", rfc6202.DENSE_HZ, 1, 310.0),
            ("longpoll", rfc6202.BURST_HZ, 2, 120.0),
            ("websocket", rfc6202.BETWEEN_HZ, 1, 120.0),
        )
    ]


def aquilios() -> Trials:
    """Bytes in their order, and a request of a long poll with as many as theirs."""
    return [
        {"transport": way, "http": http, "poll_interval_ms": 250, **up_and_down(up / factor, down / factor)}
        for way, up, down in (("polling", 1200, 440), ("longpoll", 428, 120), ("sse", 0, 20))
        for http, factor in (("1.1", 1.0), ("2", 4.0))
    ]


def up_and_down(up: float, down: float) -> dict[str, float]:
    """The bytes of heads for an update, either way."""
    made = wire(0, 0, 52) | {"wire_up_http_bytes_per_delivery": up, "wire_down_http_bytes_per_delivery": down}
    return made | {"wire_up_bytes_per_delivery": up + 26, "wire_down_bytes_per_delivery": down + 126}


def vyvere() -> Trials:
    """A poll costs five pushes, so that the cut-off is at five intervals of 125 ms; more clients are in time on SSE."""
    poll_us, push_us = 100.0, 20.0
    made: Trials = [
        {
            "transport": "polling", "poll_interval_ms": van_de_vyvere.PAUSE_MS, "subscribers": clients, "rate_hz": 8.0,
            "latency_p99_ms": late_ms, "lost": 0, "requests_per_delivery": 10.0, "deliveries_per_s": clients * 8.0,
            "server_cpu_us_per_delivery": 10 * poll_us, "server_cpu_percent": 50.0,
        }
        for clients, late_ms in ((25, 15.0), (100, 40.0), (400, 300.0))
    ]  # fmt: skip
    made += [
        {
            "transport": "sse", "subscribers": clients, "rate_hz": 8.0, "latency_p99_ms": late_ms, "lost": 0,
            "server_cpu_us_per_delivery": push_us, "server_cpu_percent": clients * 8 * push_us / 1e4,
        }
        for clients, late_ms in ((25, 5.0), (100, 10.0), (400, 30.0), (800, 60.0))
    ]  # fmt: skip
    return made + [
        {
            "transport": "polling", "poll_interval_ms": every, "subscribers": 800, "rate_hz": 1000 / every,
            "requests_per_delivery": 1.0, "server_cpu_us_per_delivery": poll_us,
            "server_cpu_percent": 800 * 1000 / every * poll_us / 1e4,
        }
        for every in van_de_vyvere.SELDOM_MS
    ]  # fmt: skip


def cometds() -> Trials:
    """As many as theirs, in answers that grow."""
    return [
        {"transport": "longpoll", "rate_hz": rate, "subscribers": 1000, "deliveries_per_s": rate * 1000,
         "offered_per_s": rate * 1000, "latency_p50_ms": 20.0, "latency_p99_ms": 50.0, "latency_max_ms": 90.0,
         "requests_per_delivery": 1 / each, "lost": 0}
        for rate, each in ((5.0, 1.0), (15.0, 1.1), (45.0, 2.0), (cometd.DELIVERED_PER_S / 1000, 3.0))
    ]  # fmt: skip


MADE: dict[str, Callable[[], Trials]] = {
    "quantum-leap": quantum_leap,
    "pimentel-nickerson": pimentel,
    "bozdag": bozdags,
    "rfc6202": rfc,
    "aquilio": aquilios,
    "van-de-vyvere": vyvere,
    "cometd": cometds,
}
"""By the classic's name."""


def evidence(trials: Trials, rounds: int = 3, verdict: str = "ok", **changed: Any) -> Evidence:
    """The trials as a run of so many rounds has them, with what is changed in all of them."""
    rows = [
        {**LOAD, "cell": cell, "trial": one, "verdict": verdict, **trial, **changed}
        for one in range(1, rounds + 1)
        for cell, trial in enumerate(trials)
    ]
    return Evidence(tuple(rows))
