"""The first and the last subscriber of each message."""

import numpy as np
from hypothesis import given, strategies as st

from pushbench import fanout
from pushbench.fanout import Fanout

MS = 1_000_000


def of(*deliveries: tuple[int, int], measured: range = range(3)) -> Fanout:
    """Of deliveries given as (message, latency in ms)."""
    seq = np.array([seq for seq, _ in deliveries], dtype=np.int64)
    latency_ns = np.array([latency * MS for _, latency in deliveries], dtype=np.int64)
    return fanout.of(seq, latency_ns, measured)


def test_the_first_and_the_last_are_medians_over_the_messages() -> None:
    seen = of((0, 5), (0, 1), (1, 2), (1, 9), (2, 4), (2, 3))
    assert seen.columns == {"fanout_first_ms": 2.0, "fanout_last_ms": 5.0}


def test_what_is_not_measured_has_no_part_in_it() -> None:
    assert of((0, 500), (1, 2), (2, 3), (3, 700), measured=range(1, 3)).columns == {
        "fanout_first_ms": 2.5,
        "fanout_last_ms": 2.5,
    }


def test_a_message_that_nobody_got_is_left_out_and_without_any_there_is_nothing_to_tell() -> None:
    assert of((1, 7)).columns == {"fanout_first_ms": 7.0, "fanout_last_ms": 7.0}
    assert of().columns == Fanout().columns == {"fanout_first_ms": None, "fanout_last_ms": None}


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1000)), max_size=30), st.integers(0, 30))
def test_the_parts_add_up_to_the_whole_wherever_it_is_divided(deliveries: list[tuple[int, int]], at: int) -> None:
    whole = of(*deliveries)
    parts = fanout.total([of(*deliveries[:at]), of(*deliveries[at:])])
    assert parts == whole
