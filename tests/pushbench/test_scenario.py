"""Scenarios: what the cells and the schedule are, and that every mistake is told in one line with the way out."""

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from pushbench import scenario as scenarios
from pushbench.scenario import Load, Scenario, ScenarioError, check_files, files_needed, find, load, loads
from pushbench.scenario_errors import shown
from pushbench.scenario_keys import RELAYED, TABLES, allowed, kind_of_value, unit
from pushbench.scenario_toml import lines_of
from pushbench.transports import ROWS

GOOD = """\
# Every line of this one is right.
title = "Who delivers first?"
charts = ["memory"]

[grid]
transport = [
  "polling",  # not the end: ]
  "sse",
]
subscribers = [10, 100]

[load]
rate_hz = 10

[phases]
plateaus = 4
warmup_s = 1
measure_s = 2

[repeat]
trials = 2
"""

UNION = """\
title = "What does polling buy?"

[[grid]]
transport = ["polling"]
poll_interval_ms = [
  100,
  200,
]

[[grid]]
transport = ["longpoll", "websocket"]

[load]
subscribers = 10
rate_hz = 10

[phases]
warmup_s = 1
measure_s = 2
"""


def refused(text: str, *overrides: str) -> str:
    """The error's text, which must be one line."""
    with pytest.raises(ScenarioError) as error:
        loads(text, "mine.toml", overrides)
    told = str(error.value)
    assert len(told.splitlines()) == 1
    return told


def changed(old: str, new: str, text: str = GOOD) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)


# What a good one is


def test_cells_are_the_product_of_the_grid_in_the_files_order() -> None:
    cells = loads(GOOD, "mine.toml").cells
    assert [(cell.transport, cell.subscribers) for cell in cells] == [
        ("polling", 10),
        ("polling", 100),
        ("sse", 10),
        ("sse", 100),
    ]
    assert {cell.rate_hz for cell in cells} == {10.0}


def test_several_grids_are_joined() -> None:
    scenario = loads(UNION, "mine.toml")
    assert [(cell.transport, cell.poll_interval_ms) for cell in scenario.cells] == [
        ("polling", 100),
        ("polling", 200),
        ("longpoll", 1000),
        ("websocket", 1000),
    ]
    assert scenario.grid_keys == ("transport", "poll_interval_ms")


def test_without_a_grid_the_load_is_the_only_cell() -> None:
    text = 'title = "q"\nload = {transport = "sse", subscribers = 5, rate_hz = 1}\nphases = {warmup_s = 0, measure_s = 1}'
    scenario = loads(text, "mine.toml")
    assert scenario.cells == (Load(transport="sse", subscribers=5, rate_hz=1),)
    assert scenario.grid_keys == ()


def test_a_key_that_is_listed_with_one_value_does_not_vary() -> None:
    assert loads(changed("[10, 100]", "[10]"), "mine.toml").grid_keys == ("transport",)


def test_an_integer_will_do_for_a_number() -> None:
    rate_hz = loads(GOOD, "mine.toml").cells[0].rate_hz
    assert isinstance(rate_hz, float)


def test_memory_alone_needs_no_rate() -> None:
    text = changed("rate_hz = 10", "", changed("warmup_s = 1\nmeasure_s = 2", "warmup_s = 0\nmeasure_s = 0"))
    assert {cell.rate_hz for cell in loads(text, "mine.toml").cells} == {0.0}


def test_text_name_and_overrides_are_kept_for_the_record() -> None:
    scenario = loads(GOOD, "some/folder/mine.toml", ["rate_hz=5"])
    assert (scenario.source, scenario.name, scenario.overrides) == (GOOD, "mine", ("rate_hz=5",))


def test_windows_line_ends_and_a_byte_order_mark_are_read() -> None:
    text = "\ufeff" + GOOD.replace("\n", "\r\n")
    assert loads(text, "mine.toml").cells == loads(GOOD, "mine.toml").cells
    assert refused(text.replace("rate_hz = 10", "rate_hz = -10")).startswith("mine.toml:13: ")


def test_a_cells_label_has_what_varies() -> None:
    scenario = loads(GOOD, "mine.toml")
    assert scenario.label(scenario.cells[3]) == "sse, subscribers=100"


def test_planned_time_is_that_of_the_phases_and_a_poll_more_for_pollers() -> None:
    scenario = loads(GOOD, "mine.toml")
    by_transport = {cell.transport: scenario.planned_s(cell) for cell in scenario.cells}
    assert by_transport == pytest.approx({"sse": 4 * 0.2 + 1 + 2, "polling": 4 * 0.2 + 1 + 2 + 1})


def test_a_cell_is_relayed_if_a_key_asks_for_it_and_then_takes_twice_the_files() -> None:
    plain = Load(transport="sse", subscribers=100)
    assert not plain.relayed
    for key in RELAYED:
        cell = Load.model_validate(plain.model_dump() | {key: 1})
        assert cell.relayed, key
        assert files_needed(cell) - files_needed(plain) == 100


@pytest.mark.parametrize(
    ("transport", "rtt_ms", "line_ms", "polled_ms"),
    [
        ("sse", 0, 0, 0),
        ("sse", 100, 60, 0),
        ("longpoll", 100, 180, 0),  # its answer, its next request, and its next answer
        ("polling", 0, 10, 250),
        ("polling", 100, 60, 250),
        ("polling", 300, 160, 500),  # every second poll is left out
    ],
)
def test_a_message_may_rightly_wait_for_its_line_and_its_poll(
    transport: str, rtt_ms: float, line_ms: float, polled_ms: float
) -> None:
    jitter_ms = 10.0 if transport == "polling" or rtt_ms else 0.0
    cell = Load(transport=transport, subscribers=1, poll_interval_ms=250, rtt_ms=float(rtt_ms), jitter_ms=jitter_ms)
    assert (cell.line_ms, cell.polled_ms) == (line_ms, polled_ms)


def test_a_poll_with_a_connection_of_its_own_takes_two_round_trips() -> None:
    kept = Load(transport="polling", subscribers=1, poll_interval_ms=250, rtt_ms=200.0)
    assert (kept.polled_ms, kept.model_copy(update={"poll_connection": "new"}).polled_ms) == (250, 500)


# The schedule


@given(cells=st.integers(1, 30), trials=st.integers(1, 5), seed=st.integers(0, 2**32 - 1))
def test_each_round_tries_every_cell_once_before_the_next_begins(cells: int, trials: int, seed: int) -> None:
    schedule = scenario_of(cells, trials, seed).schedule
    assert [trial for _, trial in schedule] == [trial for trial in range(1, trials + 1) for _ in range(cells)]
    assert Counter(schedule) == Counter((cell, trial) for cell in range(cells) for trial in range(1, trials + 1))


@given(cells=st.integers(1, 30), trials=st.integers(1, 5), seed=st.integers(0, 2**32 - 1))
def test_more_rounds_leave_the_earlier_ones_as_they_were(cells: int, trials: int, seed: int) -> None:
    shorter, longer = scenario_of(cells, trials, seed).schedule, scenario_of(cells, trials + 1, seed).schedule
    assert longer[: len(shorter)] == shorter


def test_the_order_is_drawn_from_the_seed() -> None:
    orders = {scenario_of(cells=10, trials=2, seed=seed).schedule for seed in range(5)}
    assert len(orders) == 5
    first = scenario_of(cells=10, trials=2, seed=1).schedule
    assert [cell for cell, _ in first[:10]] != [cell for cell, _ in first[10:]], "each round has an order of its own"


def test_the_order_of_a_seed_is_the_same_for_ever() -> None:
    assert [cell for cell, _ in scenario_of(cells=6, trials=1, seed=1).schedule] == [0, 3, 5, 4, 2, 1]


def scenario_of(cells: int, trials: int, seed: int) -> Scenario:
    subscribers = list(range(10, 10 + cells))
    return loads(
        changed("[10, 100]", "[10]"),
        "m",
        [f"subscribers={subscribers}", "transport=sse", f"trials={trials}", f"seed={seed}"],
    )


# What is refused


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        # unknown keys
        ("rate_hz =", "rate =", 13, "load.rate: unknown key, did you mean rate_hz?"),
        ("title =", "titel =", 2, "titel: unknown key, did you mean title?"),
        ("[load]", "[laod]", 12, "laod: unknown key, did you mean load?"),
        ("[load]", "[load]\nwarmup_s = 1", 13, "load.warmup_s: unknown key here, it belongs under [phases]"),
        ("[load]", "[load]\nwarmup = 1", 13,
         "load.warmup: unknown key, did you mean warmup_s? (that belongs under [phases])"),
        ("title =", "rate_hz = 1\ntitle =", 2, "rate_hz: unknown key here, it belongs under [load]"),
        ("subscribers = [", "audience = [", 10, "grid.audience: unknown key, expected one of the "),
        ("[load]", '[load]\n"a\\nb" = 1', 13, 'load."a\\nb": unknown key'),
        # wrong types
        ("= 10\n", '= "10"\n', 13,
         'load.rate_hz: "10" is not a number from 0 to 100000 Hz; numbers are written without'),
        ("10, 100]", "10, true]", 10, "grid.subscribers: true is not an integer from 1 to 1000000"),
        ("10, 100]", "10, 100.0]", 10, "grid.subscribers: 100.0 is not an integer from 1 to 1000000; write 100 "),
        ("10, 100]", "10, [100]]", 10, "grid.subscribers: [100] is not an integer"),
        ("= 10\n", "= [1, 10]\n", 13,
         "load.rate_hz: [1, 10] is not a number from 0 to 100000 Hz; a list belongs under [grid]"),
        ("= 10\n", "= 2026-01-01\n", 13, 'load.rate_hz: "2026-01-01" is not a number'),
        ("[10, 100]", "10", 10, "grid.subscribers: 10 is not a list; write [10], or put it under [load]"),
        ('["memory"]', '"memory"', 3, 'charts: "memory" is not a list of overview,'),
        ("[phases]", "[[phases]]", 15, "phases: [{"),
        # impossible values
        ("= 10\n", "= -5\n", 13,
         "load.rate_hz: -5 is not a number from 0 to 100000 Hz (messages published per second"),
        ("= 10\n", "= 0\n", 13,
         "load.rate_hz: 0 publishes nothing in the 2 s that are measured, expected a number above 0;"),
        ("= 10\n", "= nan\n", 13, "load.rate_hz: nan is not a number from"),
        ("= 10\n", "= inf\n", 13, "load.rate_hz: inf is not a number from"),
        ("= 10\n", "= 0.25\n", 13,
         "load.rate_hz: 0.25 Hz for 2 s publishes no message, expected rate_hz x measure_s of at "
         "least 1; raise the rate, or measure for 4 s"),
        ('"sse"', '"websockt"', 6, f'grid.transport: "websockt" is not one of {", ".join(ROWS)}; '
         "did you mean websocket?"),
        ('"sse"', '"SSE"', 6, f'grid.transport: "SSE" is not one of {", ".join(ROWS)}; did you mean sse?'),
        ('["memory"]', '["memry"]', 3, 'charts: "memry" is not one of overview,'),
        ("[load]", "[load]\npayload_bytes = 82", 13,
         "load.payload_bytes: 82 is not an integer from 83 to 65536 bytes"),
        ("[load]", "[load]\npayload_bytes = 65537", 13,
         "load.payload_bytes: 65537 is not an integer from 83 to 65536 bytes"),
        ("[load]", "[load]\npoll_interval_ms = 60_000", 13,
         "load.poll_interval_ms: 60000 is not an integer from 1 to 59999 ms"),
        ("trials = 2", "trials = 0", 21, "repeat.trials: 0 is not an integer from 1 to 1000"),
        ('"Who delivers first?"', '""', 2, 'title: "" is not text of 1 to 120 characters'),
        # what is missing
        ("measure_s = 2\n", "", 15,
         "phases.measure_s: missing, expected a number from 0 to 86400 s; add it under [phases]"),
        ("rate_hz = 10\n", "", 12,
         "load.rate_hz: missing, expected a number from 0 to 100000 Hz; add it under [load], or as"),
        ('title = "Who delivers first?"\n', "", 1,
         "title: missing, expected text of 1 to 120 characters; add it above the"),
        # the grid
        ("10, 100]", "]", 10, "grid.subscribers: [] is empty, expected at least one value;"),
        ("10, 100]", "10, 10]", 10, "grid.subscribers: 10 is there twice, expected every value once; take one out"),
        ("[load]", "[load]\nsubscribers = 5", 10,
         "grid.subscribers: [10, 100] is also under [load], expected in one of the two;"),
        ("10, 100]", f"{', '.join(map(str, range(1, 6000)))}]", 5, "grid: 11998 cells, expected at most 10000;"),
        # contradictions
        ("measure_s = 2", "measure_s = 0", 17,
         "phases.warmup_s: 1 s of warm-up, and measure_s = 0; set warmup_s = 0, or"),
        ("plateaus = 4\nwarmup_s = 1\nmeasure_s = 2", "warmup_s = 0\nmeasure_s = 0", 17,
         "phases.measure_s: 0 measures no "
         "traffic, and plateaus = 0 no memory; set it above 0, or plateaus to 4 or more"),
        ("plateaus = 4", "plateaus = 3", 16,
         "phases.plateaus: 3 points make no slope with an interval, expected 0 or at least 4;"),
        ("plateaus = 4", "plateaus = 11", 16,
         "phases.plateaus: 11 steps for 10 subscribers, expected at most one step a"),
        ("warmup_s = 1\n", "warmup_s = 0.5\n", 17, "phases.warmup_s: 0.5 s is below the poll interval of 1000 ms,"),
        ("plateaus = 4", "drain_s = 1", 16, "phases.drain_s: 1 s is not above the poll interval of 1000 ms,"),
        ("10\n\n[phases]\nplateaus = 4\nwarmup_s = 1\nmeasure_s = 2",
         "20_000\n[phases]\nwarmup_s = 1\nmeasure_s = 86_400", 13,
         "load.rate_hz: 20000 Hz for 86401 s are more messages than can be numbered, expected at most 999999999; lower"),
        # the line between subscribers and server
        ("[load]", "[load]\nrtt_ms = 20\njitter_ms = 10.5", 14,
         "load.jitter_ms: 10.5 ms is more than one way of a round trip of 20 ms, expected at most half of rtt_ms; lower "
         "it, or set rtt_ms to 21 or more"),
        ("[load]", "[load]\nrelay_stall_ms = 2000", 13,
         "load.relay_stall_ms: 2000 ms do not fit into a window of 2 s, expected less than that; shorten"),
        ("[load]", "[load]\nrtt_ms = 10_000", 16,
         "phases.drain_s: 10 s is not above the 16000 ms that polling may take with rtt_ms = 10000, so the last messages "
         "would be counted as lost; set drain_s above 16"),
        ("[load]", "[load]\nbandwidth_kbit_s = 10", 13,
         "load.bandwidth_kbit_s: 10 kbit/s do not carry 10 messages/s of 128 bytes, expected more than 10.24; raise"),
        ("[load]", "[load]\npoll_empty = 200", 13,
         'load.poll_empty: 200 is not one of 304, 200; write "200", with the quotes'),
        ("[load]", "[load]\nloss_percent = 1", 13,
         'load.loss_percent: 1 with line = "relay", which loses no bytes; set line = "packets"'),
        ("[load]", '[load]\nline = "packets"\nrtt_ms = 20\njitter_ms = 1', 15,
         'load.jitter_ms: 1.0 with line = "packets": it has a length and a loss; take it out, or set line = "relay"'),
        # what goes over QUIC
        ('"sse"', '"webtransport"', 12,
         "load.tls: false for webtransport, expected true: QUIC is always TLS, and so must be what it is compared with"),
        ('"sse"', '"webtransport"]\ntls = [true]\nrtt_ms = [5', 10,
         'grid.rtt_ms: 5.0 for webtransport with line = "relay", which passes on bytes of TCP; set line = "packets"'),
        ('"sse"', '"webtransport_datagrams"]\ntls = [true]\npayload_bytes = [1101', 10,
         "grid.payload_bytes: 1101 for webtransport_datagrams, expected at most 1100: it must fit into a packet"),
        ('"sse"', '"webtransport"]\ntls = [true]\nhttp = ["2"', 10, 'grid.http: "2" for webtransport, expected "1.1"'),
        ('"sse"', '"null"]\nrtt_ms = [5', 9, "grid.rtt_ms: 5.0 for null, expected 0.0"),
        ('"sse"', '"tcp"]\nrelay_buffer_bytes = [5', 9, "grid.relay_buffer_bytes: 5 for tcp, expected 0"),
        # those who act
        ("[load]", '[load]\nkind = "request"', 6,
         'grid.transport: "polling" answers nothing, expected one of "websocket", "post": who reads by it acts by a POST'),
        ('"sse"', '"post"', 6, 'grid.transport: "post" pushes nothing, and kind is broadcast, expected request; set'),
        ('"sse"', '"tcp"]\nkind = ["chat"', 6, 'grid.transport: "tcp" is in no room, expected a transport over TCP'),
        ("[load]", '[load]\nkind = "chat"\nroom_size = 3', 14,
         "load.room_size: 3 in a room, and 10 subscribers, expected a multiple, so that all rooms are alike; take 9 or 12"),
        ('"sse"', '"websocket"]\nkind = ["request"]\nroom_size = [5', 6, 'grid.transport: "polling" answers nothing'),
        ("[load]", '[load]\nkind = "chat"\npublish_via = "post"', 14,
         'load.publish_via: "post", and kind is chat, expected "websocket": there the subscribers say the messages'),
        ("[load]", '[load]\nkind = "chat"\nserver_workers = 2', 14,
         "load.server_workers: 2, and kind is chat, expected 1: a room is of one process; set server_workers = 1"),
        ("[load]", "[load]\nroom_size = 5", 13,
         "load.room_size: 5, and kind is broadcast, in which nobody posts or is in a room; take it out"),
        ("[load]", '[load]\npost_connection = "new"', 13,
         'load.post_connection: "new", and kind is broadcast, in which nobody posts'),
        ('"sse"', '"websocket"]\nkind = ["chat"]\npost_connection = ["new"', 10,
         'grid.post_connection: "new" for websocket, expected "kept": it has no part in that'),
        # pages
        ("[load]", '[load]\nclient = "browser"\nheaders = "browser"', 14,
         'load.headers: "browser" with client = "browser", expected "lean": a page does as browsers do; take it out'),
        ('"sse"', '"sse_plain"]\nclient = ["browser"', 9,
         'grid.client: "browser" for sse_plain, which no page subscribes by, expected one of polling, longpoll, stream'),
        ("[load]", '[load]\nclient = "browser"\nhttp = "2"', 14,
         'load.http: "2" with client = "browser", which speaks it over TLS alone; set tls = true'),
        # what is too large to look at, or would do something to a terminal
        ("= 10\n", f"= 0x{'f' * 5000}\n", 13, "load.rate_hz: (too large to be shown) is not a number from 0 to 100000 Hz"),
        ("= 10\n", f"= {{{'a.' * 1500}b = 1}}\n", 13, "load.rate_hz: lists or tables nested more than 10 deep, and no key"),
        ("10, 100]", f"{{{'a.' * 1500}b = 1}}, {{{'a.' * 1500}b = 1}}]", 10, "grid.subscribers: lists or tables nested"),
        ("10, 100]", f"{', '.join(map(str, range(1, 100_000)))}]", 5, "grid: 199998 cells, expected at most 10000;"),
        ("= 10\n", '= "\u202e\x9b"\n', 13, 'load.rate_hz: "\\u202e\\x9b" is not a number'),
        ("[load]", f"[load]\n{'k' * 3000} = 1", 13, f"load.{'k' * 59}…: unknown key, expected one of"),
        ("trials = 2", "trials = \u2028[", 21, "column 10: not TOML: Invalid value"),
        # not TOML
        ('"Who', "Who", 2, "column 9: not TOML: Invalid value; text is written in quotes"),
        ("trials = 2", "trials = [", 21, "not TOML: Invalid value"),
        ("trials = 2", "trials = 2\ntrials = 3", 22,
         "column 11: not TOML: Cannot overwrite a value; give each table and key once"),
        ("trials = 2", f"trials = 1{'0' * 5000}", 21, "not TOML: a value is too large"),
        ("trials = 2", f"trials = {'[' * 5000}", 21, "not TOML: a value is too large or nested too deeply"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_its_value_and_the_way_out(old: str, new: str, line: int, told: str) -> None:
    assert refused(changed(old, new)).startswith(f"mine.toml:{line}: {told}")


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ('"longpoll"', '"longpol"', 11, 'grid.transport: "longpol" is not one of'),
        ("  200,", "  0,", 5, "grid.poll_interval_ms: 0 is not an integer"),
        ('transport = ["longpoll", "websocket"]', "", 10, "grid: empty, expected at least one"),
        ('transport = ["longpoll", "websocket"]', 'kind = ["broadcast"]', 10, "load.transport: missing, "),
        ('["longpoll", "websocket"]', '["polling"]\npoll_interval_ms = [200]', 10, "grid: transport=\"polling\", "
         "poll_interval_ms=200 is a cell that an earlier [[grid]] has already;"),
    ],
)  # fmt: skip
def test_with_several_grids_the_right_one_is_named(old: str, new: str, line: int, told: str) -> None:
    assert refused(changed(old, new, UNION)).startswith(f"mine.toml:{line}: {told}")


@pytest.mark.parametrize("grid", ["grid = {}", "grid = []", "[grid]", "[[grid]]", "grid = 5", "grid = [1]"])
def test_a_grid_that_is_empty_or_no_table_is_refused(grid: str) -> None:
    assert refused(f'title = "q"\n{grid}').startswith("mine.toml:2: grid: ")


def test_of_several_mistakes_the_first_in_the_file_is_told_and_the_others_are_counted() -> None:
    text = changed("trials = 2", "trials = 0", changed("rate_hz = 10", "rate_hz = -5\nheartbeat_s = -1\nx = 0"))
    told = refused(text)
    assert told.startswith("mine.toml:13: load.rate_hz: -5 ")
    assert told.endswith(" (and 3 more)")


def test_a_misspelt_key_is_told_before_the_missing_one_that_it_was_meant_to_be() -> None:
    told = refused(changed("measure_s = 2", "mesure_s = 2"))
    assert told.startswith("mine.toml:18: phases.mesure_s: unknown key, did you mean measure_s?")
    assert told.endswith(" (and 1 more)")


def test_what_is_missing_is_told_where_it_could_be_added() -> None:
    assert refused(changed("rate_hz = 10", "")).startswith("mine.toml:12: load.rate_hz: missing")
    assert refused(changed("[load]\nrate_hz = 10", "")).startswith("mine.toml:5: load.rate_hz: missing")


def test_a_mistake_that_all_cells_share_is_one_mistake() -> None:
    assert "more)" not in refused(changed("rate_hz = 10", "rate_hz = -5"))


def test_a_long_value_is_cut() -> None:
    assert len(refused(changed("rate_hz = 10", f'rate_hz = "{"x" * 500}"'))) < 250


@given(st.data())
def test_whatever_a_line_is_replaced_by_is_read_or_refused_in_one_line(data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from([GOOD, UNION])).splitlines()
    fragments = [
        "[grid]",
        "[[grid]]",
        "grid.rate_hz = [1]",
        "load = 1",
        '"""',
        "x = '''\n]'''",
        "rate_hz = 1",
        '"" = {a = [1]}',
        "[load.kind]",
    ]
    lines[data.draw(st.integers(0, len(lines) - 1))] = data.draw(st.sampled_from(fragments) | st.text(max_size=20))
    try:
        scenario = loads("\n".join(lines), "mine.toml")
    except ScenarioError as error:
        told = str(error)
        assert re.match(r"mine\.toml:\d+: ", told)
        assert len(told.splitlines()) == 1
    else:
        assert scenario.cells


# Where a key stands


def test_the_lines_of_keys_are_found_past_everything_that_looks_like_one() -> None:
    text = "\n".join(
        [
            'title = """',
            "[load]",
            'x = 1"""  # [phases]',
            "[ load ]",
            "rate_hz = [  # a = 1",
            """  ["nested"], "]",""",
            "]",
            "literal = '''\ny = 2\n'''\n\"quoted key\" = \"#\"",
            "[[ grid ]]",
            "[[grid]]",
            "a.b = {c = [",
            "]}",
            "[grid.sub]",
            "z = 1",
        ]
    )
    assert lines_of(text) == {
        ("title",): 1,
        ("load",): 4,
        ("load", "rate_hz"): 5,
        ("load", "literal"): 8,
        ("load", "quoted key"): 11,
        ("grid",): 12,
        ("grid", 0): 12,
        ("grid", 1): 13,
        ("grid", 1, "a"): 14,
        ("grid", 1, "a", "b"): 14,
        ("grid", 1, "sub"): 16,
        ("grid", 1, "sub", "z"): 17,
    }


def test_a_key_in_an_inline_or_dotted_table_is_told_with_its_line() -> None:
    text = (
        'title = "q"\nphases.warmup_s = 0\nphases.measure_s = -1\nload = {transport = "ss", subscribers = 1, rate_hz = 1}'
    )
    assert refused(text).startswith("mine.toml:3: phases.measure_s: -1 ")
    assert refused(text.replace("-1", "1")).startswith('mine.toml:4: load.transport: "ss" ')


# Overrides


def cells_with(text: str, *overrides: str) -> list[tuple[str, int, float]]:
    cells = loads(text, "mine.toml", overrides).cells
    return [(cell.transport, cell.subscribers, cell.rate_hz) for cell in cells]


def test_an_override_changes_a_key_with_or_without_its_table() -> None:
    for override in ("measure_s=5", "phases.measure_s=5", " measure_s = 5 ", "measure_s=5.0"):
        assert loads(GOOD, "mine.toml", [override]).phases.measure_s == 5
    assert loads(GOOD, "mine.toml", ["title=Why, and at what price?"]).title == "Why, and at what price?"


def test_of_two_overrides_of_a_key_the_last_holds() -> None:
    assert loads(GOOD, "mine.toml", ["trials=7", "repeat.trials=9"]).repeat.trials == 9


@pytest.mark.parametrize("override", ["transport=sse", 'transport="sse"', "load.transport=sse", "grid.transport=sse"])
def test_a_single_value_takes_the_place_of_the_grids_list(override: str) -> None:
    assert cells_with(GOOD, override) == [("sse", 10, 10.0), ("sse", 100, 10.0)]


@pytest.mark.parametrize("override", ["rate_hz=[1, 5]", "load.rate_hz=[1,5]"])
def test_a_list_goes_into_the_grid_and_out_of_the_load(override: str) -> None:
    assert cells_with(GOOD, "transport=sse", "subscribers=10", override) == [("sse", 10, 1.0), ("sse", 10, 5.0)]


def test_a_list_makes_a_grid_where_there_was_none() -> None:
    text = 'title = "q"\n[load]\ntransport = "sse"\nsubscribers = 5\nrate_hz = 1\n[phases]\nwarmup_s = 0\nmeasure_s = 1'
    assert [cell.subscribers for cell in loads(text, "mine.toml", ["subscribers=[1, 2]"]).cells] == [1, 2]


@pytest.mark.parametrize("override", ["transport=[sse, websocket]", "transport=[sse,websocket,]"])
def test_a_list_of_words_needs_no_quotes(override: str) -> None:
    assert {transport for transport, *_ in cells_with(GOOD, override)} == {"sse", "websocket"}


def test_an_override_holds_for_all_grids_and_makes_equal_cells_one() -> None:
    cells = loads(UNION, "mine.toml", ["transport=stream", "poll_interval_ms=1000"]).cells
    assert [(cell.transport, cell.poll_interval_ms) for cell in cells] == [("stream", 1000)]


@pytest.mark.parametrize(
    ("override", "left"),
    [
        ("transport=websocket", [("websocket", 1000)]),
        ("transport=[websocket, polling]", [("polling", 100), ("polling", 200), ("websocket", 1000)]),
        ("transport=[websocket, sse]", [("websocket", 100), ("websocket", 200), ("sse", 100), ("sse", 200)]),
    ],
)
def test_of_several_grids_an_override_leaves_what_it_names_unless_it_names_what_none_has(
    override: str, left: list[tuple[str, int]]
) -> None:
    text = UNION.replace('"longpoll", "websocket"]', '"longpoll", "websocket"]\npoll_interval_ms = [1000]')
    cells = loads(text, "mine.toml", [override]).cells
    assert [(cell.transport, cell.poll_interval_ms) for cell in cells][: len(left)] == left
    assert {cell.transport for cell in cells} == {transport for transport, _ in left}


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("rate_hz=-5", "--set rate_hz=-5: load.rate_hz: -5 is not a number from 0 to 100000 Hz"),
        ("transport=[sse,websoket]", '--set transport=[sse,websoket]: grid.transport: "websoket" is not one of'),
        ("transport=[]", "--set transport=[]: grid.transport: [] is empty"),
        ("measure_s=0", "--set measure_s=0: phases.warmup_s: 1 s of warm-up, and measure_s = 0;"),
        ("subscribers=3", "--set subscribers=3: phases.plateaus: 4 steps for 3 subscribers"),
        ("rat_hz=5", "--set rat_hz=5: rat_hz: unknown key, did you mean rate_hz?"),
        ("phases.mesure_s=5", "--set phases.mesure_s=5: phases.mesure_s: unknown key, did you mean measure_s?"),
        ("load.measure_s=5", "--set load.measure_s=5: load.measure_s: unknown key here, it belongs under [phases]"),
        ("phase.measure_s=5", "--set phase.measure_s=5: phase: unknown table, did you mean phases?"),
        ("rate_hz", "--set rate_hz: expected key=value, such as rate_hz=50"),
        ("=5", "--set =5: expected key=value"),
        ("rate_hz=1O", '--set rate_hz=1O: "1O" is not a TOML value, expected'),
        ("transport=[sse, 1O]", '--set transport=[sse, 1O]: "1O" is not a TOML value, expected'),
        ("transport=[[sse]]", '--set transport=[[sse]]: "[sse]" is not a TOML value'),
        (f"title={'[' * 5000}{']' * 5000}", f'--set title={"[" * 93}…: "{"[" * 58}… is not a TOML value'),
        (f"rate_hz={{{'a.' * 1500}b = 1}}", f"--set rate_hz={{{'a.' * 45}…: "),
        ("rate_hz=\x1b[31m", '--set rate_hz=\\x1b[31m: "\\u001b[31m" is not a TOML value'),
        ("rate_hz=5\nsubscribers=3", '--set rate_hz=5 subscribers=3: "5\\nsubscribers=3" is not a TOML value'),
        ("trials=two", '--set trials=two: repeat.trials: "two" is not an integer from 1 to 1000'),
    ],
)
def test_an_overrides_mistake_names_the_override(override: str, told: str) -> None:
    assert refused(GOOD, override).startswith(told)


def test_an_overrides_mistake_is_told_before_those_of_the_file() -> None:
    told = refused(changed("rate_hz = 10", "rate_hz = -1"), "trials=0")
    assert told.startswith("--set trials=0: ")
    assert told.endswith(" (and 1 more)")


# Open files


def test_a_cell_that_needs_more_files_than_may_be_open_is_refused_with_the_way_out() -> None:
    scenario = loads(GOOD, "mine.toml")
    need = files_needed(scenario.cells[1])
    check_files(scenario, need)
    with pytest.raises(ScenarioError) as error:
        check_files(scenario, need - 1)
    told = str(error.value)
    assert told.startswith("mine.toml:10: grid.subscribers: 100 (polling, subscribers=100) needs 164 open files")
    assert "may open 163; raise that with `ulimit -n 164`, or take at most 99 subscribers" in told


def test_several_processes_of_a_server_have_a_part_of_the_files_each_and_room_for_an_uneven_deal() -> None:
    cell = loads(GOOD, "mine.toml").cells[1]
    many = cell.model_copy(update={"subscribers": 100_000, "server_workers": 6, "swarms": 6})
    assert 100_000 / 6 < files_needed(many) < 20_000
    assert files_needed(many.model_copy(update={"server_workers": 5})) > 20_000
    assert files_needed(many.model_copy(update={"swarms": 5})) > 20_000


# Files


def test_a_scenario_is_found_by_its_name_and_by_its_path(tmp_path: Path) -> None:
    assert find("overview").name == "overview.toml"
    mine = tmp_path / "mine.toml"
    mine.write_text(GOOD)
    assert find(str(mine)) == mine


def test_a_path_below_the_working_directory_is_told_from_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text("title = 5")
    with pytest.raises(ScenarioError, match=r"^mine\.toml:1: title: 5 "):
        load(find(str(tmp_path / "mine.toml")))


def test_a_scenario_that_is_not_there_is_refused_with_the_nearest_and_all_names() -> None:
    with pytest.raises(
        ScenarioError,
        match=r"^overveiw: no such scenario, did you mean overview\? \(known by name: browser, burst, bytes,",
    ):
        find("overveiw")
    for name in ("", "nothing/like/it.toml"):
        with pytest.raises(ScenarioError, match=r"no such scenario.*else give the path of a TOML file"):
            find(name)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"gone\.toml: no such file"):
        load(tmp_path / "gone.toml")
    with pytest.raises(ScenarioError, match="a directory, expected a TOML file"):
        load(tmp_path)
    with pytest.raises(ScenarioError, match="cannot be read"):
        load(tmp_path / ("x" * 300))


def test_a_file_that_is_not_utf_8_is_refused_with_the_line(tmp_path: Path) -> None:
    latin = tmp_path / "latin.toml"
    latin.write_bytes('# one\ntitle = "Für wen?"'.encode("latin-1"))
    with pytest.raises(
        ScenarioError, match=r"latin\.toml:2: byte 0xfc is not UTF-8, which TOML must be; save the file as UTF-8"
    ):
        load(latin)


# The scenarios of the house


SHIPPED = sorted(path.stem for path in scenarios.SCENARIOS.glob("*.toml"))


def test_the_scenarios_that_the_house_promises_are_there() -> None:
    assert {"smoke", "overview", "latency", "fanout", "memory", "poll_interval"} <= set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_scenario_is_sound_and_says_how_to_read_it(name: str) -> None:
    scenario = load(find(name))
    assert scenario.title.endswith("?"), "a scenario is a question"
    assert scenario.description
    assert scenario.charts
    head = scenario.source[: scenario.source.index("title =")]
    assert all(line.startswith("#") for line in head.split("\n") if line)
    assert "How to read it: " in head
    lossy = any(cell.line == "packets" for cell in scenario.cells)
    compared = {"websocket", "webtransport"} if lossy else {"polling", "longpoll", "websocket"}
    if all(cell.kind == "request" for cell in scenario.cells):
        compared = {"post", "websocket"}
    if len({cell.target for cell in scenario.cells}) > 1 and len({cell.transport for cell in scenario.cells}) == 1:
        compared = {"websocket"}  # beside another server
    assert {ROWS[cell.transport].family for cell in scenario.cells} >= compared


# The reference of keys


README = (scenarios.SCENARIOS / "README.md").read_text(encoding="utf-8")
HEADINGS = {"": "Above the first table"} | {name: f"`[{name}]`" for name in ("load", "search", "phases", "repeat")}


@pytest.mark.parametrize("table", TABLES)
def test_the_reference_has_every_key_of_the_model_and_no_other(table: str) -> None:
    section = README.split(f"### {HEADINGS[table]}", 1)[1].split("\n#", 1)[0]
    documented = [
        [cell.strip() for cell in row.strip("|").split("|")] for row in re.findall(r"^\| `.*$", section, re.MULTILINE)
    ]
    assert documented == [
        [
            f"`{key}`",
            kind_of_value(field),
            "required" if field.is_required() else f"`{shown(field.default)}`".replace("`()`", "`[]`"),
            allowed(field),
            unit(key),
            field.description,
        ]
        for key, field in TABLES[table].model_fields.items()
    ]


def test_the_reference_lists_every_scenario_with_its_question() -> None:
    listed = dict(re.findall(r"^\| `(\w+)` \| (.+?) \| [\d.]+ (?:s|min) \|$", README, re.MULTILINE))
    assert listed == {name: load(find(name)).title for name in SHIPPED}


def test_the_examples_of_the_reference_are_sound() -> None:
    full, search, union = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    assert len(loads(full, "README.md").cells) == 6
    assert loads(search, "README.md").search
    rest = "[load]\nsubscribers = 1\nrate_hz = 1\n[phases]\nwarmup_s = 1\nmeasure_s = 1"
    assert len(loads(f'title = "q"\n{union}{rest}', "README.md").cells) == 4
