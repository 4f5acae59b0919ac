"""The table of lies, and the ways in which they are run."""

import inspect
from dataclasses import fields
from importlib import import_module

import pytest

from pushbench.environment import CHECKOUT
from pushbench.lies import gallery
from pushbench.lies.table import LIES, Lie
from pushbench.results import ResultsError


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_every_lie_has_all_its_words_and_a_way_to_be_run(lie: Lie) -> None:
    assert [field.name for field in fields(lie) if getattr(lie, field.name) == ""] == []
    assert inspect.iscoroutinefunction(import_module(f"pushbench.lies.ways.{lie.name}").both)


def test_no_way_is_without_a_lie() -> None:
    ways = {path.stem for path in (CHECKOUT / "pushbench" / "lies" / "ways").glob("[a-z]*.py")}
    assert ways == set(LIES)


def test_the_gallery_has_its_order_whatever_is_asked_for_first() -> None:
    assert [lie.name for lie in gallery.chosen([])] == list(LIES)
    assert [lie.name for lie in gallery.chosen(["averages", "closed_loop", "averages"])] == ["closed_loop", "averages"]


@pytest.mark.parametrize(("name", "hint"), [("averges", "did you mean averages"), ("xyz", "there are closed_loop, ")])
def test_a_name_that_is_not_there_is_told_with_the_nearest_or_with_all(name: str, hint: str) -> None:
    with pytest.raises(ResultsError, match=f"no lie is called {name}: {hint}"):
        gallery.chosen([name])
