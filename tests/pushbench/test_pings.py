"""Pings: how long each took is in its pong."""

import pytest

from pushbench.pings import Pings, stamped, took


def test_how_long_a_ping_took_is_from_the_moment_in_its_payload_and_what_is_no_ping_of_ours_is_left_out() -> None:
    assert took([(stamped(1_000), 5_000), (b"", 6_000), (b"another's", 7_000), (stamped(2_000), 2_500)]) == (4_000, 500)


def test_its_columns_are_quantiles_in_milliseconds_and_how_many_were_not_answered() -> None:
    assert Pings(4, (1_000_000, 2_000_000, 3_000_000)).columns == {
        "ping_p50_ms": pytest.approx(2),
        "ping_p99_ms": pytest.approx(2.98),
        "pings_unanswered": 1,
    }
    assert Pings(2).columns == {"ping_p50_ms": None, "ping_p99_ms": None, "pings_unanswered": 2}
    assert Pings().columns == {}


def test_those_of_several_swarms_are_added() -> None:
    assert Pings(2, (1, 2)) + Pings(3, (4,)) == Pings(5, (1, 2, 4))
