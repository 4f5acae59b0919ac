"""A search: it brackets the edge in few steps, keeps to its limits, ends whatever the noise, and goes on as it began."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from pushbench.search import ATTEMPTS, Bracket, Range, Side, Step, bracket, next_value, steps_left

WITHIN = Range(start=100, lowest=1, limit=10_000, precision=0.1, whole=True)

ranges = st.builds(
    lambda start, more, precision, whole: Range(
        start=float(start), lowest=1.0, limit=float(start + more), precision=precision, whole=whole
    ),
    start=st.integers(1, 5_000),
    more=st.integers(0, 100_000),
    precision=st.floats(0.01, 1),
    whole=st.booleans(),
)
sides = st.sampled_from(Side)


def searched(within: Range, side: Callable[[float], Side]) -> list[Step]:
    """All steps of a search in which each trial ends as told."""
    steps: list[Step] = []
    while (value := next_value(within, steps)) is not None:
        steps.append(Step(value, side(value)))
        assert len(steps) < 1000, "the search does not end"
    return steps


def up_to(edge: float) -> Callable[[float], Side]:
    return lambda value: Side.HELD if value <= edge else Side.SERVER


def most_steps(within: Range) -> int:
    """Doublings or halvings, then halvings of a bracket that is as wide as what held, each tried at most three times."""
    doublings = math.ceil(math.log2(within.limit / within.start)) + 1
    halvings = math.ceil(math.log2(within.start / within.lowest)) + 1
    return ATTEMPTS * (max(doublings, halvings) + math.ceil(math.log2(1 / within.precision)) + 2)


def values(steps: list[Step]) -> list[float]:
    return [step.value for step in steps]


def test_it_doubles_until_it_fails_and_then_halves_the_bracket() -> None:
    steps = searched(WITHIN, up_to(333))
    assert values(steps) == [100, 200, 400, 400, 300, 350, 350, 325]
    assert bracket(steps) == Bracket(325, 350, Side.SERVER)


def test_it_halves_from_a_start_that_fails() -> None:
    steps = searched(WITHIN, up_to(30))
    assert values(steps) == [100, 100, 50, 50, 25, 37, 37, 31, 31, 28, 29]
    assert bracket(steps) == Bracket(29, 31, Side.SERVER)


def test_what_holds_at_the_limit_has_no_upper_end() -> None:
    steps = searched(WITHIN, up_to(math.inf))
    assert values(steps) == [100, 200, 400, 800, 1600, 3200, 6400, 10_000]
    assert bracket(steps) == Bracket(10_000, None, None)


def test_what_never_holds_has_no_lower_end() -> None:
    steps = searched(WITHIN, up_to(0))
    assert values(steps)[::2] == [100, 50, 25, 12, 6, 3, 1]
    assert bracket(steps) == Bracket(None, 1, Side.SERVER)


def test_a_rate_need_not_be_whole() -> None:
    steps = searched(replace(WITHIN, whole=False), up_to(333))
    assert values(steps) == [100, 200, 400, 400, 300, 350, 350, 325]
    assert bracket(searched(replace(WITHIN, start=1, whole=False), up_to(1.3))) == Bracket(1.25, 1.375, Side.SERVER)


@pytest.mark.parametrize(
    ("came", "decided"),
    [
        ([Side.HELD], Bracket(100, None, None)),
        ([Side.SERVER], Bracket(None, None, None)),
        ([Side.SERVER, Side.HELD], Bracket(None, None, None)),
        ([Side.SERVER, Side.HELD, Side.HELD], Bracket(100, None, None)),
        ([Side.SERVER, Side.HELD, Side.SERVER], Bracket(None, 100, Side.SERVER)),
        ([Side.SERVER, Side.SERVER], Bracket(None, 100, Side.SERVER)),
        ([Side.LOAD, Side.LOAD], Bracket(None, 100, Side.LOAD)),
        ([Side.LOAD, Side.SERVER], Bracket(None, 100, Side.LOAD)),
        ([Side.SERVER, Side.LOAD], Bracket(None, 100, Side.LOAD)),
    ],
)
def test_what_failed_once_is_tried_again_and_two_of_three_decide(came: list[Side], decided: Bracket) -> None:
    steps = [Step(100, side) for side in came]
    assert bracket(steps) == decided
    undecided = decided == Bracket(None, None, None)
    assert (next_value(WITHIN, steps) == 100) is undecided


def test_who_gave_in_is_told_of_the_lowest_value_that_failed_alone() -> None:
    steps = [Step(100, Side.HELD), *[Step(200, Side.SERVER)] * 2, *[Step(150, Side.LOAD)] * 2]
    assert bracket(steps) == Bracket(100, 150, Side.LOAD)
    steps = [Step(100, Side.HELD), *[Step(200, Side.LOAD)] * 2, *[Step(150, Side.SERVER)] * 2]
    assert bracket(steps) == Bracket(100, 150, Side.SERVER)


@given(ranges, st.floats(0, 200_000))
def test_the_edge_is_inside_of_the_bracket_which_is_as_narrow_as_asked(within: Range, edge: float) -> None:
    found = bracket(searched(within, up_to(edge)))
    if found.held is None:
        assert found.failed == within.lowest > edge
    elif found.failed is None:
        assert found.held == within.limit <= edge
    else:
        assert found.held <= edge < found.failed
        assert found.failed - found.held <= max(within.precision * found.held, 1 if within.whole else 0)


@given(ranges, st.data())
def test_it_ends_in_few_steps_and_within_its_limits_whatever_the_noise(within: Range, data: st.DataObject) -> None:
    steps = searched(within, lambda _: data.draw(sides))
    assert len(steps) <= most_steps(within)
    for value in values(steps):
        assert within.lowest <= value <= within.limit
        assert not within.whole or value == int(value)
    found = bracket(steps)
    assert found.held is None or found.failed is None or found.held < found.failed


@given(ranges, st.data())
def test_a_search_that_was_cut_off_goes_on_as_if_it_had_not_been(within: Range, data: st.DataObject) -> None:
    steps = searched(within, lambda _: data.draw(sides))
    for made in range(len(steps)):
        assert next_value(within, steps[:made]) == steps[made].value


@given(ranges, st.data())
def test_what_is_estimated_to_be_left_is_nothing_only_at_the_end_and_never_much(within: Range, data: st.DataObject) -> None:
    steps = searched(within, lambda _: data.draw(sides))
    assert steps_left(within, steps) == 0
    for made in range(len(steps)):
        assert 1 <= steps_left(within, steps[:made]) <= most_steps(within)
