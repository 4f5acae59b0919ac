"""The gallery in words."""

import pytest

from pushbench.lies import text
from pushbench.lies.record import VERDICT, Pair, Shown
from pushbench.lies.table import LIES

MEMORY = Shown(
    "rss_over_n", True, (Pair(240, 30, "much was there", "R² 1.000"), Pair(200, 20, "less was there", "R² 0.999"))
)
FAILED = Shown("averages", False, (), ("the server ended",))
SMALL = Shown("compression", True, (Pair(50, 30, "on", "off"),))


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.04312, "0.0431"), (0.5, "0.500"), (4, "4.00"), (27.14, "27.1"), (503.4, "503"), (12345.6, "12,346")],
)
def test_a_number_has_three_digits_or_all_before_the_point(value: float, said: str) -> None:
    assert text.number(value) == said


def test_a_row_has_medians_and_the_range_of_the_factors() -> None:
    assert text.rows([MEMORY]) == [
        ("rss_over_n", "memory for a connection, KiB", "220", "25.0", "9.00", "8.00–10.0", "2"),
    ]


def test_what_was_not_shown_is_marked_and_said() -> None:
    failed, small = text.rows([FAILED, SMALL])
    assert failed[2:] == ("–", "–", "–", "–", "0")
    assert small[4] == "○ 1.67"
    assert text.notes([FAILED, SMALL])[1:] == [
        "averages: 1 gave no number, the last because the server ended",
        "compression: not shown here, its factor came down to 1.67",
    ]


def test_a_right_number_that_is_not_to_be_believed_is_marked_where_it_stands_and_said_though_the_lie_holds() -> None:
    bound, late, good = (f"{VERDICT}{verdict}" for verdict in ("client_bound, because", "publisher_late, because", "ok"))
    shown = Shown("one_process", True, (Pair(90, 10, "", bound), Pair(90, 10, "", late), Pair(90, 10, "", good)))
    [row] = text.rows([shown])
    assert row[3:5] == ("○ 10.0", "9.00")
    assert text.notes([shown, MEMORY])[-1].startswith(
        "○ right numbers that are not to be believed: one_process 2 of 3. The"
    )
    for told in (" ".join(" ".join(text.paragraphs(shown, 80)).split()), text.markdown([shown])):
        assert "Right, ○ 10.0 µs:" in told
        assert "○ 2 of 3 are not to be believed (client_bound, publisher_late). The factor compares with such a" in told


def test_the_table_is_aligned() -> None:
    head, row = text.table([MEMORY])
    assert head.index("what is measured") == row.index("memory for")
    assert len(head) == len(row)


def test_both_numbers_of_a_repetition_are_told_with_how_far_off() -> None:
    assert text.beside(LIES["rss_over_n"], MEMORY.pairs[0]) == "240 KiB instead of 30.0 KiB, 8.00 times too high"
    assert (
        text.beside(LIES["counted_sends"], Pair(5e6, 1e5, "", ""))
        == "5,000,000/s instead of 100,000/s, 50.0 times too high"
    )


def test_a_paragraph_has_all_there_is_to_say_within_the_width() -> None:
    said = list(text.paragraphs(MEMORY, 70))
    assert all(len(line) <= 70 for line in said)
    flat = " ".join(" ".join(said).split())
    lie = LIES["rss_over_n"]
    for part in (
        lie.title,
        lie.claim,
        lie.wrong_way,
        lie.right_way,
        lie.why,
        lie.seen,
        lie.notice,
        "Wrong, 220 KiB:",
        "R² 0.999",
    ):
        assert part in flat


def test_a_page_has_a_section_each_and_the_table_first() -> None:
    made = text.markdown([MEMORY, FAILED])
    assert made.startswith("| lie | what is measured |")
    assert made.count("\n## ") == 2
    assert "- **Wrong, 220 KiB:**" in made
    assert f"- **Wrong:** {LIES['averages'].wrong_way}" in made
