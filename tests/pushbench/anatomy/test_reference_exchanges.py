"""The exchanges that are kept with the repository: one of each transport over TCP, whole, counted alike by all."""

import pytest

from pushbench import dissect
from pushbench.anatomy import costs, record
from pushbench.anatomy.directions import annotated, parts
from pushbench.anatomy.exchange import Exchange
from pushbench.anatomy.shape import View, view
from pushbench.anatomy.spans import Kind
from pushbench.transports import FLOORS, OVER_TCP
from tests.pushbench.anatomy.spoken import counted, dissected, is_whole

NAMES = [*OVER_TCP, *(name for name, row in FLOORS.items() if row.own_target)]


@pytest.fixture(params=NAMES)
def exchange(request: pytest.FixtureRequest) -> Exchange:
    return record.load(request.param)


def test_every_byte_is_told_once_and_as_it_is_counted(exchange: Exchange) -> None:
    for (_, up), found in annotated(exchange).items():
        assert is_whole(found)
        reading = dissect.lines if exchange.bare else dissect.requests if up else dissect.answers
        assert counted(found) == dissected(reading, found.data)
        assert Kind.REST not in {span.kind for span in found.spans}


def test_the_kernel_counted_the_bytes_that_passed_the_tap(exchange: Exchange) -> None:
    directions = annotated(exchange)
    assert "the same bytes" in costs.agreement(exchange, parts(exchange, directions))
    whole = costs.whole(exchange, parts(exchange, directions))
    assert sum(whole.down.values()) + sum(whole.up.values()) == sum(len(piece.data) for piece in exchange.pieces)


def test_each_update_arrived_and_one_update_was_counted_by_itself(exchange: Exchange) -> None:
    made = view(exchange)
    assert [life.seq for life in made.lives] == [0, 1, 2]
    for life in made.lives:
        assert life.passed_ms is not None
        assert life.received_ms is not None
        assert life.due_ms <= life.sent_ms <= life.passed_ms <= life.received_ms
    table = dict(made.cost)
    assert table["payload"][0] == 128
    assert all(value and value > 0 for value in table["TCP/IP headers"])


def words(made: View) -> str:
    return " | ".join(f"{row.what}: {row.waits}" for row in made.rows)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("polling", ["304 Not Modified: answered after", "has waited", "before it asks again"]),
        ("longpoll", ["nothing was new", "200 OK, message 1: the server has held the request for"]),
        ("stream", ["heartbeat (an empty line)", "nobody had to ask", "and does not end"]),
        ("sse", ["heartbeat (the comment “heartbeat”)", "an event with nothing but the id 0"]),
        ("websocket", ["ping", "pong: the answer to the ping", "close 1000, normal closure: says good-bye"]),
    ],
)
def test_what_is_typical_of_a_transport_has_come_and_is_told(name: str, said: list[str]) -> None:
    told = words(view(record.load(name)))
    assert [one for one in said if one not in told] == []
