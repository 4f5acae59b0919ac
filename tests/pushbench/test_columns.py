"""Columns: the table is whole, in order, and in step with the scenario's keys and the ledger."""

import pytest

from pushbench.columns import COLUMNS, IDENTITY, JUDGEMENT, LEDGER, LOAD, MEASURED, SEARCH
from pushbench.ledger import Ledger
from pushbench.scenario import Load
from tests.pushbench import frames

UNITS = (
    *("_ms", "_s", "_hz", "_bytes", "_percent", "_per_s", "_low", "_high", "_r2"),
    *("_per_delivery", "_per_empty_poll", "_per_connect", "_per_connection", "_handshake"),
)
COUNTS = {
    *("cell", "trial", "order", "subscribers", "room_size", "burst", "reconnects", "relay_resets", "relay_idle_cuts"),
    *("relay_packets", "relay_packets_lost", "relay_packets_dropped"),
    *("pings_unanswered", "slow_delivered", "slow_lost", "slow_ended"),
    *("swarms", "streams", "server_workers", "swarm_processes", "swarm_busiest", "server_processes"),
    *LEDGER,
    *SEARCH,
}


def test_the_parts_make_the_whole_in_order_and_share_nothing() -> None:
    assert list(COLUMNS) == [*IDENTITY, *LOAD, *JUDGEMENT, *SEARCH, *MEASURED]


def test_every_key_of_the_load_is_a_column_with_its_type() -> None:
    assert list(LOAD) == [*Load.model_fields, "measure_s"]
    sample = Load(transport="sse", subscribers=1).model_dump()
    assert {name: type(value).__name__ for name, value in sample.items()} == {
        name: column.type for name, column in LOAD.items() if name != "measure_s"
    }


def test_the_ledgers_columns_are_those_that_a_ledger_gives() -> None:
    assert list(LEDGER) == list(Ledger().columns)


@pytest.mark.parametrize("name", COLUMNS)
def test_every_column_says_what_it_is_and_a_measure_names_its_unit(name: str) -> None:
    assert COLUMNS[name].says
    if COLUMNS[name].type not in ("str", "bool") and name not in COUNTS:
        assert name.endswith(UNITS)


def test_the_columns_of_the_design_are_there() -> None:
    promised = {f"{kind}_{name}_ms" for kind in ("latency", "naive") for name in frames.STATISTICS}
    promised |= {"age_mean_ms", "age_peak_ms", "deliveries_per_s", "offered_per_s"}
    promised |= {"expected", "delivered", "lost", "duplicated", "reordered", "coalesced"}
    promised |= {"server_cpu_us_per_delivery", "client_cpu_us_per_delivery"}
    promised |= {"server_user_bytes_per_connection", "server_kernel_bytes_per_connection"}
    promised |= {"connect_per_s", "connect_p99_ms", "publisher_slip_p99_ms", "swarm_lag_p99_ms"}
    promised |= {"server_cpu_percent", "swarm_cpu_percent", "publisher_cpu_percent"}
    assert promised <= set(MEASURED)


def test_the_frames_that_charts_are_tested_with_have_these_columns() -> None:
    assert set(frames.run(("sse",), trials=1)["trials"].columns) == set(COLUMNS)
