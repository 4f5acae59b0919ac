"""The pages: what they load, and that nothing which people have typed can become a part of them but text."""

import re

import aiohttp
import pytest

from apps.pages import DIRECTORY, KINDS, PAGES
from pushbench.transports import OVER_TCP
from tests.serving import Server

SCRIPTS = sorted(DIRECTORY.glob("*.js"))
NAMES = [script.name for script in SCRIPTS]


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_and_all_that_it_loads_is_served_from_here_and_nothing_else_may_be_loaded(
    server: Server, http: aiohttp.ClientSession, path: str
) -> None:
    async with http.get(server.url(path)) as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert answer.headers["content-security-policy"].startswith("default-src 'self';")
        assert "unsafe" not in answer.headers["content-security-policy"]
        page = await answer.text()
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert loaded
    for target in loaded:
        assert target.startswith("/"), "an external address"
        async with http.get(server.url(target)) as answer:
            assert answer.status == 200, target


async def test_what_pages_load_is_served_without_the_token_and_as_what_it_is(
    server: Server, http: aiohttp.ClientSession
) -> None:
    for file in DIRECTORY.iterdir():
        async with http.get(server.url(f"/page/{file.name}")) as answer:
            if file.suffix in KINDS:
                assert answer.content_type == KINDS[file.suffix]
                assert answer.headers["x-content-type-options"] == "nosniff"
            else:
                assert answer.status == 404
    async with http.get(server.url("/page/../app.py")) as answer:
        assert answer.status == 404


@pytest.mark.parametrize("script", SCRIPTS, ids=NAMES)
def test_no_script_makes_html_of_text(script: object) -> None:
    text = DIRECTORY.joinpath(str(script)).read_text()
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|document\.write|\beval\b|new Function|DOMParser"
    )
    assert re.findall(forbidden, text) == []


@pytest.mark.parametrize("script", SCRIPTS, ids=NAMES)
def test_what_a_script_imports_is_there(script: object) -> None:
    for name in re.findall(r'from "\./([^"]+)"', DIRECTORY.joinpath(str(script)).read_text()):
        assert name in NAMES


@pytest.mark.parametrize("page", PAGES.values())
def test_a_page_has_no_script_and_no_style_in_it_and_every_field_has_a_label(page: str) -> None:
    text = (DIRECTORY / page).read_text()
    assert re.findall(r"<style|style=|\son\w+=|<script(?![^>]+src=)", text) == []
    fields = re.findall(r"<(?:input|select|textarea)\b", text)
    assert len(fields) == len(re.findall(r"<label[^>]*>[^<]+<(?:input|select|textarea)\b", text))


@pytest.mark.parametrize("page", PAGES.values())
def test_a_script_finds_all_elements_that_it_looks_for(page: str) -> None:
    script = DIRECTORY / page.replace(".html", ".js")
    wanted = set(re.findall(r'find\("(\w+)"\)', script.read_text())) if script.exists() else set()
    assert wanted <= set(re.findall(r'id="(\w+)"', (DIRECTORY / page).read_text()))


def test_the_browser_has_the_five_transports_by_their_names() -> None:
    text = (DIRECTORY / "transports.js").read_text()
    (table,) = re.findall(r"const TRANSPORTS = {(.*?)};", text, re.DOTALL)
    families = list(dict.fromkeys(row.family for row in OVER_TCP.values()))
    assert re.findall(r"^  (\w+):", table, re.MULTILINE) == families
