"""Exchanges captured from the suite's own server: each takes some three seconds, so they are slow."""

import asyncio

import pytest

from pushbench import contract, dissect, environment
from pushbench.anatomy import asked, costs
from pushbench.anatomy.capture import without
from pushbench.anatomy.directions import annotated, parts
from pushbench.anatomy.spans import Kind
from pushbench.results import ResultsError
from pushbench.scenario_errors import ScenarioError
from pushbench.tap import Piece, Tape
from pushbench.transports import ROWS
from tests.pushbench.anatomy.spoken import counted, dissected, is_whole


@pytest.mark.slow
@pytest.mark.parametrize("name", asked.CAPTURED)
def test_of_a_captured_exchange_every_byte_is_told_and_all_who_count_agree(name: str) -> None:
    if ROWS[name].quic:
        pytest.importorskip("aioquic", reason="aioquic is not installed: pip install 'pushbench[webtransport]'")
    exchange = asked.exchange(name, None, example=False)
    directions = annotated(exchange)
    passed = parts(exchange, directions)
    last = {(part.piece.connection, part.piece.up): part.begin for part in passed}
    for (connection, up), found in directions.items():
        assert is_whole(found)
        untold = [span for span in found.spans if span.kind is Kind.REST]
        assert [span for span in untold if span.offset < last[connection, up]] == []  # the last piece may be cut
        if not exchange.quic:
            reading = dissect.lines if exchange.bare else dissect.requests if up else dissect.answers
            assert counted(found) == dissected(reading, found.data)
    assert "the same bytes" in costs.agreement(exchange, passed)
    said = [event.seq for part in passed if not part.piece.up for event in part.events if event.seq is not None]
    assert said == [0, 1, 2]
    assert [seq for one in exchange.received for seq in one.seqs] == [0, 1, 2]


@pytest.mark.parametrize(
    ("transport", "target", "example", "says"),
    [
        ("pollin", "starlette", False, "pollin: no such transport, did you mean polling"),
        ("null", "starlette", False, "null: no such transport"),
        ("post", "starlette", False, "post: no such transport"),
        (None, "starlette", False, "name a transport"),
        ("tcp", "granian", False, "tcp has a server of its own, and none of granian: leave --target out"),
        ("sse", "starlette", True, "--example has bytes of its own, and captures no sse"),
        ("nothing.json", "starlette", False, "nothing.json cannot be read: No such file"),
        ("webtransport", "granian", False, "granian does not claim webtransport"),
        ("stream", "https://127.0.0.1:1", False, "its bytes would be ciphertext"),
    ],
)
def test_what_cannot_be_captured_is_told_in_one_line(transport: str | None, target: str, example: bool, says: str) -> None:
    with pytest.raises((ResultsError, ScenarioError), match=says) as raised:
        asked.exchange(transport, target, example=example)
    assert "\n" not in str(raised.value)


def test_a_server_that_is_not_there_is_told_of() -> None:
    async def taken() -> int:
        async with await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0) as server:
            port: int = server.sockets[0].getsockname()[1]
            return port

    free = asyncio.run(taken())
    with pytest.raises(ResultsError, match=f"http://127.0.0.1:{free} stream: "):
        asked.exchange("stream", f"http://127.0.0.1:{free}", example=False)


def test_everything_that_pushes_over_a_wire_can_be_captured() -> None:
    assert [name for name, row in ROWS.items() if row.pushes and name not in asked.CAPTURED] == ["null"]
    assert environment.placed().server
    assert contract.known("starlette").contract.transports.keys() <= set(asked.CAPTURED)


def test_a_token_is_not_kept_and_the_bytes_stay_as_many() -> None:
    tape = Tape()
    tape.keep(Piece(1, 0, True, b"Authorization: Bearer secret\r\n"))
    [kept] = without("secret", tape)
    assert kept.data == b"Authorization: Bearer xxxxxx\r\n"
    assert without("", tape)[0].data == tape.pieces[0].data
