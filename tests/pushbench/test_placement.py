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


@pytest.mark.parametrize(
    ("cores", "workers", "server", "swarm"),
    [
        (range(2), 6, (0,), (1,)),  # there is nothing to share out
        (range(4), 1, (0,), (1, 3)),
        (range(4), 2, (0, 3), (1,)),
        (range(4), 9, (0, 3), (1,)),
        (range(8), 3, (0, 6, 7), (1, 3, 4, 5)),
        (range(8), 9, (0, 5, 6, 7), (1, 3, 4)),
    ],
)
def test_a_server_of_several_processes_has_a_core_for_each_but_no_more_than_half_of_the_swarms(
    cores: range, workers: int, server: tuple[int, ...], swarm: tuple[int, ...]
) -> None:
    plan = place(cores).serving(workers)
    assert (plan.server, plan.swarm) == (server, swarm)
    assert not set(plan.relay) & set(plan.server)
