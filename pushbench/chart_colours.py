"""The colours of a chart on a page, as variables, so that the page can have others in the dark. Pure: texts and colours.

A chart is drawn once, for white paper. Greys change places (ink becomes light, paper dark); a hue stays and is made
lighter where it would be too dark to read.
"""

import colorsys
import re
from collections.abc import Iterable

DARK_PAPER, DARK_INK = 0.11, 0.92
"""Lightness of what is white and black on paper."""
GREY_SATURATION = 0.12
LEAST_LIGHTNESS, MOST_SATURATION = 0.6, 0.72
"""Of a hue on dark paper: no darker, and no more glaring."""

_STYLED = re.compile(r"\b(fill|stroke): #([0-9a-f]{6})\b")
_ATTRIBUTE = re.compile(r'\bfill="#([0-9a-f]{6})"')
_USED = re.compile(r"var\(--([0-9a-f]{6}),")


def adapted(svg: str) -> str:
    """The SVG with a variable for each colour; where none is set it looks as before."""
    svg = _ATTRIBUTE.sub(r'style="fill: #\1"', svg)
    return _STYLED.sub(r"\1: var(--\2, #\2)", svg)


def in_the_dark(svgs: Iterable[str]) -> dict[str, str]:
    """The variables that these adapted SVGs use, and what they are in the dark; black is what has no colour."""
    used = {"000000", *(name for svg in svgs for name in _USED.findall(svg))}
    return {f"--{name}": dark(f"#{name}") for name in sorted(used)}


def dark(colour: str) -> str:
    """What `#rrggbb` becomes on dark paper."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    if saturation < GREY_SATURATION or lightness in (0, 1):
        lightness = DARK_INK - lightness * (DARK_INK - DARK_PAPER)
    else:
        lightness, saturation = max(lightness, LEAST_LIGHTNESS), min(saturation, MOST_SATURATION)
    channels = colorsys.hls_to_rgb(hue, lightness, saturation)
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)
