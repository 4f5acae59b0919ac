"""What need not be said twice."""

import io

from rich.console import Console

from pushbench.anatomy.exchange import Exchange, Piece
from pushbench.anatomy.page import page
from pushbench.anatomy.shape import CONTINUED, view
from pushbench.anatomy.text import show
from tests.pushbench.anatomy.spoken import ASK, whole


def test_a_piece_in_which_no_part_begins_is_not_told_as_the_same_as_another() -> None:
    data = whole(b"x" * 400)
    cuts = ((True, ASK), (False, data[:-300]), (False, data[-300:-200]), (False, data[-200:-100]), (False, data[-100:]))
    pieces = tuple(Piece(at, 0, up, piece) for at, (up, piece) in enumerate(cuts))
    made = view(Exchange("any", "mine", "", "", pieces))
    assert [len(shown.part.spans) for shown in made.pieces[2:4]] == [0, 0]
    assert [shown.like for shown in made.pieces] == [None] * 5
    out = io.StringIO()
    show(Console(file=out, width=100), made.exchange)
    for told in (out.getvalue(), page(made.exchange)):
        assert told.count(CONTINUED) == 2


def test_a_piece_of_the_form_of_one_before_is_told_with_what_differs() -> None:
    pieces = (Piece(0, 0, True, ASK), Piece(1, 0, True, ASK.replace(b'"3"', b'"4"')))
    first, second = view(Exchange("any", "mine", "", "", pieces)).pieces
    assert second.like == first.row
    assert [second.part.spans[index].name for index in second.differing] == ["header if-none-match"]
