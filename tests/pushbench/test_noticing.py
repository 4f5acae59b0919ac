"""Noticing: by how many cursors a server has it is told when half of those that vanished were noticed, and when all."""

import pytest

from pushbench.noticing import noticed_ms

MS = 1_000_000


@pytest.mark.parametrize(
    ("cursors", "p50", "all_"),
    [
        ([10, 10, 10, 10, 10], None, None),  # never
        ([10, 10, 6, 6, 6], 100, 100),  # at once
        ([10, 10, 9, 8, 6], 200, 300),
        ([10, 10, 8, 8, 8], 100, None),
        ([10, 10, 3, 10, 6], 300, 300),  # three was a moment between two requests, for it had ten again
        ([9, 10, 6, 2, 6], 100, 100),
        ([], None, None),
    ],
)
def test_a_vanished_reader_is_noticed_when_the_server_never_again_has_so_many(
    cursors: list[int], p50: float | None, all_: float | None
) -> None:
    looks = [((nth - 1) * 100 * MS, many) for nth, many in enumerate(cursors)]
    assert noticed_ms(looks, 0, vanished=4) == {"noticed_p50_ms": p50, "noticed_all_ms": all_}


def test_where_nobody_vanishes_nothing_is_noticed() -> None:
    assert noticed_ms([(0, 10), (5, 3)], 0, vanished=0) == {"noticed_p50_ms": None, "noticed_all_ms": None}
