"""The recorder: every delivery is kept, as it came."""

import time

import pytest

from pushbench import message
from pushbench.recorder import Recorder


def data(seq: int, due_ns: int = 100, sent_ns: int = 200) -> bytes:
    return message.encode(seq, due_ns, sent_ns, 100)


def test_deliveries_are_kept_in_the_order_in_which_they_came() -> None:
    recorder = Recorder()
    first, second = recorder.sink(0), recorder.sink(1)
    first([data(4)])
    second([data(4), data(5)])
    first([data(3)])
    seen = recorder.observations()
    assert seen.subscriber.tolist() == [0, 1, 1, 0]
    assert seen.seq.tolist() == [4, 4, 5, 3]
    assert len(recorder) == 4


def test_messages_that_came_together_were_received_at_the_same_time_by_the_monotonic_clock() -> None:
    recorder = Recorder()
    before = time.monotonic_ns()
    recorder.sink(0)([data(0), data(1)])
    after = time.monotonic_ns()
    one, other = recorder.observations().received_ns
    assert one == other
    assert before <= one <= after


def test_coalesced_are_those_that_came_behind_another_in_one_response() -> None:
    recorder = Recorder()
    sink = recorder.sink(0)
    for seqs in ([0], [1, 2, 3], [4, 5]):
        sink([data(seq) for seq in seqs])
    assert recorder.observations().coalesced == 3


def test_one_list_that_is_handed_to_many_is_the_same_message_whatever_comes_between() -> None:
    recorder = Recorder()
    shared = [data(0)]
    recorder.sink(0)(shared)
    recorder.sink(1)([data(1), data(2)])
    recorder.sink(1)(shared)
    assert recorder.observations().seq.tolist() == [0, 1, 2, 0]


def test_each_delivery_has_the_times_that_its_message_says() -> None:
    recorder = Recorder()
    recorder.sink(0)([data(7, due_ns=70, sent_ns=71)])
    recorder.sink(1)([data(2, due_ns=20, sent_ns=22), data(7, due_ns=70, sent_ns=71)])
    seen = recorder.observations()
    assert seen.stamp_ns("due_ns").tolist() == [70, 20, 70]
    assert seen.stamp_ns("sent_ns").tolist() == [71, 22, 71]


def test_without_deliveries_everything_is_empty() -> None:
    recorder = Recorder()
    seen = recorder.observations()
    assert [len(seen.subscriber), len(seen.seq), len(seen.received_ns), len(seen.stamp_ns("due_ns"))] == [0] * 4
    assert len(recorder.latest_ms(0)) == 0


def test_the_latest_latencies_are_those_of_the_last_deliveries() -> None:
    recorder = Recorder()
    sink = recorder.sink(0)
    now_ns = time.monotonic_ns()
    sink([data(0, due_ns=now_ns)])
    sink([data(1, due_ns=now_ns - 5_000_000_000)])
    [latest] = recorder.latest_ms(1)
    seen = recorder.observations()
    assert latest == pytest.approx((seen.received_ns[1] - now_ns) / 1e6 + 5000)
    assert len(recorder.latest_ms(2)) == 2


def test_observations_do_not_change_when_more_is_recorded() -> None:
    recorder = Recorder()
    sink = recorder.sink(0)
    sink([data(0)])
    seen = recorder.observations()
    sink([data(1)])
    assert seen.seq.tolist() == [0]
    assert list(seen.stamps) == [0]


def test_what_is_no_message_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        Recorder().sink(0)([b"hello, world"])


def test_what_somebody_else_has_seen_is_noted_beside_what_was_handed_over() -> None:
    recorder = Recorder()
    recorder.know(5, message.Stamp(5, 100, 110))
    recorder.note(2, 5, 250)
    recorder.note(2, 5, 250)
    seen = recorder.observations()
    assert (list(seen.subscriber), list(seen.seq), list(seen.received_ns)) == ([2, 2], [5, 5], [250, 250])
    assert list(seen.stamp_ns("due_ns")) == [100, 100]
    assert seen.coalesced == 1
