"""The colours of a chart in the dark: greys change places, hues stay and become light enough."""

import pytest

from pushbench.chart_colours import adapted, dark, in_the_dark
from pushbench.charts.style import FLOOR_GREYS, GREY, INK, PALETTE

PAPER = 0x1C


def lightness(colour: str) -> float:
    """Relative luminance (WCAG 2.1)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", [*PALETTE, INK, GREY, *FLOOR_GREYS])
def test_what_is_drawn_can_be_seen_on_dark_paper(colour: str) -> None:
    contrast = (lightness(dark(colour.lower())) + 0.05) / (lightness(dark("#ffffff")) + 0.05)
    assert contrast >= 3  # WCAG 2.1, 1.4.11: graphical objects


def test_white_paper_becomes_dark_and_black_ink_light() -> None:
    assert lightness(dark("#ffffff")) < 0.02
    assert lightness(dark("#000000")) > 0.8


def test_every_colour_becomes_a_variable_that_is_the_colour_itself_unless_it_is_set() -> None:
    svg = adapted(
        '<path style="fill: #d55e00; stroke: #0072b2; opacity: 0.2"/><rect fill="#222222"/><use xlink:href="#dddddd"/>'
    )
    assert svg == (
        '<path style="fill: var(--d55e00, #d55e00); stroke: var(--0072b2, #0072b2); opacity: 0.2"/>'
        '<rect style="fill: var(--222222, #222222)"/><use xlink:href="#dddddd"/>'
    )
    assert set(in_the_dark([svg])) == {"--000000", "--d55e00", "--0072b2", "--222222"}
