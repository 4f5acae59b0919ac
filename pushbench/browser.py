"""A browser as the subscribers: a page in a headless Chromium, which has as many as the load says, by its own means.

It stands in for an `Audience`: it is told to connect, to open and to leave, and what the page has noted goes into the same
recorder. The page is of the server's own origin, as an application's would be, so that no request is another origin's; it
is put there by the driver, and the server knows nothing of it. All of a browser's limits are the subscribers': six
connections of HTTP/1.1 to a server, and one of HTTP/2.

A page's clock is the kernel's monotonic one from when the page was navigated to, and its debugger says when that was; it is
held against what asking the page for the time says (`clocks`). What goes over its sockets nobody counts: the kernel tells
only who owns them.
"""

import asyncio
import base64
import hashlib
import importlib.util
import shutil
import socket
import ssl
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from pushbench import message
from pushbench.audience import Habits
from pushbench.clocks import Clock, Estimate, Round, estimate
from pushbench.comeback import Arrival
from pushbench.lag import Lag
from pushbench.reach import Reach
from pushbench.recorder import Recorder
from pushbench.schedule import NS
from pushbench.slow import Reading
from pushbench.wire import Traffic

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

CHROMIUM = "chromium"
INSTALL = "apt-get install chromium && pip install 'pushbench[browser]'"
PAGES = Path(__file__).resolve().parent / "demo" / "page"
BELOW = "/-/pushbench/"
"""Where the page seems to be on the server."""
TYPES = {".html": "text/html", ".js": "text/javascript"}
ALONE = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
"""With these a page's clock is exact to 5 µs; else it is to 100."""
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-component-update",
    # What the driver has answered is of no address, and a page of none may not open WebSockets to loopback.
    "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets",
    "--disable-renderer-backgrounding",
    "--disable-sync",
)
CONNECT_S = 5.0
"""Who is not connected by then is held up: at loopback it takes a few milliseconds."""
TAKE_EVERY_S = 0.25
ROUNDS = 50
"""How often the page is asked for the time."""
BEAT_NS = 10_000_000


def missing() -> str:
    """What is not installed that a browser takes, and how to change that; empty if nothing is."""
    lacking = [name for name, there in (("chromium", shutil.which(CHROMIUM)), ("playwright", _driver())) if not there]
    return f'client = "browser" needs {" and ".join(lacking)}: {INSTALL}' if lacking else ""


def _driver() -> bool:
    return importlib.util.find_spec("playwright") is not None


class NotMetered:
    """In place of a meter: nothing is counted."""

    async def begin(self) -> None:
        """See `wire.Meter.begin`."""

    async def end(self) -> Traffic:
        """See `wire.Meter.end`."""
        return Traffic()

    def sweep(self) -> None:
        """See `wire.Meter.sweep`."""

    def close(self) -> None:
        """See `wire.Meter.close`."""


class BrowserAudience:
    """The subscribers of one swarm, all in one page."""

    def __init__(self, habits: Habits, recorder: Recorder) -> None:
        self._habits = habits
        self._recorder = recorder
        self._page: Page | None = None
        self._closing: list[Any] = []
        self._taking: asyncio.Task[None] | None = None
        self._leaving = False
        self._window_ns = (0, 0)
        self._late: list[tuple[int, int]] = []  # when a timer of the page was due, and how late it was
        self.clock = Clock()
        """The page's, as far as it is known."""
        self.meter = NotMetered()
        self.connect_traffic = Traffic()
        self.ended: Counter[str] = Counter()
        self.arrivals: list[Arrival] = []
        self.connect_ns: list[int] = []
        self.connecting_ns: list[int] = []
        self.joined_ns = np.zeros(habits.subscribers, dtype=np.int64)
        self.slow_readings: list[Reading] = []
        self.slow_ended: Counter[str] = Counter()
        self.pongs: list[tuple[bytes, int]] = []
        self.away = self.pinged = 0

    async def connect(self, total: int, url: str) -> None:
        """Have so many be connected, or have failed to."""
        split = urlsplit(url)
        base = f"{split.scheme}://{split.netloc}"
        if self._page is None:
            self._page = await self._opened(base, self._habits.reach)
            self.clock = await self._estimated()
            await self._page.evaluate("harness.beat()")
            self._taking = asyncio.create_task(self._take_again())
        began = time.monotonic_ns()
        options = {"pollIntervalMs": self._habits.options.get("interval_s", 0.0) * 1000}
        asked = [total, self._habits.transport.in_browser, base, options, CONNECT_S * 1000]
        took_ms = await self._page.evaluate("asked => harness.connect(...asked)", asked)
        self.connecting_ns.append(time.monotonic_ns() - began)
        self.connect_ns += [round(taken * 1e6) for taken in took_ms if taken is not None]
        await self._take()

    def open(self, window_ns: tuple[int, int]) -> None:
        """The traffic is about to begin."""
        self._window_ns = window_ns

    async def leave(self) -> None:
        """Have all disconnect, and the browser end."""
        self._leaving = True
        if self._taking:
            await self._taking  # not cancelled: what the page hands over in that moment would be lost
        if self._page:
            await self._take()
            clock = await self._estimated()
            self.clock = Clock(self.clock.first, clock.first)
            await self._page.evaluate("harness.leave()")
        for close in reversed(self._closing):
            await close()
        self._page, self._closing = None, []

    def cancel(self) -> None:
        """Take no more notes. The browser ends with this process, if it is not told to."""
        if self._taking:
            self._taking.cancel()

    @property
    def lag(self) -> Lag:
        """Of the page's event loop, in the window; how much of it was work nobody knows, so all of it counts as that."""
        begin_ns, end_ns = self._window_ns
        late = [late_ns for due_ns, late_ns in self._late if begin_ns <= due_ns < end_ns]
        return Lag(BEAT_NS, tuple(late), tuple(late_ns + BEAT_NS for late_ns in late))

    async def _opened(self, base: str, reach: Reach) -> "Page":
        """A page of that origin in a browser of its own."""
        from playwright.async_api import async_playwright  # which is no use without a browser, and takes a while

        driver = await async_playwright().start()
        self._closing.append(driver.stop)
        arguments = [
            *ARGUMENTS,
            *([f"--ignore-certificate-errors-spki-list={_key_hash(base, reach)}"] if reach.tls else []),
        ]
        browser = await driver.chromium.launch(executable_path=shutil.which(CHROMIUM), args=arguments)
        self._closing.append(browser.close)
        context = await browser.new_context(extra_http_headers=dict(reach.headers) or None)
        await context.route(f"{base}{BELOW}*", _served)
        page = await context.new_page()
        await page.goto(f"{base}{BELOW}harness.html")
        await page.wait_for_function("globalThis.harness")
        await context.unroute_all()  # else each request would ask the driver whether it may go
        return page

    async def _estimated(self) -> Clock:
        """How far the page's clock is off this host's: as the debugger has it, unless asking proves that wrong."""
        assert self._page
        debugger = await self._page.context.new_cdp_session(self._page)
        await debugger.send("Performance.enable")
        metrics = (await debugger.send("Performance.getMetrics"))["metrics"]
        await debugger.detach()
        [began_s] = [one["value"] for one in metrics if one["name"] == "NavigationStart"]
        offset_ns = -round(began_s * NS)
        rounds = []
        for _ in range(ROUNDS):
            asked_ns = time.monotonic_ns()
            there_ms = await self._page.evaluate("harness.now()")
            rounds.append(Round(asked_ns, round(there_ms * 1e6), time.monotonic_ns()))
        # The clocks do not drift apart, so all rounds bound the one offset, each on its own.
        least_ns = max(one.there_ns - one.answered_ns for one in rounds)
        most_ns = min(one.there_ns - one.asked_ns for one in rounds)
        found = estimate(rounds)
        if least_ns <= offset_ns <= most_ns:
            found = Estimate(found.at_ns, offset_ns, max(offset_ns - least_ns, most_ns - offset_ns))
        return Clock(found, found)

    async def _take_again(self) -> None:
        while not self._leaving:
            await asyncio.sleep(TAKE_EVERY_S)
            await self._take()

    async def _take(self) -> None:
        """Take what the page has noted."""
        assert self._page
        taken = await self._page.evaluate("harness.take()")
        for seq, head in taken["heads"].items():
            self._recorder.know(int(seq), message.decode(head.encode()))
        at_ns = self._here(taken["at"])
        for who, seq, received_ns in zip(taken["who"], taken["seq"], at_ns, strict=True):
            self._recorder.note(who, seq, received_ns)
        due_ns = self._here([due_ms for due_ms, _ in taken["late"]])
        self._late += zip(due_ns, (round(late_ms * 1e6) for _, late_ms in taken["late"]), strict=True)
        self.ended = Counter(taken["ended"])

    def _here(self, moments_ms: list[float]) -> list[int]:
        """Moments of the page's clock by this host's."""
        there_ns = np.rint(np.array(moments_ms, dtype=np.float64) * 1e6).astype(np.int64)
        here: list[int] = self.clock.here(there_ns).tolist()
        return here


async def _served(route: "Route") -> None:
    """Answer for the server what is the page's."""
    path = PAGES / Path(urlsplit(route.request.url).path).name
    await route.fulfill(path=path, content_type=TYPES[path.suffix], headers={**ALONE, "Content-Type": TYPES[path.suffix]})


def _key_hash(base: str, reach: Reach) -> str:
    """What Chromium is to believe of the server at that origin: the hash of its key, once it was verified here."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    split = urlsplit(base)
    address = split.hostname or "", split.port or 443
    context = reach.context() or ssl.create_default_context()
    with socket.create_connection(address) as plain, context.wrap_socket(plain, server_hostname=address[0]) as secure:
        certificate = secure.getpeercert(binary_form=True)
    assert certificate
    key = x509.load_der_x509_certificate(certificate).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(spki).digest()).decode()
