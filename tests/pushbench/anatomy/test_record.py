"""An exchange as a file: what is written can be read, and what cannot be read is said to be so in a line."""

import json
from pathlib import Path

import pytest

from pushbench.anatomy import record
from pushbench.anatomy.exchange import Counted, Exchange, Mark, Piece, Published, Received
from pushbench.results import ResultsError
from tests.pushbench.anatomy.spoken import ASK, NOTHING, published, whole

MADE = Exchange(
    "polling",
    "mine",
    "a server",
    "2026-01-01T00:00:00+00:00",
    (
        Piece(10, 0, True, ASK),
        Piece(20, 0, False, NOTHING),
        Piece(30, 0, True, ASK),
        Piece(40, 0, False, whole(published(4))),
    ),
    published=(Published(4, 24, 25, 26),),
    received=(Received(41, (4,)),),
    marks=(Mark(24, Counted(1, 2, 3, 4, 5, 6)),),
    counted=Counted(10, 20, 3, 4, 50, 60),
)


def test_what_is_written_is_read_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(record.text(MADE))
    assert record.load(tmp_path / "one.json") == MADE


def test_all_that_was_made_of_it_is_written_too() -> None:
    written = json.loads(record.text(MADE))
    assert written["sums"]["payload"] == 128
    assert [row["way"] for row in written["timeline"]] == ["up", "down", "published", "up", "down", "received"]
    assert written["spans"][0] == {
        "connection": 0, "up": False, "offset": 0, "length": 9, "kind": "http", "name": "status line: version",
        "value": "HTTP/1.1",
    }  # fmt: skip
    assert {span["name"] for span in written["spans"]} == set(written["explanations"])
    assert written["costs"][-1] == {
        "what": "packets", "update_down": None, "update_up": None, "exchange_down": 3, "exchange_up": 4
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "is no JSON"),
        ("[]", "its schema is none, and 1 is read here"),
        ('{"schema": 99}', "its schema is 99"),
        ('{"schema": 1}', "it is no whole exchange"),
        (record.text(MADE).replace('"data": "R0VU', '"data": "R0V?'), "it is no whole exchange"),
    ],
)
def test_a_file_that_is_none_is_told_in_one_line(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "one.json").write_text(content)
    with pytest.raises(ResultsError, match=says) as raised:
        record.load(tmp_path / "one.json")
    assert "\n" not in str(raised.value)


def test_what_is_not_kept_is_told_with_what_is(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"no exchange of pigeon is kept: there are longpoll, polling"):
        record.load("pigeon")
    with pytest.raises(ResultsError, match="cannot be read: No such file"):
        record.load(tmp_path / "none.json")
