"""The page of the gallery says what was measured."""

import pytest

from pushbench.lies import page
from pushbench.lies.store import load
from pushbench.lies.table import LIES
from pushbench.reference import REFERENCE
from pushbench.results import ResultsError


def test_the_page_has_the_figures_of_the_reference() -> None:
    text = page.PAGE.read_text()
    assert page.with_part(text, page.part(load(REFERENCE))) == text


def test_the_reference_has_every_lie_and_each_was_shown() -> None:
    shown = load(REFERENCE).shown
    assert [one.name for one in shown] == list(LIES)
    assert [one.name for one in shown if not one.holds] == []


def test_a_page_without_its_marks_is_refused() -> None:
    with pytest.raises(ResultsError, match="has no lines <!-- made by"):
        page.with_part("# Nothing", "")
