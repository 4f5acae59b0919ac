"""Links of a built site: what leads nowhere is told, with its place, and what leads somewhere is not."""

from pathlib import Path

import pytest

from docs.site.links import broken, read


def site(directory: Path, **pages: str) -> Path:
    for name, html in pages.items():
        path = directory / name.replace("__", "/")
        path.parent.mkdir(exist_ok=True)
        path.with_suffix(".html").write_text(html, encoding="utf-8")
    return directory


def test_a_page_is_read_for_its_anchors_and_for_what_it_leads_to_and_loads() -> None:
    page = read(
        '<link href="a.css"><p id="here"><a name="old" href="b.html#x">b</a><img src="c.png"><script src="d.js"></script>'
    )
    assert (page.anchors, page.leads, page.loads) == ({"here", "old"}, ["b.html#x"], ["a.css", "c.png", "d.js"])


@pytest.mark.parametrize(
    "target",
    [
        "two.html",
        "two.html#there",
        "#here",
        "#",
        "../two.html",
        "two.html?q=1#there",
        "https://example.org/x",
        "mailto:a@b",
        "",
    ],
)
def test_a_link_that_leads_somewhere_is_not_told(tmp_path: Path, target: str) -> None:
    folder = "sub__one" if target.startswith("..") else "one"
    pages = {folder: f'<p id="here"><a href="{target}">x</a>', "two": '<p id="there">'}
    assert list(broken(site(tmp_path, **pages))) == []


@pytest.mark.parametrize(
    ("html", "told"),
    [
        ('<a href="gone.html">', "one.html: gone.html leads to no file of the site"),
        ('<a href="two.html#gone">', "one.html: two.html#gone leads to no anchor of that page"),
        ('<a href="#gone">', "one.html: #gone leads to no anchor of that page"),
        ('<img src="gone.png">', "one.html: gone.png leads to no file of the site"),
        ('<a href="..">', "one.html: .. leads to no file of the site"),
        ('<a href="/two.html">', "one.html: /two.html leads to no file of the site"),
        ('<script src="https://cdn.example/x.js"></script>', "one.html: loads https://cdn.example/x.js from another site"),
        ('<link href="//cdn.example/x.css">', "one.html: loads //cdn.example/x.css from another site"),
    ],
)
def test_a_link_that_leads_nowhere_is_told(tmp_path: Path, html: str, told: str) -> None:
    (one,) = broken(site(tmp_path, one=html, two='<p id="there">'))
    assert one.startswith(told)


def test_an_anchor_with_other_letters_is_found_as_the_browser_finds_it(tmp_path: Path) -> None:
    pages = {"one": '<a href="#gr%C3%B6%C3%9Fe">x</a><p id="größe">'}
    assert list(broken(site(tmp_path, **pages))) == []
