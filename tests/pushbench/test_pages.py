"""A page's charts: ids of their own, and every colour one of the page's, in hatched bars too."""

import re

import pytest

from pushbench.chart_colours import dark, in_the_dark
from pushbench.charts import draw
from pushbench.pages import inline
from pushbench.report import as_svg
from tests.pushbench import network


@pytest.fixture(scope="module")
def hatched() -> str:
    """A chart that has hatched bars, as matplotlib writes them."""
    svg = as_svg(draw("bytes", {"trials": network.trials(("polling", "sse"))}))
    assert "<pattern" in svg
    return svg


def test_hatched_bars_have_their_colour_in_the_light_and_another_in_the_dark(hatched: str) -> None:
    page = inline(hatched, "bytes")
    hues = set(re.findall(r'fill="#([0-9a-f]{6})"', hatched))
    assert hues
    shades = in_the_dark([page])
    for hue in hues:
        assert f'style="fill: var(--{hue}, #{hue})"' in page
        assert shades[f"--{hue}"] == dark(f"#{hue}")
    assert set(re.findall(r"#bytes-([\w-]+)", page)) <= set(re.findall(r' id="bytes-([\w-]+)"', page))


def test_what_refers_to_an_id_follows_it_and_an_id_that_nothing_refers_to_is_left_out() -> None:
    svg = '<?xml?><svg><g id="a"/><g id="b"/><p id="c"/><use xlink:href="#a"/>'
    svg += '<i style="fill: url(#c)"/><i fill="#dddddd"/></svg>'
    page = inline(svg, "x")
    assert page.startswith('<svg><g id="x-a"/><g/><p id="x-c"/><use xlink:href="#x-a"/>')
    assert "fill: url(#x-c)" in page
    assert "#x-dddddd" not in page
