"""The links of a built site: does each lead to a file that is there, and to an anchor in it?

It knows HTML as files, and reads nothing but the directory that it is given. Links to other sites cannot be followed here,
for nothing goes to the network; but a page that loads anything from one is told, because it would not be whole offline.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"src", "srcset", "data", "poster"}
"""Attributes whose target is part of the page."""


@dataclass(slots=True)
class Page:
    """What a page has for others, and wants of them."""

    anchors: set[str] = field(default_factory=set)
    leads: list[str] = field(default_factory=list)
    """Where its links lead."""
    loads: list[str] = field(default_factory=list)
    """What it is not whole without."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if not value:
                continue
            if name == "id" or (tag == "a" and name == "name"):
                self.page.anchors.add(value)
            elif name in LOADED or (tag == "link" and name == "href"):
                self.page.loads.append(value)
            elif name == "href":
                self.page.leads.append(value)


def read(html: str) -> Page:
    """What is to be known of a page's text."""
    reader = _Reader()
    reader.feed(html)
    return reader.page


def broken(site: Path) -> Iterator[str]:
    """Whatever leads nowhere in the pages below a directory, each as one line that says where it is and what is missing."""
    pages = {path: read(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        here = path.relative_to(site)
        for target in page.loads:
            if urlsplit(target).netloc:
                yield f"{here}: loads {target} from another site, and would not be whole offline"
        for target in [*page.loads, *page.leads]:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            to = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not to.is_relative_to(site.resolve()) or not to.is_file():
                yield f"{here}: {target} leads to no file of the site"
            elif parts.fragment and to in pages and unquote(parts.fragment) not in pages[to].anchors:
                yield f"{here}: {target} leads to no anchor of that page"
