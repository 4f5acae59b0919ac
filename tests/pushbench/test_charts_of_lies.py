"""The chart of the lies."""

import pytest
from matplotlib.figure import Figure

from pushbench.charts.lies import frame, lies
from pushbench.lies.record import VERDICT, Pair, Shown
from pushbench.lies.store import Gallery

MEMORY = Shown("rss_over_n", True, (Pair(240, 30, "", ""), Pair(200, 20, "", "")))
AVERAGES = Shown("averages", False, (Pair(15, 270, "", ""), Pair(10, 200, "", "")))
SMALL = Shown("compression", True, (Pair(50, 30, "", ""), Pair(50, 30, "", "")))
FAILED = Shown("closed_loop", False, (), ("it ended",))


def drawn(*shown: Shown) -> Figure:
    return lies(frame(Gallery("", {}, shown).values["lies"]))


def words(figure: Figure) -> list[str]:
    said = [text.get_text() for axes in figure.axes for text in axes.texts]
    return [*said, *(text.get_text() for text in figure.texts)]


def test_a_lie_is_drawn_from_the_right_number_at_one_to_the_wrong_one_the_furthest_first() -> None:
    figure = drawn(MEMORY, AVERAGES)
    [axes] = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Averages", "Memory divided by N"]
    marks = [float(line.get_xdata()[0]) for line in axes.lines if line.get_marker() == "o"]  # type: ignore[index, arg-type]
    assert marks == pytest.approx([1 / 19, 1, 9, 1], rel=0.01)
    low, high = axes.get_xlim()
    assert low < 10 / 200
    assert high > 10


def test_both_numbers_and_how_far_off_are_written() -> None:
    said = words(drawn(MEMORY))
    assert "memory for a connection: 220 instead of 25 KiB" in said
    assert "9.0 × too high" in said
    assert "Each run wrong and right on the same server; medians of 2 repetitions." in said


def test_one_that_was_not_shown_is_hollow_and_said() -> None:
    figure = drawn(MEMORY, SMALL)
    faces = [line.get_markerfacecolor() for line in figure.axes[0].lines if line.get_markersize() == 9]
    assert faces.count("white") == 1
    assert any("Wrong and hollow: less than twofold" in text for text in words(figure))


def test_a_right_number_that_is_not_to_be_believed_is_hollow_and_said() -> None:
    doubted = Shown("one_process", True, (Pair(90, 10, "", f"{VERDICT}client_bound, because"),))
    figure = drawn(MEMORY, doubted)
    faces = [line.get_markerfacecolor() for line in figure.axes[0].lines if line.get_markersize() == 7]
    assert faces.count("white") == 1
    assert any("Right and hollow: a trial of it is not to be believed" in text for text in words(figure))
    assert not any("hollow" in text for text in words(drawn(MEMORY)))


def test_one_without_numbers_is_left_out_and_none_at_all_is_said() -> None:
    assert len(drawn(FAILED, MEMORY).axes[0].get_yticks()) == 1
    assert "No lie has both of its numbers." in words(drawn(FAILED))
