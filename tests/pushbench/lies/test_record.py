"""What the repetitions of a lie say together."""

import json

import pytest

from pushbench.lies.record import VERDICT, Pair, Shown, as_values, from_values


def pairs(*numbers: tuple[float, float]) -> tuple[Pair, ...]:
    return tuple(Pair(wrong, right, f"wrong {wrong}", f"right {right}") for wrong, right in numbers)


@pytest.mark.parametrize(
    ("wrong", "right", "too_high", "factor"),
    [(10, 2, True, 5), (10, 2, False, 0.2), (2, 10, False, 5), (2, 10, True, 0.2), (3, 3, True, 1)],
)
def test_a_factor_is_below_one_where_the_wrong_number_was_off_the_other_way(
    wrong: float, right: float, too_high: bool, factor: float
) -> None:
    assert Pair(wrong, right, "", "").factor(too_high) == factor


@pytest.mark.parametrize(
    ("numbers", "failures", "holds"),
    [
        ([(10, 1), (8, 2), (4, 2)], (), True),
        ([(10, 1), (8, 2), (3.9, 2)], (), False),
        ([(10, 1), (1, 10)], (), False),
        ([(10, 1)], ("the server ended",), False),
        ([], (), False),
    ],
)
def test_a_lie_holds_if_it_is_twofold_in_every_repetition_and_none_failed(
    numbers: list[tuple[float, float]], failures: tuple[str, ...], holds: bool
) -> None:
    assert Shown("rss_over_n", True, pairs(*numbers), failures).holds is holds


def test_numbers_and_factors_are_medians_each_by_itself_and_the_evidence_is_of_the_repetition_in_the_middle() -> None:
    shown = Shown("rss_over_n", True, pairs((10, 1), (30, 10), (20, 5)))
    assert (shown.wrong, shown.right, shown.factor) == (20, 5, 4)
    assert shown.factors == (3, 4, 10)
    assert shown.typical.wrong_says == "wrong 20"


@pytest.mark.parametrize(
    ("says", "verdict", "doubted"),
    [
        (
            f"{VERDICT}client_bound, because the swarm's core had no time left (swarm_cpu_percent 21.0)",
            "client_bound",
            True,
        ),
        (f"{VERDICT}publisher_late, because it was late", "publisher_late", True),
        (f"{VERDICT}server_bound, because it was full", "server_bound", False),
        (f"{VERDICT}ok", "ok", False),
        ("R² 1.000", None, False),
    ],
)
def test_a_right_number_is_as_believable_as_its_verdict(says: str, verdict: str | None, doubted: bool) -> None:
    pair = Pair(20, 2, f"{VERDICT}lossy", says)
    assert (pair.verdict, pair.doubted) == (verdict, doubted)
    shown = Shown("one_process", True, (pair, Pair(20, 2, "", f"{VERDICT}ok")))
    assert shown.doubts == ((verdict,) if doubted else ())
    assert shown.holds


def test_what_is_written_is_read_again_and_says_what_follows_from_it() -> None:
    shown = Shown("averages", False, pairs((1, 10), (2, 12)), ("it took too long",))
    values = json.loads(json.dumps(as_values(shown)))
    assert from_values(values) == shown
    assert values["factor_range"] == [6, 10]
    assert values["holds"] is False
    assert "factor" not in as_values(Shown("averages", False))
