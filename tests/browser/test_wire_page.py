"""The page of one exchange, as a file: what is folded opens when a link leads there."""

from pathlib import Path
from typing import Any

from pushbench.anatomy.exchange import Exchange, Piece
from pushbench.anatomy.page import page
from tests.pushbench.anatomy.spoken import ASK

OPEN = "all => all.map((one) => one.open)"


def test_what_is_folded_opens_when_it_is_led_to_and_no_error_comes_of_an_empty_place(browser: Any, tmp_path: Path) -> None:
    place = tmp_path / "wire.html"
    place.write_text(page(Exchange("any", "mine", "", "", tuple(Piece(at, 0, True, ASK) for at in range(3)))))
    errors: list[str] = []
    with browser.new_page() as shown:
        shown.on("pageerror", lambda error: errors.append(str(error)))
        shown.goto(f"{place.as_uri()}#piece-1")
        assert shown.eval_on_selector_all("details", OPEN) == [True, False]
        shown.evaluate("location.hash = '#piece-2'")
        shown.wait_for_function("document.querySelectorAll('details')[1].open")
        shown.evaluate("new Promise((done) => { addEventListener('hashchange', done); location.hash = ''; }).then(() => 0)")
    assert errors == []
