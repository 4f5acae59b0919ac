"""What notebooks are given: tables and the page, of an exchange that was kept."""

import pytest

from pushbench.anatomy import notebook
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
