"""A real browser: Debian's chromium, driven by playwright; without them these tests are skipped, and say why.

What it does is noted: errors on its console, and every request. Where screenshots go is said by `DEMO_SCREENSHOTS`.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.demo.demos import Demo, showing

FLAGS = [
    "--no-sandbox",  # as root there is none
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT_MS = 30_000
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def chromium() -> str:
    """Where it is. Skips if there is none."""
    for name in ("chromium", "chromium-browser"):
        if found := shutil.which(name):
            return found
    pytest.skip("no chromium is installed: apt-get install chromium")


@pytest.fixture(scope="package")
def demo() -> Iterator[Demo]:
    with showing() as shown:
        yield shown


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install 'pushbench[browser]'")
    executable = chromium()
    with api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield launched
        launched.close()


@dataclass
class Shown:
    """The demo's page in a browser."""

    page: Any
    url: str
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def wait(self, expression: str, argument: object = None) -> None:
        """Until that is true on the page."""
        self.page.wait_for_function(expression, arg=argument, timeout=WAIT_MS)

    def figure(self, lane: str, name: str) -> str:
        text: str = self.page.inner_text(f"#lane-{lane} [data-figure={name}]")
        return text

    @property
    def lanes(self) -> list[str]:
        names: list[str] = self.page.eval_on_selector_all(".lane", "all => all.map((one) => one.dataset.lane)")
        return names

    @property
    def published(self) -> int:
        return int(self.page.inner_text("#published").replace(",", ""))

    def until_all_have(self, count: int) -> None:
        """Until every lane has the message of that number, counted from 1."""
        all_lanes = "[...document.querySelectorAll('.lane')]"
        self.wait(f"count => {all_lanes}.every((one) => one.dataset.highest >= count - 1)", count)

    def until_published(self, count: int) -> None:
        self.wait("count => Number(document.getElementById('published').textContent.replaceAll(',', '')) >= count", count)

    def set(self, control: str, step: int) -> None:
        """Move a slider to one of its steps, by the keyboard."""
        slider = self.page.locator(f"#{control}")
        slider.focus()
        slider.press("Home")
        for _ in range(step):
            slider.press("ArrowRight")


Show = Callable[..., Shown]


@pytest.fixture
def show(browser: Any, demo: Demo) -> Iterator[Show]:
    """Opens the page, as often as it is called; in the end no request may have left loopback."""
    contexts = []
    all_shown = []

    def opened(path: str = "/", **options: Any) -> Shown:
        context = browser.new_context(**{"viewport": DESK, **options})
        contexts.append(context)
        shown = Shown(context.new_page(), demo.url)
        all_shown.append(shown)
        shown.page.on("console", lambda said: shown.errors.append(said.text) if said.type == "error" else None)
        shown.page.on("pageerror", lambda error: shown.errors.append(str(error)))
        context.on("request", lambda request: shown.requests.append(request.url))
        shown.page.goto(demo.url + path)
        if path == "/":
            shown.wait("() => document.querySelectorAll('.lane').length > 0 && document.querySelector('#rate_hz')")
        return shown

    yield opened
    for context in contexts:
        context.close()
    asked = [url for shown in all_shown for url in shown.requests]
    assert [url for url in asked if urlsplit(url).hostname not in ("127.0.0.1", "localhost")] == []


@pytest.fixture
def shown(show: Show) -> Iterator[Shown]:
    """The page with a lively feed on a line that is whole, which it is again in the end."""
    one = show()
    one.page.click("#preset-usual")
    one.set("rate_hz", 5)
    yield one
    if one.page.inner_text("#cut") == "Mend the line":
        one.page.click("#cut")
    if one.page.inner_text("#server") == "Start the server":
        one.page.click("#server")
        one.wait("() => document.body.dataset.server === 'up'")
    one.page.click("#preset-usual")
    one.wait("() => document.querySelector('#rate_hz').getAttribute('aria-valuetext') === '2 a second'")


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go."""
    asked = os.environ.get("DEMO_SCREENSHOTS")
    directory = Path(asked) if asked else tmp_path_factory.mktemp("screenshots")
    directory.mkdir(parents=True, exist_ok=True)
    return directory
