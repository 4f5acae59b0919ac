"""The doctor: limits are judged for the largest cell of what is to be run, and a finding fits a terminal."""

import pytest

from pushbench import readings
from pushbench.audience import CONNECTING
from pushbench.diagnosis import Finding, Severity
from pushbench.doctor import BASE_BYTES, DELIVERY_BYTES, SUBSCRIBER_BYTES, examine, need, told
from pushbench.scenario import SCENARIOS, files_needed, load, loads
from tests.pushbench.healthy import READINGS, but

TOML = """\
title = "Which?"
[grid]
subscribers = [10, 500, 20]
[load]
transport = "sse"
rate_hz = 10
[phases]
warmup_s = 1
measure_s = 2
"""


def test_what_is_needed_is_what_the_largest_cell_needs() -> None:
    scenario = loads(TOML, "mine.toml")
    wanted = need([scenario])
    assert (wanted.scenario, wanted.subscribers, wanted.connecting) == ("mine", 500, CONNECTING)
    assert wanted.files == files_needed(scenario.cells[1])
    assert wanted.memory_bytes == BASE_BYTES + 500 * (SUBSCRIBER_BYTES + 30 * DELIVERY_BYTES)


def test_of_several_scenarios_the_largest_counts_and_memory_may_be_anothers() -> None:
    many, fast = loads(TOML, "many.toml"), loads(TOML, "fast.toml", ["subscribers=100", "rate_hz=10000"])
    assert need([fast, many]).scenario == "many"
    assert need([fast, many]).memory_bytes == need([fast]).memory_bytes > need([many]).memory_bytes


def test_a_machine_that_is_well_has_room_for_every_scenario_of_the_house(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "take", lambda: READINGS)
    usual = [path for path in SCENARIOS.glob("*.toml") if path.stem != "scale"]
    found = examine([load(path) for path in usual])
    assert {finding.severity for finding in found} == {Severity.OK}
    assert any("capacity_subscribers takes 10,064" in finding.found for finding in found)


def test_a_hundred_thousand_subscribers_take_more_memory_than_such_a_machine_has_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scale = load(SCENARIOS / "scale.toml")
    monkeypatch.setattr(readings, "take", lambda: READINGS)
    assert [finding.about for finding in examine([scale]) if finding.severity != Severity.OK] == ["memory"]
    monkeypatch.setattr(readings, "take", lambda: but(memory_available_bytes=16 * 2**30))
    assert {finding.severity for finding in examine([scale])} == {Severity.OK}


def test_the_same_machine_may_do_for_one_scenario_and_not_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "take", lambda: but(open_files=1000))

    def ills(*overrides: str) -> list[str]:
        return [finding.about for finding in examine([loads(TOML, "m", overrides)]) if finding.severity != Severity.OK]

    assert ills() == []
    assert ills("subscribers=1000") == ["open files"]


FINDING = Finding(Severity.WARN, "ports", "28,232 of 3 words", "It means so many words that they take two lines.", "do it")


def test_a_finding_has_a_line_for_what_was_found_what_it_means_and_what_to_do() -> None:
    assert told(FINDING, 80).splitlines() == [
        "warn  ports       28,232 of 3 words",
        "                  It means so many words that they take two lines.",
        "                  → do it",
    ]


def test_a_narrow_terminal_wraps_it_below_itself() -> None:
    assert told(FINDING, 50).splitlines()[1:3] == [
        "                  It means so many words that they",
        "                  take two lines.",
    ]


def test_where_there_is_nothing_to_do_nothing_is_told_to_do() -> None:
    fine = Finding(Severity.OK, "swap", "nothing", "Nobody waits.")
    assert told(fine, 80).splitlines() == ["ok    swap        nothing", "                  Nobody waits."]


@pytest.mark.parametrize("width", [40, 80, 110])
def test_no_word_is_cut_and_no_line_is_wider_than_asked_unless_a_word_is(width: int) -> None:
    command = "echo 1 | sudo tee /sys/devices/system/clocksource/clocksource0/current-clocksource"
    lines = told(Finding(Severity.NOTE, "clock", "x " * 90, "y " * 70, command), width).splitlines()
    assert command.split()[-1] in " ".join(lines)
    assert all(len(line) <= width or len(line.split()) == 1 for line in lines)
