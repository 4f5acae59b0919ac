from dataclasses import replace

import pytest

from pushbench.costs import PARTS, connect_columns, wire_columns
from pushbench.dissect import Parts
from pushbench.wire import Traffic
from pushbench.witness import Account

POLLS = Traffic(
    connections=2, opened=0, down_bytes=10 * 200 + 30 * 129, up_bytes=20 * 100, down_packets=20, up_packets=40, requests=20,
    down_tcpip_bytes=20 * 52, up_tcpip_bytes=40 * 52,
)  # fmt: skip
"""20 polls, of which ten found three messages each."""
POLLED = Account(
    down=Parts(http=10 * 100, framing=15, payload=15 * 128, messages=15, heads=10), up=Parts(http=1000, heads=10)
)


def known(columns: dict[str, float | None]) -> set[str]:
    return {name for name, value in columns.items() if value is not None}


def test_the_parts_of_a_poll_are_by_its_requests_and_those_of_a_message_by_its_deliveries() -> None:
    columns = wire_columns(POLLS, POLLED, deliveries=30, connection_s=20)
    assert {name: columns[name] for name in known(columns)} == {
        "wire_down_bytes_per_connection_s": pytest.approx((5870 + 1040) / 20),
        "wire_up_bytes_per_connection_s": pytest.approx((2000 + 2080) / 20),
        "wire_down_bytes_per_delivery": pytest.approx((5870 + 1040) / 30),
        "wire_up_bytes_per_delivery": pytest.approx((2000 + 2080) / 30),
        "wire_down_packets_per_delivery": pytest.approx(20 / 30),
        "wire_up_packets_per_delivery": pytest.approx(40 / 30),
        "wire_down_tcpip_bytes_per_delivery": pytest.approx(1040 / 30),
        "wire_up_tcpip_bytes_per_delivery": pytest.approx(2080 / 30),
        "requests_per_delivery": pytest.approx(20 / 30),
        "wire_down_payload_bytes_per_delivery": 128,
        "wire_down_framing_bytes_per_delivery": 1,
        "wire_up_framing_bytes_per_delivery": 0,
        "wire_down_http_bytes_per_delivery": pytest.approx(20 * 100 / 30),
        "wire_up_http_bytes_per_delivery": pytest.approx(20 * 100 / 30),
        "wire_split_error_percent": pytest.approx(0),
    }
    parts = sum(value or 0 for name, value in columns.items() if name.endswith(PARTS))
    assert parts == pytest.approx((5870 + 1040 + 2000 + 2080) / 30)


def test_what_the_witness_did_not_see_is_the_error_of_the_split() -> None:
    more = POLLS + Traffic(connections=1, down_bytes=1099)  # a tenth of what there was
    assert wire_columns(more, POLLED, deliveries=30, connection_s=20)["wire_split_error_percent"] == pytest.approx(
        -100 / 11
    )


def test_what_tls_adds_is_what_the_parts_leave_and_then_nothing_holds_their_sum_to_anything() -> None:
    encrypted = replace(POLLS, down_bytes=POLLS.down_bytes + 20 * 44, up_bytes=POLLS.up_bytes + 20 * 22)
    columns = wire_columns(encrypted, POLLED, deliveries=30, connection_s=20, tls=True)
    assert columns["wire_down_tls_bytes_per_delivery"] == pytest.approx(20 * 44 / 30)
    assert columns["wire_up_tls_bytes_per_delivery"] == pytest.approx(20 * 22 / 30)
    assert columns["wire_split_error_percent"] is None


def test_on_an_endless_answer_nothing_is_requested_whatever_goes_up() -> None:
    pongs = Traffic(1, 0, 130 * 9, 60, 9, 19, requests=10, down_tcpip_bytes=9 * 52, up_tcpip_bytes=19 * 52)
    seen = Account(down=Parts(framing=18, payload=9 * 128, messages=9), up=Parts(framing=60))
    columns = wire_columns(pongs, seen, deliveries=9, connection_s=2)
    assert columns["requests_per_delivery"] == columns["wire_up_http_bytes_per_delivery"] == 0
    assert columns["wire_up_framing_bytes_per_delivery"] == pytest.approx(60 / 9)
    assert columns["wire_split_error_percent"] == pytest.approx(0)


@pytest.mark.parametrize("account", [None, Account(Parts(), Parts())])
def test_without_a_witness_there_are_totals_alone(account: Account | None) -> None:
    columns = wire_columns(POLLS, account, deliveries=30, connection_s=20)
    assert {name for name in known(columns) if name.endswith(PARTS)} == {
        "wire_down_tcpip_bytes_per_delivery", "wire_up_tcpip_bytes_per_delivery",
    }  # fmt: skip
    assert "requests_per_delivery" not in known(columns)


def test_without_deliveries_there_is_what_a_connection_takes() -> None:
    assert known(wire_columns(POLLS, POLLED, deliveries=0, connection_s=20)) == {
        "wire_down_bytes_per_connection_s", "wire_up_bytes_per_connection_s",
    }  # fmt: skip


def test_connecting_takes_so_many_bytes_each() -> None:
    both = Traffic(2, 2, 300, 400, 6, 8, 2, 6 * 52 + 16, 8 * 52 + 16)
    assert connect_columns(both) == {"connect_down_bytes": 314, "connect_up_bytes": 416}
    assert connect_columns(Traffic()) == {"connect_down_bytes": None, "connect_up_bytes": None}
