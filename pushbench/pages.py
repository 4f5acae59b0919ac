"""A page that stands alone: sections with a table of contents, style, script, and charts in the colours of the page.

Knows templates. What a section says is its caller's.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from pushbench import chart_colours
from pushbench.glossary import VERDICTS
from pushbench.page_table import PageTable, meanings

_ID = re.compile(r' id="([^"]+)"')
_REFERRED = re.compile(r'(?:\bhref="#|url\(#)([^")]+)')
_VERDICT = re.compile(rf"\b({'|'.join(VERDICTS)})\b")


@dataclass(frozen=True, slots=True)
class Section:
    """A section: its template has the name of its id, in the folder of the kind of page or in `shared`."""

    id: str
    title: str


GLOSSARY = (Section("columns", "What the columns mean"), Section("verdict-words", "What the verdicts mean"))
"""The last sections of every page."""


def render(
    kind: str, title: str, sections: Iterable[Section], explained: Sequence[PageTable], svgs: Sequence[str], **context: Any
) -> str:
    """A page of this kind. `explained` are its tables whose headings have definitions, `svgs` its charts, as `inline`
    gives them; `context` is what its sections show."""
    templates = Environment(
        loader=PackageLoader("pushbench"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    templates.filters |= {"verdicts": _linked, "short": _short}
    return templates.get_template("page.html.j2").render(
        kind=kind,
        title=title,
        sections=[*sections, *GLOSSARY],
        meanings=meanings(explained),
        verdict_words=VERDICTS,
        dark=chart_colours.in_the_dark(svgs),
        **context,
    )


def inline(svg: str, name: str) -> str:
    """The SVG for use inside a page: without its XML head, with the colours of the page, and with ids that are its own.

    Ids that nothing refers to are left out: those of two panels may be equal.
    """
    body = chart_colours.adapted(svg[svg.index("<svg") :])
    wanted = set(_REFERRED.findall(body))
    body = _ID.sub(lambda found: found[0] if found[1] in wanted else "", body)
    return re.sub(r'( id="|\bhref="#|url\(#)', rf"\g<1>{name}-", body)


def _linked(text: str) -> Markup:
    """Verdicts as links to what they mean."""
    return Markup(_VERDICT.sub(r'<a href="#verdict-\1">\1</a>', str(escape(text))))


def _short(value: float) -> str:
    return f"{value:.12g}"
