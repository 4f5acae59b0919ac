"""Shards: how many processes there are, by what the load says, the cores, and the files that one may open."""

import pytest

from pushbench.scenario import Load
from pushbench.shards import FILES_KEPT, files_each, processes

PLENTY = 20_000


@pytest.mark.parametrize(
    ("load", "cores", "files", "expected"),
    [
        ({}, 1, PLENTY, 1),
        ({}, 7, PLENTY, 7),
        ({"subscribers": 99}, 7, PLENTY, 1),
        ({"subscribers": 250}, 7, PLENTY, 2),
        ({"swarms": 3}, 1, PLENTY, 3),
        ({"swarms": 1}, 7, PLENTY, 1),
        ({}, 1, 1000 + FILES_KEPT, 1),
        ({}, 1, 999 + FILES_KEPT, 2),
        ({"resume_percent": 1.0}, 1, 1000 + FILES_KEPT, 2),
        ({"poll_connection": "new", "transport": "polling"}, 1, 100 + FILES_KEPT, 20),
        ({"subscribers": 3}, 1, 10, 3),
        ({"transport": "null"}, 7, PLENTY, 1),
        ({"transport": "tcp"}, 7, PLENTY, 7),
    ],
)
def test_there_are_as_many_processes_as_cores_and_files_ask_for_or_the_load_says(
    load: dict[str, object], cores: int, files: int, expected: int
) -> None:
    cell = Load.model_validate({"transport": "sse", "subscribers": 1000, "rate_hz": 1.0, **load})
    assert processes(cell, cores=cores, files=files) == expected
    assert files_each(cell) == (2 if cell.leave_early else 1)
