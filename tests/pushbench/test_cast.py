"""What the processes of a trial have used, from two readings of the kernel's counts."""

import pytest

from pushbench.cast import LEAST_TICKS, _part


@pytest.mark.parametrize(
    ("before", "after", "part"),
    [
        ((10, 10), (70, 30), 0.75),
        ((0, 0), (0, LEAST_TICKS), 0.0),
        ((0, 0), (LEAST_TICKS - 1, 0), None),
        ((50, 50), (120, 10), None),
        ((5, 5), (5, 5), None),
    ],
)
def test_the_proportion_of_user_time_is_told_of_enough_ticks_of_one_process(
    before: tuple[int, int], after: tuple[int, int], part: float | None
) -> None:
    assert _part(before, after) == part
