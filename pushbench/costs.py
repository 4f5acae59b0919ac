"""What a delivery costs on the wire, from what was counted on the subscribers' sockets and what one exchange was made of.

Totals, packets and requests are of all subscribers; what a request, an answer and the framing of a message weigh is the
witness's. So the parts are measured apart from the total, and that their sum comes to it says something. Pure.
"""

from pushbench.columns import WIRE
from pushbench.wire import Traffic
from pushbench.witness import Account


def wire_columns(
    traffic: Traffic, account: Account | None, *, deliveries: int, connection_s: float, tls: bool = False
) -> dict[str, float | None]:
    """The columns `wire_*` and `requests_per_delivery` of a trial.

    `deliveries` and `traffic` are of one time, nearly the measured window (`Schedule.metered_ns`); `connection_s` is how
    many seconds all connections together were there in it.
    """
    down, up = traffic.down_bytes + traffic.down_tcpip_bytes, traffic.up_bytes + traffic.up_tcpip_bytes
    columns: dict[str, float | None] = dict.fromkeys(name for name in WIRE if not name.startswith("connect_"))
    columns |= {
        "wire_down_bytes_per_connection_s": down / connection_s,
        "wire_up_bytes_per_connection_s": up / connection_s,
    }
    if not deliveries:
        return columns
    columns |= {
        "wire_down_bytes_per_delivery": down / deliveries,
        "wire_up_bytes_per_delivery": up / deliveries,
        "wire_down_packets_per_delivery": traffic.down_packets / deliveries,
        "wire_up_packets_per_delivery": traffic.up_packets / deliveries,
        "wire_down_tcpip_bytes_per_delivery": traffic.down_tcpip_bytes / deliveries,
        "wire_up_tcpip_bytes_per_delivery": traffic.up_tcpip_bytes / deliveries,
    }
    if account is None or not account.down.messages:
        return columns
    exchanges = traffic.requests / deliveries if account.up.heads else 0.0
    columns |= {
        "requests_per_delivery": exchanges,
        "wire_down_payload_bytes_per_delivery": account.down.payload / account.down.messages,
        "wire_down_framing_bytes_per_delivery": account.down.framing / account.down.messages,
        "wire_up_framing_bytes_per_delivery": (account.up.framing + account.up.payload) / account.down.messages,
        "wire_down_http_bytes_per_delivery": exchanges * _each(account.down.http, account.down.heads),
        "wire_up_http_bytes_per_delivery": exchanges * _each(account.up.http, account.up.heads),
    }
    if tls:  # it is known by what is left alone, and then there is nothing that the sum could be held against
        for way, of_way in (("down", down), ("up", up)):
            parts = sum(value for name, value in columns.items() if value is not None and _is_part(name, way))
            columns[f"wire_{way}_tls_bytes_per_delivery"] = of_way / deliveries - parts
        return columns
    parts = sum(value for name, value in columns.items() if value is not None and name.endswith(PARTS))
    if down + up:
        columns["wire_split_error_percent"] = 100 * (parts * deliveries / (down + up) - 1)
    return columns


def connect_columns(traffic: Traffic) -> dict[str, float | None]:
    """The columns `connect_*_bytes` of a trial, by what went over all connections until each was connected."""
    each = traffic.connections or None
    return {
        "connect_down_bytes": each and (traffic.down_bytes + traffic.down_tcpip_bytes) / each,
        "connect_up_bytes": each and (traffic.up_bytes + traffic.up_tcpip_bytes) / each,
    }


PARTS = tuple(f"_{part}_bytes_per_delivery" for part in ("payload", "framing", "http", "tcpip"))
"""How the columns end that are parts of a total."""


def _is_part(name: str, way: str) -> bool:
    return name.startswith(f"wire_{way}_") and name.endswith(PARTS)


def _each(total: int, count: int) -> float:
    return total / count if count else 0.0
