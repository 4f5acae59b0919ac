"""Who waited for whom, in words, from what passed and when."""

from pushbench.anatomy import costs
from pushbench.anatomy.directions import annotated, parts
from pushbench.anatomy.exchange import Counted, Exchange, Mark, Piece, Published, Received
from pushbench.anatomy.spans import Kind
from pushbench.anatomy.timeline import Row, lives, rows
from tests.pushbench.anatomy.spoken import ASK, NOTHING, STREAM, UPGRADE, UPGRADED, chunk, frame, published, whole

MS = 1_000_000


def exchange(*pieces: tuple[int, bool, bytes], sent_ms: tuple[int, ...] = (), **more: object) -> Exchange:
    told = tuple(Published(seq, (at - 2) * MS, at * MS, (at + 1) * MS) for seq, at in enumerate(sent_ms))
    all_pieces = tuple(Piece(at * MS, 0, up, data) for at, up, data in pieces)
    return Exchange("any", "mine", "a server", "", all_pieces, published=told, **more)  # type: ignore[arg-type]


def told(made: Exchange) -> list[Row]:
    return rows(made, parts(made, annotated(made)))


def waits(made: Exchange) -> list[str]:
    return [row.waits for row in told(made) if row.part is not None]


def test_a_poll_is_told_with_what_waited_for_it() -> None:
    made = exchange(
        (0, True, ASK), (2, False, NOTHING), (200, True, ASK), (203, False, whole(published(0))), sent_ms=(120,)
    )
    assert waits(made) == [
        "",
        "answered after 2.0 ms: nothing is new",
        "the client has waited 198 ms before it asks again",
        "message 0 has waited 80 ms for this request, and is answered after 3.0 ms",
    ]


def test_a_request_that_is_held_is_told_with_how_long() -> None:
    made = exchange(
        (0, True, ASK), (412, False, whole(published(0))), (413, True, ASK), (1413, False, NOTHING), sent_ms=(410,)
    )
    assert waits(made)[1:] == [
        "the server has held the request for 412 ms; message 0 passes 2.0 ms after it was published",
        "it asks again at once",
        "the server has held the request for 1000 ms: nothing was new",
    ]
    assert [row.held_since_ms for row in told(made) if row.way == "down"] == [0.0, 413.0]


def test_on_an_endless_answer_nobody_has_to_ask() -> None:
    made = exchange((0, True, ASK), (1, False, STREAM), (103, False, chunk(published(0) + b"\n")), sent_ms=(100,))
    assert waits(made)[1:] == [
        "the answer begins after 1.0 ms, and does not end",
        "message 0 passes 3.0 ms after it was published: nobody had to ask",
    ]


def test_pings_and_good_byes_are_told() -> None:
    made = exchange(
        (0, True, UPGRADE),
        (1, False, UPGRADED),
        (1001, False, frame(9, b"abcd")),
        (1003, True, frame(10, b"abcd", key=b"abcd")),
        (2000, True, frame(8, b"\x03\xe8", key=b"abcd")),
        (2004, False, frame(8, b"\x03\xe8")),
    )
    assert waits(made)[1:] == [
        "from here on it is a WebSocket",
        "nothing was said for 1000 ms: is the other side still there?",
        "the answer to the ping of 2.0 ms ago: the same bytes",
        "says good-bye",
        "and so does the other side, after 4.0 ms",
    ]


def test_publishing_and_handing_over_have_their_places_in_between() -> None:
    made = exchange((0, True, ASK), (8, False, whole(published(0))), sent_ms=(5,), received=(Received(9 * MS, (0,)),))
    assert [(row.at_ms, row.way, row.what, row.waits) for row in told(made) if row.part is None] == [
        (5.0, "published", "message 0 is published", "2.00 ms after it was due"),
        (9.0, "received", "message 0 is handed over", "6.0 ms after it was due"),
    ]


def test_the_life_of_an_update_is_told_as_far_as_it_is_known() -> None:
    made = exchange((0, True, ASK), (8, False, whole(published(0))), sent_ms=(5, 50), received=(Received(9 * MS, (0,)),))
    first, second = lives(made, parts(made, annotated(made)))
    assert (first.due_ms, first.sent_ms, first.taken_ms, first.passed_ms, first.received_ms, first.age_ms) == (
        3.0, 5.0, 6.0, 8.0, 9.0, 6.0,
    )  # fmt: skip
    assert (second.passed_ms, second.received_ms, second.age_ms) == (None, None, None)


def test_a_piece_in_which_nothing_ends_is_told_as_a_part() -> None:
    made = exchange((0, False, NOTHING[:20]), (1, False, NOTHING[20:]))
    assert [row.what for row in told(made)] == ["a part of what follows", "304 Not Modified"]


def test_one_update_costs_what_passed_between_two_publications() -> None:
    def counted(*values: int) -> Counted:
        return Counted(*values)

    made = exchange(
        (0, True, ASK),
        (8, False, whole(published(0))),
        (20, True, ASK),
        (28, False, whole(published(1))),
        (31, True, ASK),
        marks=(Mark(10 * MS, counted(9, 9, 1, 1, 52, 52)), Mark(30 * MS, counted(99, 59, 3, 2, 156, 104))),
        counted=counted(500, 200, 5, 6, 260, 312),
    )
    passed = parts(made, annotated(made))
    one = costs.one_update(made, passed)
    assert one
    assert one.down[Kind.PAYLOAD] == 128
    assert one.up == {Kind.HTTP: len(ASK)}
    assert one.counted == counted(90, 50, 2, 1, 104, 52)
    table = dict(costs.cost_rows(made, passed))
    assert table["TCP/IP headers"] == [104, 52, 260, 312]
    assert table["total, bytes"][1] == len(ASK) + 52
    assert "counted other bytes than passed the tap: 500 down where" in costs.agreement(made, passed)


def test_without_counts_no_cost_is_made_up() -> None:
    made = exchange((0, True, ASK))
    passed = parts(made, annotated(made))
    assert costs.one_update(made, passed) is None
    assert costs.agreement(made, passed) == ""
    assert dict(costs.cost_rows(made, passed))["total, bytes"] == [None] * 4
