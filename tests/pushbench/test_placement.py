"""Placement: the server has a core of its own wherever there are two."""

import pytest

from pushbench.placement import Placement, place


@pytest.mark.parametrize(
    ("cores", "placement", "shared"),
    [
        ([3], Placement((3,), (3,), (3,), (3,)), True),
        ([0, 1], Placement((0,), (1,), (1,), (1,)), False),
        ([0, 1, 2], Placement((0,), (1,), (2,), (2,)), False),
        ([4, 5, 6, 7], Placement((4,), (5, 7), (6,), (7,)), False),
    ],
)
def test_cores_are_given_to_roles(cores: list[int], placement: Placement, shared: bool) -> None:
    assert place(cores) == placement
    assert placement.shared == shared


def test_without_a_core_there_is_no_plan() -> None:
    with pytest.raises(ValueError, match="no core"):
        place([])
