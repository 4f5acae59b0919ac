"""What notebooks are given: tables and the page, of an exchange that was kept."""

from dataclasses import replace

import pytest

from pushbench.anatomy import notebook
from pushbench.anatomy.examples import RFC_6455
from pushbench.anatomy.exchange import Exchange


@pytest.fixture(scope="module")
def exchange() -> Exchange:
    return notebook.load("websocket")


def test_each_table_has_what_the_exchange_had(exchange: Exchange) -> None:
    spans = notebook.spans(exchange)
    assert spans["length"].sum() == sum(len(piece.data) for piece in exchange.pieces)
    assert (spans["means"] != "").all()
    assert spans.groupby("kind")["length"].sum()["payload"] == 3 * 128
    assert list(notebook.lives(exchange).index) == [0, 1, 2]
    assert notebook.costs(exchange).loc["payload", "update_down"] == 128
    assert notebook.timeline(exchange)["at_ms"].is_monotonic_increasing


def test_the_page_is_displayed_in_a_frame_of_its_own(exchange: Exchange) -> None:
    html = notebook.show(exchange)._repr_html_()
    assert html.startswith('<iframe srcdoc="&lt;!doctype html')
    assert "<script" not in html


def test_an_exchange_of_nothing_has_tables_of_nothing() -> None:
    for made in (RFC_6455, replace(RFC_6455, pieces=())):
        assert list(notebook.lives(made).columns) == ["due_ms", "sent_ms", "taken_ms", "passed_ms", "received_ms"]
    assert list(notebook.timeline(made).columns) == ["at_ms", "way", "size", "what", "waits"]
    assert list(notebook.spans(made).columns)[-2:] == ["value", "means"]
    assert notebook.costs(made).empty
