"""An exchange in a terminal: all of it, within its width, each name explained once."""

import io
import re

import pytest
from rich.console import Console

from pushbench.anatomy import record
from pushbench.anatomy.examples import RFC_6455
from pushbench.anatomy.exchange import Exchange
from pushbench.anatomy.text import show


def told(exchange: Exchange, width: int = 110, **options: object) -> str:
    out = io.StringIO()
    show(Console(file=out, width=width, **options), exchange)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 80, 160])
@pytest.mark.parametrize("name", ["polling", "websocket"])
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    assert max(map(len, told(record.load(name), width).splitlines())) <= width


def test_it_has_its_parts_in_their_order() -> None:
    text = told(record.load("websocket"))
    headings = ["bytes by kind: HTTP", "Who waited for whom", "The life of each update", "Every byte", "What it costs"]
    places = [text.index(one) for one in headings]
    assert places == sorted(places)
    assert "The kernel counted the same bytes as passed the tap" in text


def test_each_name_is_explained_once_and_what_is_like_before_is_not_said_again() -> None:
    text = " ".join(told(record.load("polling"), 160).split())
    assert text.count("Which site is meant") == 1
    assert re.search(r"\d+ bytes are as at [\d.]+ ms, and these differ:", text)


def test_colours_are_there_where_they_can_be_shown() -> None:
    assert "\x1b[" in told(RFC_6455, force_terminal=True)
    assert "\x1b[" not in told(RFC_6455)


def test_the_examples_of_the_standard_are_told_without_times() -> None:
    text = " ".join(told(RFC_6455).split())
    assert "b37a4f2cc0624f1690f64606cf385945b2bec4ea" in text
    assert "frame: masking key" in text
    assert "in the clear: Hello" in text
    assert "frame: 64 bit length: 65536 bytes" in text
    assert "Who waited for whom" not in text
