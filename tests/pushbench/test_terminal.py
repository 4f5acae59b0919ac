"""A table on a terminal of any width: no number is lost, and naive latencies stay beside the others."""

import io

import pytest
from rich.console import Console

from pushbench.summary import Table, tables
from pushbench.terminal import parts
from tests.pushbench import frames


@pytest.fixture(scope="module")
def latency() -> Table:
    run = frames.run(("sse", "websocket"), subscribers=(10, 1000), measure_s=1, trials=2)["trials"]
    return tables(run)[0]


def printed(table: Table, width: int) -> list[str]:
    """The text of each part."""
    found = []
    for part in parts(table, width):
        console = Console(width=500, record=True, file=io.StringIO())
        console.print(part)
        found.append(console.export_text())
    return found


def test_a_wide_terminal_has_it_in_one_part_with_intervals_below_their_figures(latency: Table) -> None:
    [text] = printed(latency, 160)
    lines = text.splitlines()
    row = next(number for number, line in enumerate(lines) if line.startswith("websocket"))
    assert latency.rows[2][2].partition(" (")[0] in lines[row]
    assert f"({latency.rows[2][2].partition(' (')[2]}" in lines[row + 1]


@pytest.mark.parametrize("width", [20, 60, 80, 100, 120])
def test_a_narrow_one_has_it_in_parts_that_name_the_cells_again_and_lose_nothing(latency: Table, width: int) -> None:
    found = printed(latency, width)
    assert len(found) > 1
    for text in found:
        assert text.count("websocket") == 2
    together = "".join(found)
    for row in latency.rows:
        for cell in row:
            for text in cell.replace(" (", "\n(").split("\n"):
                assert text in together


@pytest.mark.parametrize("width", [20, 60, 80, 100, 120])
def test_naive_is_never_parted_from_what_it_stands_beside(latency: Table, width: int) -> None:
    for text in printed(latency, width):
        said = text.partition("sse")[0]
        for name in ("mean,", "p50,", "p99,", "max,"):
            assert said.count(name) in (0, 2)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_part_is_wider_than_the_terminal_if_a_figure_has_room(latency: Table, width: int) -> None:
    for text in printed(latency, width):
        assert max(len(line.rstrip()) for line in text.splitlines()) <= width
