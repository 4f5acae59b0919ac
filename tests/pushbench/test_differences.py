"""What two runs do not share: told a key a line, and nothing that changes no figure."""

from typing import Any

import pytest

from pushbench.differences import differences
from tests.pushbench.written import MANIFEST

SOURCE = """\
title = "Which?"
[grid]
transport = ["sse", "websocket"]
[phases]
measure_s = 2
"""


def manifest(**parts: Any) -> dict[str, Any]:
    """A manifest with a real scenario, and other values in some of its parts."""
    scenario = {"name": "which", "source": SOURCE, "overrides": []}
    made = MANIFEST | {"scenario": scenario}
    return made | {name: made[name] | part for name, part in parts.items()}


def told(**parts: Any) -> list[str]:
    """What differs between the usual manifest and one with other parts."""
    return [str(difference) for difference in differences(manifest(), manifest(**parts))]


def test_a_run_does_not_differ_from_itself() -> None:
    assert told() == []


@pytest.mark.parametrize(
    ("parts", "line"),
    [
        ({"environment": {"kernel": "6.18"}}, "kernel: 6.1 -> 6.18"),
        ({"environment": {"commit": "abc"}}, "commit: unknown -> abc"),
        ({"environment": {"governor": "performance"}}, "governor: – -> performance"),
        ({"placement": {"swarm": [1, 2]}}, "swarm on core: 1 -> 1, 2"),
        ({"scenario": {"name": "another"}}, "scenario: which -> another"),
        ({"scenario": {"overrides": ["trials=5", "rate_hz=3"]}}, "--set: – -> trials=5, rate_hz=3"),
        ({"scenario": {"source": SOURCE.replace("= 2", "= 10")}}, "scenario, phases.measure_s: 2 -> 10"),
        ({"scenario": {"source": SOURCE + "warmup_s = 1\n"}}, "scenario, phases.warmup_s: – -> 1"),
        ({"scenario": {"source": SOURCE.replace('"sse", ', "")}}, "scenario, grid.transport: sse, websocket -> websocket"),
        (
            {"scenario": {"source": SOURCE.replace("[grid]", "[[grid]]")}},
            "scenario, grid: – -> {transport = sse, websocket}",
        ),
    ],
)
def test_a_difference_is_a_line_with_both_values(parts: dict[str, Any], line: str) -> None:
    assert line in told(**parts)


@pytest.mark.parametrize("source", ["# a comment\n" + SOURCE, SOURCE.replace("Which?", "Who?"), "\ufeff" + SOURCE])
def test_words_of_a_scenario_make_no_difference(source: str) -> None:
    assert told(scenario={"source": source}) == []
