"""Building the site: what an earlier build has left takes no part."""

import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest


def test_a_link_to_a_page_that_is_no_more_is_told_although_an_earlier_build_had_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    html = tmp_path / "html"
    html.mkdir()
    (html / "gone.html").write_text("<p>gone</p>")
    (tmp_path / "method.md").write_text("")

    def build(arguments: list[str]) -> int:
        (html / "docs").mkdir(parents=True)
        (html / "docs/index.html").write_text('<a href="../gone.html">x</a>')
        return 0

    for name in ("sphinx", "sphinx.cmd", "sphinx.cmd.build"):  # it is installed only where the site is built
        monkeypatch.setitem(sys.modules, name, SimpleNamespace(main=build))
    monkeypatch.delitem(sys.modules, "docs.site.__main__", raising=False)
    site = import_module("docs.site.__main__")
    for name, value in {"ROOT": tmp_path, "DOCS": tmp_path, "HTML": html, "pages": lambda _: {}}.items():
        monkeypatch.setattr(site, name, value)
    assert site.main() == 1
    assert "gone.html leads to no file of the site" in capsys.readouterr().err
