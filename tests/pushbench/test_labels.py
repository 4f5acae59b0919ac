"""What cells are called: every key of a load has its words, and one is not said as many are."""

import pytest

from pushbench.labels import SETTINGS, cell, drawn, plain, setting
from pushbench.scenario import Load
from pushbench.transports import FLOORS, TRANSPORTS


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("sse", "sse"),
        (1000, "1,000"),
        (10.0, "10"),
        (0.5, "0.5"),
        (25_000.0, "25,000"),
        (1_000_000, "1,000,000"),
        (-0.0, "0"),
    ],
)
def test_a_loads_value_is_written_plainly(value: object, text: str) -> None:
    assert plain(value) == text


def test_every_key_that_may_tell_two_cells_apart_has_its_words() -> None:
    assert set(SETTINGS) == set(Load.model_fields) - {"transport"}


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("subscribers", 1000, "1,000 subscribers"),
        ("subscribers", 1, "1 subscriber"),
        ("rate_hz", 1.0, "1 message/s"),
        ("poll_interval_ms", 1, "every 1 ms"),
        ("pacing", "closed", "closed loop"),
        ("server_stall_ms", 500, "server stopped for 500 ms"),
        ("of_a_later_version", 2.5, "of_a_later_version 2.5"),
    ],
)
def test_a_setting_is_said_in_words(key: str, value: object, text: str) -> None:
    assert setting(key, value) == text


def test_a_cell_is_said_by_the_keys_that_are_asked_for() -> None:
    load = {"transport": "sse", "subscribers": 100, "pacing": "closed", "rate_hz": 10.0}
    assert cell(load, ["transport", "subscribers", "pacing"]) == "sse, 100 subscribers, closed loop"


def test_a_floor_is_drawn_under_what_it_is_and_a_transport_under_its_name() -> None:
    assert [drawn(name) for name in FLOORS] == ["floor: bare TCP", "floor: instrument alone"]
    assert [drawn(name) for name in TRANSPORTS] == list(TRANSPORTS)
    assert drawn("carrier_pigeon") == "carrier_pigeon"
